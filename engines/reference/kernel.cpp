// SPDX-License-Identifier: Apache-2.0
#include "kernel.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace inferometer::reference {

const std::map<std::string_view, Prepare>& kernels() {
  static const std::map<std::string_view, Prepare> kTable{
      {"Abs", prepare_unary},
      {"Add", prepare_binary},
      {"AveragePool", prepare_average_pool},
      {"BatchNormalization", prepare_batch_norm},
      {"Cast", prepare_cast},
      {"Clip", prepare_clip},
      {"Concat", prepare_concat},
      {"Conv", prepare_conv},
      {"Div", prepare_binary},
      {"Dropout", prepare_copy},
      {"Erf", prepare_unary},
      {"Exp", prepare_unary},
      {"Flatten", prepare_copy},
      {"Gather", prepare_gather},
      {"Gemm", prepare_gemm},
      {"GlobalAveragePool", prepare_global_average_pool},
      {"GlobalMaxPool", prepare_global_max_pool},
      {"Identity", prepare_copy},
      {"MatMul", prepare_matmul},
      {"Max", prepare_binary},
      {"MaxPool", prepare_max_pool},
      {"Min", prepare_binary},
      {"Mul", prepare_binary},
      {"Neg", prepare_unary},
      {"Pow", prepare_binary},
      {"Relu", prepare_unary},
      {"Reshape", prepare_copy},
      {"Sigmoid", prepare_unary},
      {"Softmax", prepare_softmax},
      {"Sqrt", prepare_unary},
      {"Squeeze", prepare_copy},
      {"Sub", prepare_binary},
      {"Tanh", prepare_unary},
      {"Transpose", prepare_transpose},
      {"Unsqueeze", prepare_copy},
  };
  return kTable;
}

const graph::Value& Site::value(graph::ValueId id) const {
  return graph_.value(id);
}

bool Site::has_input(std::size_t i) const noexcept {
  return i < node_.inputs.size() && node_.inputs[i] != graph::kNoValue;
}

bool Site::has_output(std::size_t i) const noexcept {
  return i < node_.outputs.size() && node_.outputs[i] != graph::kNoValue;
}

namespace {

Shape concrete(const Site& site, const graph::Value& value) {
  if (!value.shape)
    site.refuse(fmt::format("the shape of {} can't be known before it runs", value.name));
  std::vector<std::int64_t> dims;
  for (const auto& dim : *value.shape) {
    if (dim.size < 0)
      site.refuse(fmt::format("an axis of {} can't be known before it runs", value.name));
    dims.push_back(dim.size);
  }
  return Shape(dims);
}

DType dtype(const Site& site, const graph::Value& value) {
  if (!value.dtype) site.refuse(fmt::format("the dtype of {} isn't known", value.name));
  return *value.dtype;
}

}  // namespace

Shape Site::input_shape(std::size_t i) const {
  return concrete(*this, value(node_.inputs.at(i)));
}
Shape Site::output_shape(std::size_t i) const {
  return concrete(*this, value(node_.outputs.at(i)));
}
DType Site::input_dtype(std::size_t i) const {
  return dtype(*this, value(node_.inputs.at(i)));
}
DType Site::output_dtype(std::size_t i) const {
  return dtype(*this, value(node_.outputs.at(i)));
}

std::vector<std::int64_t> Site::input_integers(std::size_t i) const {
  const auto& input = value(node_.inputs.at(i));
  if (!input.constant) refuse(fmt::format("{} must be constant", input.name));
  return graph::as_integers(*input.constant);
}

std::size_t Site::axis(std::int64_t fallback, std::size_t rank) const {
  const auto given = graph::int_attribute(node_, "axis", fallback);
  const auto size = static_cast<std::int64_t>(rank);
  if (given < -size || given > size)
    throw Error(Status::Invalid,
                fmt::format("operator {} (node {}): axis {} of a tensor of rank {}", node_.op,
                            node_.name, given, rank));
  return static_cast<std::size_t>(given < 0 ? given + size : given);
}

void Site::refuse(const std::string& reason) const {
  throw Error(Status::Unsupported,
              fmt::format("reference: operator {} (node {}): {}", node_.op, node_.name, reason),
              {{"operator", node_.op}, {"node", node_.name}});
}

void for_ranges(Pool& pool, std::int64_t count, std::int64_t grain,
                const std::function<void(std::int64_t, std::int64_t)>& body) {
  const auto threads = static_cast<std::int64_t>(pool.threads());
  const std::int64_t size =
      std::max({grain, (count + 4 * threads - 1) / (4 * threads), std::int64_t{1}});
  pool.run((count + size - 1) / size,
           [&](std::int64_t i, std::size_t) { body(i * size, std::min(count, (i + 1) * size)); });
}

}  // namespace inferometer::reference

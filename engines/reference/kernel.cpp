// SPDX-License-Identifier: Apache-2.0
#include "kernel.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace inferometer::reference {

// NOLINTNEXTLINE(readability-function-size): a table
const std::map<std::string_view, Prepare>& kernels() {
  static const std::map<std::string_view, Prepare> kTable{
      {"Abs", prepare_unary},
      {"Acos", prepare_unary},
      {"Acosh", prepare_unary},
      {"Add", prepare_binary},
      {"And", prepare_compare},
      {"ArgMax", prepare_arg_reduce},
      {"ArgMin", prepare_arg_reduce},
      {"Asin", prepare_unary},
      {"Asinh", prepare_unary},
      {"Atan", prepare_unary},
      {"Atanh", prepare_unary},
      {"AveragePool", prepare_average_pool},
      {"BatchNormalization", prepare_batch_norm},
      {"Cast", prepare_cast},
      {"CastLike", prepare_cast},
      {"Ceil", prepare_unary},
      {"Celu", prepare_unary},
      {"Clip", prepare_clip},
      {"Concat", prepare_concat},
      {"ConstantOfShape", prepare_fill},
      {"Conv", prepare_conv},
      {"ConvTranspose", prepare_conv_transpose},
      {"Cos", prepare_unary},
      {"Cosh", prepare_unary},
      {"CumSum", prepare_cum_sum},
      {"DepthToSpace", prepare_strided},
      {"Div", prepare_binary},
      {"Dropout", prepare_dropout},
      {"Elu", prepare_unary},
      {"Equal", prepare_compare},
      {"Erf", prepare_unary},
      {"Exp", prepare_unary},
      {"Expand", prepare_strided},
      {"Flatten", prepare_copy},
      {"Floor", prepare_unary},
      {"GRU", prepare_recurrent},
      {"Gather", prepare_gather},
      {"GatherElements", prepare_gather_elements},
      {"GatherND", prepare_gather_nd},
      {"Gelu", prepare_unary},
      {"Gemm", prepare_gemm},
      {"GlobalAveragePool", prepare_global_average_pool},
      {"GlobalMaxPool", prepare_global_max_pool},
      {"Greater", prepare_compare},
      {"GreaterOrEqual", prepare_compare},
      {"GroupNormalization", prepare_group_norm},
      {"HardSigmoid", prepare_unary},
      {"HardSwish", prepare_unary},
      {"Hardmax", prepare_hardmax},
      {"Identity", prepare_copy},
      {"InstanceNormalization", prepare_group_norm},
      {"IsInf", prepare_is_infinite},
      {"IsNaN", prepare_is_nan},
      {"LRN", prepare_lrn},
      {"LSTM", prepare_recurrent},
      {"LayerNormalization", prepare_layer_norm},
      {"LeakyRelu", prepare_unary},
      {"Less", prepare_compare},
      {"LessOrEqual", prepare_compare},
      {"Log", prepare_unary},
      {"LogSoftmax", prepare_softmax},
      {"MatMul", prepare_matmul},
      {"Max", prepare_binary},
      {"MaxPool", prepare_max_pool},
      {"Mean", prepare_binary},
      {"Min", prepare_binary},
      {"Mish", prepare_unary},
      {"Mod", prepare_binary},
      {"Mul", prepare_binary},
      {"Neg", prepare_unary},
      {"NonZero", prepare_non_zero},
      {"Not", prepare_unary},
      {"OneHot", prepare_one_hot},
      {"Or", prepare_compare},
      {"PRelu", prepare_prelu},
      {"Pad", prepare_pad},
      {"Pow", prepare_power},
      {"RMSNormalization", prepare_layer_norm},
      {"RNN", prepare_recurrent},
      {"Range", prepare_range},
      {"Reciprocal", prepare_unary},
      {"ReduceL1", prepare_reduce},
      {"ReduceL2", prepare_reduce},
      {"ReduceLogSum", prepare_reduce},
      {"ReduceLogSumExp", prepare_reduce},
      {"ReduceMax", prepare_reduce},
      {"ReduceMean", prepare_reduce},
      {"ReduceMin", prepare_reduce},
      {"ReduceProd", prepare_reduce},
      {"ReduceSum", prepare_reduce},
      {"ReduceSumSquare", prepare_reduce},
      {"Relu", prepare_unary},
      {"Reshape", prepare_copy},
      {"Resize", prepare_resize},
      {"Round", prepare_unary},
      {"Scatter", prepare_scatter_elements},
      {"ScatterElements", prepare_scatter_elements},
      {"ScatterND", prepare_scatter_nd},
      {"Selu", prepare_unary},
      {"Shape", prepare_shape_of},
      {"Shrink", prepare_unary},
      {"Sigmoid", prepare_unary},
      {"Sign", prepare_unary},
      {"Sin", prepare_unary},
      {"Sinh", prepare_unary},
      {"Size", prepare_size_of},
      {"Slice", prepare_strided},
      {"Softmax", prepare_softmax},
      {"Softplus", prepare_unary},
      {"Softsign", prepare_unary},
      {"SpaceToDepth", prepare_strided},
      {"Split", prepare_split},
      {"Sqrt", prepare_unary},
      {"Squeeze", prepare_copy},
      {"Sub", prepare_binary},
      {"Sum", prepare_binary},
      {"Swish", prepare_unary},
      {"Tan", prepare_unary},
      {"Tanh", prepare_unary},
      {"ThresholdedRelu", prepare_unary},
      {"Tile", prepare_strided},
      {"TopK", prepare_top_k},
      {"Transpose", prepare_strided},
      {"Trilu", prepare_trilu},
      {"Unsqueeze", prepare_copy},
      {"Upsample", prepare_resize},
      {"Where", prepare_where},
      {"Xor", prepare_compare},
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
              fmt::format("operator {} (node {}): {}", node_.op, node_.name, reason),
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

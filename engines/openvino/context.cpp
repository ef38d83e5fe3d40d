// SPDX-License-Identifier: Apache-2.0
#include "context.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "ports.hpp"

namespace inferometer::openvino {
namespace {

// "brgconv_avx512_1x1_f32" -> "f32": OpenVINO ends a kernel's name with what it computes in.
constexpr std::int64_t kWarmUpRuns = 3;

// "brgconv_avx512_f32": what param `precision` calls fp32.
std::string precision_of(const std::string& kernel) {
  const std::size_t mark = kernel.rfind('_');
  const auto dtype = mark == std::string::npos ? "" : kernel.substr(mark + 1);
  if (dtype == "f32") return "fp32";
  if (dtype == "f16") return "fp16";
  return dtype == "i8" ? "int8" : dtype;
}

template <class T>
const T* first_wide(const DLTensor& tensor) {
  const auto* begin =
      reinterpret_cast<const T*>(static_cast<const char*>(tensor.data) + tensor.byte_offset);
  const T* end = begin + plugin::shape_of(tensor).elements();
  const T* found =
      std::find_if(begin, end, [](T value) { return !std::in_range<std::int32_t>(value); });
  return found == end ? nullptr : found;
}

void pass_on(const DLTensor& input, DLTensor& output) {
  if (output.data == nullptr) {
    output.data = input.data;
    output.byte_offset = input.byte_offset;
    output.ndim = input.ndim;
    std::copy_n(input.shape, input.ndim, output.shape);
  } else if (output.data != input.data) {
    std::memcpy(static_cast<char*>(output.data) + output.byte_offset,
                static_cast<const char*>(input.data) + input.byte_offset,
                plugin::size_bytes(input));
  }
}

}  // namespace

OvContext::OvContext(const Library& library, const ov_compiled_model_t* compiled,
                     const plugin::ModelInfo& info)
    : library_(library),
      info_(info),
      request_(own<ov_infer_request_t>(library, library.infer_request_free, [&](auto** out) {
        return library.compiled_model_create_infer_request(compiled, out);
      })) {
  for (std::size_t i = 0; i < info.outputs.size(); ++i) own_outputs_.push_back(output_tensor(i));
  for (std::size_t i = 0; i < info.inputs.size(); ++i) {
    const DType dtype = info.inputs[i].dtype;
    if (dtype == DType::I64 || dtype == DType::U64) wide_inputs_.push_back(i);
  }
  for (std::size_t out = 0; out < info.outputs.size(); ++out)
    for (std::size_t in = 0; in < info.inputs.size(); ++in)
      if (!info.outputs[out].name.empty() && info.outputs[out].name == info.inputs[in].name)
        passed_[out] = in;
}

Owned<ov_tensor_t> OvContext::output_tensor(std::size_t index) const {
  return own<ov_tensor_t>(
      library_, library_.tensor_free,
      [&](auto** out) {
        return library_.infer_request_get_output_tensor_by_index(request_.get(), index, out);
      },
      Status::PredictFailed);
}

Owned<ov_tensor_t> OvContext::wrap(const DLTensor& tensor, const plugin::PortInfo& port) const {
  const DType dtype = plugin::dtype_of(tensor);
  if (dtype != port.dtype) {
    throw Error(Status::Invalid, fmt::format("port \"{}\" has dtype {}, {} was bound", port.name,
                                             to_string(port.dtype), to_string(dtype)));
  }
  const ov_shape_t shape{tensor.ndim, tensor.shape};
  auto* bytes = static_cast<char*>(tensor.data) + tensor.byte_offset;
  return own<ov_tensor_t>(
      library_, library_.tensor_free,
      [&](auto** out) {
        return library_.tensor_create_from_host_ptr(element_type_of(dtype), shape, bytes, out);
      },
      Status::PredictFailed);
}

void OvContext::bind_output(std::size_t index, const DLTensor& tensor) {
  const bool engines = tensor.data == nullptr;
  if (engines) engine_outputs_.push_back(index);
  const auto wrapped = engines ? Owned<ov_tensor_t>(nullptr, library_.tensor_free)
                               : wrap(tensor, info_.outputs[index]);
  library_.check(library_.infer_request_set_output_tensor_by_index(
                     request_.get(), index, engines ? own_outputs_[index].get() : wrapped.get()),
                 Status::PredictFailed);
}

void OvContext::bind(std::span<const DLTensor> inputs, std::span<DLTensor> outputs) {
  if (inputs.size() != info_.inputs.size() || outputs.size() != info_.outputs.size()) {
    throw Error(
        Status::Invalid,
        fmt::format("the model has {} inputs and {} outputs; {} and {} were bound",
                    info_.inputs.size(), info_.outputs.size(), inputs.size(), outputs.size()));
  }
  engine_outputs_.clear();
  published_.clear();
  input_tensors_ = inputs;
  output_tensors_ = outputs;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const auto tensor = wrap(inputs[i], info_.inputs[i]);
    library_.check(
        library_.infer_request_set_input_tensor_by_index(request_.get(), i, tensor.get()),
        Status::PredictFailed);
  }
  // Input and output of a value that is both share one slot: memory for the output would be read as
  // the input.
  for (std::size_t i = 0; i < outputs.size(); ++i)
    if (!passed_.contains(i)) bind_output(i, outputs[i]);
}

void OvContext::publish(std::size_t index) {
  auto tensor = output_tensor(index);
  DLTensor& target = output_tensors_[index];
  target.ndim = 0;
  target.byte_offset = 0;
  if (!info_.outputs[index].shape.empty()) {  // the C API can't tell the shape of a scalar
    ov_shape_t shape{};
    library_.check(library_.tensor_get_shape(tensor.get(), &shape), Status::PredictFailed);
    target.ndim = static_cast<int>(shape.rank);
    std::copy_n(shape.dims, shape.rank, target.shape);
    library_.shape_free(&shape);
  }
  library_.check(library_.tensor_data(tensor.get(), &target.data), Status::PredictFailed);
  published_.push_back(std::move(tensor));
}

// OpenVINO's CPU device computes 64-bit integers in 32 bits and says nothing: 2^40 becomes 0.
void OvContext::require_narrow(const DLTensor& tensor, const plugin::PortInfo& port) const {
  std::string value;
  if (port.dtype == DType::I64) {
    if (const auto* wide = first_wide<std::int64_t>(tensor)) value = std::to_string(*wide);
  } else if (const auto* wide = first_wide<std::uint64_t>(tensor)) {
    value = std::to_string(*wide);
  }
  if (value.empty()) return;
  throw Error(Status::Unsupported,
              fmt::format("input \"{}\" holds {}; its CPU device computes {} in 32 bits "
                          "and would give a wrong answer",
                          port.name, value, to_string(port.dtype)),
              {{"port", port.name}});
}

void OvContext::run() {
  published_.clear();
  for (const std::size_t index : wide_inputs_) {
    require_narrow(input_tensors_[index], info_.inputs[index]);
  }
  library_.check(library_.infer_request_infer(request_.get()), Status::PredictFailed);
  if (++runs_ == kWarmUpRuns) warm_up_ = averages();
  for (const std::size_t index : engine_outputs_) publish(index);
  for (const auto& [output, input] : passed_)
    pass_on(input_tensors_[input], output_tensors_[output]);
}

// OpenVINO averages each node over all runs since load, the first and slowest included: what the
// warm-up contributed is taken out again. Several streams run on graphs of their own, which one
// request doesn't count.
std::vector<plugin::ProfileRow> OvContext::profile() {
  auto rows = averages();
  const auto later = runs_ - kWarmUpRuns;
  if (later <= 0 || rows.size() != warm_up_.size() || info_.effective.at("streams") != "1")
    return rows;
  for (std::size_t i = 0; i < rows.size(); ++i)
    rows[i].ns =
        std::max<std::int64_t>(0, (rows[i].ns * runs_ - warm_up_[i].ns * kWarmUpRuns) / later);
  return rows;
}

std::vector<plugin::ProfileRow> OvContext::averages() const {
  if (info_.effective.at("profiling") != "true") return {};
  ov_profiling_info_list_t list{};
  library_.check(library_.infer_request_get_profiling_info(request_.get(), &list),
                 Status::PredictFailed);
  std::vector<plugin::ProfileRow> rows;
  for (std::size_t i = 0; i < list.size; ++i) {
    const ov_profiling_info_t& row = list.profiling_infos[i];
    if (row.status != ov_profiling_info_t::EXECUTED) continue;
    rows.push_back({.node = row.node_name,
                    .kernel = row.exec_type,
                    .precision = precision_of(row.exec_type),
                    .ns = row.real_time * 1000});
  }
  library_.profiling_info_list_free(&list);
  return rows;
}

}  // namespace inferometer::openvino

// SPDX-License-Identifier: Apache-2.0
// One infer request: the caller's memory in and out, nothing allocated by run.
#pragma once

#include <map>
#include <vector>

#include "inferometer/engine_plugin.hpp"
#include "library.hpp"

namespace inferometer::openvino {

class OvContext : public plugin::Context {
 public:
  /// The model and `info` outlive the context.
  OvContext(const Library& library, const ov_compiled_model_t* compiled,
            const plugin::ModelInfo& info);

  void bind(std::span<const DLTensor> inputs, std::span<DLTensor> outputs) override;
  void run() override;
  std::vector<plugin::ProfileRow> profile() override;

 private:
  Owned<ov_tensor_t> wrap(const DLTensor& tensor, const plugin::PortInfo& port) const;
  Owned<ov_tensor_t> output_tensor(std::size_t index) const;
  void bind_output(std::size_t index, const DLTensor& tensor);
  void publish(std::size_t index);
  std::vector<plugin::ProfileRow> averages() const;
  void require_narrow(const DLTensor& tensor, const plugin::PortInfo& port) const;

  const Library& library_;
  const plugin::ModelInfo& info_;
  Owned<ov_infer_request_t> request_;
  std::vector<Owned<ov_tensor_t>> own_outputs_;  // OpenVINO's, as the request was made with them
  std::span<const DLTensor> input_tensors_;
  std::span<DLTensor> output_tensors_;
  std::vector<std::size_t> wide_inputs_;       // whose numbers OpenVINO cuts to 32 bits
  std::vector<std::size_t> engine_outputs_;    // bound with data = null
  std::map<std::size_t, std::size_t> passed_;  // output -> the input that it is
  std::int64_t runs_ = 0;
  std::vector<plugin::ProfileRow> warm_up_;    // averages over the first runs
  std::vector<Owned<ov_tensor_t>> published_;  // keep alive what engine outputs point to
};

}  // namespace inferometer::openvino

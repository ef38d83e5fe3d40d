// SPDX-License-Identifier: Apache-2.0
// OpenVINO's shared library: the C functions that we use, and errors in our words.
#pragma once

#include <openvino/c/openvino.h>

#include <filesystem>
#include <memory>
#include <string>

#include "inferometer/error.hpp"

namespace inferometer::openvino {

/// Every function of OpenVINO that this plugin calls, without its prefix ov_.
#define INFEROMETER_OPENVINO_FUNCTIONS(X)     \
  X(free)                                     \
  X(get_last_err_msg)                         \
  X(get_openvino_version)                     \
  X(version_free)                             \
  X(core_create)                              \
  X(core_free)                                \
  X(core_set_properties)                      \
  X(core_get_property)                        \
  X(core_read_model)                          \
  X(core_read_model_from_memory_buffer)       \
  X(core_compile_model_props)                 \
  X(core_import_model)                        \
  X(model_free)                               \
  X(model_inputs_size)                        \
  X(model_const_input_by_index)               \
  X(model_reshape_by_port_indexes)            \
  X(partial_shape_create)                     \
  X(partial_shape_free)                       \
  X(output_const_port_free)                   \
  X(port_get_any_name)                        \
  X(port_get_element_type)                    \
  X(port_get_partial_shape)                   \
  X(compiled_model_free)                      \
  X(compiled_model_inputs_size)               \
  X(compiled_model_input_by_index)            \
  X(compiled_model_outputs_size)              \
  X(compiled_model_output_by_index)           \
  X(compiled_model_get_property)              \
  X(compiled_model_export_model)              \
  X(compiled_model_create_infer_request)      \
  X(infer_request_free)                       \
  X(infer_request_set_input_tensor_by_index)  \
  X(infer_request_set_output_tensor_by_index) \
  X(infer_request_get_output_tensor_by_index) \
  X(infer_request_infer)                      \
  X(infer_request_get_profiling_info)         \
  X(profiling_info_list_free)                 \
  X(tensor_create_from_host_ptr)              \
  X(tensor_free)                              \
  X(tensor_data)                              \
  X(tensor_get_shape)                         \
  X(shape_free)

/// One library file, opened once and kept for the life of the process.
struct Library {
  std::filesystem::path path;
  std::string version;

  // NOLINTNEXTLINE(bugprone-macro-parentheses): a declared name can't stand in parentheses
#define INFEROMETER_OPENVINO_MEMBER(name) decltype(&::ov_##name) name = nullptr;
  INFEROMETER_OPENVINO_FUNCTIONS(INFEROMETER_OPENVINO_MEMBER)
#undef INFEROMETER_OPENVINO_MEMBER

  /// Throws OpenVINO's last message for anything but success; `fallback` is the code where its own
  /// says little.
  void check(ov_status_e status, Status fallback) const;
};

/// The library that the locator finds (`chosen`: param "library", may be empty).
/// Throws Error{Unavailable}.
const Library& library(const std::filesystem::path& chosen);

/// An object of OpenVINO that knows how it is released.
template <class T>
using Owned = std::unique_ptr<T, void (*)(T*)>;

/// make(&pointer) -> ov_status_e; the object is freed with `release`.
template <class T, class Make>
Owned<T> own(const Library& library, void (*release)(T*), Make&& make,
             Status fallback = Status::LoadFailed) {
  T* object = nullptr;
  library.check(make(&object), fallback);
  return Owned<T>(object, release);
}

}  // namespace inferometer::openvino

// SPDX-License-Identifier: Apache-2.0
#include "judge.hpp"

#include <fmt/format.h>

#include <cmath>
#include <cstring>

#include "graph/elements.hpp"
#include "inferometer/error.hpp"

namespace inferometer::onnx_cases {
namespace {

constexpr double kRelative = 1e-3, kAbsolute = 1e-7;

template <class T>
bool close(T got, T expected) {
  if constexpr (std::is_floating_point_v<T>) {
    if (got == expected || (std::isnan(got) && std::isnan(expected))) return true;
    const auto g = static_cast<double>(expected);
    // Not "> limit": NaN must be off too.
    return std::isfinite(g) &&
           std::abs(static_cast<double>(got) - g) <= kAbsolute + kRelative * std::abs(g);
  } else {
    return got == expected;
  }
}

std::span<const std::byte> bytes_of(const Tensor& tensor) {
  return {static_cast<const std::byte*>(tensor.data()), tensor.view().size_bytes()};
}

[[noreturn]] void differ(const std::string& text) {
  throw Error(Status::Mismatch, text);
}

std::string type_text(const Tensor& tensor) {
  return fmt::format("{} {}", to_string(tensor.dtype()), to_string(tensor.shape()));
}

template <class Codec>
void require_close(Codec codec, std::size_t output, const Tensor& got, const Tensor& expected) {
  const auto count = static_cast<std::size_t>(expected.shape().elements());
  std::size_t off = 0;
  std::string first;
  for (std::size_t i = 0; i < count; ++i) {
    const auto y = codec.load(bytes_of(got), i), g = codec.load(bytes_of(expected), i);
    if (close(y, g)) continue;
    if (off++ == 0) first = fmt::format("element {} is {} instead of {}", i, y, g);
  }
  if (off > 0) differ(fmt::format("output {}: {} of {} values off, {}", output, off, count, first));
}

}  // namespace

void require_equal(std::span<const Tensor> got, std::span<const Tensor> expected) {
  if (got.size() != expected.size())
    differ(fmt::format("{} outputs instead of {}", got.size(), expected.size()));
  for (std::size_t i = 0; i < got.size(); ++i) {
    if (got[i].dtype() != expected[i].dtype() || !(got[i].shape() == expected[i].shape()))
      differ(
          fmt::format("output {}: {} instead of {}", i, type_text(got[i]), type_text(expected[i])));
    graph::visit_elements(expected[i].dtype(),
                          [&](auto codec) { require_close(codec, i, got[i], expected[i]); });
  }
}

}  // namespace inferometer::onnx_cases

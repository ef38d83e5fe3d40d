// SPDX-License-Identifier: Apache-2.0
// fuzz_onnx: the same road as fuzz_models, led by coverage. One mutation in two knows protobuf; the
// others are libFuzzer's own, which find what lengths that lie do.
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

#include "consume.hpp"
#include "mutate.hpp"

extern "C" {

// Of libFuzzer's runtime.
std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t capacity);

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  inferometer::fuzz::consume(std::as_bytes(std::span(data, size)));
  return 0;
}

std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t capacity,
                                    unsigned int seed) {
  inferometer::random_graphs::Random random(seed);
  if (seed % 2 == 0) return LLVMFuzzerMutate(data, size, capacity);
  const auto mutated =
      inferometer::fuzz::mutate({reinterpret_cast<const char*>(data), size}, random);
  if (mutated.size() > capacity) return LLVMFuzzerMutate(data, size, capacity);
  std::memcpy(data, mutated.data(), mutated.size());
  return mutated.size();
}
}

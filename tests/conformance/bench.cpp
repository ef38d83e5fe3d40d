// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <random>

#include "core/ports.hpp"
#include "graph/graph.hpp"
#include "suite.hpp"

namespace inferometer::conformance {
namespace {

constexpr double kGate = 1e-4;       // rel-L2, the fp32 gate of parity
constexpr double kSmallGate = 2e-2;  // 16-bit storage rounds at every node

// Through graph's conversions, which know every dtype.
std::vector<double> reals(const Tensor& tensor) {
  graph::Constant constant;
  constant.dtype = tensor.dtype();
  constant.shape.assign(tensor.shape().begin(), tensor.shape().end());
  constant.bytes = {static_cast<const std::byte*>(tensor.data()), tensor.view().size_bytes()};
  return graph::as_reals(constant);
}

bool is_floating(DType dtype) {
  return dtype == DType::F32 || dtype == DType::F64 || dtype == DType::F16 || dtype == DType::BF16;
}

double distance(const std::vector<double>& got, const std::vector<double>& expected) {
  double difference = 0, size = 0;
  for (std::size_t i = 0; i < got.size(); ++i) {
    difference += (got[i] - expected[i]) * (got[i] - expected[i]);
    size += expected[i] * expected[i];
  }
  return std::sqrt(difference) / std::max(std::sqrt(size), 1e-30);
}

bool same_bits(const Tensor& a, const Tensor& b) {
  return a.dtype() == b.dtype() && a.shape() == b.shape() &&
         std::memcmp(a.data(), b.data(), a.view().size_bytes()) == 0;
}

// One element of any dtype from a small number; 16-bit floats between 1 and 2 by their bits.
void put(DType dtype, std::byte* to, std::uint32_t random) {
  const float real = static_cast<float>(random % 2001) / 1000.0F - 1.0F;
  const std::uint64_t small = random % 10;
  switch (dtype) {
    case DType::F32:
      std::memcpy(to, &real, sizeof real);
      return;
    case DType::F64: {
      const auto wide = static_cast<double>(real);
      std::memcpy(to, &wide, sizeof wide);
      return;
    }
    case DType::F16:
    case DType::BF16: {
      const auto bits =
          static_cast<std::uint16_t>((dtype == DType::F16 ? 0x3C00 : 0x3F80) | (random & 0x7F));
      std::memcpy(to, &bits, sizeof bits);
      return;
    }
    case DType::Bool:
      *to = std::byte(small & 1u);
      return;
    default:
      std::memcpy(to, &small, size_bytes(dtype));  // little-endian
  }
}

}  // namespace

Bench::Bench(std::string engine, std::filesystem::path folder)
    : engine_(std::move(engine)), folder_(std::move(folder)) {
  std::filesystem::create_directories(folder_);
}

Loaded Bench::load(const std::filesystem::path& model, Params params) const {
  params.insert({"engine", engine_});
  params.insert({"threads", 2});
  return core::load_local(model, params);
}

std::vector<Tensor> Bench::golden(const std::filesystem::path& model, std::span<const View> inputs,
                                  const Params& params) const {
  const bool own = probe().synthetic || engine_ == "reference";
  Params plain{{"engine", own ? engine_ : "reference"}, {"threads", 1}};
  for (const auto& [name, value] : params)
    if (name.starts_with("dim.")) plain.insert({name, value});
  return core::load_local(model, plain)->predict(inputs, {});
}

Tensor noise(DType dtype, Shape shape, std::uint64_t seed) {
  std::mt19937 random(static_cast<std::uint32_t>(seed));
  Tensor made(dtype, shape);
  const std::size_t size = size_bytes(dtype), bytes = made.view().size_bytes();
  for (std::size_t at = 0; at < bytes; at += size)
    put(dtype, static_cast<std::byte*>(made.data()) + at, static_cast<std::uint32_t>(random()));
  return made;
}

std::vector<Tensor> noise_for(const core::Runner& model, std::int64_t rows) {
  std::vector<Tensor> tensors;
  for (const auto& port : model.info().inputs) {
    std::vector<std::int64_t> dims;
    for (const auto& dim : port.shape) dims.push_back(dim.size);
    if (port.batch_axis) dims.at(static_cast<std::size_t>(*port.batch_axis)) = rows;
    tensors.push_back(noise(port.dtype, Shape(dims), tensors.size() + 1));
  }
  return tensors;
}

std::vector<View> views(const std::vector<Tensor>& tensors) {
  return {tensors.begin(), tensors.end()};
}

void expect(bool condition, const std::string& what) {
  if (!condition) throw Failure(what);
}

void expect_error(Status code, const std::string& what, const std::function<void()>& body) {
  try {
    body();
  } catch (const Error& error) {
    expect(error.code() == code, fmt::format("{}: expected {}, got {}: {}", what, to_string(code),
                                             to_string(error.code()), error.what()));
    expect(*error.what() != '\0', what + ": an error without a text");
    return;
  }
  throw Failure(fmt::format("{}: expected {}, got no error", what, to_string(code)));
}

void expect_close(const Tensor& got, const Tensor& expected, const std::string& what) {
  expect(got.dtype() == expected.dtype() && got.shape() == expected.shape(),
         fmt::format("{}: {} {} instead of {} {}", what, to_string(got.dtype()),
                     to_string(got.shape()), to_string(expected.dtype()),
                     to_string(expected.shape())));
  if (!is_floating(got.dtype())) return expect(same_bits(got, expected), what + ": other values");
  const bool small = size_bytes(got.dtype()) == 2;
  const double apart = distance(reals(got), reals(expected));
  // Not "> gate": NaN must fail too.
  expect(apart <= (small ? kSmallGate : kGate),
         fmt::format("{}: rel-L2 {:.3g} from the golden", what, apart));
}

void expect_close(const std::vector<Tensor>& got, const std::vector<Tensor>& expected,
                  const std::string& what) {
  expect(got.size() == expected.size(), what + ": another number of outputs");
  for (std::size_t i = 0; i < got.size(); ++i)
    expect_close(got[i], expected[i], fmt::format("{}, output {}", what, i));
}

void expect_same_bits(const std::vector<Tensor>& got, const std::vector<Tensor>& expected,
                      const std::string& what) {
  expect(got.size() == expected.size(), what + ": another number of outputs");
  for (std::size_t i = 0; i < got.size(); ++i)
    expect(same_bits(got[i], expected[i]), fmt::format("{}, output {}: other bits", what, i));
}

std::vector<Case> all_cases() {
  std::vector<Case> all;
  // `cpus` goes first: a pool that the engine shares among all loads of a process may still grow by
  // threads of an earlier, wider one, and a narrow load must not decide what later ones get.
  for (const auto& list : {param_cases(), tensor_cases(), batch_cases(), lifetime_cases()})
    all.insert(all.end(), list.begin(), list.end());
  return all;
}

}  // namespace inferometer::conformance

// SPDX-License-Identifier: Apache-2.0
// Dtypes, shapes, several ports, and what is refused.
#include <fmt/format.h>

#include <fstream>

#include "base/file.hpp"
#include "suite.hpp"

namespace inferometer::conformance {
namespace {

void matches(const Bench& bench, const std::string& name, std::int64_t rows,
             const Params& params = {}) {
  const auto path = bench.model(name);
  const auto model = bench.load(path, params);
  const auto inputs = noise_for(*model, rows);
  expect_close(model->predict(views(inputs), {}), bench.golden(path, views(inputs), params), name);
}

void ports(const Bench& bench) {
  const Info info = bench.load(bench.model("two_in_two_out"))->info();
  expect(info.inputs.size() == 2 && info.outputs.size() == 2,
         "two inputs and two outputs expected");
  expect(info.inputs[0].name == "image" && info.inputs[1].name == "features",
         "names of the inputs in the file's order");
  expect(info.outputs[0].name == "mask" && info.outputs[1].name == "scores",
         "names of the outputs in the file's order");
  for (const auto& port : {info.inputs[0], info.inputs[1], info.outputs[0], info.outputs[1]}) {
    expect(port.dtype == DType::F32, port.name + ": dtype f32");
    expect(port.batch_axis == 0, port.name + ": batch axis 0");
  }
  expect(info.engine == bench.engine(), "info names the engine");
  expect(!info.engine_version.empty(), "info has the version");
}

void one_in_one_out(const Bench& bench) {
  matches(bench, "tiny_cnn", 5, {{"batch_size", 4}});
}
void multilayer(const Bench& bench) {
  matches(bench, "tiny_mlp", 3);
}
void several_ports(const Bench& bench) {
  matches(bench, "two_in_two_out", 5, {{"batch_size", 2}});
}
void scalars(const Bench& bench) {
  matches(bench, "scalar", 1);
}
void an_input_is_an_output(const Bench& bench) {
  matches(bench, "passed_on", 5, {{"batch_size", 2}});
}
void without_batch_axis(const Bench& bench) {
  matches(bench, "no_batch", 1);
}

template <DType kType>
void dtype(const Bench& bench) {
  matches(bench, "twice_" + std::string(to_string(kType)), 5, {{"batch_size", 2}});
}

void dimension_fixed_at_load(const Bench& bench) {
  matches(bench, "sequence", 3, {{"dim.seq", 7}});
}

void dimension_left_open(const Bench& bench) {
  const auto path = bench.model("sequence");
  const auto model = bench.load(path, {{"batch_size", 2}});
  for (const std::int64_t length : {4, 1, 9}) {
    const std::vector<Tensor> inputs{noise(DType::F32, {3, length})};
    expect_close(model->predict(views(inputs), {}), bench.golden(path, views(inputs)),
                 fmt::format("seq={}", length));
  }
}

void wrong_dtype(const Bench& bench) {
  const auto model = bench.load(bench.model("tiny_mlp"));
  const Tensor x = noise(DType::F64, {1, 16});
  expect_error(Status::Invalid, "f64 for f32", [&] { model->predict(views({x}), {}); });
}

void wrong_rank(const Bench& bench) {
  const auto model = bench.load(bench.model("tiny_mlp"));
  const Tensor x = noise(DType::F32, {1, 16, 1});
  expect_error(Status::Invalid, "rank 3 for 2", [&] { model->predict(views({x}), {}); });
}

void wrong_axis(const Bench& bench) {
  const auto model = bench.load(bench.model("tiny_mlp"));
  const Tensor x = noise(DType::F32, {1, 15});
  expect_error(Status::Invalid, "15 features for 16", [&] { model->predict(views({x}), {}); });
}

void wrong_number(const Bench& bench) {
  const auto model = bench.load(bench.model("two_in_two_out"));
  const Tensor x = noise(DType::F32, {1, 1, 8, 8});
  expect_error(Status::Invalid, "one input for two", [&] { model->predict(views({x}), {}); });
}

void different_rows(const Bench& bench) {
  const auto model = bench.load(bench.model("two_in_two_out"));
  const std::vector<Tensor> inputs{noise(DType::F32, {2, 1, 8, 8}), noise(DType::F32, {3, 4})};
  expect_error(Status::Invalid, "2 rows beside 3", [&] { model->predict(views(inputs), {}); });
}

void usable_after_a_refusal(const Bench& bench) {
  const auto path = bench.model("tiny_mlp");
  const auto model = bench.load(path);
  const Tensor wrong = noise(DType::F32, {1, 15}), right = noise(DType::F32, {1, 16});
  expect_error(Status::Invalid, "15 features for 16", [&] { model->predict(views({wrong}), {}); });
  expect_close(model->predict(views({right}), {}), bench.golden(path, views({right})),
               "after the refusal");
}

void truncated_file(const Bench& bench) {
  const std::string whole = read_text(bench.model("tiny_mlp"));
  const auto path = bench.folder() / "truncated.onnx";
  write_text_atomic(path, whole.substr(0, whole.size() / 2));
  expect_error(Status::Invalid, "half a file", [&] { bench.load(path); });
}

void missing_file(const Bench& bench) {
  expect_error(Status::Invalid, "no such file",
               [&] { bench.load(bench.folder() / "absent.onnx"); });
}

// Refused while loading, whichever status says so best; never a crash or a wrong answer.
void unknown_operator(const Bench& bench) {
  try {
    bench.load(bench.model("unknown_operator"));
  } catch (const Error& error) {
    const bool refused = error.code() == Status::Unsupported ||
                         error.code() == Status::LoadFailed || error.code() == Status::Invalid;
    expect(refused, fmt::format("status {}: {}", to_string(error.code()), error.what()));
    expect(std::string(error.what()).find("NoSuchOperator") != std::string::npos,
           fmt::format("the text doesn't name the operator: {}", error.what()));
    return;
  }
  throw Failure("loaded");
}

}  // namespace

std::vector<Case> tensor_cases() {
  return {{"ports", ports},
          {"one_in_one_out", one_in_one_out},
          {"multilayer", multilayer},
          {"several_ports", several_ports},
          {"scalars", scalars},
          {"without_batch_axis", without_batch_axis},
          {"an_input_is_an_output", an_input_is_an_output},
          {"dtype_f32", dtype<DType::F32>},
          {"dtype_f64", dtype<DType::F64>},
          {"dtype_f16", dtype<DType::F16>},
          {"dtype_bf16", dtype<DType::BF16>},
          {"dtype_i8", dtype<DType::I8>},
          {"dtype_i16", dtype<DType::I16>},
          {"dtype_i32", dtype<DType::I32>},
          {"dtype_i64", dtype<DType::I64>},
          {"dtype_u8", dtype<DType::U8>},
          {"dtype_u16", dtype<DType::U16>},
          {"dtype_u32", dtype<DType::U32>},
          {"dtype_u64", dtype<DType::U64>},
          {"dtype_bool", dtype<DType::Bool>},
          {"dimension_fixed_at_load", dimension_fixed_at_load},
          {"dimension_left_open", dimension_left_open},
          {"wrong_dtype", wrong_dtype},
          {"wrong_rank", wrong_rank},
          {"wrong_axis", wrong_axis},
          {"wrong_number", wrong_number},
          {"different_rows", different_rows},
          {"usable_after_a_refusal", usable_after_a_refusal},
          {"truncated_file", truncated_file},
          {"missing_file", missing_file},
          {"unknown_operator", unknown_operator}};
}

}  // namespace inferometer::conformance

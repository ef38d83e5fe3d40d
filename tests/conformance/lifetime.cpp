// SPDX-License-Identifier: Apache-2.0
// Models beside and after each other, and the raw wall's promises.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "suite.hpp"

namespace inferometer::conformance {
namespace {

void two_models(const Bench& bench) {
  const auto cnn_path = bench.model("tiny_cnn"), mlp_path = bench.model("tiny_mlp");
  const auto cnn = bench.load(cnn_path), mlp = bench.load(mlp_path), again = bench.load(cnn_path);
  const auto images = noise_for(*cnn, 2), features = noise_for(*mlp, 3);
  const auto golden_cnn = bench.golden(cnn_path, views(images)),
             golden_mlp = bench.golden(mlp_path, views(features));
  for (int i = 0; i < 3; ++i) {
    expect_close(cnn->predict(views(images), {}), golden_cnn, "tiny_cnn beside tiny_mlp");
    expect_close(mlp->predict(views(features), {}), golden_mlp, "tiny_mlp beside tiny_cnn");
    expect_close(again->predict(views(images), {}), golden_cnn, "tiny_cnn loaded twice");
  }
}

void load_and_unload(const Bench& bench) {
  const auto path = bench.model("tiny_mlp");
  std::vector<Tensor> first;
  for (int i = 0; i < 10; ++i) {
    const auto model = bench.load(path);
    const auto inputs = noise_for(*model, 2);
    const auto got = model->predict(views(inputs), {});
    if (first.empty()) first = got;
    expect_close(got, first, fmt::format("load number {}", i + 1));
  }
}

void unload_without_predict(const Bench& bench) {
  for (int i = 0; i < 3; ++i) bench.load(bench.model("tiny_cnn"));
}

// The plugin may not write beyond what the caller gave it for the text.
void error_text_overrun(const Bench& bench) {
  const auto* table = bench.plugin().table;
  inferometer_load_request request{};
  request.size = sizeof request;
  request.path = "/nowhere/no_such_model.onnx";
  request.settings = "{\"params\": {\"device\": \"cpu\"}}";
  for (const std::size_t capacity :
       {std::size_t{0}, std::size_t{1}, std::size_t{7}, std::size_t{64}}) {
    std::array<char, 256> memory;
    memory.fill('#');
    inferometer_error error{memory.data(), capacity};
    void* model = nullptr;
    const inferometer_sink sink{nullptr, [](void*, const char*, std::size_t) {}};
    expect(table->load(&request, &model, sink, &error) != INFEROMETER_OK,
           "a file that isn't there was loaded");
    const auto beyond = memory.begin() + static_cast<std::ptrdiff_t>(capacity);
    expect(std::all_of(beyond, memory.end(), [](char c) { return c == '#'; }),
           fmt::format("text written beyond a capacity of {}", capacity));
    expect(capacity == 0 || std::find(memory.begin(), beyond, '\0') != beyond,
           "text without its end");
  }
}

void table(const Bench& bench) {
  const auto* engine = bench.plugin().table;
  expect(engine->size >= sizeof(inferometer_engine), "a plugin of this build has the whole table");
  expect(engine->abi == INFEROMETER_ABI, "abi");
  expect(engine->name == bench.engine(), "the table's name is the folder's");
}

void explains_in_json(const Bench& bench) {
  const auto model = bench.load(bench.model("tiny_cnn"));
  const auto text = model->explain();
  if (!text.empty()) expect(parse_json(text, "explain").is_object(), "explain is a JSON object");
  const auto inputs = noise_for(*model, 1);
  model->predict(views(inputs), {});
  const auto profile = model->profile();
  if (!profile.empty()) expect(parse_json(profile, "profile").is_array(), "profile is a JSON list");
}

// Where an engine has the param, a profile names what ran and what it took.
void profiles_nodes(const Bench& bench) {
  const auto params = bench.probe().status.params;
  if (std::ranges::find(params, "profiling", &ParamSpec::name) == params.end()) return;
  const auto model = bench.load(bench.model("tiny_cnn"), {{"profiling", true}});
  const auto inputs = noise_for(*model, 1);
  for (int i = 0; i < 3; ++i) model->predict(views(inputs), {});
  std::int64_t total_ns = 0;
  for (const auto& row : parse_json(model->profile(), "profile")) {
    expect(!row.at("node").get<std::string>().empty(), "a row of a node without name");
    expect(!row.at("kernel").get<std::string>().empty(), "a row without kernel");
    total_ns += row.at("ns").get<std::int64_t>();
  }
  expect(total_ns > 0, "nodes that took no time");
}

}  // namespace

std::vector<Case> lifetime_cases() {
  return {{"two_models", two_models},
          {"load_and_unload", load_and_unload},
          {"unload_without_predict", unload_without_predict},
          {"error_text_overrun", error_text_overrun},
          {"table", table},
          {"explains_in_json", explains_in_json},
          {"profiles_nodes", profiles_nodes}};
}

}  // namespace inferometer::conformance

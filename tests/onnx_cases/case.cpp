// SPDX-License-Identifier: Apache-2.0
#include "case.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "base/file.hpp"
#include "base/text.hpp"
#include "core/runner.hpp"
#include "graph/onnx_tensor.hpp"
#include "judge.hpp"

namespace inferometer::onnx_cases {
namespace {

namespace fs = std::filesystem;

Case describe(const fs::path& folder) {
  const MappedFile model(folder / "model.onnx");
  const ModelFacts facts = read_facts(model.bytes());
  const std::string group = folder.parent_path().filename().string();
  const std::string leaf = folder.filename().string();
  return {.name = group == "node" ? leaf : group + "/" + leaf,
          .folder = folder,
          .kind = class_of(leaf, facts),
          .first_operators = within_first_operators(facts),
          .has_our_dtypes = has_our_dtypes(facts),
          .freezable = !freezable(facts).empty(),
          .operators = facts.operators};
}

std::vector<fs::path> folders_of(const fs::path& folder) {
  std::vector<fs::path> found;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error))
    if (entry.is_directory()) found.push_back(entry.path());
  std::sort(found.begin(), found.end());
  return found;
}

graph::Constant read_constant(const fs::path& path) {
  const auto file = std::make_shared<MappedFile>(path);
  graph::ExternalData none;
  return graph::read_tensor(graph::WireMessage(file->bytes(), path.filename().string()), file, none)
      .constant;
}

Tensor to_tensor(const graph::Constant& constant) {
  Tensor tensor(constant.dtype, Shape(constant.shape));
  if (!constant.bytes.empty())
    std::memcpy(tensor.data(), constant.bytes.data(), constant.bytes.size());
  return tensor;
}

/// input_0.pb, input_1.pb, ... as far as they go.
std::vector<graph::Constant> read_side(const fs::path& data_set, const char* side) {
  std::vector<graph::Constant> constants;
  for (int i = 0;; ++i) {
    const fs::path path = data_set / fmt::format("{}_{}.pb", side, i);
    if (!fs::exists(path)) return constants;
    constants.push_back(read_constant(path));
  }
}

std::vector<fs::path> data_sets(const fs::path& folder) {
  std::vector<fs::path> sets = folders_of(folder);
  std::erase_if(sets, [](const fs::path& path) {
    return !path.filename().string().starts_with("test_data_set_");
  });
  return sets;
}

// One model to load, and the inputs that are left for it.
struct Prepared {
  fs::path model;
  std::vector<Tensor> inputs;
};

Prepared as_it_is(const fs::path& folder, const std::vector<graph::Constant>& inputs) {
  Prepared prepared{folder / "model.onnx", {}};
  for (const auto& input : inputs) prepared.inputs.push_back(to_tensor(input));
  return prepared;
}

Prepared with_constants(const fs::path& folder, const std::vector<graph::Constant>& inputs,
                        const fs::path& scratch) {
  const MappedFile model(folder / "model.onnx");
  const ModelFacts facts = read_facts(model.bytes());
  const auto frozen = freezable(facts);
  Prepared prepared{scratch, {}};
  std::vector<graph::Constant> values;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    if (std::ranges::find(frozen, i) != frozen.end()) {
      values.push_back(inputs[i]);
    } else {
      prepared.inputs.push_back(to_tensor(inputs[i]));
    }
  }
  write_text_atomic(scratch, freeze(model.bytes(), facts, frozen, values));
  return prepared;
}

void run_data_set(const std::string& engine, const fs::path& folder, const fs::path& data_set,
                  bool frozen, const fs::path& scratch) {
  const auto inputs = read_side(data_set, "input");
  const Prepared prepared =
      frozen ? with_constants(folder, inputs, scratch) : as_it_is(folder, inputs);
  const auto model = core::load_local(prepared.model, {{"engine", engine}, {"threads", 1}});
  const std::vector<View> views(prepared.inputs.begin(), prepared.inputs.end());
  std::vector<Tensor> expected;
  for (const auto& output : read_side(data_set, "output")) expected.push_back(to_tensor(output));
  require_equal(model->predict(views, {}), expected);
}

std::string without(std::string text, const std::string& path) {
  for (auto at = text.find(path); at != std::string::npos; at = text.find(path))
    text.erase(at, path.size());
  return text;
}

}  // namespace

std::vector<Case> find_cases(const fs::path& data) {
  std::vector<Case> cases;
  for (const fs::path& group : folders_of(data))
    for (const fs::path& folder : folders_of(group))
      if (fs::exists(folder / "model.onnx")) cases.push_back(describe(folder));
  return cases;
}

Outcome run_case(const std::string& engine, const fs::path& folder, bool frozen,
                 const fs::path& scratch) {
  const auto told = [&](const char* text) {
    return printable(without(without(text, folder.string() + "/"), scratch.string()), 400);
  };
  try {
    const auto sets = data_sets(folder);
    if (sets.empty()) return {Status::Skipped, "the case has no data"};
    for (const fs::path& set : sets) run_data_set(engine, folder, set, frozen, scratch);
    return {};
  } catch (const Error& error) {
    return {error.code(), told(error.what())};
  } catch (const std::exception& error) {
    return {Status::Crashed, told(error.what())};
  }
}

}  // namespace inferometer::onnx_cases

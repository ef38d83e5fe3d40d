// SPDX-License-Identifier: Apache-2.0
#include "profile.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/json.hpp"

namespace inferometer::onnxruntime {
namespace {

constexpr std::string_view kKernelTime = "_kernel_time";
constexpr std::size_t kMostBytes = std::size_t{1} << 30;

// "[{"float":[1,64,56,56]}]": what the first output is made of says how it was computed.
std::string precision_of(const Json& arguments) {
  const auto shapes = arguments.find("output_type_shape");
  if (shapes == arguments.end() || !shapes->is_array() || shapes->empty()) return "";
  const auto& first = shapes->front();
  if (!first.is_object() || first.empty()) return "";
  const auto type = first.begin().key();
  if (type == "float") return "fp32";
  if (type == "float16") return "fp16";
  if (type == "double") return "fp64";
  return type == "bfloat16" ? "bf16" : type;
}

// Of a node's event; events of a run or of threads are none.
bool is_kernel(const Json& event) {
  return event.is_object() && event.value("cat", "") == "Node" &&
         event.value("name", "").ends_with(kKernelTime) && event.contains("args") &&
         event["args"].is_object() && event.value("dur", Json()).is_number();
}

// The first runs are slower, and a trace begins with them.
constexpr std::size_t kLastRuns = 10;

struct Node {
  plugin::ProfileRow row;
  std::vector<std::int64_t> us;  ///< one per run, in order
};

std::int64_t median_ns(std::vector<std::int64_t> us) {
  if (us.size() > kLastRuns) us.erase(us.begin(), us.end() - kLastRuns);
  std::ranges::sort(us);
  return (us[(us.size() - 1) / 2] + us[us.size() / 2]) * 1000 / 2;
}

void add(const Json& event, std::vector<Node>& nodes) {
  auto name = event["name"].get<std::string>();
  name.resize(name.size() - kKernelTime.size());
  const auto& arguments = event["args"];
  auto known = std::ranges::find_if(nodes, [&](const Node& node) { return node.row.node == name; });
  if (known == nodes.end()) {
    nodes.push_back({{.node = name,
                      .kernel = arguments.value("op_name", ""),
                      .precision = precision_of(arguments)},
                     {}});
    known = nodes.end() - 1;
  }
  known->us.push_back(event["dur"].get<std::int64_t>());
}

}  // namespace

std::vector<plugin::ProfileRow> rows_of_trace(std::string_view trace) {
  std::vector<Node> nodes;
  try {
    for (const auto& event : parse_json(trace, "profile"))
      if (is_kernel(event)) add(event, nodes);
  } catch (const nlohmann::json::exception& bad) {
    throw Error(Status::PredictFailed, fmt::format("ONNX Runtime's profile: {}", bad.what()));
  }
  std::vector<plugin::ProfileRow> rows;
  for (auto& node : nodes) {
    node.row.ns = median_ns(std::move(node.us));
    rows.push_back(std::move(node.row));
  }
  return rows;
}

std::vector<plugin::ProfileRow> Profiler::rows(const Library& library, OrtSession* session) {
  const std::lock_guard lock(mutex_);
  if (ended_) return rows_;
  ended_ = true;
  OrtAllocator* allocator = nullptr;
  library.check(library.api->GetAllocatorWithDefaultOptions(&allocator), Status::PredictFailed);
  char* path = nullptr;
  library.check(library.api->SessionEndProfiling(session, allocator, &path), Status::PredictFailed);
  const std::string file = path;
  library.check(library.api->AllocatorFree(allocator, path), Status::PredictFailed);
  return rows_ = rows_of_trace(read_text(file, kMostBytes));
}

}  // namespace inferometer::onnxruntime

// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "base/text.hpp"
#include "cli/acceptance.hpp"
#include "cli/command.hpp"
#include "cli/common.hpp"
#include "cli/port_files.hpp"
#include "cli/table.hpp"
#include "core/hash.hpp"
#include "core/ports.hpp"
#include "graph/onnx.hpp"
#include "graph/passes.hpp"

namespace inferometer::cli {
namespace {

struct OpCount {
  std::string op;
  std::int64_t count;
};

struct Count {
  std::optional<std::int64_t> value;
  std::string why;  ///< it is missing, or what was assumed
};

/// What our own reader learns of an ONNX file.
struct Findings {
  graph::Signature signature;
  std::int64_t opset = 0, nodes = 0, parameters = 0;
  Count macs;                ///< per sample
  Count peak_bytes;          ///< of activations: one sample, or the batch of a fixed file
  std::vector<OpCount> ops;  ///< the most frequent first
  std::vector<graph::Unknown> unknown;
};

std::vector<OpCount> histogram(const graph::Graph& graph) {
  std::map<std::string, std::int64_t> counts;
  for (const auto& node : graph.nodes)
    ++counts[node.domain.empty() ? node.op : node.domain + "." + node.op];
  std::vector<OpCount> ops;
  for (const auto& [op, count] : counts) ops.push_back({op, count});
  std::ranges::stable_sort(ops, std::greater<>(), &OpCount::count);
  return ops;
}

bool has_bodies(const graph::Graph& graph) {
  return std::ranges::any_of(graph.nodes, [](const graph::Node& node) {
    return std::ranges::any_of(node.attributes, [](const auto& attribute) {
      return std::holds_alternative<std::shared_ptr<graph::Graph>>(attribute.second);
    });
  });
}

std::string assumption(const graph::Graph& graph, const graph::Signature& signature) {
  if (has_bodies(graph))
    return "without what If and Loop hold, dynamic dimensions other than the batch as 1";
  for (const auto& port : signature.inputs)
    for (const auto& dim : port.shape)
      if (dim.size < 0 && dim.symbol != signature.batch_symbol)
        return "dynamic dimensions other than the batch count as 1";
  return "";
}

template <class Body>
Count counted(const graph::Graph& graph, const Findings& findings, Body&& body) {
  if (!findings.unknown.empty()) return {std::nullopt, "operators that our table lacks"};
  try {
    return {body(), assumption(graph, findings.signature)};
  } catch (const Error& error) {
    return {std::nullopt, error.what()};
  }
}

Findings read_findings(const std::filesystem::path& path) {
  graph::Graph graph = graph::read_onnx(path);
  graph::infer_shapes(graph);
  Findings findings{.signature = graph::signature_of(graph),
                    .opset = graph.file_opset,
                    .nodes = static_cast<std::int64_t>(graph.nodes.size()),
                    .parameters = graph::count_parameters(graph),
                    .ops = histogram(graph),
                    .unknown = graph::unknown_operators(graph)};
  findings.macs = counted(graph, findings, [&] {
    return graph::count_macs(graph) / std::max<std::int64_t>(findings.signature.batch_size, 1);
  });
  findings.peak_bytes =
      counted(graph, findings, [&] { return graph::peak_activation_bytes(graph); });
  return findings;
}

Json ports_json(const std::vector<Port>& ports) {
  Json list = Json::array();
  for (const Port& port : ports) list.push_back(port_json(port));
  return list;
}

std::vector<std::string> symbols_of(const graph::Signature& signature) {
  std::vector<std::string> symbols;
  for (const auto* ports : {&signature.inputs, &signature.outputs})
    for (const Port& port : *ports)
      for (const Dim& dim : port.shape)
        if (!dim.symbol.empty() && std::ranges::find(symbols, dim.symbol) == symbols.end())
          symbols.push_back(dim.symbol);
  return symbols;
}

Json count_json(const Count& count) {
  return count.value ? Json(*count.value) : Json();
}

Json findings_json(const Findings& findings) {
  const auto& signature = findings.signature;
  Json ops = Json::object();
  for (const auto& op : findings.ops) ops[op.op] = op.count;
  Json unknown = Json::array();
  for (const auto& node : findings.unknown)
    unknown.push_back({{"node", node.node}, {"op", node.op}, {"reason", node.reason}});
  const bool has_axis = !signature.batch_symbol.empty() || signature.batch_size > 0;
  return {{"opset", findings.opset},
          {"nodes", findings.nodes},
          {"parameters", findings.parameters},
          {"macs", count_json(findings.macs)},
          {"macs_why", findings.macs.why},
          {"activation_peak_bytes", count_json(findings.peak_bytes)},
          {"activation_peak_why", findings.peak_bytes.why},
          {"inputs", ports_json(signature.inputs)},
          {"outputs", ports_json(signature.outputs)},
          {"symbols", symbols_of(signature)},
          {"batch_axis", has_axis ? Json(0) : Json()},
          {"batch_size", signature.batch_size > 0 ? Json(signature.batch_size) : Json()},
          {"batch_axis_reason", signature.batch_axis_reason},
          {"operators", std::move(ops)},
          {"unknown_operators", std::move(unknown)}};
}

Json answers_json(const std::vector<Acceptance>& answers) {
  Json list = Json::array();
  for (const auto& answer : answers) {
    Json nodes = Json::array();
    for (const auto& node : answer.refusals)
      nodes.push_back({{"node", node.node}, {"op", node.op}, {"reason", node.reason}});
    list.push_back({{"name", answer.engine},
                    {"answer", to_string(answer.answer)},
                    {"reason", answer.reason},
                    {"refusals", std::move(nodes)}});
  }
  return list;
}

std::string ports_text(const std::string& title, const std::vector<Port>& ports) {
  std::vector<std::vector<std::string>> rows;
  for (const Port& port : ports) rows.push_back({printable(port.name), core::to_string(port)});
  return "\n" + table_text({{title}, {"dtype and shape"}}, rows);
}

template <class Text>
std::string count_fact(const Count& count, Text&& text) {
  if (!count.value) return "unavailable: " + count.why;
  return count.why.empty() ? text(*count.value)
                           : fmt::format("{} ({})", text(*count.value), count.why);
}

std::string macs_text(const Count& macs) {
  return count_fact(macs, [](std::int64_t value) {
    return short_count_text(static_cast<double>(value)) + "MAC a sample";
  });
}

// Of the whole batch where the file fixes it: that is what is held at once.
std::string peak_text(const Findings& findings) {
  const auto rows = std::max<std::int64_t>(findings.signature.batch_size, 1);
  return count_fact(findings.peak_bytes, [rows](std::int64_t value) {
    return fmt::format("{} at most at once, batch {}", bytes_text(value), rows);
  });
}

std::string findings_text(const Findings& findings) {
  const auto& signature = findings.signature;
  const auto symbols = symbols_of(signature);
  std::vector<std::vector<std::string>> ops;
  for (const auto& op : findings.ops) ops.push_back({printable(op.op), count_text(op.count)});
  return facts_text(
             {{"opset", findings.opset > 0 ? std::to_string(findings.opset) : "none of ai.onnx"},
              {"parameters", count_text(findings.parameters)},
              {"work", macs_text(findings.macs)},
              {"activations", peak_text(findings)},
              {"batch axis", signature.batch_axis_reason},
              {"symbols", symbols.empty() ? "none" : join(symbols)}}) +
         ports_text("input", signature.inputs) + ports_text("output", signature.outputs) + "\n" +
         table_text({{"operator"}, {"nodes", Align::Right}}, ops);
}

std::string answers_text(const std::vector<Acceptance>& answers) {
  std::vector<std::vector<std::string>> rows;
  for (const auto& answer : answers)
    rows.push_back({answer.engine, std::string(to_string(answer.answer)), answer.reason});
  return "\n" + table_text({{"engine"}, {"this model"}, {"why"}}, rows);
}

Reply inspect(const std::filesystem::path& path) {
  const core::ModelFile file = core::read_model_file(path);
  Reply reply;
  const std::string hash = core::model_hash(path).hex;
  reply.data = {{"path", path.string()}, {"model_hash", hash}};
  reply.text = facts_text({{"model", path.string()}, {"hash", hash}});
  if (file.signature) {
    const Findings findings = read_findings(path);
    reply.data.update(findings_json(findings));
    reply.text += findings_text(findings);
  } else {
    const std::string why = file.why.empty() ? "not an ONNX file: only engines read it" : file.why;
    reply.data["unread_why"] = why;
    reply.text += "graph  " + why + "\n";
  }
  const auto answers = ask_engines(engines(), path, file);
  reply.data["engines"] = answers_json(answers);
  reply.text += answers_text(answers);
  return reply;
}

}  // namespace

Action declare_inspect(Options& options) {
  const auto path = std::make_shared<std::filesystem::path>();
  options.add("model", *path, "MODEL", "The model file").needed = Option::Needed::Yes;
  return [path](const Console&) { return inspect(*path); };
}

}  // namespace inferometer::cli

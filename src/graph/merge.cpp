// SPDX-License-Identifier: Apache-2.0
#include "graph/merge.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/text.hpp"
#include "graph/passes.hpp"
#include "graph/sizes.hpp"
#include "graph/text.hpp"
#include "graph/uses.hpp"

namespace inferometer::graph {
namespace {

using Symbols = std::map<std::string, Dim>;  ///< of one part -> what they are in the whole

[[noreturn]] void refuse_input(const Part& part, std::size_t input, const std::string& why) {
  throw_invalid("merge: input '{}' of part '{}' {}",
                printable(part.graph.value(part.graph.inputs[input]).name), printable(part.name),
                why);
}

void check_parts(std::span<const Part> parts) {
  if (parts.empty()) throw_invalid("merge: there are no parts");
  std::set<std::string> names;
  for (const auto& part : parts) {
    if (part.name.empty() || !names.insert(part.name).second) {
      throw_invalid("merge: part name '{}' is empty or given twice", printable(part.name));
    }
    const auto& first = parts.front();
    if (part.graph.inputs.size() != first.graph.inputs.size()) {
      throw_invalid("merge: part '{}' has {} inputs, part '{}' has {}", printable(part.name),
                    part.graph.inputs.size(), printable(first.name), first.graph.inputs.size());
    }
    if (part.graph.opset != first.graph.opset) {
      throw_unsupported("merge: part '{}' is of opset {}, part '{}' of {}; convert one",
                        printable(part.name), part.graph.opset, printable(first.name),
                        first.graph.opset);
    }
  }
}

/// A common input so far, and the axis that another part gives it.
Dim common_dim(const Dim& so_far, const Dim& other, const Part& part, std::size_t input) {
  if (so_far.size >= 0 && other.size >= 0 && so_far.size != other.size) {
    refuse_input(part, input,
                 fmt::format("has an axis of {}, others of {}", other.size, so_far.size));
  }
  return so_far.size >= 0 || other.size < 0 ? so_far : other;
}

std::vector<Value> common_inputs(std::span<const Part> parts) {
  std::vector<Value> inputs;
  for (const auto id : parts.front().graph.inputs) {
    const auto& value = parts.front().graph.value(id);
    inputs.push_back({value.name, value.dtype, value.shape, {}, {}});
  }
  for (const auto& part : parts) {
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      const auto& value = part.graph.value(part.graph.inputs[i]);
      if (!value.shape || !inputs[i].shape) refuse_input(part, i, "has no known rank");
      if (value.dtype != inputs[i].dtype || value.shape->size() != inputs[i].shape->size()) {
        refuse_input(part, i, "has another dtype or rank than those before it");
      }
      for (std::size_t axis = 0; axis < value.shape->size(); ++axis) {
        auto& dim = (*inputs[i].shape)[axis];
        dim = common_dim(dim, (*value.shape)[axis], part, i);
      }
    }
  }
  return inputs;
}

/// What the part's symbols are in the whole: those of its inputs the common ones.
Symbols input_symbols(const Part& part, const std::vector<Value>& common) {
  Symbols symbols;
  for (std::size_t i = 0; i < common.size(); ++i) {
    const auto& shape = *part.graph.value(part.graph.inputs[i]).shape;
    for (std::size_t axis = 0; axis < shape.size(); ++axis) {
      if (shape[axis].symbol.empty()) continue;
      const auto& dim = (*common[i].shape)[axis];
      const auto [found, is_new] = symbols.emplace(shape[axis].symbol, dim);
      if (!is_new && (found->second.size != dim.size || found->second.symbol != dim.symbol)) {
        refuse_input(part, i,
                     fmt::format("needs axes called '{}' to be equal; in the whole they differ",
                                 printable(shape[axis].symbol)));
      }
    }
  }
  return symbols;
}

/// Moves one part into the whole.
class Mover {
 public:
  Mover(Graph& whole, const Part& part, Symbols symbols)
      : whole_(whole), part_(part), symbols_(std::move(symbols)) {}

  void move() {
    number_values();
    for (auto node : part_.graph.nodes) whole_.nodes.push_back(moved(std::move(node)));
    for (const auto id : part_.graph.outputs) whole_.outputs.push_back(output(id));
    add_domains();
    add_files();
  }

 private:
  std::string in_part(const std::string& name) const { return part_.name + "/" + name; }

  ValueId add(Value value) {
    whole_.values.push_back(std::move(value));
    return static_cast<ValueId>(whole_.values.size() - 1);
  }

  void number_values() {
    const auto& graph = part_.graph;
    for (std::size_t i = 0; i < graph.values.size(); ++i) {
      const auto input = std::ranges::find(graph.inputs, static_cast<ValueId>(i));
      ids_.push_back(input == graph.inputs.end()
                         ? add(moved(graph.values[i]))
                         : whole_.inputs[static_cast<std::size_t>(input - graph.inputs.begin())]);
      names_.emplace(graph.values[i].name, whole_.value(ids_.back()).name);
    }
  }

  void rename(Dim& dim) const {
    if (dim.symbol.empty()) return;
    const auto found = symbols_.find(dim.symbol);
    dim = found == symbols_.end() ? Dim{-1, in_part(dim.symbol)} : found->second;
  }

  Value moved(Value value) const {
    value.name = in_part(value.name);
    value.elements.reset();  // found anew, with the whole's symbols
    if (value.shape) std::ranges::for_each(*value.shape, [&](Dim& dim) { rename(dim); });
    return value;
  }

  ValueId moved(ValueId id) const {
    return id == kNoValue ? kNoValue : ids_[static_cast<std::size_t>(id)];
  }

  Node moved(Node node) const {
    node.name = in_part(node.name);
    for (auto& id : node.inputs) id = moved(id);
    for (auto& id : node.outputs) id = moved(id);
    rename_captured(node, [&](const std::string& name) {
      const auto found = names_.find(name);
      return found == names_.end() ? name : found->second;
    });
    return node;
  }

  /// An input that is handed on needs a value of its own, with the part's name.
  ValueId output(ValueId id) {
    const auto& graph = part_.graph;
    if (std::ranges::find(graph.inputs, id) == graph.inputs.end()) return moved(id);
    const auto copy = add(moved(graph.value(id)));
    whole_.nodes.push_back(
        {in_part("copy of " + graph.value(id).name), "Identity", "", {moved(id)}, {copy}, {}});
    return copy;
  }

  void add_domains() {
    for (const auto& [domain, version] : part_.graph.domains) {
      const auto [found, is_new] = whole_.domains.emplace(domain, version);
      if (!is_new && found->second != version) {
        throw_unsupported("merge: part '{}' needs version {} of domain '{}', others {}",
                          printable(part_.name), version, printable(domain), found->second);
      }
    }
  }

  void add_files() {
    auto& files = whole_.external_files;
    for (const auto& file : part_.graph.external_files) {
      if (std::ranges::find(files, file) == files.end()) files.push_back(file);
    }
  }

  Graph& whole_;
  const Part& part_;
  Symbols symbols_;
  std::vector<ValueId> ids_;                  ///< of the part -> of the whole
  std::map<std::string, std::string> names_;  ///< the same for names
};

}  // namespace

Graph merge(std::span<const Part> parts) {
  check_parts(parts);
  const auto common = common_inputs(parts);
  Graph whole;
  whole.opset = parts.front().graph.opset;
  for (const auto& value : common) {
    whole.inputs.push_back(static_cast<ValueId>(whole.values.size()));
    whole.values.push_back(value);
  }
  for (const auto& part : parts) {
    whole.name += (whole.name.empty() ? "" : "+") + part.name;
    Mover(whole, part, input_symbols(part, common)).move();
  }
  infer_shapes(whole);
  return whole;
}

}  // namespace inferometer::graph

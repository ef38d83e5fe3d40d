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

/// A common axis so far, and what another part makes of it: a size goes before a symbol, and a
/// symbol before neither.
Dim common_dim(const Dim& so_far, const Dim& other, const Part& part, std::size_t input) {
  if (so_far.size >= 0 && other.size >= 0 && so_far.size != other.size) {
    refuse_input(part, input,
                 fmt::format("has an axis of {}, others of {}", other.size, so_far.size));
  }
  if (so_far.size >= 0) return so_far;
  if (other.size >= 0) return other;
  // Another part's symbol, with its name: the first part may mean something else by it.
  if (so_far.symbol.empty() && !other.symbol.empty()) return {-1, part.name + "/" + other.symbol};
  return so_far;
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
  Mover(Graph& whole, std::set<std::string>& used, const Part& part, Symbols symbols)
      : whole_(whole), used_(used), part_(part), symbols_(std::move(symbols)) {}

  void move() {
    number_values();
    name_captured_inputs();
    for (auto node : part_.graph.nodes) whole_.nodes.push_back(moved(std::move(node)));
    for (const auto id : part_.graph.outputs) whole_.outputs.push_back(output(id));
    add_domains();
    add_files();
  }

 private:
  std::string in_part(const std::string& name) const { return part_.name + "/" + name; }

  ValueId add(Value value) {
    value.name = unused(std::move(value.name));
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

  /// Bodies capture by name, and a body may have a value of its own that is called as the common
  /// input is: what it captures gets a name of this part's.
  void name_captured_inputs() {
    for (const auto& node : part_.graph.nodes) {
      for (const auto& name : captured_names(node)) {
        const auto is_it = [&](ValueId id) { return part_.graph.value(id).name == name; };
        const auto input = std::ranges::find_if(part_.graph.inputs, is_it);
        if (input == part_.graph.inputs.end() || names_[name].starts_with(in_part(""))) continue;
        names_[name] = whole_.value(copied(*input)).name;
      }
    }
  }

  /// An input as a value of this part's.
  ValueId copied(ValueId input) {
    if (const auto found = copies_.find(input); found != copies_.end()) return found->second;
    const auto copy = add(moved(part_.graph.value(input)));
    whole_.nodes.push_back({in_part("copy of " + part_.graph.value(input).name),
                            "Identity",
                            "",
                            {moved(input)},
                            {copy},
                            {}});
    copies_.emplace(input, copy);
    return copy;
  }

  std::string unused(std::string name) {
    while (!used_.insert(name).second) name += '\'';
    return name;
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
    const auto& inputs = part_.graph.inputs;
    return std::ranges::find(inputs, id) == inputs.end() ? moved(id) : copied(id);
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
  std::set<std::string>& used_;  ///< names of the whole's values
  const Part& part_;
  Symbols symbols_;
  std::map<ValueId, ValueId> copies_;         ///< inputs of the part that have a value of its own
  std::vector<ValueId> ids_;                  ///< of the part -> of the whole
  std::map<std::string, std::string> names_;  ///< the same for names
};

}  // namespace

Graph merge(std::span<const Part> parts) {
  check_parts(parts);
  const auto common = common_inputs(parts);
  Graph whole;
  whole.opset = parts.front().graph.opset;
  std::set<std::string> used;
  for (const auto& value : common) {
    used.insert(value.name);
    whole.inputs.push_back(static_cast<ValueId>(whole.values.size()));
    whole.values.push_back(value);
  }
  for (const auto& part : parts) {
    whole.name += (whole.name.empty() ? "" : "+") + part.name;
    Mover(whole, used, part, input_symbols(part, common)).move();
  }
  infer_shapes(whole);
  return whole;
}

}  // namespace inferometer::graph

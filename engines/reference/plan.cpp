// SPDX-License-Identifier: Apache-2.0
#include "plan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <map>
#include <optional>

#include "base/machine_memory.hpp"
#include "graph/passes.hpp"
#include "live.hpp"

namespace inferometer::reference {
namespace {

constexpr std::size_t kAlignment = 64;

std::size_t rounded_up(std::size_t bytes) {
  return (bytes + kAlignment - 1) / kAlignment * kAlignment;
}

/// The graph with these input shapes, everything that follows from them folded.
graph::Graph specialised(const graph::Graph& graph, std::span<const Shape> shapes) {
  graph::Graph copy = graph;
  for (std::size_t i = 0; i < copy.inputs.size(); ++i) {
    std::vector<Dim> dims;
    for (const auto size : shapes[i].dims()) dims.push_back({.size = size, .symbol = {}});
    copy.value(copy.inputs[i]).shape = std::move(dims);
  }
  graph::infer_shapes(copy);
  graph::fold_constants(copy);
  graph::remove_dead(copy);
  // Kernels trust shapes, so they must follow from the inputs alone and not from what the file says
  // about them.
  for (const auto& node : copy.nodes) {
    for (const auto id : node.outputs) {
      if (id == graph::kNoValue) continue;
      copy.value(id).dtype.reset();
      copy.value(id).shape.reset();
    }
  }
  graph::infer_shapes(copy);
  return copy;
}

[[noreturn]] void throw_too_large(const std::string& what) {
  throw Error(Status::OutOfMemory,
              fmt::format("{} needs more memory than the machine has ({} bytes)", what,
                          machine_memory_bytes()));
}

/// The same constant at an address that its dtype can be read at.
graph::Constant aligned(const graph::Constant& constant) {
  const auto address = reinterpret_cast<std::uintptr_t>(constant.bytes.data());
  if (constant.bytes.empty() || address % size_bytes(constant.dtype) == 0) return constant;
  const Tensor copy(constant.dtype, Shape(constant.shape));
  std::memcpy(copy.data(), constant.bytes.data(), constant.bytes.size());
  const std::span bytes(static_cast<const std::byte*>(copy.data()), constant.bytes.size());
  return {constant.dtype, constant.shape, bytes, copy.owner()};
}

/// Constants of bodies too: they are put in place while the plan runs.
void align_constants(graph::Graph& graph) {
  for (auto& value : graph.values)
    if (value.constant) value.constant = aligned(*value.constant);
  for (auto& node : graph.nodes) {
    for (auto& [name, attribute] : node.attributes) {
      auto* body = std::get_if<std::shared_ptr<graph::Graph>>(&attribute);
      if (body == nullptr) continue;
      auto copy = std::make_shared<graph::Graph>(**body);
      align_constants(*copy);
      *body = std::move(copy);
    }
  }
}

Plan live_plan(graph::Graph graph) {
  align_constants(graph);
  Plan plan;
  plan.live = std::make_shared<const graph::Graph>(std::move(graph));
  return plan;
}

/// Hands out bytes of the arena, first fit, and takes them back.
class Allocator {
 public:
  std::size_t take(std::size_t bytes) {
    const std::size_t size = std::max(rounded_up(bytes), kAlignment);
    for (auto hole = holes_.begin(); hole != holes_.end(); ++hole)
      if (hole->second >= size) return cut(hole, size);
    const std::size_t at = end_;
    end_ += size;
    return at;
  }

  void give(std::size_t at, std::size_t bytes) {
    auto hole = holes_.emplace(at, std::max(rounded_up(bytes), kAlignment)).first;
    const auto next = std::next(hole);
    if (next != holes_.end() && hole->first + hole->second == next->first) {
      hole->second += next->second;
      holes_.erase(next);
    }
    if (hole == holes_.begin()) return;
    const auto before = std::prev(hole);
    if (before->first + before->second != hole->first) return;
    before->second += hole->second;
    holes_.erase(hole);
  }

  std::size_t end() const { return end_; }

 private:
  std::size_t cut(std::map<std::size_t, std::size_t>::iterator hole, std::size_t size) {
    const auto [at, room] = *hole;
    holes_.erase(hole);
    if (room > size) holes_.emplace(at + size, room - size);
    return at;
  }

  std::map<std::size_t, std::size_t> holes_;
  std::size_t end_ = 0;
};

class Planner {
 public:
  explicit Planner(const graph::Graph& graph)
      : graph_(graph), places_(graph.values.size()), uses_(graph.values.size(), 0) {}

  Plan make() {
    place_ports();
    count_uses();
    for (const auto& node : graph_.nodes) add_step(node);
    copy_outputs();
    plan_.arena_bytes = allocator_.end();
    if (plan_.arena_bytes > machine_memory_bytes()) throw_too_large("the model");
    return std::move(plan_);
  }

 private:
  Place& place(graph::ValueId id) { return places_[static_cast<std::size_t>(id)]; }
  int& uses(graph::ValueId id) { return uses_[static_cast<std::size_t>(id)]; }

  void place_ports() {
    for (std::size_t i = 0; i < graph_.inputs.size(); ++i)
      place(graph_.inputs[i]) = {Place::Kind::Input, i, shaped(graph_.inputs[i])};
    for (std::size_t i = 0; i < graph_.outputs.size(); ++i) {
      auto& found = place(graph_.outputs[i]);
      plan_.outputs.push_back({Place::Kind::Output, i, shaped(graph_.outputs[i])});
      if (found.kind == Place::Kind::None && !graph_.value(graph_.outputs[i]).constant)
        found = plan_.outputs.back();
    }
  }

  void count_uses() {
    for (const auto& node : graph_.nodes)
      for (const auto id : node.inputs)
        if (id != graph::kNoValue) ++uses(id);
  }

  View shaped(graph::ValueId id) const { return planned_view(graph_.value(id)); }

  // Kernels read constants through typed pointers; files hold them at any address. Conv and Gemm
  // read their weights element by element through memcpy, so those stay where they are.
  Place constant(const graph::Constant& given, bool anywhere) {
    const auto found = anywhere ? given : aligned(given);
    plan_.owners.push_back(found.owner);
    return {Place::Kind::Constant, 0,
            View(static_cast<const void*>(found.bytes.data()), found.dtype, Shape(found.shape))};
  }

  Place input(graph::ValueId id, bool anywhere) {
    if (id == graph::kNoValue) return {};
    if (const auto& value = graph_.value(id); value.constant)
      return constant(*value.constant, anywhere);
    return place(id);
  }

  Place output(graph::ValueId id) {
    if (id == graph::kNoValue) return {};
    if (place(id).kind != Place::Kind::None) return place(id);
    View view = shaped(id);
    return place(id) = {Place::Kind::Arena, allocator_.take(view.size_bytes()), view};
  }

  void release(graph::ValueId id) {
    if (place(id).kind == Place::Kind::Arena)
      allocator_.give(place(id).at, place(id).view.size_bytes());
  }

  void add_step(const graph::Node& node) {
    const auto kernel = kernels().find(node.op);
    if (kernel == kernels().end() || !node.domain.empty())
      throw Error(Status::Unsupported, fmt::format("operator {} (node {})", node.op, node.name),
                  {{"operator", node.op}, {"node", node.name}});
    Step step{.node = node.name,
              .op = node.op,
              .compute = kernel->second(Site(graph_, node)),
              .in = {},
              .out = {}};
    const bool anywhere = node.op == "Conv" || node.op == "Gemm" || node.op == "MatMul";
    for (const auto id : node.inputs) step.in.push_back(input(id, anywhere));
    for (const auto id : node.outputs) step.out.push_back(output(id));
    plan_.steps.push_back(std::move(step));
    for (const auto id : node.outputs)
      if (id != graph::kNoValue && uses(id) == 0) release(id);
    for (const auto id : node.inputs)
      if (id != graph::kNoValue && --uses(id) == 0) release(id);
  }

  // An output that no node wrote: an input passed on, a constant, or a value that is an output
  // twice.
  void copy_outputs() {
    for (std::size_t i = 0; i < graph_.outputs.size(); ++i) {
      const Place from = input(graph_.outputs[i], true);
      if (from.kind == Place::Kind::Output && from.at == i) continue;
      plan_.steps.push_back({.node = graph_.value(graph_.outputs[i]).name,
                             .op = "(copy)",
                             .compute = copy_bytes,
                             .in = {from},
                             .out = {plan_.outputs[i]}});
    }
  }

  static void copy_bytes(const Work& work) {
    const std::size_t bytes = work.out[0].size_bytes();
    if (bytes > 0) std::memcpy(work.out[0].data, work.in[0].data, bytes);
  }

  const graph::Graph& graph_;
  std::vector<Place> places_;
  std::vector<int> uses_;
  Allocator allocator_;
  Plan plan_;
};

}  // namespace

bool is_known(const graph::Value& value) {
  return value.dtype && value.shape &&
         std::all_of(value.shape->begin(), value.shape->end(),
                     [](const Dim& dim) { return dim.size >= 0; });
}

View planned_view(const graph::Value& value) {
  if (!is_known(value))
    throw Error(Status::Unsupported,
                fmt::format("the shape of {} depends on the data", value.name));
  std::vector<std::int64_t> dims;
  // Counted as if no axis were empty: kernels multiply some of the sizes on their own.
  std::size_t bytes = size_bytes(*value.dtype);
  for (const auto& dim : *value.shape) {
    dims.push_back(dim.size);
    const auto size = static_cast<std::size_t>(std::max<std::int64_t>(dim.size, 1));
    if (size > machine_memory_bytes() / bytes) throw_too_large(value.name);
    bytes *= size;
  }
  return View(static_cast<void*>(nullptr), *value.dtype, Shape(dims));
}

std::shared_ptr<const Plan> make_plan(const graph::Graph& graph, std::span<const Shape> shapes) {
  graph::Graph ready = specialised(graph, shapes);
  if (!is_plannable(ready)) return std::make_shared<const Plan>(live_plan(std::move(ready)));
  return std::make_shared<const Plan>(Planner(ready).make());
}

std::byte* Arena::reserve(std::size_t bytes) {
  if (!memory_.data() || memory_.view().size_bytes() < bytes)
    memory_ = Tensor(DType::U8, Shape{static_cast<std::int64_t>(std::max<std::size_t>(bytes, 1))});
  return static_cast<std::byte*>(memory_.data());
}

namespace {

View located(const Place& place, std::span<const View> inputs, std::span<const View> outputs,
             std::byte* arena) {
  View view = place.view;
  switch (place.kind) {
    case Place::Kind::Input:
      view.data = inputs[place.at].data;
      break;
    case Place::Kind::Output:
      view.data = outputs[place.at].data;
      break;
    case Place::Kind::Arena:
      view.data = arena + place.at;
      break;
    case Place::Kind::None:
    case Place::Kind::Constant:
      break;
  }
  return view;
}

}  // namespace

void run_plan(const Plan& plan, std::span<const View> inputs, std::span<const View> outputs,
              Arena& arena, Pool& pool, const Multiplier& multiplier, std::span<std::int64_t> ns) {
  using Clock = std::chrono::steady_clock;
  std::byte* const memory = arena.reserve(plan.arena_bytes);
  std::vector<View> in, out;
  for (std::size_t i = 0; i < plan.steps.size(); ++i) {
    const Step& step = plan.steps[i];
    in.clear();
    out.clear();
    for (const auto& place : step.in) in.push_back(located(place, inputs, outputs, memory));
    for (const auto& place : step.out) out.push_back(located(place, inputs, outputs, memory));
    const auto start = Clock::now();
    step.compute({.in = in, .out = out, .pool = pool, .multiplier = multiplier});
    if (!ns.empty()) ns[i] = std::chrono::nanoseconds(Clock::now() - start).count();
  }
}

}  // namespace inferometer::reference

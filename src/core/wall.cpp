// SPDX-License-Identifier: Apache-2.0
#include "core/wall.hpp"

#include <array>

#include "core/call.hpp"
#include "inferometer/engine_plugin.hpp"  // DLPack <-> our words
#include "inferometer/error.hpp"

namespace inferometer::core {
namespace {

// True when the table reaches as far as `member` and it is set: an old plugin's table is shorter.
template <class Member>
bool has(const inferometer_engine& table, Member inferometer_engine::* member) {
  const auto* start = reinterpret_cast<const char*>(&table);
  const auto* end = reinterpret_cast<const char*>(&(table.*member)) + sizeof(table.*member);
  return static_cast<std::size_t>(end - start) <= table.size && table.*member != nullptr;
}

inferometer_load_request raw_request(const WallRequest& request) {
  inferometer_load_request raw = {};
  raw.size = sizeof raw;
  raw.path = request.path.c_str();
  raw.settings = request.settings.c_str();
  raw.cache = request.cache;
  return raw;
}

}  // namespace

std::optional<std::vector<Refusal>> refusals(const Plugin& plugin, const WallRequest& request) {
  if (!has(*plugin.table, &inferometer_engine::accepts)) return std::nullopt;
  const inferometer_load_request raw = raw_request(request);
  try {
    return ask(
        plugin, Status::Unsupported, "accepts",
        [&](auto sink, auto error) { return plugin.table->accepts(&raw, sink, error); },
        [](const Json& list) {
          std::vector<Refusal> found;
          for (const Json& row : list)
            found.push_back({row.value("node", ""), row.value("op", ""), row.value("reason", "")});
          return found;
        });
  } catch (const Error& error) {
    if (error.code() == Status::Unsupported) return std::nullopt;
    throw;
  }
}

// The DLTensors and their shapes, in place for as long as the plugin may look at them.
struct WallContext::Bound {
  struct Side {
    std::vector<DLTensor> tensors;
    std::vector<std::array<std::int64_t, kMaxRank>> shapes;

    void set(std::span<const View> views) {
      tensors.resize(views.size());
      shapes.resize(views.size());
      for (std::size_t i = 0; i < views.size(); ++i) {
        std::copy(views[i].shape.begin(), views[i].shape.end(), shapes[i].begin());
        tensors[i] = {.data = views[i].data,
                      .device = {kDLCPU, 0},
                      .ndim = static_cast<int>(views[i].shape.rank()),
                      .dtype = plugin::to_dlpack(views[i].dtype),
                      .shape = shapes[i].data(),
                      .strides = nullptr,
                      .byte_offset = 0};
      }
    }

    bool is(std::span<const View> views) const {
      if (views.size() != tensors.size()) return false;
      for (std::size_t i = 0; i < views.size(); ++i) {
        // An output of the engine's own is bound anew: what the engine left in it is not what is
        // asked for.
        if (views[i].data == nullptr || views[i].data != tensors[i].data) return false;
        if (!(views[i].shape ==
              Shape(std::span(tensors[i].shape, static_cast<std::size_t>(tensors[i].ndim)))))
          return false;
      }
      return true;
    }
  };
  Side inputs, outputs;
  bool valid = false;
};

WallContext::WallContext(const Plugin& plugin, void* model)
    : plugin_(plugin), bound_(std::make_unique<Bound>()) {
  call(
      plugin_,
      [&](inferometer_error* error) { return plugin_.table->open(model, &context_, error); },
      Status::LoadFailed);
}

WallContext::~WallContext() {
  if (has(*plugin_.table, &inferometer_engine::close)) plugin_.table->close(context_);
}

void WallContext::bind(std::span<const View> inputs, std::span<const View> outputs) {
  if (bound_->valid && bound_->inputs.is(inputs) && bound_->outputs.is(outputs)) return;
  bound_->valid = false;
  bound_->inputs.set(inputs);
  bound_->outputs.set(outputs);
  call(plugin_, [&](inferometer_error* error) {
    return plugin_.table->bind(context_, bound_->inputs.tensors.data(), inputs.size(),
                               bound_->outputs.tensors.data(), outputs.size(), error);
  });
  bound_->valid = true;
}

void WallContext::run() {
  call(plugin_, [&](inferometer_error* error) { return plugin_.table->run(context_, error); });
}

View WallContext::output(std::size_t index) const {
  const DLTensor& tensor = bound_->outputs.tensors[index];
  return View(tensor.data, plugin::dtype_of(tensor), plugin::shape_of(tensor));
}

std::string WallContext::profile() {
  if (!has(*plugin_.table, &inferometer_engine::profile)) return {};
  return ask_text(plugin_, [&](auto sink, auto error) {
    return plugin_.table->profile(context_, sink, error);
  });
}

WallModel::WallModel(const Plugin& plugin, const WallRequest& request) : plugin_(plugin) {
  const inferometer_load_request raw = raw_request(request);
  try {
    info_ = ask(
        plugin, Status::LoadFailed, "load",
        [&](auto sink, auto error) { return plugin.table->load(&raw, &model_, sink, error); },
        [](Json info) { return info; });
  } catch (...) {
    unload();  // loaded, but its info made no sense
    throw;
  }
}

WallModel::~WallModel() {
  unload();
}

void WallModel::unload() noexcept {
  if (model_ != nullptr && has(*plugin_.table, &inferometer_engine::unload))
    plugin_.table->unload(model_);
}

std::string WallModel::explain() const {
  if (!has(*plugin_.table, &inferometer_engine::explain)) return {};
  return ask_text(
      plugin_, [&](auto sink, auto error) { return plugin_.table->explain(model_, sink, error); });
}

}  // namespace inferometer::core

// SPDX-License-Identifier: Apache-2.0
#include "process/worker.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "base/text.hpp"
#include "core/hash.hpp"
#include "core/ports.hpp"
#include "core/runner.hpp"
#include "process/info_json.hpp"
#include "process/open_loop.hpp"
#include "process/peer.hpp"
#include "process/shared_regions.hpp"
#include "process/tree.hpp"

namespace inferometer::process {

namespace {

using std::chrono::milliseconds;

constexpr milliseconds kStopTime{5000};
constexpr std::int64_t kMostLanes = 64;

std::string text_of(const Json& json) {
  try {
    return json.dump();
  } catch (const Json::type_error&) {
    throw Error(
        Status::Invalid,
        fmt::format("a worker takes UTF-8 only, which {} is not: rename the file or folder, or "
                    "load with isolation=none",
                    printable(json.dump(-1, ' ', false, Json::error_handler_t::replace))));
  }
}

}  // namespace

class Worker::Impl {
 public:
  explicit Impl(const WorkerOptions& options);
  ~Impl();

  LoadReport load(const std::filesystem::path& path, const Params& params);
  EngineStatus probe(const std::string& engine, const std::string& library);
  std::vector<Tensor> predict(std::span<const View> inputs, const std::stop_token& stop);
  void predict_into(std::span<const View> inputs, std::span<const View> outputs,
                    const std::stop_token& stop);
  Tensor allocate(const Port& port, std::int64_t rows);
  void prepare(std::span<const Tensor> inputs);
  BlockReport run_block(std::int64_t batches, Poison poison);
  OpenLoopReport run_open(std::span<const std::int64_t> arrivals_ns, const GiveUp& give_up);
  void unload();
  std::string ask(Kind kind, const std::string& body, milliseconds limit) {
    return lanes_->ask(kind, body, limit);
  }

  Limits limits_;
  std::optional<Peer> peer_;
  std::vector<Tensor> block_outputs_;

 private:
  void predict_placed(Lane& lane, std::span<const View> inputs, std::span<const View> outputs,
                      const std::stop_token& stop);
  std::vector<Tensor> received_outputs(Lane& lane);

  std::optional<Lanes> lanes_;
  std::optional<SharedRegions> regions_;
  std::optional<Info> info_;
  std::vector<Tensor> prepared_;
};

Worker::Impl::Impl(const WorkerOptions& options) : limits_(options.limits) {
  auto [ours, theirs] = socket_pair();
  peer_.emplace(options, theirs.get());
  theirs.reset();
  lanes_.emplace(*peer_, std::move(ours));
  regions_.emplace(*lanes_, limits_.call);
  const std::string answer = ask(Kind::Hello, text_of({{"version", kVersion}}), limits_.start);
  const Json hello = parse_json(answer, "the worker's greeting");
  if (!hello.is_object() || !hello.contains("version") || hello.at("version") != kVersion)
    throw Error(Status::Unavailable,
                "the worker program speaks another protocol version: " + printable(answer));
}

Worker::Impl::~Impl() {
  if (!peer_ || !peer_->alive()) return;
  try {
    ask(Kind::Stop, "", kStopTime);
    peer_->wait_end(kStopTime);
  } catch (const Error&) {  // it is killed instead
  }
}

LoadReport Worker::Impl::load(const std::filesystem::path& path, const Params& params) {
  const Json request = {
      {"path", path.string()}, {"params", to_json(params)}, {"hashes", core::remembered_hashes()}};
  const std::string answer = ask(Kind::Load, text_of(request), limits_.load);
  LoadReport report;
  try {
    const Json json = parse_json(answer, "the worker's load report");
    report = {.info = info_from_json(json.at("info")), .load_ns = json.at("load_ns")};
  } catch (const std::exception& bad) {
    peer_->lose_garbage(bad.what(), {.stage = "load"});
  }
  info_ = report.info;
  // As many lanes as calls can be under way.
  lanes_->open(std::min(kMostLanes, std::max(count_in_force(*info_, "streams"),
                                             count_in_force(*info_, "in_flight"))));
  return report;
}

EngineStatus Worker::Impl::probe(const std::string& engine, const std::string& library) {
  const Json request = {{"engine", engine}, {"library", library}};
  const std::string answer = ask(Kind::Probe, text_of(request), limits_.load);
  try {
    return engine_status_from_json(parse_json(answer, "the worker's probe"));
  } catch (const Error& bad) {
    peer_->lose_garbage(bad.what(), {.stage = "probe"});
  }
}

/// The call itself; with no outputs the worker sends them along.
void Worker::Impl::predict_placed(Lane& lane, std::span<const View> inputs,
                                  std::span<const View> outputs, const std::stop_token& stop) {
  regions_->release_gone(lane);
  std::string body;
  append(body, TensorLists{static_cast<std::uint32_t>(inputs.size()),
                           static_cast<std::uint32_t>(outputs.size())});
  std::vector<std::shared_ptr<Region>> staged;
  for (const View& input : inputs) {
    WireTensor wire;
    staged.push_back(regions_->place(input, Access::ReadWrite, lane, wire));
    if (staged.back() && input.size_bytes() > 0)
      std::memcpy(staged.back()->data(), input.data, input.size_bytes());
    append(body, wire);
  }
  for (const View& output : outputs) {
    WireTensor wire;
    staged.push_back(regions_->place(output, Access::ReadWrite, lane, wire));
    append(body, wire);
  }
  lane.request.body.swap(body);
  {
    std::optional<std::stop_callback<std::function<void()>>> on_stop;
    if (stop.stop_possible())
      on_stop.emplace(stop, [this, number = lane.number, sequence = lane.request.sequence + 1] {
        lanes_->cancel(number, sequence);
      });
    lanes_->call(lane, Kind::Predict, limits_.call);
  }
  for (std::size_t i = 0; i < outputs.size(); ++i)
    if (const auto& from = staged[inputs.size() + i]; from && outputs[i].size_bytes() > 0)
      std::memcpy(outputs[i].data, from->data(), outputs[i].size_bytes());
}

void Worker::Impl::predict_into(std::span<const View> inputs, std::span<const View> outputs,
                                const std::stop_token& stop) {
  if (!info_) throw Error(Status::Invalid, "this worker has loaded no model");
  core::check_outputs(info_->outputs, outputs, core::check_inputs(info_->inputs, inputs));
  const Lanes::Lease lane(*lanes_);
  predict_placed(*lane, inputs, outputs, stop);
}

std::vector<Tensor> Worker::Impl::predict(std::span<const View> inputs,
                                          const std::stop_token& stop) {
  if (!info_) throw Error(Status::Invalid, "this worker has loaded no model");
  const std::int64_t rows = core::check_inputs(info_->inputs, inputs);
  std::vector<Tensor> outputs;
  std::vector<View> views;
  for (const Port& port : info_->outputs) {
    const auto shape = core::output_shape(port, info_->inputs, inputs, rows);
    if (!shape) break;
    outputs.push_back(regions_->tensor(port.dtype, *shape));
    views.push_back(outputs.back());
  }
  const Lanes::Lease lane(*lanes_);
  if (outputs.size() < info_->outputs.size()) {
    predict_placed(*lane, inputs, {}, stop);
    return received_outputs(*lane);
  }
  predict_placed(*lane, inputs, views, stop);
  return outputs;
}

std::vector<Tensor> Worker::Impl::received_outputs(Lane& lane) {
  try {
    BodyReader reader(lane.reply.body);
    const auto answer = reader.take<PredictAnswer>();
    if (lane.reply.fds.size() != 1 || answer.outputs != info_->outputs.size())
      throw Error(Status::Invalid, "outputs that don't match the model's");
    const auto region = Region::map(std::move(lane.reply.fds[0]), answer.region_bytes, true);
    std::vector<Tensor> outputs;
    for (std::uint64_t i = 0; i < answer.outputs; ++i) {
      const auto wire = reader.take<WireTensor>();
      View view(static_cast<void*>(nullptr), dtype_of(wire), shape_of(wire));
      if (wire.offset > region->size_bytes() ||
          view.size_bytes() > region->size_bytes() - wire.offset)
        throw Error(Status::Invalid, "an output beyond its region");
      view.data = region->data() + wire.offset;
      outputs.emplace_back(view, region);
    }
    reader.finish();
    return outputs;
  } catch (const Error& bad) {
    peer_->lose_garbage(bad.what(), {.stage = "predict"});
  }
}

Tensor Worker::Impl::allocate(const Port& port, std::int64_t rows) {
  const auto shape = core::output_shape(port, {}, {}, rows);
  if (!shape || rows < 0)
    throw Error(Status::Invalid,
                fmt::format("port '{}' has no fixed size for {} rows", port.name, rows));
  return regions_->tensor(port.dtype, *shape);
}

void Worker::Impl::prepare(std::span<const Tensor> inputs) {
  if (!info_) throw Error(Status::Invalid, "this worker has loaded no model");
  std::vector<View> views(inputs.begin(), inputs.end());
  const std::int64_t rows = core::check_inputs(info_->inputs, views);
  std::vector<Tensor> outputs;
  for (const Port& port : info_->outputs)
    if (const auto shape = core::output_shape(port, info_->inputs, views, rows))
      outputs.push_back(shared_tensor(port.dtype, *shape));
  if (outputs.size() < info_->outputs.size()) outputs.clear();

  const Lanes::Lease lane(*lanes_);
  std::string body;
  append(body, TensorLists{static_cast<std::uint32_t>(inputs.size()),
                           static_cast<std::uint32_t>(outputs.size())});
  std::vector<Tensor> held(inputs.begin(), inputs.end());
  for (Tensor& input : held) {
    if (!Region::find(input.data(), input.view().size_bytes())) {
      const Tensor copy = shared_tensor(input.dtype(), input.shape());
      std::memcpy(copy.data(), input.data(), input.view().size_bytes());
      input = copy;
    }
    WireTensor wire;
    regions_->place(input, Access::Read, *lane, wire);
    append(body, wire);
  }
  for (const Tensor& output : outputs) {
    WireTensor wire;
    regions_->place(output, Access::ReadWrite, *lane, wire);
    append(body, wire);
  }
  lane->request.body.swap(body);
  lanes_->call(*lane, Kind::Prepare, limits_.call);
  prepared_ = std::move(held);
  block_outputs_ = std::move(outputs);
}

BlockReport Worker::Impl::run_block(std::int64_t batches, Poison poison) {
  const Lanes::Lease lane(*lanes_);
  lane->request.body.clear();
  append(lane->request.body, BlockRequest{batches, poison == Poison::On ? 1u : 0u});
  const Message& reply = lanes_->call(*lane, Kind::Block, limits_.call);
  try {
    BodyReader reader(reply.body);
    const auto answer = reader.take<BlockAnswer>();
    BlockReport report{.batches = batches,
                       .samples = answer.samples,
                       .wall_ns = answer.wall_ns,
                       .cpu_ns = answer.cpu_ns};
    for (std::uint64_t i = 0; i < answer.timings; ++i)
      report.timings_ns.push_back(reader.take<std::int64_t>());
    reader.finish();
    return report;
  } catch (const Error& bad) {
    peer_->lose_garbage(bad.what(), {.stage = "block"});
  }
}

OpenLoopReport Worker::Impl::run_open(std::span<const std::int64_t> arrivals_ns,
                                      const GiveUp& give_up) {
  check_arrivals(arrivals_ns);
  const Lanes::Lease lane(*lanes_);
  lane->request.body.clear();
  append(lane->request.body,
         OpenLoopRequest{arrivals_ns.size(), give_up.latency_ns, give_up.most_over});
  for (const std::int64_t arrival : arrivals_ns) append(lane->request.body, arrival);
  const auto limit = limits_.call.count() == 0
                         ? limits_.call
                         : limits_.call + milliseconds(arrivals_ns.back() / 1'000'000);
  const Message& reply = lanes_->call(*lane, Kind::OpenLoop, limit);
  try {
    BodyReader reader(reply.body);
    const auto answer = reader.take<OpenLoopAnswer>();
    if (answer.served > arrivals_ns.size())
      throw Error(Status::Invalid, "more arrivals served than there were");
    OpenLoopReport report{.served = std::vector<Served>(answer.served), .cpu_ns = answer.cpu_ns};
    for (Served& served : report.served)
      served = {reader.take<std::int64_t>(), reader.take<std::int64_t>()};
    reader.finish();
    return report;
  } catch (const Error& bad) {
    peer_->lose_garbage(bad.what(), {.stage = "open_loop"});
  }
}

void Worker::Impl::unload() {
  ask(Kind::Unload, "{}", limits_.load);
  info_.reset();
  prepared_.clear();
  block_outputs_.clear();
}

Worker::Worker(const WorkerOptions& options) : impl_(std::make_unique<Impl>(options)) {}
Worker::~Worker() = default;

LoadReport Worker::load(const std::filesystem::path& path, const Params& params) {
  return impl_->load(path, params);
}
EngineStatus Worker::probe(const std::string& engine, const std::string& library) {
  return impl_->probe(engine, library);
}
std::vector<Tensor> Worker::predict(std::span<const View> inputs, std::stop_token stop) {
  return impl_->predict(inputs, stop);
}
void Worker::predict_into(std::span<const View> inputs, std::span<const View> outputs,
                          std::stop_token stop) {
  impl_->predict_into(inputs, outputs, stop);
}
Tensor Worker::allocate(const Port& port, std::int64_t rows) {
  return impl_->allocate(port, rows);
}
std::string Worker::explain() {
  return impl_->ask(Kind::Explain, "{}", impl_->limits_.call);
}
std::string Worker::profile() {
  return impl_->ask(Kind::Profile, "{}", impl_->limits_.call);
}
void Worker::prepare(std::span<const Tensor> inputs) {
  impl_->prepare(inputs);
}
BlockReport Worker::run_block(std::int64_t batches, Poison poison) {
  return impl_->run_block(batches, poison);
}
OpenLoopReport Worker::run_open(std::span<const std::int64_t> arrivals_ns, const GiveUp& give_up) {
  return impl_->run_open(arrivals_ns, give_up);
}
std::vector<Tensor> Worker::block_outputs() const {
  return impl_->block_outputs_;
}
Json Worker::canary(const Json& request) {
  return parse_json(impl_->ask(Kind::Canary, text_of(request), impl_->limits_.call),
                    "the worker's canary");
}
void Worker::unload() {
  impl_->unload();
}
void Worker::park() {
  impl_->peer_->park();
}
void Worker::wake() {
  impl_->peer_->wake();
}
pid_t Worker::pid() const noexcept {
  return impl_->peer_->pid();
}
std::vector<pid_t> Worker::process_tree() const {
  return tree_of(pid());
}
bool Worker::alive() const noexcept {
  return impl_->peer_->alive();
}

}  // namespace inferometer::process

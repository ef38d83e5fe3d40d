// SPDX-License-Identifier: Apache-2.0
#include "process/worker.hpp"

#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>
#include <condition_variable>
#include <cstring>
#include <mutex>
#include <unordered_map>

#include "base/text.hpp"
#include "core/ports.hpp"
#include "core/runner.hpp"
#include "process/info_json.hpp"
#include "process/peer.hpp"
#include "process/pool.hpp"
#include "process/tree.hpp"

namespace inferometer::process {

namespace {

using std::chrono::milliseconds;

constexpr milliseconds kStopTime{5000};
constexpr std::int64_t kMostLanes = 64;

enum class Access { Read, ReadWrite };

std::string text_of(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

/// Sizes of a port's tensor of `rows` rows; nothing when they depend on the data.
std::optional<Shape> fixed_shape(const Port& port, std::int64_t rows) {
  std::vector<std::int64_t> dims;
  for (const Dim& dim : port.shape) dims.push_back(dim.size);
  if (port.batch_axis) dims[static_cast<std::size_t>(*port.batch_axis)] = rows;
  if (std::any_of(dims.begin(), dims.end(), [](std::int64_t dim) { return dim < 0; })) return {};
  return Shape(dims);
}

struct Lane {
  Lane(std::uint32_t its_number, UniqueFd socket)
      : number(its_number), channel(std::move(socket)) {}
  std::uint32_t number;
  Channel channel;
  Message request, reply;
};

}  // namespace

class Worker::Impl {
 public:
  explicit Impl(WorkerOptions options);
  ~Impl();

  LoadReport load(const std::filesystem::path& path, const Params& params);
  EngineStatus probe(const std::string& engine, const std::string& library);
  std::vector<Tensor> predict(std::span<const View> inputs, const std::stop_token& stop);
  void predict_into(std::span<const View> inputs, std::span<const View> outputs,
                    const std::stop_token& stop);
  Tensor allocate(const Port& port, std::int64_t rows);
  void prepare(std::span<const Tensor> inputs);
  BlockReport run_block(std::int64_t batches, Poison poison);
  /// The answer's body of a request that is only text.
  std::string ask(Kind kind, const std::string& body, milliseconds limit);

  Limits limits_;
  std::optional<Peer> peer_;
  std::vector<Tensor> block_outputs_;

 private:
  /// A lane for one thread, given back at the end.
  class Lease {
   public:
    explicit Lease(Impl& impl) : impl_(impl), lane_(impl.take_lane()) {}
    ~Lease() { impl_.give_lane(lane_); }
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;
    Lane& operator*() const noexcept { return lane_; }
    Lane* operator->() const noexcept { return &lane_; }

   private:
    Impl& impl_;
    Lane& lane_;
  };

  Lane& take_lane();
  void give_lane(Lane& lane);
  Message& call(Lane& lane, Kind kind, milliseconds limit);
  void exchange(Lane& lane, const Patience& patience);
  void open_lanes();
  Lane& open_lane(Lane& through);

  std::shared_ptr<Region> place(const View& view, Access access, Lane& lane, WireTensor& wire);
  void share(Lane& lane, const std::shared_ptr<Region>& region, Access access);
  void release_gone(Lane& lane);
  void predict_placed(Lane& lane, std::span<const View> inputs, std::span<const View> outputs,
                      const std::stop_token& stop);
  std::vector<Tensor> received_outputs(Lane& lane);
  void cancel(std::uint32_t lane, std::uint32_t sequence) noexcept;

  std::shared_ptr<RegionPool> pool_ = std::make_shared<RegionPool>();
  std::optional<Info> info_;
  std::vector<Tensor> prepared_;

  std::mutex lanes_mutex_;
  std::condition_variable lane_free_;
  std::vector<std::unique_ptr<Lane>> lanes_;
  std::vector<Lane*> free_lanes_;
  std::mutex cancel_mutex_;
  Lane* cancel_lane_ = nullptr;

  struct Known {
    std::weak_ptr<Region> region;
    Access access;
  };
  std::mutex known_mutex_;
  std::unordered_map<std::uint64_t, Known> known_;
  std::uint64_t known_generation_ = 0;
};

Worker::Impl::Impl(WorkerOptions options) : limits_(options.limits) {
  auto [ours, theirs] = socket_pair();
  peer_.emplace(options, theirs.get());
  theirs.reset();
  lanes_.push_back(std::make_unique<Lane>(0, std::move(ours)));
  free_lanes_.push_back(lanes_.back().get());
  const std::string answer = ask(Kind::Hello, text_of({{"version", kVersion}}), limits_.start);
  const Json hello = parse_json(answer, "the worker's greeting");
  if (!hello.is_object() || hello.value("version", 0) != kVersion)
    throw Error(Status::Unavailable,
                "the worker program speaks another protocol version: " + printable(answer));
}

Worker::Impl::~Impl() {
  if (!peer_ || !peer_->alive()) return;
  try {
    const Lease lane(*this);
    lane->request.body.clear();
    call(*lane, Kind::Stop, kStopTime);
    peer_->wait_end(kStopTime);
  } catch (const Error&) {  // it is killed instead
  }
}

Lane& Worker::Impl::take_lane() {
  std::unique_lock lock(lanes_mutex_);
  lane_free_.wait(lock, [this] { return !free_lanes_.empty(); });
  Lane& lane = *free_lanes_.back();
  free_lanes_.pop_back();
  return lane;
}

void Worker::Impl::give_lane(Lane& lane) {
  {
    const std::lock_guard lock(lanes_mutex_);
    free_lanes_.push_back(&lane);
  }
  lane_free_.notify_one();
}

/// Sends lane.request and receives lane.reply, whatever it says.
void Worker::Impl::exchange(Lane& lane, const Patience& patience) {
  const Wait wait = [&](int fd, short events) { peer_->wait(fd, events, patience); };
  try {
    lane.channel.send(lane.request, wait);
    if (!lane.channel.receive(lane.reply, wait)) peer_->lose_closed(patience);
    if (lane.reply.turn == Turn::Request || lane.reply.kind != lane.request.kind ||
        lane.reply.sequence != lane.request.sequence)
      throw Error(Status::Invalid, "an answer to something else");
  } catch (const Error& error) {
    peer_->check_alive();  // the wait has lost it already
    if (error.code() == Status::Crashed) peer_->lose_closed(patience);
    peer_->lose_garbage(error.what(), patience);
  }
}

Message& Worker::Impl::call(Lane& lane, Kind kind, milliseconds limit) {
  peer_->check_alive();
  if (peer_->parked()) peer_->wake();
  if (lane.request.body.size() > kMaxBody)
    throw Error(Status::Invalid, fmt::format("{} of {} bytes is more than a worker takes",
                                             to_string(kind), lane.request.body.size()));
  lane.request.kind = kind;
  ++lane.request.sequence;
  const Patience patience{.stage = to_string(kind), .limit = limit};
  exchange(lane, patience);
  lane.request.fds.clear();
  if (lane.reply.turn == Turn::Answer) return lane.reply;
  std::optional<Error> failure;
  try {
    failure = error_from_body(lane.reply.body);
  } catch (const Error& bad) {
    peer_->lose_garbage(bad.what(), patience);
  }
  throw Error(*failure);
}

std::string Worker::Impl::ask(Kind kind, const std::string& body, milliseconds limit) {
  const Lease lane(*this);
  lane->request.body = body;
  return call(*lane, kind, limit).body;
}

LoadReport Worker::Impl::load(const std::filesystem::path& path, const Params& params) {
  const Json request = {{"path", path.string()}, {"params", to_json(params)}};
  const std::string answer = ask(Kind::Load, text_of(request), limits_.load);
  LoadReport report;
  try {
    const Json json = parse_json(answer, "the worker's load report");
    report = {.info = info_from_json(json.at("info")), .load_ns = json.at("load_ns")};
  } catch (const std::exception& bad) {
    peer_->lose_garbage(bad.what(), {.stage = "load"});
  }
  info_ = report.info;
  open_lanes();
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

/// As many lanes as calls can be under way, and one on which a call can be cancelled.
void Worker::Impl::open_lanes() {
  const Lease first(*this);
  const std::int64_t count = std::min(
      kMostLanes, std::max(count_in_force(*info_, "streams"), count_in_force(*info_, "in_flight")));
  for (std::int64_t i = 1; i < count; ++i) {
    Lane& lane = open_lane(*first);
    give_lane(lane);
  }
  cancel_lane_ = &open_lane(*first);
}

Lane& Worker::Impl::open_lane(Lane& through) {
  auto [ours, theirs] = socket_pair();
  const auto number = static_cast<std::uint32_t>(lanes_.size());
  through.request.body = text_of({{"lane", number}});
  through.request.fds.clear();
  through.request.fds.push_back(std::move(theirs));
  call(through, Kind::OpenLane, kStopTime);
  const std::lock_guard lock(lanes_mutex_);
  lanes_.push_back(std::make_unique<Lane>(number, std::move(ours)));
  return *lanes_.back();
}

/// Tells the worker of a region, once.
void Worker::Impl::share(Lane& lane, const std::shared_ptr<Region>& region, Access access) {
  {
    const std::lock_guard lock(known_mutex_);
    const auto found = known_.find(region->id());
    if (found != known_.end() &&
        (found->second.access == access || found->second.access == Access::ReadWrite))
      return;
  }
  // Another thread may do the same at the same time: the second mapping replaces the first.
  lane.request.body = text_of(Json::array({{{"id", region->id()},
                                            {"size", region->size_bytes()},
                                            {"writable", access == Access::ReadWrite}}}));
  lane.request.fds.clear();
  lane.request.fds.emplace_back(::fcntl(region->fd(), F_DUPFD_CLOEXEC, 0));
  call(lane, Kind::Share, limits_.call);
  const std::lock_guard lock(known_mutex_);
  known_[region->id()] = {region, access};
}

/// Lets the worker unmap regions that no longer exist here.
void Worker::Impl::release_gone(Lane& lane) {
  Json gone = Json::array();
  {
    const std::lock_guard lock(known_mutex_);
    const std::uint64_t generation = Region::generation();
    if (generation == known_generation_) return;
    known_generation_ = generation;
    for (auto at = known_.begin(); at != known_.end();) {
      const bool expired = at->second.region.expired();
      if (expired) gone.push_back(at->first);
      at = expired ? known_.erase(at) : std::next(at);
    }
  }
  if (gone.empty()) return;
  lane.request.body = text_of(gone);
  call(lane, Kind::Release, limits_.call);
}

/// The view as the worker will see it; the region to copy through when it isn't in shared pages.
std::shared_ptr<Region> Worker::Impl::place(const View& view, Access access, Lane& lane,
                                            WireTensor& wire) {
  const std::size_t bytes = view.size_bytes();
  std::shared_ptr<Region> region = Region::find(view.data, bytes);
  std::shared_ptr<Region> staging;
  std::size_t offset = 0;
  if (region) {
    offset = static_cast<std::size_t>(static_cast<std::byte*>(view.data) - region->data());
  } else {
    staging = pool_->acquire(bytes);
    region = Region::find(staging->data(), 1);
  }
  share(lane, region, access);
  wire = wire_tensor(region->id(), offset, view.dtype, view.shape);
  return staging;
}

void Worker::Impl::cancel(std::uint32_t lane, std::uint32_t sequence) noexcept {
  try {
    const std::lock_guard lock(cancel_mutex_);
    cancel_lane_->request.body = text_of({{"lane", lane}, {"sequence", sequence}});
    call(*cancel_lane_, Kind::Cancel, kStopTime);
  } catch (const std::exception&) {  // the prediction's own wait reports a lost worker
  }
}

/// The call itself; with no outputs the worker sends them along.
void Worker::Impl::predict_placed(Lane& lane, std::span<const View> inputs,
                                  std::span<const View> outputs, const std::stop_token& stop) {
  release_gone(lane);
  std::string body;
  append(body, TensorLists{static_cast<std::uint32_t>(inputs.size()),
                           static_cast<std::uint32_t>(outputs.size())});
  std::vector<std::shared_ptr<Region>> staged;
  for (const View& input : inputs) {
    WireTensor wire;
    staged.push_back(place(input, Access::ReadWrite, lane, wire));
    if (staged.back() && input.size_bytes() > 0)
      std::memcpy(staged.back()->data(), input.data, input.size_bytes());
    append(body, wire);
  }
  for (const View& output : outputs) {
    WireTensor wire;
    staged.push_back(place(output, Access::ReadWrite, lane, wire));
    append(body, wire);
  }
  lane.request.body.swap(body);
  {
    std::optional<std::stop_callback<std::function<void()>>> on_stop;
    if (stop.stop_possible())
      on_stop.emplace(stop, [this, number = lane.number, sequence = lane.request.sequence + 1] {
        cancel(number, sequence);
      });
    call(lane, Kind::Predict, limits_.call);
  }
  for (std::size_t i = 0; i < outputs.size(); ++i)
    if (const auto& from = staged[inputs.size() + i]; from && outputs[i].size_bytes() > 0)
      std::memcpy(outputs[i].data, from->data(), outputs[i].size_bytes());
}

void Worker::Impl::predict_into(std::span<const View> inputs, std::span<const View> outputs,
                                const std::stop_token& stop) {
  if (!info_) throw Error(Status::Invalid, "this worker has loaded no model");
  core::check_outputs(info_->outputs, outputs, core::check_inputs(info_->inputs, inputs));
  const Lease lane(*this);
  predict_placed(*lane, inputs, outputs, stop);
}

std::vector<Tensor> Worker::Impl::predict(std::span<const View> inputs,
                                          const std::stop_token& stop) {
  if (!info_) throw Error(Status::Invalid, "this worker has loaded no model");
  const std::int64_t rows = core::check_inputs(info_->inputs, inputs);
  std::vector<Tensor> outputs;
  std::vector<View> views;
  for (const Port& port : info_->outputs) {
    const auto shape = fixed_shape(port, rows);
    if (!shape) break;
    outputs.push_back(pool_->tensor(port.dtype, *shape));
    views.push_back(outputs.back());
  }
  const Lease lane(*this);
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
  const auto shape = fixed_shape(port, rows);
  if (!shape || rows < 0)
    throw Error(Status::Invalid,
                fmt::format("port '{}' has no fixed size for {} rows", port.name, rows));
  return pool_->tensor(port.dtype, *shape);
}

void Worker::Impl::prepare(std::span<const Tensor> inputs) {
  if (!info_) throw Error(Status::Invalid, "this worker has loaded no model");
  std::vector<View> views(inputs.begin(), inputs.end());
  const std::int64_t rows = core::check_inputs(info_->inputs, views);
  std::vector<Tensor> outputs;
  for (const Port& port : info_->outputs)
    if (const auto shape = fixed_shape(port, rows))
      outputs.push_back(shared_tensor(port.dtype, *shape));
  if (outputs.size() < info_->outputs.size()) outputs.clear();

  const Lease lane(*this);
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
    place(input, Access::Read, *lane, wire);
    append(body, wire);
  }
  for (const Tensor& output : outputs) {
    WireTensor wire;
    place(output, Access::ReadWrite, *lane, wire);
    append(body, wire);
  }
  lane->request.body.swap(body);
  call(*lane, Kind::Prepare, limits_.call);
  prepared_ = std::move(held);
  block_outputs_ = std::move(outputs);
}

BlockReport Worker::Impl::run_block(std::int64_t batches, Poison poison) {
  const Lease lane(*this);
  lane->request.body.clear();
  append(lane->request.body, BlockRequest{batches, poison == Poison::On ? 1u : 0u});
  const Message& reply = call(*lane, Kind::Block, limits_.call);
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

Worker::Worker(WorkerOptions options) : impl_(std::make_unique<Impl>(std::move(options))) {}
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
std::vector<Tensor> Worker::block_outputs() const {
  return impl_->block_outputs_;
}
Json Worker::canary(const Json& request) {
  return parse_json(impl_->ask(Kind::Canary, text_of(request), impl_->limits_.call),
                    "the worker's canary");
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

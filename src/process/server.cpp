// SPDX-License-Identifier: Apache-2.0
#include "process/server.hpp"

#include <fmt/format.h>
#include <malloc.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <new>

#include "core/hash.hpp"
#include "process/info_json.hpp"
#include "process/open_loop.hpp"

namespace inferometer::process {

namespace {

constexpr std::size_t kMaxLanes = 256;
constexpr std::size_t kAlignment = 64;

std::size_t aligned(std::size_t bytes) {
  return (bytes + kAlignment - 1) / kAlignment * kAlignment;
}

Json body_json(const Message& request) {
  return parse_json(request.body, to_string(request.kind));
}

template <class T>
T member(const Json& json, const char* key) {
  try {
    return json.at(key).get<T>();
  } catch (const nlohmann::json::exception& bad) {
    throw Error(Status::Invalid, fmt::format("message refused: {}", bad.what()));
  }
}

std::string text_of(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

/// What a handler threw, as the one exception type.
Error current_error() {
  try {
    throw;
  } catch (const Error& error) {
    return error;
  } catch (const std::bad_alloc&) {
    return {Status::OutOfMemory, "the worker ran out of memory"};
  } catch (const std::exception& other) {
    return {Status::PredictFailed, other.what()};
  }
}

}  // namespace

/// Views into regions, which are held as long as the views may be used.
struct Server::Tensors {
  std::vector<View> inputs, outputs;
  std::vector<std::shared_ptr<Region>> regions;
};

struct Server::Lane {
  explicit Lane(UniqueFd socket) : channel(std::move(socket)) {}
  Channel channel;
  Message request, reply;
  Tensors tensors;

  std::mutex mutex;  // of what follows
  std::stop_source stop;
  std::uint32_t running = 0;  // sequence of the prediction that runs; 0: none
  std::uint32_t cancelled = 0;
};

Server::Server(Services services) : services_(std::move(services)) {}
Server::~Server() = default;

void Server::serve(UniqueFd first_lane) {
  Lane* first = nullptr;
  {
    const std::lock_guard lock(lanes_mutex_);
    first = &add_lane(0, std::move(first_lane));
  }
  serve_lane(*first);
  std::vector<std::thread> threads;
  {
    const std::lock_guard lock(lanes_mutex_);  // no lane is added any more
    threads.swap(threads_);
  }
  for (std::thread& thread : threads) thread.join();
  if (broken_) std::rethrow_exception(broken_);
}

/// With the lanes' mutex held.
Server::Lane& Server::add_lane(std::uint32_t number, UniqueFd socket) {
  if (ending_ || lanes_.size() >= kMaxLanes)
    throw Error(Status::Invalid, fmt::format("no lane beyond {}", lanes_.size()));
  const auto [at, fresh] = lanes_.try_emplace(number, std::make_unique<Lane>(std::move(socket)));
  if (!fresh) throw Error(Status::Invalid, fmt::format("lane {} is open already", number));
  return *at->second;
}

void Server::end_all() {
  const std::lock_guard lock(lanes_mutex_);
  ending_ = true;
  for (const auto& [number, lane] : lanes_) ::shutdown(lane->channel.fd(), SHUT_RDWR);
}

void Server::serve_lane(Lane& lane) {
  try {
    while (!ending_ && lane.channel.receive(lane.request, wait_forever)) {
      if (lane.request.turn != Turn::Request)
        throw Error(Status::Invalid, "message refused: not a request");
      answer(lane);
    }
  } catch (const Error& error) {
    const std::lock_guard lock(lanes_mutex_);
    // A lane that was shut while it answered is no fault of the parent.
    if (!broken_ && !ending_ && error.code() == Status::Invalid) broken_ = std::current_exception();
  }
  end_all();
}

void Server::answer(Lane& lane) {
  lane.reply.kind = lane.request.kind;
  lane.reply.sequence = lane.request.sequence;
  lane.reply.turn = Turn::Answer;
  lane.reply.body.clear();
  lane.reply.fds.clear();
  try {
    (this->*handler_of(lane.request.kind))(lane);
  } catch (...) {
    lane.reply.turn = Turn::Failure;
    lane.reply.body = failure_body(current_error());
    lane.reply.fds.clear();
  }
  lane.channel.send(lane.reply, wait_forever);
  lane.reply.fds.clear();
  if (lane.request.kind == Kind::Stop) end_all();
}

Server::Handler Server::handler_of(Kind kind) {
  static constexpr std::array<Handler, 16> kHandlers = {
      &Server::hello,   &Server::probe,     &Server::load,    &Server::share,
      &Server::release, &Server::open_lane, &Server::cancel,  &Server::predict,
      &Server::prepare, &Server::block,     &Server::explain, &Server::profile,
      &Server::canary,  &Server::open_loop, &Server::unload,  &Server::stop};
  static_assert(kHandlers.size() == static_cast<std::size_t>(kLastKind));
  return kHandlers[static_cast<std::size_t>(kind) - 1];
}

std::shared_ptr<core::Runner> Server::runner() const {
  const std::lock_guard lock(runner_mutex_);
  if (!runner_) throw Error(Status::Invalid, "this worker has loaded no model");
  return runner_;
}

void Server::hello(Lane& lane) {
  lane.reply.body = text_of({{"version", kVersion}, {"pid", ::getpid()}});
}

void Server::probe(Lane& lane) {
  const Json request = body_json(lane.request);
  lane.reply.body = text_of(to_json(services_.probe(member<std::string>(request, "engine"),
                                                    member<std::string>(request, "library"))));
}

void Server::load(Lane& lane) {
  {
    const std::lock_guard lock(runner_mutex_);
    if (runner_) throw Error(Status::Invalid, "this worker holds a model already");
  }
  const Json request = body_json(lane.request);
  const Params params = params_from_json(member<Json>(request, "params"));
  const std::filesystem::path path = member<std::string>(request, "path");
  core::remember_hashes(member<Json>(request, "hashes"));
  const auto hashing = core::hashing_time();
  const auto start = std::chrono::steady_clock::now();
  auto loaded = services_.load(path, params);
  const std::chrono::nanoseconds took =
      std::chrono::steady_clock::now() - start - (core::hashing_time() - hashing);
  lane.reply.body = text_of({{"info", to_json(loaded->info())}, {"load_ns", took.count()}});
  const std::lock_guard lock(runner_mutex_);
  runner_ = std::move(loaded);
}

void Server::share(Lane& lane) {
  const Json list = body_json(lane.request);
  if (!list.is_array() || list.size() != lane.request.fds.size())
    throw Error(Status::Invalid, "message refused: regions and descriptors differ in number");
  for (std::size_t i = 0; i < list.size(); ++i) {
    auto region = Region::map(std::move(lane.request.fds[i]), member<std::size_t>(list[i], "size"),
                              member<bool>(list[i], "writable"));
    const std::lock_guard lock(regions_mutex_);
    regions_[member<std::uint64_t>(list[i], "id")] = std::move(region);
  }
}

void Server::release(Lane& lane) {
  const Json list = body_json(lane.request);
  const std::lock_guard lock(regions_mutex_);
  for (const Json& id : list)
    if (id.is_number_unsigned()) regions_.erase(id.get<std::uint64_t>());
}

void Server::open_lane(Lane& lane) {
  const auto number = member<std::uint32_t>(body_json(lane.request), "lane");
  if (lane.request.fds.size() != 1)
    throw Error(Status::Invalid, "message refused: a lane is one descriptor");
  const std::lock_guard lock(lanes_mutex_);
  Lane& fresh = add_lane(number, std::move(lane.request.fds[0]));
  threads_.emplace_back([this, &fresh] { serve_lane(fresh); });
}

void Server::cancel(Lane& lane) {
  const Json request = body_json(lane.request);
  const auto sequence = member<std::uint32_t>(request, "sequence");
  Lane* target = nullptr;
  {
    const std::lock_guard lock(lanes_mutex_);
    const auto found = lanes_.find(member<std::uint32_t>(request, "lane"));
    if (found == lanes_.end()) return;
    target = found->second.get();  // lanes live as long as the server
  }
  const std::lock_guard lock(target->mutex);
  target->cancelled = sequence;
  if (target->running == sequence) target->stop.request_stop();
}

void Server::read_tensors(const std::string& body, Tensors& tensors) {
  tensors.inputs.clear();
  tensors.outputs.clear();
  tensors.regions.clear();
  BodyReader reader(body);
  const auto counts = reader.take<TensorLists>();
  if (counts.inputs > kMaxTensors || counts.outputs > kMaxTensors)
    throw Error(Status::Invalid, "message refused: too many tensors");
  const std::lock_guard lock(regions_mutex_);
  for (std::uint32_t i = 0; i < counts.inputs + counts.outputs; ++i) {
    const auto wire = reader.take<WireTensor>();
    const auto found = regions_.find(wire.region);
    View view(static_cast<void*>(nullptr), dtype_of(wire), shape_of(wire));
    if (found == regions_.end())
      throw Error(Status::Invalid, fmt::format("message refused: no region {}", wire.region));
    const Region& region = *found->second;
    if (wire.offset > region.size_bytes() || view.size_bytes() > region.size_bytes() - wire.offset)
      throw Error(Status::Invalid, "message refused: a tensor beyond its region");
    view.data = region.data() + wire.offset;
    (i < counts.inputs ? tensors.inputs : tensors.outputs).push_back(view);
    if (tensors.regions.empty() || tensors.regions.back() != found->second)
      tensors.regions.push_back(found->second);
  }
  reader.finish();
}

namespace {

/// Outputs whose shapes only the engine knew: packed into one new region.
void send_outputs(const std::vector<Tensor>& outputs, Message& reply) {
  std::size_t total = 0;
  for (const Tensor& output : outputs) total += aligned(output.view().size_bytes());
  const auto region = Region::create(total);
  append(reply.body, PredictAnswer{region->size_bytes(), outputs.size()});
  std::size_t offset = 0;
  for (const Tensor& output : outputs) {
    const std::size_t bytes = output.view().size_bytes();
    if (bytes > 0) std::memcpy(region->data() + offset, output.data(), bytes);
    append(reply.body, wire_tensor(0, offset, output.dtype(), output.shape()));
    offset += aligned(bytes);
  }
  reply.fds.push_back(region->new_fd());
}

}  // namespace

void Server::predict(Lane& lane) {
  read_tensors(lane.request.body, lane.tensors);
  std::stop_token token;
  {
    const std::lock_guard lock(lane.mutex);
    if (lane.stop.stop_requested()) lane.stop = {};
    lane.running = lane.request.sequence;
    if (lane.cancelled == lane.running) lane.stop.request_stop();
    token = lane.stop.get_token();
  }
  struct Ran {
    Lane& lane;
    ~Ran() {
      const std::lock_guard lock(lane.mutex);
      lane.running = 0;
      lane.tensors.regions.clear();
    }
  } ran{lane};
  if (lane.tensors.outputs.empty())
    send_outputs(runner()->predict(lane.tensors.inputs, token), lane.reply);
  else
    runner()->predict_into(lane.tensors.inputs, lane.tensors.outputs, token);
}

void Server::prepare(Lane& lane) {
  loop_.reset();
  auto tensors = std::make_unique<Tensors>();
  read_tensors(lane.request.body, *tensors);
  prepared_ = std::move(tensors);
  looped_ = runner();
  loop_ = std::make_unique<BlockLoop>(*looped_, prepared_->inputs, prepared_->outputs,
                                      count_in_force(looped_->info(), "in_flight"));
}

void Server::block(Lane& lane) {
  BodyReader reader(lane.request.body);
  const auto request = reader.take<BlockRequest>();
  reader.finish();
  if (!loop_) throw Error(Status::Invalid, "a block before its inputs were prepared");
  const BlockReport report = loop_->run(request.batches, request.poison ? Poison::On : Poison::Off);
  append(lane.reply.body, BlockAnswer{.wall_ns = report.wall_ns,
                                      .cpu_ns = report.cpu_ns,
                                      .samples = report.samples,
                                      .timings = report.timings_ns.size()});
  for (const std::int64_t timing : report.timings_ns) append(lane.reply.body, timing);
}

void Server::explain(Lane& lane) {
  lane.reply.body = runner()->explain();
}

void Server::profile(Lane& lane) {
  lane.reply.body = runner()->profile();
}

void Server::canary(Lane& lane) {
  lane.reply.body = text_of(services_.canary(body_json(lane.request)));
}

void Server::open_loop(Lane& lane) {
  BodyReader reader(lane.request.body);
  const auto request = reader.take<OpenLoopRequest>();
  if (request.arrivals > kMaxArrivals)
    throw Error(Status::Invalid, fmt::format("message refused: {} arrivals", request.arrivals));
  std::vector<std::int64_t> arrivals_ns(request.arrivals);
  for (std::int64_t& arrival : arrivals_ns) arrival = reader.take<std::int64_t>();
  reader.finish();
  if (!loop_) throw Error(Status::Invalid, "an open loop before its inputs were prepared");
  const OpenLoopReport report = serve_arrivals(
      *looped_, prepared_->inputs, prepared_->outputs, count_in_force(looped_->info(), "streams"),
      arrivals_ns, {request.give_up_ns, request.most_over});
  append(lane.reply.body, OpenLoopAnswer{report.cpu_ns, report.served.size()});
  for (const Served& served : report.served) {
    append(lane.reply.body, served.start_ns);
    append(lane.reply.body, served.end_ns);
  }
}

// A prediction on another lane holds the model until it ends.
void Server::unload(Lane&) {
  loop_.reset();
  looped_.reset();
  prepared_.reset();
  {
    const std::lock_guard lock(runner_mutex_);
    if (!runner_) throw Error(Status::Invalid, "this worker has loaded no model");
    runner_.reset();
  }
  // What is measured next is what the engine keeps, not what the C library does.
  ::malloc_trim(0);
}

void Server::stop(Lane&) {}

}  // namespace inferometer::process

// SPDX-License-Identifier: Apache-2.0
#include "process/lanes.hpp"

#include <fmt/format.h>

#include "base/json.hpp"

namespace inferometer::process {

namespace {

// Opening and cancelling compute nothing.
constexpr std::chrono::milliseconds kHousekeepingTime{5000};
// Longer than an idle worker takes to wake and answer, too short to matter to a long prediction.
constexpr std::chrono::microseconds kLook{50};

}  // namespace

Lanes::Lanes(Peer& peer, UniqueFd first) : peer_(peer) {
  lanes_.push_back(std::make_unique<Lane>(0, std::move(first)));
  free_.push_back(lanes_.back().get());
}

Lane& Lanes::take() {
  std::unique_lock lock(mutex_);
  freed_.wait(lock, [this] { return !free_.empty(); });
  Lane& lane = *free_.back();
  free_.pop_back();
  return lane;
}

void Lanes::give(Lane& lane) {
  {
    const std::lock_guard lock(mutex_);
    free_.push_back(&lane);
  }
  freed_.notify_one();
}

/// Sends lane.request and receives lane.reply, whatever it says.
void Lanes::exchange(Lane& lane, const Patience& patience) {
  const Wait wait = [&](int fd, short events) { peer_.wait(fd, events, patience); };
  try {
    lane.channel.send(lane.request, wait);
    if (!lane.channel.receive(lane.reply, wait)) peer_.lose_closed(patience);
    if (lane.reply.turn == Turn::Request || lane.reply.kind != lane.request.kind ||
        lane.reply.sequence != lane.request.sequence)
      throw Error(Status::Invalid, "an answer to something else");
  } catch (const Error& error) {
    peer_.check_alive();  // the wait has lost it already
    if (error.code() == Status::Crashed) peer_.lose_closed(patience);
    peer_.lose_garbage(error.what(), patience);
  }
}

Message& Lanes::call(Lane& lane, Kind kind, std::chrono::milliseconds limit) {
  peer_.check_alive();
  if (peer_.parked()) peer_.wake();
  if (lane.request.body.size() > kMaxBody)
    throw Error(Status::Invalid, fmt::format("{} of {} bytes is more than a worker takes",
                                             to_string(kind), lane.request.body.size()));
  lane.request.kind = kind;
  ++lane.request.sequence;
  const bool short_call = kind == Kind::Predict;
  const Patience patience{
      .stage = to_string(kind), .limit = limit, .look = short_call ? kLook : kLook.zero()};
  exchange(lane, patience);
  lane.request.fds.clear();
  if (lane.reply.turn == Turn::Answer) return lane.reply;
  std::optional<Error> failure;
  try {
    failure = error_from_body(lane.reply.body);
  } catch (const Error& bad) {
    peer_.lose_garbage(bad.what(), patience);
  }
  throw Error(*failure);
}

std::string Lanes::ask(Kind kind, const std::string& body, std::chrono::milliseconds limit) {
  const Lease lane(*this);
  lane->request.body = body;
  return call(*lane, kind, limit).body;
}

void Lanes::open(std::int64_t count) {
  const Lease first(*this);
  for (std::int64_t i = 1; i < count; ++i) give(open_one(*first));
  cancel_lane_ = &open_one(*first);
}

Lane& Lanes::open_one(Lane& through) {
  auto [ours, theirs] = socket_pair();
  const auto number = static_cast<std::uint32_t>(lanes_.size());
  const Json body = {{"lane", number}};
  through.request.body = body.dump();
  through.request.fds.clear();
  through.request.fds.push_back(std::move(theirs));
  call(through, Kind::OpenLane, kHousekeepingTime);
  const std::lock_guard lock(mutex_);
  lanes_.push_back(std::make_unique<Lane>(number, std::move(ours)));
  return *lanes_.back();
}

void Lanes::cancel(std::uint32_t lane, std::uint32_t sequence) noexcept {
  try {
    const Json body = {{"lane", lane}, {"sequence", sequence}};
    const std::lock_guard lock(cancel_mutex_);
    cancel_lane_->request.body = body.dump();
    call(*cancel_lane_, Kind::Cancel, kHousekeepingTime);
  } catch (const std::exception&) {  // the prediction's own wait reports a lost worker
  }
}

}  // namespace inferometer::process

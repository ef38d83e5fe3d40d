// SPDX-License-Identifier: Apache-2.0
// The lanes to a worker: requests and their answers, one caller at a time on each lane.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <vector>

#include "process/channel.hpp"
#include "process/peer.hpp"

namespace inferometer::process {

struct Lane {
  Lane(std::uint32_t its_number, UniqueFd socket)
      : number(its_number), channel(std::move(socket)) {}
  std::uint32_t number;
  Channel channel;
  Message request, reply;
};

/// Thread-safe. Calls throw the error that the worker answers, or that of its loss.
class Lanes {
 public:
  /// With one lane, whose other end the worker was spawned with.
  Lanes(Peer& peer, UniqueFd first);

  /// A lane for one thread, given back at the end; waits for one to be free.
  class Lease {
   public:
    explicit Lease(Lanes& lanes) : lanes_(lanes), lane_(lanes.take()) {}
    ~Lease() { lanes_.give(lane_); }
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;
    Lane& operator*() const noexcept { return lane_; }
    Lane* operator->() const noexcept { return &lane_; }

   private:
    Lanes& lanes_;
    Lane& lane_;
  };

  /// Sends lane.request as `kind`; the answer, valid until the lane's next call. `limit` 0: for
  /// ever.
  Message& call(Lane& lane, Kind kind, std::chrono::milliseconds limit);
  /// The answer's body of a request that is only text.
  std::string ask(Kind kind, const std::string& body, std::chrono::milliseconds limit);

  /// Opens lanes until there are `count` for callers, and one on which they can be cancelled.
  void open(std::int64_t count);
  /// Asks the worker to stop the call `sequence` of a lane. After open.
  void cancel(std::uint32_t lane, std::uint32_t sequence) noexcept;

 private:
  Lane& take();
  void give(Lane& lane);
  Lane& open_one(Lane& through);
  void exchange(Lane& lane, const Patience& patience);

  Peer& peer_;
  std::mutex mutex_;
  std::condition_variable freed_;
  std::vector<std::unique_ptr<Lane>> lanes_;
  std::vector<Lane*> free_;
  std::mutex cancel_mutex_;
  Lane* cancel_lane_ = nullptr;
};

}  // namespace inferometer::process

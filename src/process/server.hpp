// SPDX-License-Identifier: Apache-2.0
// The worker's side of the protocol.
#pragma once

#include <array>
#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "base/json.hpp"
#include "core/runner.hpp"
#include "inferometer/engines.hpp"
#include "process/block.hpp"
#include "process/channel.hpp"
#include "process/region.hpp"

namespace inferometer::process {

/// What a worker does for its parent, given from outside so that tests can give something else.
struct Services {
  std::function<std::shared_ptr<core::Runner>(const std::filesystem::path&, const Params&)> load;
  std::function<EngineStatus(const std::string& engine, const std::string& library)> probe;
  std::function<Json(const Json& request)> canary;
};

/// Answers requests, one thread per lane, until told to stop or left alone.
class Server {
 public:
  explicit Server(Services services);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  /// Returns after Stop, or when the parent has closed a lane. Throws Error{Invalid} when the
  /// parent sent what the protocol refuses.
  void serve(UniqueFd first_lane);

 private:
  struct Lane;
  struct Tensors;
  using Handler = void (Server::*)(Lane&);
  static Handler handler_of(Kind kind);

  void serve_lane(Lane& lane);
  void answer(Lane& lane);
  void end_all();

  void hello(Lane& lane);
  void probe(Lane& lane);
  void load(Lane& lane);
  void share(Lane& lane);
  void release(Lane& lane);
  void open_lane(Lane& lane);
  void cancel(Lane& lane);
  void predict(Lane& lane);
  void prepare(Lane& lane);
  void block(Lane& lane);
  void explain(Lane& lane);
  void profile(Lane& lane);
  void canary(Lane& lane);
  void open_loop(Lane& lane);
  void unload(Lane& lane);
  void stop(Lane& lane);

  std::shared_ptr<core::Runner> runner() const;
  void read_tensors(const std::string& body, Tensors& tensors);
  Lane& add_lane(std::uint32_t number, UniqueFd socket);

  Services services_;
  mutable std::mutex runner_mutex_;
  std::shared_ptr<core::Runner> runner_;

  std::mutex regions_mutex_;
  std::map<std::uint64_t, std::shared_ptr<Region>> regions_;

  std::mutex lanes_mutex_;
  std::map<std::uint32_t, std::unique_ptr<Lane>> lanes_;
  std::vector<std::thread> threads_;
  std::exception_ptr broken_;
  std::atomic<bool> ending_{false};

  std::unique_ptr<Tensors> prepared_;
  std::shared_ptr<core::Runner> looped_;
  std::unique_ptr<BlockLoop> loop_;
};

}  // namespace inferometer::process

// SPDX-License-Identifier: Apache-2.0
#include "process/peer.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <limits>
#include <span>

#include "process/tree.hpp"

namespace inferometer::process {

namespace {

using std::chrono::milliseconds;

constexpr milliseconds kMemoryPeriod{50};
constexpr unsigned kTreePeriod = 20;  // memory checks
constexpr std::size_t kTailBytes = 8192;
// Read at once while the worker lives; one that prints without pause must not hide clock and
// memory.
constexpr std::size_t kLogShare = 64u << 10;
constexpr std::size_t kWholeLog = std::numeric_limits<std::size_t>::max();
// A process whose socket closes is mostly dying: its own ending says more than our kill.
constexpr milliseconds kDyingTime{3000};

std::pair<UniqueFd, UniqueFd> log_pipe() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0)
    throw Error(Status::Unavailable, fmt::format("no pipe: {}", std::strerror(errno)));
  return {UniqueFd(ends[0]), UniqueFd(ends[1])};
}

SpawnRequest request_for(const WorkerOptions& options, int lane, int log) {
  SpawnRequest request{.program = options.program.empty() ? find_worker_program() : options.program,
                       .arguments = {"--socket", std::to_string(kInheritedFd), "--parent",
                                     std::to_string(::getpid())},
                       .environment = options.environment,
                       .cpus = options.cpus,
                       .output = log,
                       .inherited = lane};
  // No engine may phone home. ONNX Runtime's plugin sets it too, before it opens the library: this
  // is for a library that something else in the worker opens first.
  request.environment.emplace("ORT_DISABLE_TELEMETRY", "1");
  return request;
}

// As poll, without sleeping. The others on this CPU, the worker among them, go first every time.
int look(std::span<pollfd> all, const Patience& patience) {
  int ready = 0;
  while (ready == 0 && std::chrono::steady_clock::now() - patience.start < patience.look) {
    ::sched_yield();
    ready = ::poll(all.data(), all.size(), 0);
  }
  return ready;
}

}  // namespace

Peer::Peer(const WorkerOptions& options, int lane)
    : limits_(options.limits), log_(options.log), oom_kills_before_(oom_kills()) {
  auto [reader, writer] = log_pipe();
  log_fd_ = std::move(reader);
  log_poll_fd_ = log_fd_.get();
  child_.emplace(Child::spawn(request_for(options, lane, writer.get())));
}

Peer::~Peer() {
  child_->end();
  drain_log(kWholeLog);
}

int Peer::poll_timeout_ms(const Patience& patience) const {
  auto timeout = milliseconds::max();
  if (limits_.memory_bytes > 0) timeout = kMemoryPeriod;
  if (patience.limit.count() > 0) {
    const auto left = patience.start + patience.limit - std::chrono::steady_clock::now();
    timeout = std::clamp(std::chrono::ceil<milliseconds>(left), milliseconds(0), timeout);
  }
  if (timeout == milliseconds::max()) return -1;
  return static_cast<int>(std::min<std::int64_t>(timeout.count(), std::numeric_limits<int>::max()));
}

void Peer::wait(int fd, short events, const Patience& patience) {
  for (;;) {
    std::array<pollfd, 3> all = {pollfd{fd, events, 0}, pollfd{child_->pidfd(), POLLIN, 0},
                                 pollfd{log_poll_fd_.load(), POLLIN, 0}};
    int ready = look(all, patience);
    if (ready == 0) ready = ::poll(all.data(), all.size(), poll_timeout_ms(patience));
    if (ready < 0) continue;  // a signal, which is for others
    if (all[2].revents) drain_log(kLogShare);
    if (all[0].revents) return;
    if (all[1].revents) lose_closed(patience);
    if (limits_.memory_bytes > 0) check_memory(patience);
    if (patience.limit.count() > 0 &&
        std::chrono::steady_clock::now() - patience.start >= patience.limit)
      lose(Status::Timeout, fmt::format("took longer than {} ms", patience.limit.count()), patience,
           false);
  }
}

void Peer::check_memory(const Patience& patience) {
  // Finding the tree reads all of /proc, so the worker's own pages are looked at more often.
  std::uint64_t bytes = resident_bytes(child_->pid());
  if (memory_checks_.fetch_add(1) % kTreePeriod == 0)
    for (const pid_t pid : tree_of(child_->pid()))
      if (pid != child_->pid()) bytes += resident_bytes(pid);
  if (bytes > limits_.memory_bytes)
    lose(Status::OutOfMemory,
         fmt::format("used {} bytes, the limit is {}", bytes, limits_.memory_bytes), patience,
         false);
}

void Peer::check_alive() const {
  if (alive()) return;
  const std::lock_guard lock(loss_mutex_);
  throw Error(*loss_);
}

void Peer::lose_garbage(const std::string& what, const Patience& patience) {
  // One that died while it wrote says how.
  lose(Status::Crashed, "broke the protocol: " + what, patience, child_->wait_end(milliseconds(0)));
}

void Peer::lose_closed(const Patience& patience) {
  const bool ended = child_->wait_end(kDyingTime);
  lose(Status::Crashed, ended ? "died" : "closed its socket and went on living", patience, ended);
}

void Peer::lose(Status status, const std::string& what, const Patience& patience, bool own_fault) {
  const std::lock_guard lock(loss_mutex_);
  if (!loss_) {
    const Ending ending = child_->end();
    drain_log(kWholeLog);
    if (own_fault && ending.signal == SIGKILL && oom_kills() > oom_kills_before_)
      status = Status::OutOfMemory;
    loss_ = loss_error(status, what, patience, own_fault ? std::optional(ending) : std::nullopt);
    alive_.store(false, std::memory_order_release);
  }
  throw Error(*loss_);
}

Error Peer::loss_error(Status status, const std::string& what, const Patience& patience,
                       const std::optional<Ending>& ending) const {
  Error::Context context = {{"stage", std::string(patience.stage)},
                            {"pid", std::to_string(child_->pid())}};
  std::string text = fmt::format("the worker {} during {}", what, patience.stage);
  if (ending) {
    text += ": " + to_string(*ending);
    if (ending->signal) context["signal"] = std::to_string(*ending->signal);
    if (ending->exit_code) context["exit_code"] = std::to_string(*ending->exit_code);
  }
  if (!log_tail_.empty()) context["log"] = log_tail_;
  return {status, text, std::move(context)};
}

void Peer::drain_log(std::size_t most_bytes) {
  const std::lock_guard lock(log_mutex_);
  std::array<char, 4096> piece;
  for (std::size_t read = 0; read < most_bytes;) {
    // NOLINTNEXTLINE(clang-analyzer-unix.BlockInCriticalSection): the descriptor does not block
    const ssize_t got = ::read(log_fd_.get(), piece.data(), piece.size());
    if (got < 0 && errno == EINTR) continue;
    // At its end a pipe is always ready: polling it further would spin.
    if (got == 0) log_poll_fd_ = -1;
    if (got <= 0) return;
    const std::string_view text(piece.data(), static_cast<std::size_t>(got));
    read += text.size();
    log_tail_ += text;
    if (log_tail_.size() > kTailBytes) log_tail_.erase(0, log_tail_.size() - kTailBytes);
    if (log_) log_(text);
  }
}

void Peer::park() {
  const std::lock_guard lock(park_mutex_);
  check_alive();
  if (parked_) return;
  if (!child_->stop()) lose_closed({.stage = "parking"});
  parked_ = true;
}

void Peer::wake() {
  const std::lock_guard lock(park_mutex_);
  if (!parked_ || !alive()) return;
  child_->resume();
  parked_ = false;
}

bool Peer::wait_end(milliseconds limit) {
  const bool ended = child_->wait_end(limit);
  drain_log(ended ? kWholeLog : kLogShare);
  return ended;
}

}  // namespace inferometer::process

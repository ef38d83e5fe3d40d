// SPDX-License-Identifier: Apache-2.0
#include "process/child.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>

#include "inferometer/error.hpp"
#include "process/spawner.hpp"
#include "process/tree.hpp"

namespace inferometer::process {

namespace {

constexpr int kTries = 5000;  // of about a millisecond

/// Waits for a state change of a direct child without taking it away, unless `options` lacks
/// WNOWAIT. All zeros when the kernel keeps no ending, as where SIGCHLD is ignored.
siginfo_t wait_for(pid_t pid, int options) {
  siginfo_t info{};
  while (::waitid(P_PID, static_cast<id_t>(pid), &info, options) != 0 && errno == EINTR) {
  }
  return info;
}

// The kernel offers nothing to wait on for a process that isn't our own child.
void short_pause() {
  ::poll(nullptr, 0, 1);
}

bool gone(pid_t pid) {
  const char state = state_of(pid);
  return state == 0 || state == 'Z' || state == 'X';
}

}  // namespace

std::string to_string(const Ending& ending) {
  if (ending.exit_code) return fmt::format("ended with exit code {}", *ending.exit_code);
  if (!ending.signal) return "ended, nobody knows how: this process ignores SIGCHLD";
  const char* name = ::sigabbrev_np(*ending.signal);
  return fmt::format("killed by signal {} (SIG{})", *ending.signal, name ? name : "?");
}

Child Child::spawn(const SpawnRequest& request) {
  const pid_t pid = Spawner::instance().spawn(request);
  // The C library of Debian 12 declares pidfd_open for C only.
  UniqueFd pidfd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  const int failure = errno;
  Child child(pid, std::move(pidfd));
  if (!child.pidfd_)
    throw Error(Status::Unavailable,
                fmt::format("can't watch process {}: {}", pid, std::strerror(failure)));
  return child;
}

Child::Child(Child&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)),
      pidfd_(std::move(other.pidfd_)),
      ending_(other.ending_) {}

Child::~Child() {
  end();
}

bool Child::wait_end(std::chrono::milliseconds limit) const {
  pollfd one{.fd = pidfd_.get(), .events = POLLIN, .revents = 0};
  const auto deadline = std::chrono::steady_clock::now() + limit;
  for (;;) {
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    const int ready = ::poll(&one, 1, static_cast<int>(std::max<std::int64_t>(0, left.count())));
    if (ready >= 0 || errno != EINTR) return ready > 0;
  }
}

Ending Child::end() {
  if (ending_ || pid_ < 0) return ending_.value_or(Ending{});
  // The zombie holds the pid, and so the session's number, until everything else is dead.
  ::kill(pid_, SIGKILL);
  wait_for(pid_, WEXITED | WNOWAIT);
  // Bounded: a process in an uninterruptible wait dies later, without us.
  bool alive = true;
  for (int tries = 0; alive && tries < kTries; ++tries) {
    alive = false;
    for (const pid_t pid : tree_of(pid_)) {
      if (pid == pid_ || gone(pid)) continue;
      ::kill(pid, SIGKILL);
      alive = true;
    }
    if (alive) short_pause();
  }
  const siginfo_t info = wait_for(pid_, WEXITED);
  Ending ending;
  if (info.si_code == CLD_EXITED)
    ending.exit_code = info.si_status;
  else if (info.si_code != 0)
    ending.signal = info.si_status;
  ending_ = ending;
  return ending;
}

bool Child::stop() const {
  if (ending_ || pid_ < 0) return false;
  ::kill(pid_, SIGSTOP);
  // Returns once every thread of the child has stopped.
  const siginfo_t info = wait_for(pid_, WSTOPPED | WEXITED | WNOWAIT);
  if (info.si_code != CLD_STOPPED) return false;
  wait_for(pid_, WSTOPPED | WNOHANG);
  bool running = true;
  for (int tries = 0; running && tries < kTries; ++tries) {
    running = false;
    for (const pid_t pid : tree_of(pid_)) {
      if (pid == pid_ || gone(pid) || all_stopped(pid)) continue;
      ::kill(pid, SIGSTOP);
      running = true;
    }
    if (running) short_pause();
  }
  if (running) {
    resume();
    throw Error(Status::Timeout, fmt::format("a process of worker {} can't be stopped", pid_));
  }
  return true;
}

void Child::resume() const {
  if (ending_ || pid_ < 0) return;
  for (const pid_t pid : tree_of(pid_)) ::kill(pid, SIGCONT);
}

}  // namespace inferometer::process

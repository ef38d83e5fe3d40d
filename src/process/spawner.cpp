// SPDX-License-Identifier: Apache-2.0
#include "process/spawner.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <thread>

#include "base/cpu.hpp"
#include "inferometer/error.hpp"

namespace inferometer::process {

namespace {

/// What posix_spawn is told, released with the object.
struct SpawnPlan {
  posix_spawn_file_actions_t files;
  posix_spawnattr_t attributes;
  SpawnPlan() {
    ::posix_spawn_file_actions_init(&files);
    ::posix_spawnattr_init(&attributes);
  }
  ~SpawnPlan() {
    ::posix_spawn_file_actions_destroy(&files);
    ::posix_spawnattr_destroy(&attributes);
  }
  SpawnPlan(const SpawnPlan&) = delete;
  SpawnPlan& operator=(const SpawnPlan&) = delete;
};

void place(posix_spawn_file_actions_t& files, int from, int to, int flags) {
  if (from < 0)
    ::posix_spawn_file_actions_addopen(&files, to, "/dev/null", flags, 0);
  else
    ::posix_spawn_file_actions_adddup2(&files, from, to);
}

void plan_files(posix_spawn_file_actions_t& files, const SpawnRequest& request) {
  // dup2 onto its own number would keep close-on-exec in older C libraries; none of ours is below
  // 3, for an own number would mean that the parent runs without stdin, stdout or stderr.
  place(files, request.input, 0, O_RDONLY);
  place(files, request.output, 1, O_WRONLY);
  place(files, request.output, 2, O_WRONLY);
  int next = kInheritedFd;
  if (request.inherited >= 0) ::posix_spawn_file_actions_adddup2(&files, request.inherited, next++);
  ::posix_spawn_file_actions_addclosefrom_np(&files, next);
}

void plan_attributes(posix_spawnattr_t& attributes) {
  sigset_t none, all;
  ::sigemptyset(&none);
  ::sigfillset(&all);
  ::posix_spawnattr_setsigmask(&attributes, &none);
  ::posix_spawnattr_setsigdefault(&attributes, &all);
  ::posix_spawnattr_setflags(
      &attributes,
      static_cast<short>(POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF));
}

std::vector<std::string> environment_with(const std::map<std::string, std::string>& added) {
  std::vector<std::string> result;
  for (char** entry = ::environ; entry && *entry; ++entry) {
    const std::string text = *entry;
    if (!added.contains(text.substr(0, text.find('=')))) result.push_back(text);
  }
  for (const auto& [name, value] : added) result.push_back(name + "=" + value);
  return result;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> result;
  for (std::string& text : texts) result.push_back(text.data());
  result.push_back(nullptr);
  return result;
}

/// On the spawner's thread, whose affinity the child inherits.
pid_t start(const SpawnRequest& request, std::vector<std::string> environment) {
  set_affinity(request.cpus);
  SpawnPlan plan;
  plan_files(plan.files, request);
  plan_attributes(plan.attributes);
  std::vector<std::string> arguments = {request.program.string()};
  arguments.insert(arguments.end(), request.arguments.begin(), request.arguments.end());
  pid_t pid = -1;
  const int failure = ::posix_spawn(&pid, request.program.c_str(), &plan.files, &plan.attributes,
                                    pointers(arguments).data(), pointers(environment).data());
  if (failure != 0)
    throw Error(Status::Unavailable, fmt::format("can't start {}: {}", request.program.string(),
                                                 std::strerror(failure)));
  return pid;
}

}  // namespace

Spawner::Spawner() {
  // Signals are for the program's own threads.
  sigset_t all, before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  std::thread([this] { serve(); }).detach();
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

Spawner& Spawner::instance() {
  static std::mutex mutex;
  static Spawner* spawner = nullptr;
  static pid_t owner = -1;
  const std::lock_guard lock(mutex);
  if (owner != ::getpid()) {
    spawner = new Spawner;  // lives as long as the process, see Child::spawn
    owner = ::getpid();
  }
  return *spawner;
}

void Spawner::serve() {
  for (;;) {
    std::packaged_task<pid_t()> task;
    {
      std::unique_lock lock(mutex_);
      ready_.wait(lock, [this] { return !tasks_.empty(); });
      task = std::move(tasks_.front());
      tasks_.pop_front();
    }
    task();
  }
}

pid_t Spawner::spawn(const SpawnRequest& request) {
  SpawnRequest full = request;
  if (full.cpus.empty()) full.cpus = affinity();
  std::sort(full.cpus.begin(), full.cpus.end());
  auto environment = environment_with(full.environment);
  std::packaged_task<pid_t()> task([&] { return start(full, std::move(environment)); });
  auto answer = task.get_future();
  {
    const std::lock_guard lock(mutex_);
    tasks_.push_back(std::move(task));
  }
  ready_.notify_one();
  return answer.get();
}

}  // namespace inferometer::process

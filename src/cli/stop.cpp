// SPDX-License-Identifier: Apache-2.0
#include "cli/stop.hpp"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <thread>

#include "inferometer/error.hpp"

namespace inferometer::cli {
namespace {

int pipe_ends[2] = {-1, -1};

// request_stop runs callbacks and takes locks, which no signal handler may: it only wakes a thread.
void on_signal(int) {
  const int kept = errno;
  const char byte = 1;
  [[maybe_unused]] const auto written = ::write(pipe_ends[1], &byte, 1);
  errno = kept;
}

void listen(std::stop_source source) {
  char byte = 0;
  while (::read(pipe_ends[0], &byte, 1) < 0 && errno == EINTR) {
  }
  source.request_stop();
}

void install(int signal_number) {
  struct sigaction action = {};
  action.sa_handler = on_signal;
  action.sa_flags = SA_RESTART | static_cast<int>(SA_RESETHAND);
  sigemptyset(&action.sa_mask);
  ::sigaction(signal_number, &action, nullptr);
}

std::stop_source start() {
  std::stop_source source;
  if (::pipe2(pipe_ends, O_CLOEXEC) != 0)
    throw Error(Status::OutOfMemory, "no pipe can be made for signals: too many open files");
  std::thread(listen, source).detach();  // blocked in read until the program ends
  install(SIGINT);
  install(SIGTERM);
  return source;
}

}  // namespace

std::stop_token stop_on_signals() {
  static const std::stop_source source = start();
  return source.get_token();
}

}  // namespace inferometer::cli

// SPDX-License-Identifier: Apache-2.0
#include "process/worker_main.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <charconv>
#include <cstdio>
#include <optional>
#include <string_view>

namespace inferometer::process {

namespace {

std::optional<int> number_of(std::string_view text) {
  int number = 0;
  const auto end = std::from_chars(text.data(), text.data() + text.size(), number);
  if (end.ec != std::errc() || end.ptr != text.data() + text.size()) return std::nullopt;
  return number;
}

struct Arguments {
  std::optional<int> socket, parent;
};
Arguments read_arguments(int argc, char** argv) {
  Arguments arguments;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string_view name = argv[i];
    if (name == "--socket") arguments.socket = number_of(argv[i + 1]);
    if (name == "--parent") arguments.parent = number_of(argv[i + 1]);
  }
  return arguments;
}

/// SIGKILL reaches a stopped process too, which a closed socket does not.
bool bind_life_to(pid_t parent) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  return ::getppid() == parent;  // it may have died before the line above
}

/// When memory runs out, the kernel should take a worker rather than its parent.
void offer_to_the_oom_killer() {
  const UniqueFd file(::open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC));
  constexpr std::string_view kScore = "500";
  if (file && ::write(file.get(), kScore.data(), kScore.size()) < 0) {
    // Then the kernel chooses for itself.
  }
}

}  // namespace

int worker_main(int argc, char** argv, Services services) {
  const Arguments arguments = read_arguments(argc, argv);
  if (!arguments.socket || !arguments.parent) {
    std::fputs("inferometer_worker is started by Inferometer, not by hand\n", stderr);
    return 2;
  }
  if (!bind_life_to(*arguments.parent)) return 0;
  offer_to_the_oom_killer();
  ::fcntl(*arguments.socket, F_SETFD, FD_CLOEXEC);
  try {
    Server(std::move(services)).serve(UniqueFd(*arguments.socket));
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "inferometer_worker: %s\n", error.what());
    return 70;
  }
}

}  // namespace inferometer::process

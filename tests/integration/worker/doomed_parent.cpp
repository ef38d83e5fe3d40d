// SPDX-License-Identifier: Apache-2.0
// Starts two workers, parks one, starts a block that never ends in the other, prints their pids and
// waits to be killed. Argument: the worker program.
#include <unistd.h>

#include <cstdio>
#include <thread>

#include "process/worker.hpp"

int main(int argc, char** argv) {
  using namespace inferometer;
  if (argc != 2) return 2;
  process::WorkerOptions options;
  options.program = argv[1];
  process::Worker parked(options), busy(options);
  parked.park();
  busy.load("/m.onnx", {{"act", "hang"}});
  std::printf("%d %d\n", static_cast<int>(parked.pid()), static_cast<int>(busy.pid()));
  std::fflush(stdout);
  const float x[4] = {};
  const std::int64_t k = 1;
  const std::vector<View> inputs = {View(x, {1, 4}), View(&k, {})};
  busy.predict(inputs);
  return 0;
}

// SPDX-License-Identifier: Apache-2.0
// An application: no_network_user MODEL ENGINE ISOLATION CACHE_DIR probes, loads twice (the second
// time from the artifact cache), predicts and unloads. Ends with 77 when the engine isn't here.
#include <cstdio>
#include <cstring>

#include "inferometer/inferometer.hpp"

namespace {

using namespace inferometer;

void use(const char* path, const Params& params) {
  const Model model = load(path, params);
  const Tensor input = model.allocate(model.info().inputs.at(0), 3);
  std::memset(input.data(), 0, input.view().size_bytes());
  const Tensor output = model.predict(input);
  if (output.shape()[0] != 3) throw Error(Status::Mismatch, "3 rows in, others out");
}

int run(char** argv) {
  for (const EngineStatus& engine : engines()) {
    if (engine.name != argv[2] || engine.available) continue;
    std::fprintf(stderr, "%s\n", engine.reason.c_str());
    return 77;
  }
  const Params params = {
      {"engine", argv[2]}, {"batch_size", 2}, {"isolation", argv[3]}, {"cache_dir", argv[4]}};
  use(argv[1], params);
  use(argv[1], params);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 5) return 2;
  try {
    return run(argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}

// SPDX-License-Identifier: Apache-2.0
#include "common.hpp"

#include <fmt/format.h>

#include <chrono>
#include <cstdio>

#include "graph/onnx.hpp"
#include "graph/zoo.hpp"
#include "inferometer/error.hpp"

namespace inferometer::bench {

namespace fs = std::filesystem;

std::string_view to_string(Verdict verdict) noexcept {
  switch (verdict) {
    case Verdict::Passed:
      return "passed";
    case Verdict::Missed:
      return "missed";
    case Verdict::Unfit:
      return "can't tell";
  }
  return "";
}

fs::path write_model(const ScratchFolder& folder, const std::string& name,
                     std::optional<std::int64_t> batch, std::optional<std::int64_t> image_size) {
  const fs::path path = folder.path() / fmt::format("{}_{}_b{}.onnx", name, image_size.value_or(0),
                                                    batch.value_or(0));
  if (!fs::exists(path))
    graph::write_onnx(graph::zoo(name, {.batch = batch, .image_size = image_size}), path);
  return path;
}

std::int64_t now_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

int answer(const std::string& name, Verdict verdict, const std::string& text, const Json& data,
           bool json) {
  if (json) {
    const Json envelope = {{"schema", "inferometer.bench." + name},
                           {"version", 1},
                           {"status", to_string(verdict)},
                           {"data", data}};
    fmt::print("{}\n", envelope.dump(2));
  } else {
    fmt::print("{}{}: {}\n", text, name, to_string(verdict));
  }
  return static_cast<int>(verdict);
}

int guarded_main(const std::string& name, const std::function<int()>& body) {
  try {
    return body();
  } catch (const Error& error) {
    fmt::print(stderr, "{}: {}\n", name, error.what());
    return static_cast<int>(error.code() == Status::Unavailable ? Verdict::Unfit : Verdict::Missed);
  } catch (const std::exception& error) {
    fmt::print(stderr, "{}: {}\n", name, error.what());
    return 1;
  }
}

}  // namespace inferometer::bench

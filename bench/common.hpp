// SPDX-License-Identifier: Apache-2.0
// What the bench programs share: options, models to run, the answer as text or JSON.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/file.hpp"
#include "base/json.hpp"

namespace inferometer::bench {

/// What ctest reads: passed, missed, and "this machine can't tell" (ctest's skip).
enum class Verdict { Passed = 0, Missed = 1, Unfit = 77 };
std::string_view to_string(Verdict verdict) noexcept;

/// Writes a network of the zoo with a fixed batch (none: any) and perhaps images of another size
/// than its own, and gives its path.
std::filesystem::path write_model(const ScratchFolder& folder, const std::string& name,
                                  std::optional<std::int64_t> batch,
                                  std::optional<std::int64_t> image_size = {});

std::int64_t now_ns();

/// Prints one answer: `text` for people, or with --json the envelope of the command line around
/// `data`. Returns the exit code.
int answer(const std::string& name, Verdict verdict, const std::string& text, const Json& data,
           bool json);

/// Runs `body` and turns an exception into a message and exit code 1; what is unavailable here, as
/// an engine may be, is Verdict::Unfit.
int guarded_main(const std::string& name, const std::function<int()>& body);

}  // namespace inferometer::bench

// SPDX-License-Identifier: Apache-2.0
#include "cli/progress.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <ostream>

#include "base/text.hpp"
#include "cli/table.hpp"

namespace inferometer::cli {
namespace {

constexpr std::chrono::milliseconds kLeastGap{100};
constexpr const char* kClearLine = "\r\x1b[K";

}  // namespace

std::string progress_text(const campaign::ProgressEvent& event, std::size_t columns) {
  const auto percent = static_cast<int>(std::clamp(event.share, 0.0, 1.0) * 100);
  const std::string head = fmt::format("[{:3} %] ", percent);
  const std::string tail = event.left_s ? ", " + time_left_text(*event.left_s) + " left" : "";
  const std::size_t room =
      columns > head.size() + tail.size() + 1 ? columns - head.size() - tail.size() - 1 : 0;
  std::string doing = printable(event.doing, 1000);
  if (doing.size() > room) doing.resize(room);
  return head + doing + tail;
}

void ProgressLine::show(const campaign::ProgressEvent& event, Clock::time_point now) {
  if (shown_ && now - last_ < kLeastGap) return;
  out_ << kClearLine << progress_text(event, columns_) << std::flush;
  shown_ = true;
  last_ = now;
}

void ProgressLine::clear() {
  if (shown_) out_ << kClearLine << std::flush;
  shown_ = false;
}

}  // namespace inferometer::cli

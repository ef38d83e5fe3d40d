// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <charconv>
#include <chrono>
#include <cmath>
#include <ctime>

#include "measure/power_log.hpp"

namespace inferometer::measure {
namespace {

constexpr double kMostSeconds = 9e9;  // int64 of nanoseconds ends in 2262
constexpr int kLastYear = 2261;

// Takes what it reads off the front; false leaves nothing promised.
class Words {
 public:
  explicit Words(std::string_view text) : text_(text) {}
  bool done() const { return text_.empty(); }
  bool one_of(std::string_view letters, char& found) {
    if (text_.empty() || letters.find(text_.front()) == std::string_view::npos) return false;
    found = text_.front();
    text_.remove_prefix(1);
    return true;
  }
  bool one_of(std::string_view letters) {
    char ignored = 0;
    return one_of(letters, ignored);
  }
  bool digits(std::size_t count, int& value) {
    value = 0;
    for (std::size_t i = 0; i < count; ++i) {
      char digit = 0;
      if (!one_of("0123456789", digit)) return false;
      value = 10 * value + (digit - '0');
    }
    return true;
  }
  // The digits behind a point, of which nine count.
  std::int64_t fraction_ns() {
    std::int64_t ns = 0, unit = 100'000'000;
    for (char digit = 0; one_of("0123456789", digit); unit /= 10) ns += (digit - '0') * unit;
    return ns;
  }

 private:
  std::string_view text_;
};

struct Date {
  int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0;
  std::int64_t fraction_ns = 0;
};

bool read_date(Words& words, Date& date) {
  if (!words.digits(4, date.year) || !words.one_of("-/") || !words.digits(2, date.month) ||
      !words.one_of("-/") || !words.digits(2, date.day) || !words.one_of("T ") ||
      !words.digits(2, date.hour) || !words.one_of(":") || !words.digits(2, date.minute) ||
      !words.one_of(":") || !words.digits(2, date.second))
    return false;
  if (words.one_of(".")) date.fraction_ns = words.fraction_ns();
  const std::chrono::year_month_day day(std::chrono::year(date.year),
                                        std::chrono::month(static_cast<unsigned>(date.month)),
                                        std::chrono::day(static_cast<unsigned>(date.day)));
  return day.ok() && date.year >= 1970 && date.year <= kLastYear && date.hour < 24 &&
         date.minute < 60 && date.second <= 60;
}

std::int64_t utc_seconds(const Date& date) {
  using namespace std::chrono;
  const auto time = sys_days(year(date.year) / date.month / date.day) + hours(date.hour) +
                    minutes(date.minute) + seconds(date.second);
  return time.time_since_epoch().count();
}

std::int64_t local_seconds(const Date& date) {
  std::tm parts{};
  parts.tm_year = date.year - 1900;
  parts.tm_mon = date.month - 1;
  parts.tm_mday = date.day;
  parts.tm_hour = date.hour;
  parts.tm_min = date.minute;
  parts.tm_sec = date.second;
  parts.tm_isdst = -1;
  return std::mktime(&parts);
}

// "Z", "+01:00", "-0230"; nothing: local time.
std::optional<std::int64_t> seconds_in_zone(Words& words, const Date& date) {
  if (words.done()) return local_seconds(date);
  if (words.one_of("Zz")) return utc_seconds(date);
  char sign = 0;
  int hours = 0, minutes = 0;
  if (!words.one_of("+-", sign) || !words.digits(2, hours)) return std::nullopt;
  words.one_of(":");
  if (!words.digits(2, minutes) || hours > 23 || minutes > 59) return std::nullopt;
  const auto offset =
      std::chrono::seconds(std::chrono::hours(hours) + std::chrono::minutes(minutes));
  return utc_seconds(date) - (sign == '+' ? offset : -offset).count();
}

std::optional<std::int64_t> since_1970(std::string_view text) {
  double seconds = 0;
  const auto [end, bad] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (bad != std::errc() || end != text.data() + text.size()) return std::nullopt;
  if (!(seconds >= 0 && seconds < kMostSeconds)) return std::nullopt;
  return std::llround(seconds * 1e9);
}

}  // namespace

std::optional<std::int64_t> parse_log_time(std::string_view text) {
  if (const auto plain = since_1970(text)) return plain;
  Words words(text);
  Date date;
  if (!read_date(words, date)) return std::nullopt;
  const auto seconds = seconds_in_zone(words, date);
  if (!seconds || !words.done() || *seconds < 0) return std::nullopt;
  return *seconds * 1'000'000'000 + date.fraction_ns;
}

std::string log_time_text(std::int64_t time_ns) {
  const std::time_t seconds = time_ns / 1'000'000'000;
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  char text[32] = {};
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &parts);
  return fmt::format("{}.{:03}Z", text, time_ns % 1'000'000'000 / 1'000'000);
}

}  // namespace inferometer::measure

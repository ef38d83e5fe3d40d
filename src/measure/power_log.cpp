// SPDX-License-Identifier: Apache-2.0
#include "measure/power_log.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <span>

#include "base/text.hpp"
#include "inferometer/error.hpp"
#include "measure/procfs.hpp"

namespace inferometer::measure {
namespace {

using Fields = std::vector<std::string_view>;

constexpr double kMostWatts = 1e6;
// The last three as nvidia-smi --query-gpu=timestamp,power.draw --format=csv writes them.
constexpr std::array<std::string_view, 4> kTimeNames = {"time_s", "unix_time_s", "time",
                                                        "timestamp"};
constexpr std::array<std::string_view, 5> kPowerNames = {
    "watts", "power_w", "power.draw [w]", "power.draw.average [w]", "power.draw.instant [w]"};
constexpr std::array<std::string_view, 3> kDeviceNames = {"index", "uuid", "pci.bus_id"};

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\r\"");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r\"") - first + 1);
}

Fields split(std::string_view line) {
  Fields fields;
  for (std::size_t at = 0; at <= line.size();) {
    const auto end = std::min(line.find(',', at), line.size());
    fields.push_back(trimmed(line.substr(at, end - at)));
    at = end + 1;
  }
  return fields;
}

bool is_one_of(std::string_view given, std::span<const std::string_view> names) {
  std::string lower(given);
  std::ranges::transform(lower, lower.begin(), [](unsigned char letter) {
    return static_cast<char>(letter >= 'A' && letter <= 'Z' ? letter + 32 : letter);
  });
  return std::ranges::find(names, lower) != names.end();
}

std::optional<double> watts_of(std::string_view text) {
  if (text.ends_with(" W")) text = trimmed(text.substr(0, text.size() - 2));
  double watts = 0;
  const auto [end, bad] = std::from_chars(text.data(), text.data() + text.size(), watts);
  if (bad != std::errc() || end != text.data() + text.size()) return std::nullopt;
  if (!(watts >= 0 && watts <= kMostWatts)) return std::nullopt;  // NaN too
  return watts;
}

class Reader {
 public:
  Reader(std::string_view text, const std::string& name) : text_(text) {
    log_.name = name;
    if (text_.starts_with("\xEF\xBB\xBF")) text_.remove_prefix(3);  // Windows programs' mark
  }

  PowerLog all() {
    while (next_line()) {
      if (trimmed(line_text_).empty()) continue;
      const auto fields = split(line_text_);
      if (columns_ == 0)
        read_head(fields);
      else
        read_row(fields);
    }
    if (columns_ == 0) refuse("expected a line that names the columns");
    return std::move(log_);
  }

 private:
  [[noreturn]] void refuse(const std::string& what) const {
    throw Error(Status::Invalid, fmt::format("power log {}, line {}: {}", log_.name, line_, what),
                {{"path", log_.name}, {"line", std::to_string(line_)}});
  }

  bool next_line() {
    ++line_;
    const auto end = text_.find('\n');
    if (std::min(end, text_.size()) > kMaxLogLineBytes)
      refuse(fmt::format("longer than {} bytes", kMaxLogLineBytes));
    if (end == std::string_view::npos) return false;  // still being written
    line_text_ = text_.substr(0, end);
    text_.remove_prefix(end + 1);
    return true;
  }

  void read_head(const Fields& names) {
    columns_ = names.size();
    time_ = column(names, kTimeNames, "time");
    power_ = column(names, kPowerNames, "power");
    const auto device = std::ranges::find_if(
        names, [](std::string_view name) { return is_one_of(name, kDeviceNames); });
    if (device != names.end()) device_ = static_cast<std::size_t>(device - names.begin());
  }

  std::size_t column(const Fields& names, std::span<const std::string_view> wanted,
                     const char* what) const {
    const auto fits = [&](std::string_view name) { return is_one_of(name, wanted); };
    const auto count = std::ranges::count_if(names, fits);
    if (count != 1)
      refuse(fmt::format("expected one column of {}, called {}; found {} in '{}'", what,
                         join(std::vector<std::string>(wanted.begin(), wanted.end()), " or "),
                         count, printable(line_text_)));
    return static_cast<std::size_t>(std::ranges::find_if(names, fits) - names.begin());
  }

  void read_row(const Fields& fields) {
    if (fields.size() != columns_)
      refuse(fmt::format("{} fields; the first line names {}", fields.size(), columns_));
    const auto time = parse_log_time(fields[time_]);
    if (!time)
      refuse(fmt::format("time '{}': expected seconds since 1970 or 2026-01-31T12:00:00.5Z",
                         printable(fields[time_])));
    const auto watts = watts_of(fields[power_]);
    if (!watts)
      refuse(fmt::format("power '{}': expected watts, 0 to {:g}", printable(fields[power_]),
                         kMostWatts));
    check_device(fields);
    if (!log_.samples.empty() && *time <= log_.samples.back().time_ns)
      refuse(
          fmt::format("time '{}' is not after that of the row before", printable(fields[time_])));
    log_.samples.push_back({*time, *watts});
  }

  void check_device(const Fields& fields) {
    if (!device_) return;
    if (log_.samples.empty()) device_name_ = fields[*device_];
    if (fields[*device_] != device_name_)
      refuse(fmt::format("a second device '{}'; log one (nvidia-smi -i {})",
                         printable(fields[*device_]), printable(device_name_)));
  }

  std::string_view text_, line_text_, device_name_;
  std::size_t line_ = 0, columns_ = 0, time_ = 0, power_ = 0;
  std::optional<std::size_t> device_;
  PowerLog log_;
};

}  // namespace

PowerLog parse_power_log(std::string_view text, const std::string& name) {
  return Reader(text, name).all();
}

// Not mapped: whoever writes it may cut it off meanwhile.
PowerLog read_power_log(const std::filesystem::path& path) {
  const auto text = read_kernel_text(path, kMaxLogBytes + 1);
  if (!text || text->size() > kMaxLogBytes)
    throw Error(Status::Invalid,
                fmt::format("power log {}: {}", path.string(),
                            text ? fmt::format("at most {} MiB are read", kMaxLogBytes >> 20)
                                 : std::strerror(errno)),
                {{"path", path.string()}});
  return parse_power_log(*text, path.string());
}

}  // namespace inferometer::measure

// SPDX-License-Identifier: Apache-2.0
#include "measure/procfs.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <sstream>

namespace inferometer::measure {
namespace {

std::optional<std::int64_t> leading_number(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return std::nullopt;
  std::int64_t value = 0;
  const auto [end, problem] =
      std::from_chars(text.data() + first, text.data() + text.size(), value);
  if (problem != std::errc()) return std::nullopt;
  return value;
}

}  // namespace

std::optional<std::string> read_kernel_text(const std::filesystem::path& path,
                                            std::size_t limit_bytes) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return std::nullopt;
  std::string text;
  char piece[4096];
  ssize_t got = 0;
  while (text.size() < limit_bytes && (got = ::read(fd, piece, sizeof piece)) > 0)
    text.append(piece, static_cast<std::size_t>(got));
  const int problem = errno;
  ::close(fd);
  errno = problem;
  if (got < 0) return std::nullopt;
  if (text.size() > limit_bytes) text.resize(limit_bytes);
  return text;
}

std::string kernel_word(const std::filesystem::path& path) {
  const auto text = read_kernel_text(path);
  if (!text) return "unavailable: " + path.string() + ": " + std::strerror(errno);
  return text->substr(0, text->find_last_not_of(" \n\t") + 1);
}

std::optional<std::int64_t> number_after(std::string_view text, std::string_view key) {
  for (std::size_t at = 0; at < text.size();) {
    const auto end = std::min(text.find('\n', at), text.size());
    const auto line = text.substr(at, end - at);
    if (line.starts_with(key) && line.size() > key.size() && line[key.size()] == ':')
      return leading_number(line.substr(key.size() + 1));
    at = end + 1;
  }
  return std::nullopt;
}

std::vector<pid_t> numbered_folders(const std::filesystem::path& path) {
  std::vector<pid_t> numbers;
  std::error_code problem;
  for (std::filesystem::directory_iterator each(path, problem), end; !problem && each != end;
       each.increment(problem)) {
    const auto name = each->path().filename().string();
    pid_t number = 0;
    const auto [last, bad] = std::from_chars(name.data(), name.data() + name.size(), number);
    if (bad == std::errc() && last == name.data() + name.size()) numbers.push_back(number);
  }
  std::ranges::sort(numbers);
  return numbers;
}

std::vector<std::string> stat_fields(std::string_view stat) {
  std::vector<std::string> fields;
  const auto bracket = stat.rfind(')');
  if (bracket == std::string_view::npos) return fields;
  std::istringstream words{std::string(stat.substr(bracket + 1))};
  for (std::string word; words >> word;) fields.push_back(word);
  return fields;
}

std::optional<std::int64_t> stat_number(const std::vector<std::string>& fields, std::size_t index) {
  if (index >= fields.size()) return std::nullopt;
  return leading_number(fields[index]);
}

std::string stat_name(std::string_view stat) {
  const auto first = stat.find('(');
  const auto last = stat.rfind(')');
  if (first == std::string_view::npos || last == std::string_view::npos || last <= first) return {};
  return std::string(stat.substr(first + 1, last - first - 1));
}

}  // namespace inferometer::measure

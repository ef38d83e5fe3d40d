// SPDX-License-Identifier: Apache-2.0
#include "process/tree.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "process/unique_fd.hpp"

namespace inferometer::process {

namespace {

struct Stat {
  pid_t pid = 0;
  char state = 0;
  pid_t parent = 0;
  pid_t session = 0;
};

/// The first bytes of a procfs file; empty when it has gone.
std::string head_of(const std::string& path) {
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) return {};
  std::array<char, 1024> text;
  const ssize_t got = ::read(fd.get(), text.data(), text.size());
  return got > 0 ? std::string(text.data(), static_cast<std::size_t>(got)) : std::string();
}

// The next number of `text`, which then begins behind it.
template <class Number>
std::optional<Number> take_number(std::string_view& text) {
  text.remove_prefix(std::min(text.find_first_not_of(" \t\n"), text.size()));
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc()) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return number;
}

std::optional<Stat> parse_stat(pid_t pid, const std::string& text) {
  // The command's name may hold anything, parentheses too: the last one ends it.
  const std::size_t name_end = text.rfind(')');
  if (name_end == std::string::npos) return std::nullopt;
  std::string_view rest = text;
  rest.remove_prefix(name_end + 1);
  rest.remove_prefix(std::min(rest.find_first_not_of(' '), rest.size()));
  if (rest.empty()) return std::nullopt;
  const char state = rest.front();
  rest.remove_prefix(1);
  const auto parent = take_number<pid_t>(rest), group = take_number<pid_t>(rest),
             session = take_number<pid_t>(rest);
  if (!parent || !group || !session) return std::nullopt;
  return Stat{.pid = pid, .state = state, .parent = *parent, .session = *session};
}

template <class Visit>
void each_number_in(const char* folder, Visit visit) {
  const std::unique_ptr<DIR, int (*)(DIR*)> entries(::opendir(folder), ::closedir);
  if (!entries) return;
  while (const dirent* entry = ::readdir(entries.get())) {
    const std::string_view name = entry->d_name;
    pid_t pid = 0;
    const auto end = std::from_chars(name.data(), name.data() + name.size(), pid);
    if (end.ec == std::errc() && end.ptr == name.data() + name.size()) visit(pid);
  }
}

std::vector<Stat> all_processes() {
  std::vector<Stat> all;
  each_number_in("/proc", [&](pid_t pid) {
    if (auto stat = parse_stat(pid, head_of(fmt::format("/proc/{}/stat", pid))))
      all.push_back(*stat);
  });
  return all;
}

}  // namespace

std::vector<pid_t> tree_of(pid_t leader) {
  const std::vector<Stat> all = all_processes();
  std::vector<pid_t> tree;
  const auto has = [&](pid_t pid) {
    return std::find(tree.begin(), tree.end(), pid) != tree.end();
  };
  for (bool grown = true; grown;) {
    grown = false;
    for (const Stat& stat : all) {
      if (has(stat.pid)) continue;
      if (stat.pid != leader && stat.session != leader && !has(stat.parent)) continue;
      tree.push_back(stat.pid);
      grown = true;
    }
  }
  return tree;
}

char state_of(pid_t pid) {
  const auto stat = parse_stat(pid, head_of(fmt::format("/proc/{}/stat", pid)));
  return stat ? stat->state : 0;
}

bool all_stopped(pid_t pid) {
  bool stopped = true;
  each_number_in(fmt::format("/proc/{}/task", pid).c_str(), [&](pid_t thread) {
    const auto stat =
        parse_stat(thread, head_of(fmt::format("/proc/{}/task/{}/stat", pid, thread)));
    // X and Z have ended, t is stopped by a debugger.
    if (stat && std::string_view("TtXZ").find(stat->state) == std::string_view::npos)
      stopped = false;
  });
  return stopped;
}

std::uint64_t resident_bytes(pid_t pid) {
  const std::string text = head_of(fmt::format("/proc/{}/statm", pid));
  std::string_view rest = text;
  const auto size = take_number<std::uint64_t>(rest), resident = take_number<std::uint64_t>(rest);
  if (!size || !resident) return 0;
  return *resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

std::uint64_t oom_kills() {
  const std::unique_ptr<FILE, int (*)(FILE*)> file(std::fopen("/proc/vmstat", "re"), std::fclose);
  if (!file) return 0;
  constexpr std::string_view kKey = "oom_kill ";
  std::array<char, 128> line;
  while (std::fgets(line.data(), line.size(), file.get())) {
    std::string_view rest = line.data();
    if (!rest.starts_with(kKey)) continue;
    rest.remove_prefix(kKey.size());
    return take_number<std::uint64_t>(rest).value_or(0);
  }
  return 0;
}

}  // namespace inferometer::process

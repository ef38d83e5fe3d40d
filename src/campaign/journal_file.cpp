// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <string_view>
#include <system_error>

#include "base/file.hpp"
#include "campaign/journal.hpp"

namespace inferometer::campaign {
namespace {

[[noreturn]] void refuse(const std::filesystem::path& path, const std::string& why) {
  throw Error(Status::Invalid, fmt::format("journal {}: {}", path.string(), why),
              {{"journal", path.string()}});
}

std::string system_reason() {
  return std::generic_category().message(errno);
}

int open_file(const std::filesystem::path& path, JournalFile::Open mode) {
  const int only_new = mode == JournalFile::Open::New ? O_EXCL : 0;
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | only_new, 0644);
  if (fd < 0 && errno == EEXIST)
    refuse(path, "exists already; --resume goes on with it, another name starts a new one");
  if (fd < 0) refuse(path, system_reason());
  return fd;
}

// Cutting the torn line of a young journal must not empty somebody's one-line file.
void check_torn(const std::filesystem::path& path, const Journal& before) {
  if (before.whole_bytes == 0 && !may_become_journal(JournalText(path).text()))
    refuse(path, "is no journal: its first line is not a header");
}

}  // namespace

JournalFile::JournalFile(const std::filesystem::path& path, Open mode)
    : path_(path), fd_(open_file(path, mode)) {
  try {
    if (::flock(fd_, LOCK_EX | LOCK_NB) != 0) refuse(path, "another program is writing it");
    before_ = read_journal(path);
    check_torn(path, before_);
    // A torn line would become a corrupt middle line once something is appended.
    if (::ftruncate(fd_, static_cast<off_t>(before_.whole_bytes)) != 0)
      refuse(path, system_reason());
  } catch (...) {
    ::close(fd_);
    throw;
  }
}

JournalFile::~JournalFile() {
  ::close(fd_);
}

void JournalFile::append(const Json& line) {
  const auto text = line_text(line);
  ssize_t written = 0;
  do {
    written = ::write(fd_, text.data(), text.size());
  } while (written < 0 && errno == EINTR);
  if (written < 0) refuse(path_, system_reason());
  if (static_cast<std::size_t>(written) != text.size())
    refuse(path_,
           fmt::format("only {} of {} bytes were written: disk full?", written, text.size()));
  if (::fdatasync(fd_) != 0 && errno != EINVAL && errno != EROFS) refuse(path_, system_reason());
}

}  // namespace inferometer::campaign

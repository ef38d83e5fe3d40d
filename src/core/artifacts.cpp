// SPDX-License-Identifier: Apache-2.0
#include "core/artifacts.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <vector>

#include "base/text.hpp"
#include "inferometer/error.hpp"

namespace inferometer::core {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void fail(const fs::path& folder, const std::string& what) {
  throw Error(Status::Invalid, "cache_dir " + folder.string() + ": " + what,
              {{"param", "cache_dir"}, {"value", folder.string()}});
}

// Entries are run as code: nobody but the owner may be able to put one there.
void require_private(const fs::path& folder) {
  struct stat status{};
  if (::stat(folder.c_str(), &status) != 0) fail(folder, std::strerror(errno));
  if (!S_ISDIR(status.st_mode)) fail(folder, "not a folder");
  if (status.st_uid != ::geteuid())
    fail(folder, "belongs to another user; choose a folder of your own");
  if ((status.st_mode & 022) != 0)
    fail(folder, "others may write to it; run chmod go-w on it or choose another");
}

void make_private(const fs::path& folder) {
  std::error_code error;
  if (fs::exists(folder, error)) return;
  fs::create_directories(folder.parent_path(), error);
  if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) fail(folder, std::strerror(errno));
}

// Held while entries are counted and removed, so that two processes don't trim at once.
class FolderLock {
 public:
  explicit FolderLock(const fs::path& folder)
      : fd_(::open((folder / ".lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600)) {
    if (fd_ < 0) fail(folder, std::strerror(errno));
    if (::flock(fd_, LOCK_EX) == 0) return;
    const int reason = errno;
    ::close(fd_);  // no destructor runs after a constructor that throws
    fail(folder, std::strerror(reason));
  }
  ~FolderLock() { ::close(fd_); }
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;

 private:
  int fd_;
};

struct Entry {
  fs::path path;
  fs::file_time_type used;
  std::uint64_t bytes;
};

// <key>-<kind>, finished or still being written. A folder may hold files of its owner's beside
// ours.
bool is_ours(const std::string& name) {
  constexpr std::size_t kKeyDigits = 32;
  return name.size() > kKeyDigits + 1 && name[kKeyDigits] == '-' &&
         name.find_first_not_of("0123456789abcdef") == kKeyDigits;
}

std::vector<Entry> oldest_first(const fs::path& folder) {
  std::vector<Entry> entries;
  std::error_code error;
  for (const auto& file : fs::directory_iterator(folder, error)) {
    if (!is_ours(file.path().filename().string()) || !file.is_regular_file(error)) continue;
    entries.push_back({file.path(), file.last_write_time(error), file.file_size(error)});
  }
  std::sort(entries.begin(), entries.end(),
            [](const Entry& a, const Entry& b) { return a.used < b.used; });
  return entries;
}

}  // namespace

ArtifactCache::ArtifactCache(const fs::path& folder, std::string key, std::uint64_t limit_bytes)
    : folder_(fs::absolute(folder)), key_(std::move(key)), limit_bytes_(limit_bytes) {
  make_private(folder_);
  require_private(folder_);
}

fs::path ArtifactCache::entry(std::string_view kind) const {
  return folder_ / (key_ + "-" + std::string(kind));
}

std::optional<fs::path> ArtifactCache::find(std::string_view kind) const {
  fs::path path = entry(kind);
  // Touching says both that it is there and that it was used.
  if (::utimensat(AT_FDCWD, path.c_str(), nullptr, 0) != 0) return std::nullopt;
  return path;
}

fs::path ArtifactCache::create(std::string_view kind) const {
  std::string name = entry(kind).string() + ".XXXXXX";
  const int fd = ::mkostemp(name.data(), O_CLOEXEC);
  if (fd < 0) fail(folder_, std::string("can't make a file: ") + std::strerror(errno));
  ::close(fd);
  return name;
}

fs::path ArtifactCache::commit(std::string_view kind, const fs::path& temporary) const {
  const fs::path final_path = entry(kind);
  if (::chmod(temporary.c_str(), 0400) != 0 ||
      ::rename(temporary.c_str(), final_path.c_str()) != 0) {
    const std::string reason = std::strerror(errno);
    discard(temporary);
    fail(folder_, "can't keep " + final_path.filename().string() + ": " + reason);
  }
  trim(final_path);
  return final_path;
}

void ArtifactCache::discard(const fs::path& temporary) const {
  std::error_code error;
  fs::remove(temporary, error);
}

void ArtifactCache::trim(const fs::path& keep) const {
  const FolderLock lock(folder_);
  const auto entries = oldest_first(folder_);
  std::uint64_t total = 0;
  for (const Entry& entry : entries) total += entry.bytes;
  for (const Entry& entry : entries) {
    if (total <= limit_bytes_) return;
    if (entry.path == keep) continue;
    std::error_code error;
    if (fs::remove(entry.path, error)) total -= entry.bytes;
  }
}

}  // namespace inferometer::core

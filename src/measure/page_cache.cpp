// SPDX-License-Identifier: Apache-2.0
#include "measure/page_cache.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <sstream>
#include <string>
#include <vector>

#include "measure/procfs.hpp"

namespace inferometer::measure {
namespace {

namespace fs = std::filesystem;
constexpr std::size_t kMapsLimit = 16u << 20;

// An open regular file and its size.
class File {
 public:
  explicit File(const fs::path& path) : fd_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {
    struct stat facts{};
    if (fd_ >= 0 && ::fstat(fd_, &facts) == 0 && S_ISREG(facts.st_mode)) size_ = facts.st_size;
  }
  ~File() {
    if (fd_ >= 0) ::close(fd_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  int fd() const noexcept { return fd_; }
  std::int64_t size() const noexcept { return size_; }

 private:
  int fd_;
  std::int64_t size_ = 0;
};

std::int64_t resident_bytes(const File& file) {
  const auto size = static_cast<std::size_t>(file.size());
  void* pages = ::mmap(nullptr, size, PROT_READ, MAP_SHARED, file.fd(), 0);
  if (pages == MAP_FAILED) return 0;
  const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  std::vector<unsigned char> resident((size + page - 1) / page);
  std::int64_t count = 0;
  if (::mincore(pages, size, resident.data()) == 0)
    count = std::ranges::count_if(resident, [](unsigned char each) { return (each & 1) != 0; });
  ::munmap(pages, size);
  return std::min(count * static_cast<std::int64_t>(page), file.size());
}

}  // namespace

// "7f00-7f01 r-xp 00000000 08:01 1234    /lib/a file.so": the path is the rest after five words.
std::set<fs::path> mapped_files(pid_t pid, const fs::path& proc) {
  std::set<fs::path> files;
  std::istringstream lines(
      read_kernel_text(proc / std::to_string(pid) / "maps", kMapsLimit).value_or(""));
  for (std::string line; std::getline(lines, line);) {
    const auto slash = line.find(" /");
    if (slash != std::string::npos && !line.ends_with(" (deleted)"))
      files.insert(line.substr(slash + 1));
  }
  return files;
}

CachedBytes cached_bytes(std::span<const fs::path> files) {
  CachedBytes sum;
  for (const auto& path : files) {
    const File file(path);
    if (file.size() == 0) continue;
    sum.size_bytes += file.size();
    sum.resident_bytes += resident_bytes(file);
  }
  return sum;
}

CachedBytes drop_from_page_cache(std::span<const fs::path> files) {
  for (const auto& path : files) {
    const File file(path);
    if (file.size() == 0) continue;
    ::fsync(file.fd());  // the kernel keeps pages that aren't written yet
    ::posix_fadvise(file.fd(), 0, 0, POSIX_FADV_DONTNEED);
  }
  return cached_bytes(files);
}

}  // namespace inferometer::measure

// SPDX-License-Identifier: Apache-2.0
// Files and the page cache: what a cold load has to read again.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <set>
#include <span>

namespace inferometer::measure {

/// Files that a process maps, by path; those deleted meanwhile are left out. Empty when it has
/// ended.
std::set<std::filesystem::path> mapped_files(pid_t pid,
                                             const std::filesystem::path& proc = "/proc");

struct CachedBytes {
  std::int64_t size_bytes = 0;
  std::int64_t resident_bytes = 0;  ///< in the page cache (mincore)
  double share() const noexcept {
    return size_bytes <= 0 ? 0
                           : static_cast<double>(resident_bytes) / static_cast<double>(size_bytes);
  }
};

/// Files that can't be opened count nothing.
CachedBytes cached_bytes(std::span<const std::filesystem::path> files);

/// Writes the files out and asks the kernel to forget their pages (posix_fadvise DONTNEED); returns
/// what is still resident. Pages that a process maps stay, and so do all of a tmpfs.
CachedBytes drop_from_page_cache(std::span<const std::filesystem::path> files);

}  // namespace inferometer::measure

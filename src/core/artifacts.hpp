// SPDX-License-Identifier: Apache-2.0
// The artifact cache: files derived from a model, kept to be used again.
//
// An entry is code or weights that a later process trusts, so the folder belongs to its owner
// alone, and a key covers all that an entry depends on: a foreign compiled object can crash an
// engine. Entries are written under a temporary name and renamed; a finished entry is never
// changed. The least recently used go when ours grow over the limit; other files in the folder are
// neither counted nor touched.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace inferometer::core {

inline constexpr std::uint64_t kCacheLimitBytes = 16ull << 30;

/// One folder as one load sees it: fixed key (32 hexadecimal digits), several kinds. Thread-safe;
/// several processes may share the folder.
class ArtifactCache {
 public:
  /// Makes the folder (mode 0700). Throws Error{Invalid} when it can't be, or when others may write
  /// to it.
  ArtifactCache(const std::filesystem::path& folder, std::string key,
                std::uint64_t limit_bytes = kCacheLimitBytes);

  /// A finished entry; its time of use is renewed.
  std::optional<std::filesystem::path> find(std::string_view kind) const;
  /// A private file to write. Throws Error{Invalid} when it can't be made.
  std::filesystem::path create(std::string_view kind) const;
  /// Publishes `temporary` (read-only from now on) and trims the folder to its limit.
  std::filesystem::path commit(std::string_view kind, const std::filesystem::path& temporary) const;
  void discard(const std::filesystem::path& temporary) const;

 private:
  std::filesystem::path entry(std::string_view kind) const;
  void trim(const std::filesystem::path& keep) const;

  std::filesystem::path folder_;
  std::string key_;
  std::uint64_t limit_bytes_;
};

}  // namespace inferometer::core

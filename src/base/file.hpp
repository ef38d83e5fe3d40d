// SPDX-License-Identifier: Apache-2.0
// Files: mapping, atomic writing, identity.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace inferometer {

/// A read-only mapping of a whole file; the file descriptor is closed at once. Pages are read on
/// first use.
class MappedFile {
 public:
  /// Throws Error{Invalid} naming the path when it can't be opened or isn't a regular file.
  explicit MappedFile(const std::filesystem::path& path);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  std::span<const std::byte> bytes() const noexcept { return {data_, size_}; }

 private:
  const std::byte* data_ = nullptr;
  std::size_t size_ = 0;
};

/// What makes a file the same file without reading it.
struct FileIdentity {
  std::uint64_t device = 0, inode = 0, size = 0;
  std::int64_t modified_ns = 0;
  auto operator<=>(const FileIdentity&) const = default;
};
/// Throws Error{Invalid} naming the path.
FileIdentity identity_of(const std::filesystem::path& path);

/// The whole file as text. Throws Error{Invalid} when it can't be read or is larger than
/// `limit_bytes`.
std::string read_text(const std::filesystem::path& path, std::size_t limit_bytes = 64u << 20);

/// Writes to a temporary name in the same folder and renames. Throws Error{Invalid} naming the
/// path.
void write_text_atomic(const std::filesystem::path& path, std::string_view text);

/// The pieces, one after the other, in a file that appears when it is whole. Throws Error{Invalid}
/// naming the path when there is one already, or when it can't be written.
void write_new_file(const std::filesystem::path& path, std::span<const std::string_view> pieces);

/// A new, empty, owner-only folder among the system's temporary ones, removed with all that is in
/// it when the object goes.
class ScratchFolder {
 public:
  /// Throws Error{Invalid} when it can't be made.
  explicit ScratchFolder(std::string_view name);
  ~ScratchFolder();
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;
  const std::filesystem::path& path() const noexcept { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace inferometer

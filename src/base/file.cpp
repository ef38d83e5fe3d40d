// SPDX-License-Identifier: Apache-2.0
#include "base/file.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>

#include "inferometer/error.hpp"

namespace inferometer {
namespace {

[[noreturn]] void fail(const std::filesystem::path& path, const std::string& what) {
  throw Error(Status::Invalid, path.string() + ": " + what, {{"path", path.string()}});
}

class Descriptor {
 public:
  // O_NONBLOCK: opening a FIFO must not wait for a writer; it is refused by its type.
  explicit Descriptor(const std::filesystem::path& path)
      : fd_(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)) {
    if (fd_ < 0) fail(path, std::strerror(errno));
  }
  ~Descriptor() { ::close(fd_); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const noexcept { return fd_; }

 private:
  int fd_;
};

struct stat regular_stat(const std::filesystem::path& path, int fd) {
  struct stat status{};
  if (::fstat(fd, &status) != 0) fail(path, std::strerror(errno));
  if (!S_ISREG(status.st_mode)) fail(path, "not a regular file");
  return status;
}

[[noreturn]] void cannot_write(const std::filesystem::path& path) {
  fail(path, "can't be written; is the folder there, writable and not full?");
}

// Beside `path`, so that it can take its place in one step.
std::filesystem::path write_temporary(const std::filesystem::path& path,
                                      std::span<const std::string_view> pieces) {
  std::filesystem::path temporary = path;
  temporary += ".tmp" + std::to_string(::getpid());
  std::ofstream stream(temporary, std::ios::binary | std::ios::trunc);
  for (const auto piece : pieces)
    stream.write(piece.data(), static_cast<std::streamsize>(piece.size()));
  stream.close();
  if (stream) return temporary;
  std::error_code ignored;
  std::filesystem::remove(temporary, ignored);
  cannot_write(path);
}

}  // namespace

MappedFile::MappedFile(const std::filesystem::path& path) {
  const Descriptor file(path);
  size_ = static_cast<std::size_t>(regular_stat(path, file.get()).st_size);
  if (size_ == 0) return;  // mmap refuses a length of 0
  void* memory = ::mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, file.get(), 0);
  if (memory == MAP_FAILED) fail(path, std::string("can't be mapped: ") + std::strerror(errno));
  data_ = static_cast<const std::byte*>(memory);
}

MappedFile::~MappedFile() {
  if (data_ != nullptr) ::munmap(const_cast<std::byte*>(data_), size_);
}

FileIdentity identity_of(const std::filesystem::path& path) {
  const Descriptor file(path);
  const struct stat status = regular_stat(path, file.get());
  return {status.st_dev, status.st_ino, static_cast<std::uint64_t>(status.st_size),
          status.st_mtim.tv_sec * 1'000'000'000 + status.st_mtim.tv_nsec};
}

std::string read_text(const std::filesystem::path& path, std::size_t limit_bytes) {
  const MappedFile file(path);
  const auto bytes = file.bytes();
  if (bytes.size() > limit_bytes) {
    fail(path, std::to_string(bytes.size()) + " bytes; at most " + std::to_string(limit_bytes) +
                   " are read");
  }
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

void write_text_atomic(const std::filesystem::path& path, std::string_view text) {
  const auto temporary = write_temporary(path, std::span(&text, 1));
  std::error_code error;
  std::filesystem::rename(temporary, path, error);
  if (!error) return;
  std::filesystem::remove(temporary, error);
  cannot_write(path);
}

void write_new_file(const std::filesystem::path& path, std::span<const std::string_view> pieces) {
  std::error_code error, ignored;
  // Told before what may be a gigabyte is written; the link below is what makes sure.
  if (std::filesystem::exists(std::filesystem::symlink_status(path, ignored)))
    fail(path, std::strerror(EEXIST));
  const auto temporary = write_temporary(path, pieces);
  std::filesystem::create_hard_link(temporary, path, error);
  std::filesystem::remove(temporary, ignored);
  if (error) fail(path, error.message());
}

ScratchFolder::ScratchFolder(std::string_view name) {
  std::error_code problem;
  const auto folder = std::filesystem::temp_directory_path(problem);
  if (problem) fail(folder, "no folder for temporary files (TMPDIR): " + problem.message());
  auto pattern = (folder / (std::string(name) + "-XXXXXX")).string();
  if (::mkdtemp(pattern.data()) == nullptr) fail(pattern, std::strerror(errno));
  path_ = pattern;
}

ScratchFolder::~ScratchFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace inferometer

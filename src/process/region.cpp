// SPDX-License-Identifier: Apache-2.0
#include "process/region.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <map>
#include <mutex>
#include <shared_mutex>

#include "base/machine_memory.hpp"
#include "inferometer/error.hpp"

namespace inferometer::process {

namespace {

/// Created regions by their first byte. Never destroyed: tensors may outlive static objects.
struct Registry {
  std::shared_mutex mutex;
  std::map<const std::byte*, std::weak_ptr<Region>> by_address;
  std::atomic<std::uint64_t> next_id{1};
  std::atomic<std::uint64_t> generation{0};
};
Registry& registry() {
  static auto* instance = new Registry;
  return *instance;
}

std::string system_text() {
  return std::strerror(errno);
}

}  // namespace

Region::Region(UniqueFd fd, std::size_t size_bytes, bool writable)
    : fd_(std::move(fd)), size_(size_bytes) {
  const int protection = PROT_READ | (writable ? PROT_WRITE : 0);
  void* memory = ::mmap(nullptr, size_, protection, MAP_SHARED, fd_.get(), 0);
  if (memory == MAP_FAILED)
    throw Error(Status::OutOfMemory,
                fmt::format("can't map {} shared bytes: {}", size_, system_text()));
  data_ = static_cast<std::byte*>(memory);
}

Region::~Region() {
  if (id_ != 0) {
    const std::unique_lock lock(registry().mutex);
    registry().by_address.erase(data_);
    registry().generation.fetch_add(1, std::memory_order_release);
  }
  ::munmap(data_, size_);
}

std::shared_ptr<Region> Region::create(std::size_t size_bytes) {
  const std::size_t size = size_bytes == 0 ? 1 : size_bytes;
  if (size > machine_memory_bytes())
    throw Error(Status::OutOfMemory,
                fmt::format("{} shared bytes are more than the machine has ({})", size,
                            machine_memory_bytes()));
  UniqueFd fd(::memfd_create("inferometer", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!fd || ::ftruncate(fd.get(), static_cast<off_t>(size)) != 0)
    throw Error(Status::OutOfMemory,
                fmt::format("can't have {} shared bytes: {}", size, system_text()));
  if (::fcntl(fd.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0)
    throw Error(Status::Unavailable, "can't seal shared pages: " + system_text());
  const std::shared_ptr<Region> region(new Region(std::move(fd), size, true));
  Registry& all = registry();
  const std::unique_lock lock(all.mutex);
  region->id_ = all.next_id.fetch_add(1);
  all.by_address[region->data_] = region;
  return region;
}

std::shared_ptr<Region> Region::map(UniqueFd fd, std::size_t size_bytes, bool writable) {
  struct stat file{};
  const int seals = ::fcntl(fd.get(), F_GET_SEALS);
  if (::fstat(fd.get(), &file) != 0 || file.st_size < 0 || size_bytes == 0 ||
      static_cast<std::uint64_t>(file.st_size) < size_bytes)
    throw Error(Status::Invalid,
                fmt::format("shared pages refused: fewer than the {} bytes announced", size_bytes));
  if (seals < 0 || !(seals & F_SEAL_SHRINK))
    throw Error(Status::Invalid, "shared pages refused: they are not sealed against shrinking");
  std::shared_ptr<Region> region(new Region(std::move(fd), size_bytes, writable));
  region->fd_.reset();  // the mapping keeps the pages
  return region;
}

std::shared_ptr<Region> Region::find(const void* data, std::size_t size_bytes) {
  const auto* address = static_cast<const std::byte*>(data);
  Registry& all = registry();
  std::shared_ptr<Region> region;  // dropped after the lock, which a region's end takes
  const std::shared_lock lock(all.mutex);
  auto after = all.by_address.upper_bound(address);
  if (after == all.by_address.begin()) return nullptr;
  region = std::prev(after)->second.lock();
  if (!region) return nullptr;
  const auto offset = static_cast<std::size_t>(address - region->data_);
  return offset <= region->size_ && size_bytes <= region->size_ - offset ? region : nullptr;
}

UniqueFd Region::new_fd() const {
  UniqueFd fd(::fcntl(fd_.get(), F_DUPFD_CLOEXEC, 0));
  if (!fd)
    throw Error(Status::Unavailable,
                fmt::format("shared pages can't be given to another process: {}; see ulimit -n",
                            system_text()));
  return fd;
}

std::uint64_t Region::generation() noexcept {
  return registry().generation.load(std::memory_order_acquire);
}

Tensor shared_tensor(DType dtype, const Shape& shape) {
  const View sized(static_cast<void*>(nullptr), dtype, shape);
  auto region = Region::create(sized.size_bytes());
  return {View(static_cast<void*>(region->data()), dtype, shape), region};
}

}  // namespace inferometer::process

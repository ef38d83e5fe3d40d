// SPDX-License-Identifier: Apache-2.0
// Memory that this process and its workers see at once: memfd pages, sealed against shrinking so
// that no peer can make a reader fault.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "inferometer/tensor.hpp"
#include "process/unique_fd.hpp"

namespace inferometer::process {

/// One mapping of shared pages. Created ones are listed by address for the life of the object, so
/// that a view into them is recognised. Thread-safe.
class Region {
 public:
  /// New zeroed pages (at least one). Throws Error{OutOfMemory}.
  static std::shared_ptr<Region> create(std::size_t size_bytes);
  /// Maps pages that a peer sent. Throws Error{Invalid} when the file is smaller than `size_bytes`
  /// or could shrink.
  static std::shared_ptr<Region> map(UniqueFd fd, std::size_t size_bytes, bool writable);
  /// The created region that holds all of [data, data + size), or null.
  static std::shared_ptr<Region> find(const void* data, std::size_t size_bytes);
  /// Grows whenever a created region goes: what a worker knows may be out of date.
  static std::uint64_t generation() noexcept;

  Region(const Region&) = delete;
  Region& operator=(const Region&) = delete;
  ~Region();

  std::uint64_t id() const noexcept { return id_; }  ///< unique in this process; 0: mapped
  std::byte* data() const noexcept { return data_; }
  std::size_t size_bytes() const noexcept { return size_; }
  /// A created one's descriptor once more, to be sent. Throws Error{Unavailable}.
  UniqueFd new_fd() const;

 private:
  Region(UniqueFd fd, std::size_t size_bytes, bool writable);

  UniqueFd fd_;
  std::byte* data_ = nullptr;
  std::size_t size_ = 0;
  std::uint64_t id_ = 0;
};

/// A zeroed tensor in pages that any worker reads without a copy.
Tensor shared_tensor(DType dtype, const Shape& shape);

}  // namespace inferometer::process

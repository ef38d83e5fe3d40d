// SPDX-License-Identifier: Apache-2.0
// Which of our pages the worker has mapped, and tensors as places in them.
#pragma once

#include <memory>
#include <mutex>
#include <unordered_map>

#include "process/lanes.hpp"
#include "process/pool.hpp"

namespace inferometer::process {

/// What the worker may do with a region.
enum class Access { Read, ReadWrite };

/// Thread-safe.
class SharedRegions {
 public:
  /// `limit`: of one call to the worker; 0: none.
  SharedRegions(Lanes& lanes, std::chrono::milliseconds limit) : lanes_(lanes), limit_(limit) {}

  /// The view as the worker will see it, in `wire`. Returns the region to copy through when the
  /// view's memory isn't in shared pages, else null.
  std::shared_ptr<Region> place(const View& view, Access access, Lane& lane, WireTensor& wire);
  /// Lets the worker unmap regions that no longer exist here.
  void release_gone(Lane& lane);
  /// A tensor in shared pages that are used again.
  Tensor tensor(DType dtype, const Shape& shape) { return pool_->tensor(dtype, shape); }

 private:
  void share(Lane& lane, const std::shared_ptr<Region>& region, Access access);

  struct Known {
    std::weak_ptr<Region> region;
    Access access;
  };

  Lanes& lanes_;
  std::chrono::milliseconds limit_;
  std::shared_ptr<RegionPool> pool_ = std::make_shared<RegionPool>();
  std::mutex mutex_;
  std::unordered_map<std::uint64_t, Known> known_;
  std::uint64_t generation_ = 0;
};

}  // namespace inferometer::process

// SPDX-License-Identifier: Apache-2.0
// Shared pages to be used again: new pages cost a system call and a fault each, which would be most
// of a short prediction.
#pragma once

#include <memory>
#include <mutex>
#include <vector>

#include "process/region.hpp"

namespace inferometer::process {

/// Thread-safe. Regions outlive the pool.
class RegionPool : public std::enable_shared_from_this<RegionPool> {
 public:
  /// A region of at least `size_bytes`, its bytes unspecified; returns here when the last owner of
  /// the handle goes.
  std::shared_ptr<Region> acquire(std::size_t size_bytes);
  /// A tensor in such a region.
  Tensor tensor(DType dtype, const Shape& shape);

 private:
  std::shared_ptr<Region> take(std::size_t size_bytes);
  void give_back(std::shared_ptr<Region> region);

  std::mutex mutex_;
  std::vector<std::shared_ptr<Region>> free_;
  std::size_t free_bytes_ = 0;
};

}  // namespace inferometer::process

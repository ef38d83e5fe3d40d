// SPDX-License-Identifier: Apache-2.0
#include "process/pool.hpp"

#include <algorithm>

namespace inferometer::process {

namespace {
constexpr std::size_t kMostRegions = 32;
constexpr std::size_t kMostBytes = 512u << 20;
constexpr std::size_t kSlackBytes = 64u << 10;
}  // namespace

std::shared_ptr<Region> RegionPool::acquire(std::size_t size_bytes) {
  std::shared_ptr<Region> region = take(size_bytes);
  if (!region) region = Region::create(size_bytes);
  Region* raw = region.get();
  return {raw, [pool = weak_from_this(), held = std::move(region)](Region*) mutable {
            if (const auto alive = pool.lock()) alive->give_back(std::move(held));
          }};
}

std::shared_ptr<Region> RegionPool::take(std::size_t size_bytes) {
  const std::lock_guard lock(mutex_);
  auto best = free_.end();
  for (auto at = free_.begin(); at != free_.end(); ++at) {
    const std::size_t size = (*at)->size_bytes();
    if (size < size_bytes || size > 2 * size_bytes + kSlackBytes) continue;
    if (best == free_.end() || size < (*best)->size_bytes()) best = at;
  }
  if (best == free_.end()) return nullptr;
  std::shared_ptr<Region> region = std::move(*best);
  free_.erase(best);
  free_bytes_ -= region->size_bytes();
  return region;
}

void RegionPool::give_back(std::shared_ptr<Region> region) {
  std::vector<std::shared_ptr<Region>> dropped;  // unmapped after the lock
  const std::lock_guard lock(mutex_);
  free_bytes_ += region->size_bytes();
  free_.push_back(std::move(region));
  while (free_.size() > kMostRegions || free_bytes_ > kMostBytes) {
    free_bytes_ -= free_.front()->size_bytes();
    dropped.push_back(std::move(free_.front()));
    free_.erase(free_.begin());
  }
}

Tensor RegionPool::tensor(DType dtype, const Shape& shape) {
  View view(static_cast<void*>(nullptr), dtype, shape);
  auto region = acquire(view.size_bytes());
  view.data = region->data();
  return {view, std::move(region)};
}

}  // namespace inferometer::process

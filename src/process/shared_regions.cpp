// SPDX-License-Identifier: Apache-2.0
#include "process/shared_regions.hpp"

#include "base/json.hpp"

namespace inferometer::process {

/// Tells the worker of a region, once.
void SharedRegions::share(Lane& lane, const std::shared_ptr<Region>& region, Access access) {
  {
    const std::lock_guard lock(mutex_);
    const auto found = known_.find(region->id());
    if (found != known_.end() &&
        (found->second.access == access || found->second.access == Access::ReadWrite))
      return;
  }
  // Another thread may do the same at the same time: the second mapping replaces the first.
  lane.request.body = Json::array({{{"id", region->id()},
                                    {"size", region->size_bytes()},
                                    {"writable", access == Access::ReadWrite}}})
                          .dump();
  lane.request.fds.clear();
  lane.request.fds.push_back(region->new_fd());
  lanes_.call(lane, Kind::Share, limit_);
  const std::lock_guard lock(mutex_);
  known_[region->id()] = {region, access};
}

void SharedRegions::release_gone(Lane& lane) {
  Json gone = Json::array();
  {
    const std::lock_guard lock(mutex_);
    const std::uint64_t generation = Region::generation();
    if (generation == generation_) return;
    generation_ = generation;
    for (auto at = known_.begin(); at != known_.end();) {
      const bool expired = at->second.region.expired();
      if (expired) gone.push_back(at->first);
      at = expired ? known_.erase(at) : std::next(at);
    }
  }
  if (gone.empty()) return;
  lane.request.body = gone.dump();
  lanes_.call(lane, Kind::Release, limit_);
}

std::shared_ptr<Region> SharedRegions::place(const View& view, Access access, Lane& lane,
                                             WireTensor& wire) {
  const std::size_t bytes = view.size_bytes();
  std::shared_ptr<Region> region = Region::find(view.data, bytes);
  std::shared_ptr<Region> staging;
  std::size_t offset = 0;
  if (region) {
    offset = static_cast<std::size_t>(static_cast<std::byte*>(view.data) - region->data());
  } else {
    staging = pool_->acquire(bytes);
    region = Region::find(staging->data(), 1);
  }
  share(lane, region, access);
  wire = wire_tensor(region->id(), offset, view.dtype, view.shape);
  return staging;
}

}  // namespace inferometer::process

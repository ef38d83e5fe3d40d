// SPDX-License-Identifier: Apache-2.0
#include "process/region.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>

#include "inferometer/error.hpp"
#include "process/pool.hpp"

namespace inferometer::process {
namespace {

TEST(Region, IsFoundByAnyPartOfIt) {
  const auto region = Region::create(1000);
  EXPECT_EQ(Region::find(region->data(), 1000), region);
  EXPECT_EQ(Region::find(region->data() + 999, 1), region);
  EXPECT_EQ(Region::find(region->data() + 999, 2), nullptr);
  EXPECT_EQ(Region::find(region.get(), 1), nullptr);
  EXPECT_EQ(Region::find(nullptr, 0), nullptr);
}

TEST(Region, IsForgottenWhenItGoes) {
  auto region = Region::create(1000);
  const void* data = region->data();
  const auto before = Region::generation();
  region.reset();
  EXPECT_EQ(Region::find(data, 1), nullptr);
  EXPECT_GT(Region::generation(), before);
}

TEST(Region, MapsWhatAnotherSideWrote) {
  const auto region = Region::create(64);
  const auto mapped = Region::map(region->new_fd(), 64, true);
  mapped->data()[63] = std::byte{7};
  EXPECT_EQ(region->data()[63], std::byte{7});
}

TEST(Region, RefusesPagesThatArentThereOrCouldGo) {
  const auto region = Region::create(4096);
  EXPECT_THROW(Region::map(region->new_fd(), 4097, false), Error);
  EXPECT_THROW(Region::map(UniqueFd(::open("/dev/null", O_RDONLY | O_CLOEXEC)), 1, false), Error);
  UniqueFd unsealed(::memfd_create("test", MFD_CLOEXEC));
  ASSERT_EQ(::ftruncate(unsealed.get(), 4096), 0);
  EXPECT_THROW(Region::map(std::move(unsealed), 4096, false), Error);
  EXPECT_NE(::ftruncate(region->new_fd().get(), 0), 0) << "sealed pages must not shrink";
}

TEST(SharedTensor, LiesInARegion) {
  const Tensor tensor = shared_tensor(DType::I16, Shape{3, 5});
  EXPECT_TRUE(Region::find(tensor.data(), 30));
  EXPECT_EQ(tensor.as<std::int16_t>()[14], 0);
  EXPECT_TRUE(shared_tensor(DType::F32, Shape{}).data());
  EXPECT_TRUE(shared_tensor(DType::F32, Shape{0, 3}).data());
}

TEST(RegionPool, UsesPagesAgain) {
  const auto pool = std::make_shared<RegionPool>();
  const void* first = pool->tensor(DType::F32, Shape{1000}).data();
  const Tensor second = pool->tensor(DType::F32, Shape{1000});
  EXPECT_EQ(second.data(), first);
  const Tensor third = pool->tensor(DType::F32, Shape{1000});
  EXPECT_NE(third.data(), first);
}

TEST(RegionPool, KeepsBoundedMemoryAndNoLifeOfItsOwn) {
  auto pool = std::make_shared<RegionPool>();
  const auto before = Region::generation();
  {
    std::vector<Tensor> many;
    for (int i = 0; i < 40; ++i) many.push_back(pool->tensor(DType::F32, Shape{1000}));
  }
  EXPECT_EQ(Region::generation(), before + 8) << "32 of 40 are kept";
  const Tensor outlives = pool->tensor(DType::F32, Shape{1000});
  pool.reset();
  outlives.as<float>()[999] = 1;
}

}  // namespace
}  // namespace inferometer::process

// SPDX-License-Identifier: Apache-2.0
#include "measure/page_cache.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/statfs.h>
#include <unistd.h>

#include <array>

#include "base/file.hpp"
#include "measure/fake_tree.hpp"

namespace inferometer::measure {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;

constexpr long kTmpfs = 0x01021994;

TEST(MappedFiles, AreNamedOnceWithTheirBlanks) {
  const FakeTree tree;
  tree.write("7/maps",
             "7f00-7f01 r-xp 00000000 08:01 12     /lib/a b.so\n"
             "7f01-7f02 r--p 00001000 08:01 12     /lib/a b.so\n"
             "7f02-7f03 rw-p 00000000 00:00 0 \n"
             "7f03-7f04 r--p 00000000 08:01 13     /tmp/gone.so (deleted)\n"
             "7f04-7f05 rw-p 00000000 00:00 0      [heap]\n");
  EXPECT_THAT(mapped_files(7, tree.root()), ElementsAre("/lib/a b.so"));
  EXPECT_TRUE(mapped_files(8, tree.root()).empty());
}

TEST(MappedFiles, OfThisProcessHoldTheProgram) {
  EXPECT_THAT(mapped_files(::getpid()), Contains(std::filesystem::read_symlink("/proc/self/exe")));
}

TEST(PageCache, ForgetsAFileThatNobodyMaps) {
  const ScratchFolder scratch("inferometer-page-cache");
  struct statfs facts{};
  ::statfs(scratch.path().c_str(), &facts);
  if (facts.f_type == kTmpfs) GTEST_SKIP() << "temporary files lie in memory here";
  const std::array files = {scratch.path() / "a", scratch.path() / "absent"};
  write_text_atomic(files[0], std::string(3 << 20, 'x'));
  EXPECT_EQ(cached_bytes(files).size_bytes, 3 << 20);
  EXPECT_GT(cached_bytes(files).share(), 0.9) << "it was just written";
  {
    const MappedFile mapping(files[0]);
    const volatile auto touched = mapping.bytes()[0];
    static_cast<void>(touched);
    EXPECT_GT(drop_from_page_cache(files).resident_bytes, 0) << "a mapped page stays";
  }
  EXPECT_EQ(drop_from_page_cache(files).resident_bytes, 0);
}

}  // namespace
}  // namespace inferometer::measure

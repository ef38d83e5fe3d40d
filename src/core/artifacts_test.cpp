// SPDX-License-Identifier: Apache-2.0
#include "core/artifacts.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.hpp"
#include "inferometer/error.hpp"

namespace inferometer::core {
namespace {

namespace fs = std::filesystem;

const std::string kKey(32, 'a');

class ArtifactsTest : public testing::Test {
 protected:
  void SetUp() override {
    root_ =
        fs::temp_directory_path() / ("inferometer_artifacts_test_" + std::to_string(::getpid()));
    fs::create_directories(root_);
  }
  void TearDown() override { fs::remove_all(root_); }

  static void put(const ArtifactCache& cache, std::string_view kind, std::string_view text) {
    const fs::path temporary = cache.create(kind);
    write_text_atomic(temporary, text);
    cache.commit(kind, temporary);
  }

  fs::path root_;
};

TEST_F(ArtifactsTest, FindsWhatWasCommittedUnderItsOwnKeyAndKindOnly) {
  const ArtifactCache cache(root_ / "cache", kKey);
  EXPECT_FALSE(cache.find("compiled"));
  put(cache, "compiled", "code");
  EXPECT_EQ(read_text(*cache.find("compiled")), "code");
  EXPECT_FALSE(cache.find("weights"));
  EXPECT_FALSE(ArtifactCache(root_ / "cache", std::string(32, 'b')).find("compiled"));
}

TEST_F(ArtifactsTest, FolderAndEntriesAreTheOwnersAlone) {
  const ArtifactCache cache(root_ / "cache", kKey);
  put(cache, "compiled", "code");
  struct stat folder{}, entry{};
  ::stat((root_ / "cache").c_str(), &folder);
  ::stat(cache.find("compiled")->c_str(), &entry);
  EXPECT_EQ(folder.st_mode & 0777u, 0700u);
  EXPECT_EQ(entry.st_mode & 0777u, 0400u);
}

TEST_F(ArtifactsTest, AFolderThatOthersWriteToIsRefused) {
  fs::create_directories(root_ / "open");
  ::chmod((root_ / "open").c_str(), 0777);
  try {
    const ArtifactCache cache(root_ / "open", kKey);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Status::Invalid);
    EXPECT_EQ(error.context().at("param"), "cache_dir");
  }
}

TEST_F(ArtifactsTest, ADiscardedFileLeavesNothing) {
  const ArtifactCache cache(root_ / "cache", kKey);
  cache.discard(cache.create("compiled"));
  EXPECT_FALSE(cache.find("compiled"));
  EXPECT_TRUE(fs::is_empty(root_ / "cache"));
}

TEST_F(ArtifactsTest, TheLeastRecentlyUsedGoesWhenTheFolderIsFull) {
  const ArtifactCache cache(root_ / "cache", kKey, 25);
  put(cache, "a", "0123456789");
  put(cache, "b", "0123456789");
  const auto past = fs::file_time_type::clock::now() - std::chrono::hours(1);
  fs::last_write_time(root_ / "cache" / (kKey + "-a"), past);
  fs::last_write_time(root_ / "cache" / (kKey + "-b"), past - std::chrono::hours(1));
  EXPECT_TRUE(cache.find("b"));  // renewed: a is now the oldest
  put(cache, "c", "0123456789");
  EXPECT_FALSE(cache.find("a"));
  EXPECT_TRUE(cache.find("b"));
  EXPECT_TRUE(cache.find("c"));
}

TEST_F(ArtifactsTest, FilesOfTheOwnersAreNeitherCountedNorRemoved) {
  const ArtifactCache cache(root_ / "cache", kKey, 25);
  const fs::path model = root_ / "cache" / "resnet50-v1.onnx";
  write_text_atomic(model, std::string(100, 'x'));
  fs::last_write_time(model, fs::file_time_type::clock::now() - std::chrono::hours(1));
  put(cache, "a", "0123456789");
  put(cache, "b", "0123456789");
  EXPECT_TRUE(fs::exists(model));
  EXPECT_TRUE(cache.find("a"));
}

}  // namespace
}  // namespace inferometer::core

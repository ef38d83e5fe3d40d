// SPDX-License-Identifier: Apache-2.0
#include "base/file.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

#include "inferometer/error.hpp"

namespace inferometer {
namespace {

namespace fs = std::filesystem;

class FileTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::temp_directory_path() / ("inferometer_file_test_" + std::to_string(::getpid()));
    fs::create_directories(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }
  fs::path folder_;
};

TEST_F(FileTest, WrittenTextReadsBack) {
  write_text_atomic(folder_ / "a", "one\ntwo");
  EXPECT_EQ(read_text(folder_ / "a"), "one\ntwo");
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_), {}), 1) << "a temporary file is left";
}

TEST_F(FileTest, ANewFileIsMadeOfPiecesAndNeverReplacesOne) {
  const std::vector<std::string_view> pieces = {"one\n", "", "two"};
  write_new_file(folder_ / "a", pieces);
  EXPECT_EQ(read_text(folder_ / "a"), "one\ntwo");
  EXPECT_THROW(write_new_file(folder_ / "a", {}), Error);
  EXPECT_EQ(read_text(folder_ / "a"), "one\ntwo");
  fs::create_symlink("nowhere", folder_ / "b");
  EXPECT_THROW(write_new_file(folder_ / "b", pieces), Error) << "a dangling link is a name taken";
  EXPECT_THROW(write_new_file(folder_ / "absent" / "c", pieces), Error);
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_), {}), 2) << "a temporary file is left";
}

TEST_F(FileTest, AnEmptyFileMapsToNothing) {
  write_text_atomic(folder_ / "a", "");
  EXPECT_TRUE(MappedFile(folder_ / "a").bytes().empty());
}

TEST_F(FileTest, TooLongIsRefusedBeforeItIsCopied) {
  write_text_atomic(folder_ / "a", "12345");
  EXPECT_THROW(read_text(folder_ / "a", 4), Error);
}

TEST_F(FileTest, FoldersFifosAndAbsentFilesAreInvalid) {
  ::mkfifo((folder_ / "fifo").c_str(), 0600);
  for (const fs::path& path : {folder_, folder_ / "fifo", folder_ / "absent"}) {
    try {
      const MappedFile file(path);
      FAIL() << path;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Status::Invalid);
      EXPECT_EQ(error.context().at("path"), path.string());
    }
  }
}

TEST_F(FileTest, AScratchFolderIsTheOwnersAndGoesWithItsContent) {
  fs::path path;
  {
    const ScratchFolder scratch("inferometer-test");
    path = scratch.path();
    EXPECT_EQ(fs::status(path).permissions(), fs::perms::owner_all);
    write_text_atomic(path / "a", "x");
  }
  EXPECT_FALSE(fs::exists(path));
}

TEST_F(FileTest, ARewrittenFileHasAnotherIdentity) {
  write_text_atomic(folder_ / "a", "one");
  const FileIdentity before = identity_of(folder_ / "a");
  EXPECT_EQ(before, identity_of(folder_ / "a"));
  write_text_atomic(folder_ / "a", "two");
  EXPECT_NE(before, identity_of(folder_ / "a"));
}

}  // namespace
}  // namespace inferometer

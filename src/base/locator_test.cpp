// SPDX-License-Identifier: Apache-2.0
#include "base/locator.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>

#include "base/file.hpp"
#include "inferometer/error.hpp"

namespace inferometer {
namespace {

namespace fs = std::filesystem;

class LocatorTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ =
        fs::temp_directory_path() / ("inferometer_locator_test_" + std::to_string(::getpid()));
    ::setenv("VIRTUAL_ENV", folder_.c_str(), 1);
  }
  void TearDown() override {
    ::unsetenv("VIRTUAL_ENV");
    ::unsetenv("INFEROMETER_TOY_HOME");
    fs::remove_all(folder_);
  }
  fs::path add(const std::string& relative) {
    fs::create_directories((folder_ / relative).parent_path());
    write_text_atomic(folder_ / relative, "not a library");
    return fs::canonical(folder_ / relative);
  }

  fs::path folder_;
  LibraryQuery query_ = {.engine = "toy",
                         .wheel_files = {"toy/capi/libtoy.so.*"},
                         .home_files = {"lib/libtoy.so*"},
                         .system_files = {"libtoy.so.1"}};
};

TEST_F(LocatorTest, TakesTheHighestVersionOfTheActiveEnvironment) {
  add("lib/python3.11/site-packages/toy/capi/libtoy.so.1.9.0");
  const fs::path newest = add("lib/python3.11/site-packages/toy/capi/libtoy.so.1.32.0");
  EXPECT_EQ(locate(query_, {}), newest);
}

TEST_F(LocatorTest, AHomeGoesFirstAndAlone) {
  add("lib/python3.11/site-packages/toy/capi/libtoy.so.1.9.0");
  const fs::path mine = add("home/lib/libtoy.so");
  ::setenv("INFEROMETER_TOY_HOME", (folder_ / "home").c_str(), 1);
  EXPECT_EQ(locate(query_, {}), mine);
  ::setenv("INFEROMETER_TOY_HOME", (folder_ / "empty").c_str(), 1);
  EXPECT_THROW(locate(query_, {}), Error);
}

TEST_F(LocatorTest, AFailedSearchListsEveryPlaceAndWhatIsThere) {
  add("lib/python3.11/site-packages/toy/capi/libtoy_providers.so");
  try {
    locate(query_, {});
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Status::Unavailable);
    const std::string text = error.what();
    for (const char* part :
         {"(VIRTUAL_ENV): only libtoy_providers.so", "INFEROMETER_TOY_HOME", "libtoy.so.1",
          "/usr/lib/libtoy.so.1 (system): nothing of that name"}) {
      EXPECT_NE(text.find(part), std::string::npos) << part << " missing in: " << text;
    }
  }
}

TEST_F(LocatorTest, AFileThatIsNoLibraryIsUnavailableWithTheLoadersText) {
  const fs::path file = add("home/lib/libtoy.so");
  EXPECT_EQ(locate(query_, file), file);
  EXPECT_THROW(open_library(file), Error);
  EXPECT_THROW(locate(query_, folder_ / "absent.so"), Error);
}

TEST_F(LocatorTest, ALibraryOfAnotherKindLacksTheSymbol) {
  void* libc = open_library("libc.so.6");
  EXPECT_NE(symbol(libc, "malloc", "libc.so.6", "libc"), nullptr);
  try {
    symbol(libc, "OrtGetApiBase", "libc.so.6", "ONNX Runtime");
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("OrtGetApiBase"), std::string::npos);
  }
}

}  // namespace
}  // namespace inferometer

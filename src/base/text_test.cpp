// SPDX-License-Identifier: Apache-2.0
#include "base/text.hpp"

#include <gtest/gtest.h>

namespace inferometer {
namespace {

TEST(Nearest, FindsTheTypo) {
  const std::vector<std::string> names = {"threads", "streams", "batch_size"};
  EXPECT_EQ(nearest("thread", names), "threads");
  EXPECT_EQ(nearest("stream", names), "streams");
  EXPECT_EQ(nearest("batchsize", names), "batch_size");
  EXPECT_EQ(nearest("zzzzzz", names), "");
  EXPECT_EQ(nearest(std::string(100'000, 'a'), names), "");
}

TEST(Printable, EscapesAndCuts) {
  EXPECT_EQ(printable("a\nb\x1b["), "a\\x0ab\\x1b[");
  EXPECT_EQ(printable("abcdef", 3), "abc...");
  EXPECT_EQ(printable("aéé", 4), "aé...") << "not inside a character";
  EXPECT_EQ(printable("aéé", 3), "aé...");
  EXPECT_EQ(printable("aéé", 5), "aéé");
}

TEST(Join, Words) {
  const std::vector<std::string> words = {"a", "b"};
  EXPECT_EQ(join(words), "a, b");
}

}  // namespace
}  // namespace inferometer

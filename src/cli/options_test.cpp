// SPDX-License-Identifier: Apache-2.0
#include "cli/options.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/usage.hpp"

namespace inferometer::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

struct Targets {
  std::string model, engines;
  std::vector<std::string> params;
  std::optional<std::string> cache_dir;
  std::optional<std::int64_t> batch;
  std::uint64_t seed = 1;
  bool json = false;
};

Targets parsed(const std::vector<std::string>& arguments) {
  Targets targets;
  Options options;
  options.add("model", targets.model, "MODEL", "").needed = Option::Needed::Yes;
  options.add("--engines", targets.engines, "A,B", "");
  options.add("-p,--param", targets.params, "KEY=VALUE", "");
  options.add("--cache-dir", targets.cache_dir, "DIR", "");
  options.add("--batch", targets.batch, "N", "");
  options.add("--seed", targets.seed, "N", "");
  options.add_flag("--json", targets.json, "");
  parse(options, arguments);
  return targets;
}

std::string usage_error_of(const std::vector<std::string>& arguments) {
  try {
    parsed(arguments);
  } catch (const UsageError& error) {
    return error.what();
  }
  return "no error";
}

TEST(Parse, ARepeatableOptionTakesOneValueEachTime) {
  const Targets targets = parsed({"-p", "a=1", "m.onnx", "-p", "b=2", "--json"});
  EXPECT_EQ(targets.model, "m.onnx");
  EXPECT_THAT(targets.params, ElementsAre("a=1", "b=2"));
  EXPECT_TRUE(targets.json);
}

TEST(Parse, AnEmptyValueIsAValue) {
  EXPECT_EQ(parsed({"m.onnx", "--cache-dir", ""}).cache_dir, "");
  EXPECT_EQ(parsed({"m.onnx"}).cache_dir, std::nullopt);
}

TEST(Parse, NumbersAreReadWhole) {
  EXPECT_EQ(parsed({"m.onnx", "--batch", "8"}).batch, 8);
  EXPECT_EQ(parsed({"m.onnx", "--batch", "-3"}).batch, -3);
  EXPECT_THAT(usage_error_of({"m.onnx", "--batch", "8x"}), HasSubstr("--batch: '8x'"));
  EXPECT_THAT(usage_error_of({"m.onnx", "--seed", "-1"}), HasSubstr("--seed: '-1'"));
}

TEST(Parse, SaysWhatIsWrong) {
  EXPECT_THAT(usage_error_of({}), HasSubstr("model"));
  EXPECT_THAT(usage_error_of({"m.onnx", "--engine", "x"}), HasSubstr("--engine"));
  EXPECT_THAT(usage_error_of({"m.onnx", "--engines"}), HasSubstr("--engines"));
  EXPECT_THAT(usage_error_of({"m.onnx", "--engines", "a", "--engines", "b"}),
              HasSubstr("--engines"));
  EXPECT_THAT(usage_error_of({"m.onnx", "other.onnx"}), HasSubstr("other.onnx"));
}

}  // namespace
}  // namespace inferometer::cli

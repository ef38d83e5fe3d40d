// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <sstream>

#include "cli/envelope.hpp"
#include "cli/help.hpp"
#include "cli/port_files.hpp"
#include "cli/progress.hpp"
#include "cli/table.hpp"
#include "cli/usage.hpp"

namespace inferometer::cli {
namespace {

TEST(Table, PadsByCharactersAndKeepsLinesInTheirColumn) {
  EXPECT_EQ(
      table_text({{"a"}, {"n", Align::Right}, {"why"}}, {{"é", "1", "x\ny"}, {"bb", "22", ""}}),
      "a    n  why\n"
      "é    1  x\n"
      "        y\n"
      "bb  22\n");
}

TEST(Numbers, AreShort) {
  EXPECT_EQ(count_text(25'557'032), "25,557,032");
  EXPECT_EQ(count_text(-1234), "-1,234");
  EXPECT_EQ(count_text(999), "999");
  EXPECT_EQ(short_count_text(4.089e9), "4.09 G");
  EXPECT_EQ(short_count_text(12), "12 ");
  EXPECT_EQ(bytes_text(102'400'000), "97.7 MiB");
  EXPECT_EQ(bytes_text(12), "12 B");
  EXPECT_EQ(time_left_text(72), "1 min 12 s");
  EXPECT_EQ(time_left_text(-1), "0 s");
  EXPECT_EQ(time_left_text(3660), "1 h 01 min");
}

TEST(Progress, CutsTheMiddleSoThatTheTimeLeftStays) {
  EXPECT_EQ(progress_text({"r50 batch 4, round 3/8", 0.42, 72.0}, 80),
            "[ 42 %] r50 batch 4, round 3/8, 1 min 12 s left");
  EXPECT_EQ(progress_text({"r50 batch 4, round 3/8", 0.42, 72.0}, 32),
            "[ 42 %] r50 ba, 1 min 12 s left");
  EXPECT_EQ(progress_text({"x", 2.0, {}}, 80), "[100 %] x");
}

TEST(Progress, ShowsAtMostTenLinesASecondAndClears) {
  std::ostringstream out;
  ProgressLine line(out, 80);
  const ProgressLine::Clock::time_point start{};
  line.show({"one", 0, {}}, start);
  line.show({"two", 0, {}}, start + std::chrono::milliseconds(50));
  line.show({"three", 0, {}}, start + std::chrono::milliseconds(150));
  line.clear();
  EXPECT_EQ(out.str(), "\r\x1b[K[  0 %] one\r\x1b[K[  0 %] three\r\x1b[K");
}

TEST(Envelope, HasOneShapeForDataAndErrors) {
  const Json good = envelope("engines", Status::Ok, {{"engines", Json::array()}});
  const Json bad = error_envelope(Status::Invalid, "no such file", {{"path", "x"}});
  for (const Json& json : {good, bad}) {
    ASSERT_EQ(json.size(), 4U);
    for (const char* key : {"schema", "version", "status", "data"}) EXPECT_TRUE(json.contains(key));
  }
  EXPECT_EQ(good.at("schema"), "inferometer.engines/1");
  EXPECT_EQ(bad.at("status"), "invalid");
  EXPECT_EQ(bad.at("data").at("context").at("path"), "x");
  EXPECT_EQ(error_envelope(Status::Invalid, "", {}).at("data").at("context"), Json::object());
  EXPECT_NO_THROW(printed({{"text", "\xff"}}));
}

TEST(Help, EveryCommandHasExamplesThatNameIt) {
  for (const Command& command : commands()) {
    const std::string help = command_help(command);
    EXPECT_NE(help.find("Usage: inferometer " + std::string(command.name)), std::string::npos);
    EXPECT_TRUE(command.examples.starts_with("inferometer " + std::string(command.name)));
    EXPECT_NE(help.find("--json"), std::string::npos);
  }
}

const std::vector<Port> kTwoPorts = {{.name = "image"}, {.name = "features"}};

TEST(PortFiles, ByNameOrAlone) {
  const auto files = files_of_ports("--input", kTwoPorts, {{"features", "f.npy"}});
  EXPECT_EQ(files[0], std::nullopt);
  EXPECT_EQ(files[1], "f.npy");
  EXPECT_EQ(files_of_ports("--input", std::span(kTwoPorts).first(1), {{"", "x.npy"}})[0], "x.npy");
}

TEST(PortFiles, WrongNamesListThePorts) {
  const std::vector<std::vector<NamedPath>> wrong = {
      {{"", "x.npy"}}, {{"imgae", "x.npy"}}, {{"image", "a.npy"}, {"image", "b.npy"}}};
  for (const auto& given : wrong) {
    try {
      files_of_ports("--input", kTwoPorts, given);
      ADD_FAILURE() << "no error";
    } catch (const UsageError& error) {
      EXPECT_EQ(error.context().at("ports"), "image, features");
      EXPECT_NE(std::string(error.what()).find("features"), std::string::npos);
    }
  }
}

}  // namespace
}  // namespace inferometer::cli

// SPDX-License-Identifier: Apache-2.0
#include "measure/power_log.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <ctime>

#include "inferometer/error.hpp"
#include "measure/energy_log.hpp"
#include "measure/fake_tree.hpp"

namespace inferometer::measure {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::int64_t kNoon = 1'769'860'800;  // 2026-01-31T12:00:00Z

PowerLog parse(const std::string& text) {
  return parse_power_log(text, "meter.csv");
}

std::string refusal(const std::string& text) {
  try {
    parse(text);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Status::Invalid);
    return error.what();
  }
  return "none";
}

/// Rows a second apart from second 0 on.
PowerLog log_of(const std::vector<double>& watts) {
  PowerLog log{.name = "meter.csv"};
  for (std::size_t i = 0; i < watts.size(); ++i)
    log.samples.push_back({static_cast<std::int64_t>(i) * kSecond, watts[i]});
  return log;
}

class TimeZone {
 public:
  explicit TimeZone(const char* zone) {
    ::setenv("TZ", zone, 1);
    ::tzset();
  }
  ~TimeZone() {
    ::unsetenv("TZ");
    ::tzset();
  }
  TimeZone(const TimeZone&) = delete;
  TimeZone& operator=(const TimeZone&) = delete;
};

TEST(PowerLogTime, IsReadWithOrWithoutAZone) {
  const TimeZone zone("XYZ-2");  // two hours east
  const auto half = kNoon * kSecond + kSecond / 2;
  for (const auto* text :
       {"1769860800.5", "2026-01-31T12:00:00.5Z", "2026-01-31 13:00:00.500+01:00",
        "2026-01-31T09:30:00.5-0230", "2026/01/31 14:00:00.500"})
    EXPECT_EQ(parse_log_time(text), half) << text;
  EXPECT_EQ(parse_log_time("2026-01-31T12:00:00.0000000019Z"), kNoon * kSecond + 1);
  EXPECT_EQ(log_time_text(half), "2026-01-31T12:00:00.500Z");
}

TEST(PowerLogTime, NonsenseIsNoTime) {
  for (const auto* text :
       {"", "noon", "nan", "inf", "-1", "1769860800500", "2026-02-29T12:00:00Z",
        "2026-13-01T12:00:00Z", "2026-01-31T24:00:00Z", "2026-01-31T12:60:00Z", "2026-01-31",
        "2026-01-31T12:00:00Zulu", "2026-01-31T12:00:00+1", "2026-01-31T12:00:00+99:00",
        "1969-12-31T23:59:59Z", "2300-01-01T00:00:00Z", "1970-01-01T00:00:00+01:00", "12:00:00"})
    EXPECT_FALSE(parse_log_time(text)) << text;
}

TEST(PowerLog, ColumnsAreFoundByName) {
  const auto log =
      parse("phase,Time,power_w\nA,2026-01-31T12:00:00Z,10\n\nB,2026-01-31T12:00:01Z,2e1\n");
  ASSERT_EQ(log.samples.size(), 2u);
  EXPECT_EQ(log.samples[1].time_ns, (kNoon + 1) * kSecond);
  EXPECT_EQ(log.samples[1].watts, 20);
}

TEST(PowerLog, AsNvidiaSmiWritesIt) {
  const TimeZone zone("UTC");
  const auto log = parse(
      "timestamp, index, power.draw [W]\r\n2026/01/31 12:00:00.123, 0, 65.12 W\r\n"
      "2026/01/31 12:00:01.123, 0, 66.00 W\r\n");
  ASSERT_EQ(log.samples.size(), 2u);
  EXPECT_EQ(log.samples[0].time_ns, kNoon * kSecond + 123'000'000);
  EXPECT_DOUBLE_EQ(log.samples[0].watts, 65.12);
}

TEST(PowerLog, AsAWindowsProgramWritesIt) {
  EXPECT_EQ(parse("\xEF\xBB\xBF\"unix_time_s\",\"watts\"\r\n\"5\",\"7\"\r\n").samples.at(0).watts,
            7);
}

TEST(PowerLog, ALastLineThatIsBeingWrittenIsLeftOut) {
  EXPECT_EQ(parse("time_s,watts\n1,10\n2,1").samples.size(), 1u);
  EXPECT_TRUE(parse("time_s,watts\n").samples.empty());
}

TEST(PowerLog, WhatIsWrongIsNamedWithItsLine) {
  const std::string head = "time_s,watts\n1,10\n";
  EXPECT_THAT(refusal(head + "2,10,3\n"),
              AllOf(HasSubstr("meter.csv, line 3"), HasSubstr("3 fields")));
  EXPECT_THAT(refusal(head + "\nsoon,10\n"), AllOf(HasSubstr("line 4"), HasSubstr("time 'soon'")));
  for (const auto* watts : {"[N/A]", "", "-5", "nan", "1e9", "10 kW"})
    EXPECT_THAT(refusal(head + "2," + watts + "\n"),
                AllOf(HasSubstr("line 3"), HasSubstr("power '" + std::string(watts) + "'")));
  EXPECT_THAT(refusal(head + "1,10\n"), HasSubstr("line 3: time '1' is not after"));
  EXPECT_THAT(refusal("time_s,index,watts\n1,0,10\n2,1,10\n"),
              AllOf(HasSubstr("line 3"), HasSubstr("second device '1'")));
  EXPECT_THAT(refusal("when,watts\n"),
              AllOf(HasSubstr("line 1"), HasSubstr("time_s or unix_time_s"), HasSubstr("found 0")));
  EXPECT_THAT(refusal("time_s,watts,power_w\n"), HasSubstr("found 2"));
  EXPECT_THAT(refusal(""), HasSubstr("names the columns"));
}

TEST(PowerLog, IsReadWithinBounds) {
  const std::string head = "time_s,watts\n";
  EXPECT_THAT(refusal(head + std::string(5000, '1')), HasSubstr("line 2: longer than 4096 bytes"));
  const FakeTree tree;
  tree.write("large.csv", head + std::string(kMaxLogBytes, '\n'));
  EXPECT_THROW(read_power_log(tree.root() / "large.csv"), Error);
  EXPECT_THROW(read_power_log(tree.root() / "absent.csv"), Error);
  EXPECT_THROW(read_power_log(tree.root()), Error);
}

TEST(LogEnergy, IsTheAreaUnderTheRows) {
  const auto log = log_of({10, 10, 30, 30, 30});
  const auto whole = energy_of(log, 0, 4 * kSecond);
  EXPECT_DOUBLE_EQ(*whole.total_j(), 10 + 20 + 30 + 30);
  EXPECT_EQ(whole.coverage, 1);
  const auto part = energy_of(log, kSecond + kSecond / 2, 2 * kSecond + kSecond / 2);
  EXPECT_DOUBLE_EQ(*part.total_j(), 0.5 * (20 + 30) / 2 + 0.5 * 30);
  EXPECT_DOUBLE_EQ(*part.mean_w(), 27.5);
  EXPECT_EQ(energy_of(log, kSecond, kSecond).total_j(), std::nullopt);
}

TEST(LogEnergy, AGapLowersTheCoverage) {
  auto log = log_of(std::vector<double>(101, 40));
  log.samples.erase(log.samples.begin() + 50, log.samples.begin() + 52);
  const auto window = energy_of(log, 0, 100 * kSecond);  // 3 s of 100
  EXPECT_DOUBLE_EQ(window.coverage, 0.97);
  EXPECT_DOUBLE_EQ(*window.mean_w(), 40);
  EXPECT_DOUBLE_EQ(*window.total_j(), 4000);
  const auto less = energy_of(log, 40 * kSecond, 60 * kSecond);  // 3 s of 20
  EXPECT_DOUBLE_EQ(less.coverage, 0.85);
  EXPECT_FALSE(less.total_j());
  EXPECT_THAT(less.why, AllOf(HasSubstr("3.0 of the 20.0 s"), HasSubstr("gaps above 2 s")));
}

TEST(LogEnergy, AWindowThatIsNotCoveredSaysWhatIsMissing) {
  const auto log = log_of({10, 10, 10, 10});
  const auto late = energy_of(log, 2 * kSecond, 6 * kSecond);
  EXPECT_DOUBLE_EQ(late.coverage, 0.25);
  EXPECT_THAT(late.why,
              AllOf(HasSubstr("meter.csv: 3.0 of the 4.0 s"), HasSubstr("3.0 s too early"),
                    HasSubstr("to 1970-01-01T00:00:03.000Z")));
  EXPECT_EQ(energy_of(log, 100 * kSecond, 101 * kSecond).coverage, 0);
  EXPECT_THAT(energy_of({.name = "meter.csv"}, 0, kSecond).why, HasSubstr("it has no rows"));
}

TEST(LogMeter, ReadsWhatWasWrittenMeanwhile) {
  const FakeTree tree;
  const auto path = tree.root() / "meter.csv";
  tree.write("meter.csv", "time_s,watts\n0,50\n");
  std::int64_t now = kSecond;
  const auto meter = log_meter(path, [&] { return now; });
  meter->start();
  now = 3 * kSecond;
  meter->stop();
  EXPECT_THAT(meter->windows().at(0).why, HasSubstr("2.0 of the 2.0 s"));
  tree.write("meter.csv", "time_s,watts\n0,50\n1.5,50\n2.5,70\n3.5,70\n");
  const auto window = meter->windows().at(0);
  EXPECT_DOUBLE_EQ(*window.total_j(), 25 + 60 + 35);
  EXPECT_EQ(window.method, "power log");
  tree.write("meter.csv", "time_s,watts\n0,50\n1.5,5O\n");
  EXPECT_THROW(meter->windows(), Error);
  EXPECT_THROW(log_meter(path, [] { return 0; }), Error) << "before anything is measured";
}

}  // namespace
}  // namespace inferometer::measure

// SPDX-License-Identifier: Apache-2.0
#include "measure/energy.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <latch>

#include "inferometer/error.hpp"
#include "measure/energy_counters.hpp"
#include "measure/energy_tally.hpp"
#include "measure/fake_tree.hpp"

namespace inferometer::measure {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr std::int64_t kSecond = 1'000'000'000;

/// One domain; readings are told with the second at which they are taken.
class Tally {
 public:
  explicit Tally(std::uint64_t range_uj = 0) : tally_({{"package-0", range_uj}}) {}
  void read(double second, std::uint64_t uj) { add(second, {uj, ""}); }
  void fail(double second, const char* why) { add(second, {{}, why}); }
  const EnergyTally::Total& total() const { return tally_.totals()[0]; }

 private:
  void add(double second, const EnergyReading& reading) {
    tally_.add(static_cast<std::int64_t>(second * kSecond), std::span(&reading, 1));
  }
  EnergyTally tally_;
};

TEST(EnergyTally, CountsFromItsFirstReading) {
  Tally tally;
  tally.read(100, 900'000'000);
  EXPECT_EQ(tally.total().uj, 0u);
  tally.read(101, 950'000'000);
  tally.read(102, 980'000'000);
  EXPECT_EQ(tally.total().uj, 80'000'000u);
  EXPECT_EQ(tally.total().read_ns, 102 * kSecond);
}

TEST(EnergyTally, AWrapIsCountedOnce) {
  Tally tally(65'532'610'987);
  tally.read(0, 65'532'610'000);
  tally.read(5, 999'013);
  EXPECT_EQ(tally.total().uj, 1'000'000u);
}

TEST(EnergyTally, WhatMayHaveWrappedUnseenIsLost) {
  Tally tally(65'532'610'987);
  tally.read(0, 10);
  tally.read(40, 20);
  EXPECT_THAT(tally.total().why, HasSubstr("not read for 40 s"));
  EXPECT_EQ(tally.total().read_ns, 0);
}

TEST(EnergyTally, ACounterThatIsSetAnewIsLost) {
  Tally counter;
  counter.read(0, 500);
  counter.read(1, 400);
  EXPECT_THAT(counter.total().why, HasSubstr("went back from 500 to 400"));
  Tally wrapping(65'532'610'987);
  wrapping.read(0, 30'000'000'000);
  wrapping.read(1, 0);
  EXPECT_THAT(wrapping.total().why, HasSubstr("set anew")) << "35 kJ in a second is no wrap";
}

TEST(EnergyTally, WhatIsLostStaysLost) {
  Tally tally;
  tally.read(0, 100);
  tally.read(1, 200);
  tally.fail(2, "gone");
  tally.read(3, 300);
  EXPECT_EQ(tally.total().why, "gone");
  EXPECT_EQ(tally.total().uj, 100u);
  EXPECT_EQ(tally.total().read_ns, kSecond);
}

TEST(PollPeriod, IsFourTimesAsOftenAsAWrapAndAtMostFiveSeconds) {
  const std::vector<EnergyDomain> none{{"GPU 0", 0}};
  EXPECT_EQ(poll_period_ns(none), 5 * kSecond);
  const std::vector<EnergyDomain> wide{{"GPU 0", 0}, {"package-0", 262'143'328'850}};
  EXPECT_EQ(poll_period_ns(wide), 5 * kSecond);
  const std::vector<EnergyDomain> narrow{{"package-0", 262'143'328'850}, {"dram", 8'000'000'000}};
  EXPECT_EQ(poll_period_ns(narrow), kSecond);
}

/// 10 J more with each reading, until it ends.
class Counter : public EnergySource {
 public:
  Counter(std::string name, std::uint64_t range_uj, std::latch* read = nullptr)
      : domains_{{std::move(name), range_uj}}, read_(read) {}
  std::string method() const override { return "counter"; }
  const std::vector<EnergyDomain>& domains() const override { return domains_; }
  std::vector<EnergyReading> read() override {
    if (read_ && !read_->try_wait()) read_->count_down();
    return {{uj_ += 10'000'000, ""}};
  }

 private:
  std::vector<EnergyDomain> domains_;
  std::latch* read_;
  std::uint64_t uj_ = 0;
};

TEST(CounterMeter, ReadsBetweenStartAndStopToo) {
  std::latch read(20);
  std::vector<std::unique_ptr<EnergySource>> sources;
  sources.push_back(std::make_unique<Counter>("fast", 1'000'000, &read));  // wraps within 1 ms
  const auto meter = counter_meter(std::move(sources), [] { return 0; });
  read.wait();  // nobody has called start
}

TEST(CounterMeter, SumsSourcesAndTellsWindowsApart) {
  std::vector<std::unique_ptr<EnergySource>> sources;
  sources.push_back(std::make_unique<Counter>("a", 0));
  sources.push_back(std::make_unique<Counter>("b", 0));
  std::int64_t now = 0;
  const auto meter = counter_meter(std::move(sources), [&] { return now; });
  for (const auto seconds : {1, 4}) {
    meter->start();
    now += seconds * kSecond;
    meter->stop();
    now += 100 * kSecond;
  }
  const auto windows = meter->windows();
  ASSERT_EQ(windows.size(), 2u);
  EXPECT_DOUBLE_EQ(*windows[0].mean_w(), 20);
  EXPECT_DOUBLE_EQ(*windows[1].mean_w(), 5);
  EXPECT_EQ(windows[1].wall_ns, 4 * kSecond);
  EXPECT_EQ(windows[1].method, "counter + counter");
}

TEST(EnergyMeter, WithoutAnySourceEachSaysWhy) {
  const FakeTree tree;
  try {
    make_energy_meter({.root = tree.root(), .nvml = "libabsent-nvml.so"});
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Status::Unavailable);
    EXPECT_THAT(error.what(),
                AllOf(HasSubstr("RAPL: "), HasSubstr("sys/class/powercap"), HasSubstr("NVML: "),
                      HasSubstr("libabsent-nvml.so"), HasSubstr("power log: none given")));
  }
}

TEST(EnergyMeter, ALogAloneCounts) {
  const FakeTree tree;
  tree.write("log.csv", "time_s,watts\n1,2\n");
  EXPECT_GT(
      make_energy_meter({.power_log = tree.root() / "log.csv", .root = tree.root()})->lag_ns(), 0);
  EXPECT_THROW(make_energy_meter({.power_log = tree.root() / "absent.csv"}), Error);
}

TEST(EnergyWindow, WithoutJoulesHasNoPower) {
  EXPECT_FALSE((EnergyWindow{.why = "gap", .wall_ns = 1}).mean_w());
  EXPECT_FALSE((EnergyWindow{.joules = {{"a", 1}}}).mean_w());
}

}  // namespace
}  // namespace inferometer::measure

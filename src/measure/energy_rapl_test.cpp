// SPDX-License-Identifier: Apache-2.0
#include "measure/energy_rapl.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/fsuid.h>

#include "inferometer/error.hpp"
#include "measure/energy_counters.hpp"
#include "measure/fake_tree.hpp"

namespace inferometer::measure {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr std::uint64_t kRange = 262'143'328'850;

class Rapl : public testing::Test {
 protected:
  void zone(const std::string& folder, const std::string& name, std::uint64_t uj) const {
    tree.write("sys/class/powercap/" + folder + "/name", name + "\n");
    tree.write("sys/class/powercap/" + folder + "/max_energy_range_uj",
               std::to_string(kRange) + "\n");
    count(folder, uj);
  }
  void count(const std::string& folder, std::uint64_t uj) const {
    tree.write("sys/class/powercap/" + folder + "/energy_uj", std::to_string(uj) + "\n");
  }
  void two_sockets() const {
    zone("intel-rapl:0", "package-0", 5'000'000);
    zone("intel-rapl:0:0", "core", 1);
    zone("intel-rapl:0:1", "dram", 2'000'000);
    zone("intel-rapl:1", "package-1", 6'000'000);
    zone("intel-rapl:1:0", "dram", 3'000'000);
    zone("intel-rapl:2", "psys", 7);
    zone("intel-rapl-mmio:0", "package-0", 9);
    tree.write("sys/class/powercap/intel-rapl/enabled", "1\n");
  }
  std::string refusal() const {
    try {
      rapl_source(tree.root());
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Status::Unavailable);
      return error.what();
    }
    return "none";
  }
  std::unique_ptr<EnergyMeter> meter() {
    std::vector<std::unique_ptr<EnergySource>> sources;
    sources.push_back(rapl_source(tree.root()));
    return counter_meter(std::move(sources), [this] { return now_ns; });
  }

  FakeTree tree;
  std::int64_t now_ns = 0;
};

TEST_F(Rapl, PackagesAndMemoryOfAllSocketsOnce) {
  two_sockets();
  const auto source = rapl_source(tree.root());
  std::vector<std::string> names;
  for (const auto& domain : source->domains()) {
    names.push_back(domain.name);
    EXPECT_EQ(domain.range_uj, kRange);
  }
  EXPECT_THAT(names, testing::ElementsAre("package-0", "dram of package-0", "package-1",
                                          "dram of package-1"));
  const auto readings = source->read();
  EXPECT_EQ(readings.at(0).uj, 5'000'000u);
  EXPECT_EQ(readings.at(3).uj, 3'000'000u);
  EXPECT_EQ(source->method(), "RAPL");
}

TEST_F(Rapl, AWindowAddsThemUpOverAWrap) {
  two_sockets();
  count("intel-rapl:1", kRange - 4'000'000);
  const auto meter = this->meter();
  meter->start();
  now_ns += 2'000'000'000;
  count("intel-rapl:0", 105'000'000);
  count("intel-rapl:0:1", 12'000'000);
  count("intel-rapl:1", 46'000'000);
  count("intel-rapl:1:0", 8'000'000);
  meter->stop();
  const auto window = meter->windows().at(0);
  EXPECT_DOUBLE_EQ(window.joules.at("package-0"), 100);
  EXPECT_DOUBLE_EQ(window.joules.at("package-1"), 50) << "4 J up to the wrap, 46 J behind it";
  EXPECT_DOUBLE_EQ(*window.total_j(), 165);
  EXPECT_DOUBLE_EQ(*window.mean_w(), 82.5);
  EXPECT_EQ(window.coverage, 1);
}

TEST_F(Rapl, ADomainThatVanishesLeavesNoSum) {
  two_sockets();
  const auto meter = this->meter();
  const auto more = [&](std::uint64_t uj) {
    now_ns += 1'000'000'000;
    count("intel-rapl:0", uj);
  };
  meter->start();
  more(6'000'000);
  meter->stop();
  fs::remove(tree.root() / "sys/class/powercap/intel-rapl:1/energy_uj");
  meter->start();
  more(7'000'000);
  meter->stop();
  const auto windows = meter->windows();
  EXPECT_DOUBLE_EQ(*windows.at(0).total_j(), 1);
  EXPECT_FALSE(windows.at(1).total_j());
  EXPECT_EQ(windows.at(1).coverage, 0);
  EXPECT_THAT(windows.at(1).why, AllOf(HasSubstr("package-1: "), HasSubstr("No such file")));
}

TEST_F(Rapl, WhatStandsStillIsLeftOutAndAllOfItIsNoMeasurement) {
  two_sockets();
  const auto meter = this->meter();
  meter->start();
  now_ns += 1'000'000'000;
  meter->stop();
  try {
    meter->windows();
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Status::Unavailable);
    EXPECT_THAT(error.what(), AllOf(HasSubstr("no counter moved"), HasSubstr("package-1")));
  }
  count("intel-rapl:0", 15'000'000);
  meter->start();
  now_ns += 1'000'000'000;
  count("intel-rapl:0", 25'000'000);
  meter->stop();
  const auto window = meter->windows().at(1);
  EXPECT_DOUBLE_EQ(*window.total_j(), 10);
  EXPECT_THAT(window.method, HasSubstr("without dram of package-0 (stands still)"));
}

TEST_F(Rapl, WhenNothingIsThereItSaysWhereItLooked) {
  EXPECT_THAT(refusal(), AllOf(HasSubstr((tree.root() / "sys/class/powercap").string()),
                               HasSubstr("nothing is there")));
  zone("intel-rapl:0", "psys", 1);
  EXPECT_THAT(refusal(), HasSubstr("only psys"));
}

/// Files are opened as someone who is not root, whoever runs the test.
class AsNobody {
 public:
  AsNobody() : before_(::setfsuid(65534)) {}
  ~AsNobody() { ::setfsuid(static_cast<uid_t>(before_)); }
  AsNobody(const AsNobody&) = delete;
  AsNobody& operator=(const AsNobody&) = delete;

 private:
  int before_;
};

TEST_F(Rapl, CountersOfRootAloneSayHowToAllowThem) {
  two_sockets();
  fs::permissions(tree.root(), fs::perms(0755));
  const auto refuse = [&](const char* folder) {
    fs::permissions(tree.root() / "sys/class/powercap" / folder / "energy_uj", fs::perms(0));
  };
  for (const auto* folder : {"intel-rapl:0:1", "intel-rapl:1:0"}) refuse(folder);
  {
    const AsNobody nobody;
    const auto source = rapl_source(tree.root());
    EXPECT_EQ(source->domains().size(), 2u);
    EXPECT_THAT(source->method(),
                AllOf(HasSubstr("RAPL without dram of package-0"), HasSubstr("chmod")));
  }
  refuse("intel-rapl:0");
  refuse("intel-rapl:1");
  const AsNobody nobody;
  EXPECT_THAT(refusal(), AllOf(HasSubstr("Permission denied"), HasSubstr("root alone"),
                               HasSubstr("chmod a+r"), Not(HasSubstr("psys"))));
}

TEST_F(Rapl, ACounterThatHoldsNoNumberIsNotRead) {
  zone("intel-rapl:0", "package-0", 1);
  tree.write("sys/class/powercap/intel-rapl:0/energy_uj", "many\n");
  EXPECT_THAT(refusal(), HasSubstr("no number"));
}

}  // namespace
}  // namespace inferometer::measure

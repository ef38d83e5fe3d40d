// SPDX-License-Identifier: Apache-2.0
// Against fake_nvml.c.
#include "measure/energy_nvml.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "inferometer/error.hpp"

namespace inferometer::measure {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class Nvml : public testing::Test {
 protected:
  ~Nvml() override { ::unsetenv("FAKE_NVML"); }
  static void script(const char* text) { ::setenv("FAKE_NVML", text, 1); }
  static std::unique_ptr<EnergySource> open() { return nvml_source(INFEROMETER_FAKE_NVML); }
  static std::string refusal(const std::filesystem::path& library = INFEROMETER_FAKE_NVML) {
    try {
      nvml_source(library);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Status::Unavailable);
      return error.what();
    }
    return "none";
  }
};

TEST_F(Nvml, EveryGpuIsADomainThatCountsMillijoules) {
  script("2");
  const auto source = open();
  ASSERT_EQ(source->domains().size(), 2u);
  EXPECT_EQ(source->domains()[0].name, "GPU 0 Fake 0");
  EXPECT_EQ(source->domains()[1].name, "GPU 1 Fake 1");
  EXPECT_EQ(source->domains()[0].range_uj, 0u) << "it never starts anew";
  EXPECT_EQ(source->method(), "NVML");
  const auto before = source->read(), after = source->read();
  EXPECT_EQ(*after[0].uj - *before[0].uj, 25'000'000u);
  EXPECT_EQ(*after[1].uj - *before[1].uj, 25'000'000u);
}

TEST_F(Nvml, AGpuThatDoesNotCountIsLeftOutByName) {
  script("2 nvmlDeviceGetTotalEnergyConsumption 3 0");
  const auto source = open();
  ASSERT_EQ(source->domains().size(), 1u);
  EXPECT_EQ(source->domains()[0].name, "GPU 1 Fake 1");
  EXPECT_THAT(source->method(),
              AllOf(HasSubstr("without GPU 0 Fake 0"), HasSubstr("Not Supported")));
}

TEST_F(Nvml, AGpuThatIsLostWhileMeasuringSaysWhy) {
  script("1");
  const auto source = open();
  script("1 nvmlDeviceGetTotalEnergyConsumption 15");
  const auto reading = source->read().at(0);
  EXPECT_FALSE(reading.uj);
  EXPECT_THAT(reading.why, HasSubstr("error 15"));
}

TEST_F(Nvml, WhatIsMissingIsSaid) {
  script("2 nvmlDeviceGetTotalEnergyConsumption 3");
  EXPECT_THAT(refusal(),
              AllOf(HasSubstr("GPU 0 Fake 0"), HasSubstr("GPU 1"), HasSubstr("Not Supported")));
  script("1 nvmlInit_v2 9");
  EXPECT_EQ(refusal(), "nvmlInit_v2: Driver Not Loaded");
  script("1 nvmlDeviceGetCount_v2 9");
  EXPECT_THAT(refusal(), HasSubstr("nvmlDeviceGetCount_v2"));
  script("1 nvmlDeviceGetHandleByIndex_v2 3");
  EXPECT_THAT(refusal(), HasSubstr("nvmlDeviceGetHandleByIndex_v2: Not Supported"));
  script("0");
  EXPECT_EQ(refusal(), "it shows no GPU");
  EXPECT_THAT(refusal(INFEROMETER_FAKE_NVML_WITHOUT_ENERGY),
              HasSubstr("lacks nvmlDeviceGetTotalEnergyConsumption"));
  EXPECT_THAT(refusal("libno-such-nvml.so.1"), HasSubstr("libno-such-nvml.so.1 can't be opened"));
}

}  // namespace
}  // namespace inferometer::measure

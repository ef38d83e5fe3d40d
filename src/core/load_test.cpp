// SPDX-License-Identifier: Apache-2.0
// Which engine a load comes to and what it is told, over tables without an engine behind them.
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>

#include "base/cpu.hpp"
#include "base/file.hpp"
#include "core/runner.hpp"
#include "core/wall.hpp"
#include "inferometer/error.hpp"

namespace inferometer::core {
namespace {

namespace fs = std::filesystem;

// What a table answers and what it was told.
struct Fake {
  std::string probe = R"({"version":"1","devices":["cpu"],"formats":[".toy"]})";
  std::string params = "[]";
  std::string info = R"({"inputs":[{"name":"x","dtype":"f32","shape":[-1,2]}],
                         "outputs":[{"name":"y","dtype":"f32","shape":[-1,2]}]})";
  std::int32_t load_code = INFEROMETER_OK;
  int unloaded = 0;
  std::string library;  // of the last probe
  CpuList loaded_on;
};
Fake g_fakes[2];

void say(const inferometer_sink& sink, const std::string& text) {
  sink.write(sink.user, text.data(), text.size());
}

template <int kIndex>
inferometer_engine table(const char* name) {
  inferometer_engine made = {.size = sizeof made, .abi = INFEROMETER_ABI, .name = name};
  made.probe = [](const char* settings, inferometer_sink answer, inferometer_error*) {
    g_fakes[kIndex].library = Json::parse(settings).at("library");
    say(answer, g_fakes[kIndex].probe);
    return std::int32_t{INFEROMETER_OK};
  };
  made.describe_params = [](inferometer_sink answer, inferometer_error*) {
    say(answer, g_fakes[kIndex].params);
    return std::int32_t{INFEROMETER_OK};
  };
  made.load = [](const inferometer_load_request*, void** model, inferometer_sink info,
                 inferometer_error* error) {
    g_fakes[kIndex].loaded_on = affinity();
    std::snprintf(error->text, error->capacity, "as scripted");
    if (g_fakes[kIndex].load_code != INFEROMETER_OK) return g_fakes[kIndex].load_code;
    *model = &g_fakes[kIndex];
    say(info, g_fakes[kIndex].info);
    return std::int32_t{INFEROMETER_OK};
  };
  made.open = [](void* model, void** context, inferometer_error*) {
    *context = model;
    return std::int32_t{INFEROMETER_OK};
  };
  made.bind = [](void*, const DLTensor*, std::size_t, DLTensor*, std::size_t, inferometer_error*) {
    return std::int32_t{INFEROMETER_OK};
  };
  made.run = [](void*, inferometer_error*) { return std::int32_t{INFEROMETER_OK}; };
  made.unload = [](void*) { ++g_fakes[kIndex].unloaded; };
  return made;
}

class LoadTest : public testing::Test {
 protected:
  void SetUp() override {
    for (Fake& fake : g_fakes) fake = {};
    write_text_atomic(model_, "a model");
  }
  void TearDown() override { fs::remove(model_); }

  Info load(const Params& params) { return load_among(engines_, model_, params)->info(); }
  Error refusal(const Params& params) {
    try {
      load(params);
    } catch (const Error& error) {
      return error;
    }
    return {Status::Ok, "accepted"};
  }

  fs::path model_ =
      fs::temp_directory_path() / ("inferometer_load_test_" + std::to_string(::getpid()) + ".toy");
  inferometer_engine first_ = table<0>("first"), second_ = table<1>("second");
  std::vector<Plugin> engines_ = {{.name = "first", .path = "/proc/self/exe", .table = &first_},
                                  {.name = "second", .table = &second_}};
};

TEST_F(LoadTest, AutoPassesTheLibraryOn) {
  EXPECT_EQ(load({{"library", "/l.so"}}).engine, "first");
  EXPECT_EQ(g_fakes[0].library, "/l.so");
}

TEST_F(LoadTest, AutoGoesOnWhenOnlyLoadingTellsThatAnEngineDoesNotTakeTheModel) {
  for (const auto code : {INFEROMETER_UNSUPPORTED, INFEROMETER_LOAD_FAILED}) {
    g_fakes[0].load_code = code;
    const Info info = load({});
    EXPECT_EQ(info.engine, "second");
    EXPECT_NE(info.engine_choice.find("first: as scripted"), std::string::npos)
        << info.engine_choice;
  }
  g_fakes[0].load_code = INFEROMETER_OUT_OF_MEMORY;
  EXPECT_EQ(refusal({}).code(), Status::OutOfMemory);
}

TEST_F(LoadTest, AutoTakesTheEngineThatHasTheParam) {
  g_fakes[1].params = R"([{"name":"pinning","type":"bool","default":false}])";
  EXPECT_EQ(load({{"pinning", true}}).engine, "second");
  const Error error = refusal({{"pining", true}});
  EXPECT_EQ(error.code(), Status::Invalid);
  EXPECT_EQ(error.context().at("nearest"), "pinning");
}

TEST_F(LoadTest, ALoadThatIsRefusedBeforeTheEngineIsCalledClaimsNothing) {
  g_fakes[0].params = R"([{"name":"denormals","type":"text","default":"keep","scope":"process"}])";
  EXPECT_EQ(refusal({{"engine", "first"}, {"denormals", "zero"}, {"cache_dir", model_.string()}})
                .context()
                .at("param"),
            "cache_dir");
  EXPECT_EQ(load({{"engine", "first"}}).engine, "first");
  EXPECT_EQ(refusal({{"engine", "first"}, {"denormals", "zero"}}).context().at("remedy"),
            "isolation=process");
}

TEST_F(LoadTest, AnAnswerOfTheWrongShapeIsThePluginsFaultAndTheModelIsUnloaded) {
  for (const char* wrong : {R"([{"version":[]}])", R"({"version":[]})", "[[]]"}) {
    g_fakes[0].probe = wrong;
    EXPECT_EQ(refusal({{"engine", "first"}}).code(), Status::Unavailable) << wrong;
  }
  g_fakes[0] = {};
  g_fakes[0].params = "[[]]";
  EXPECT_EQ(refusal({{"engine", "first"}}).code(), Status::Unavailable);
  g_fakes[0] = {.info = "{"};
  EXPECT_EQ(refusal({{"engine", "first"}}).code(), Status::LoadFailed);
  EXPECT_EQ(g_fakes[0].unloaded, 1);
}

TEST_F(LoadTest, ACodeThatWeDoNotKnowIsAFailureToLoad) {
  g_fakes[0].load_code = 4711;
  EXPECT_EQ(refusal({{"engine", "first"}}).code(), Status::LoadFailed);
}

TEST_F(LoadTest, LoadsTurnThroughTheCpusAndSayWhich) {
  if (affinity().size() < 2) GTEST_SKIP() << "needs two CPUs";
  g_fakes[0].load_code = INFEROMETER_UNSUPPORTED;  // another engine is tried on the same CPUs
  const Info one = load({{"threads", 1}});
  EXPECT_EQ(g_fakes[0].loaded_on, g_fakes[1].loaded_on);
  EXPECT_EQ(one.effective.at("cpus"), cpu_list_text(g_fakes[1].loaded_on));
  EXPECT_NE(load({{"threads", 1}}).effective.at("cpus"), one.effective.at("cpus"));
  EXPECT_FALSE(one.notes.empty());
}

}  // namespace
}  // namespace inferometer::core

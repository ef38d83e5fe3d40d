// SPDX-License-Identifier: Apache-2.0
// An old plugin works with this host; what is no plugin, or one of another ABI, is refused in
// words.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <vector>

#include "core/wall.hpp"
#include "inferometer/engine_abi.h"

extern "C" unsigned inferometer_abi_seen_by_c(void);

namespace inferometer {
namespace {

std::filesystem::path plugin_file(const std::string& name) {
  return std::filesystem::path(INFEROMETER_TEST_PLUGINS) / ("inferometer_engine_" + name + ".so");
}

std::string refusal(const std::filesystem::path& file) {
  const auto plugin = core::open_plugin(file);
  EXPECT_EQ(plugin.table, nullptr) << file;
  return plugin.reason;
}

TEST(Abi, CAndCppSeeTheSame) {
  EXPECT_EQ(inferometer_abi_seen_by_c(), INFEROMETER_ABI);
}

TEST(Abi, AnOldPluginWorks) {
  const auto plugin = core::open_plugin(plugin_file("old"));
  ASSERT_NE(plugin.table, nullptr) << plugin.reason;
  EXPECT_LT(plugin.table->size, sizeof(inferometer_engine));
  EXPECT_EQ(core::probe(plugin, "").status.version, "0.1");
  EXPECT_TRUE(core::own_params(plugin).empty());
  EXPECT_FALSE(core::refusals(plugin, {.path = "m.onnx", .settings = "{}"}).has_value());
  const core::WallModel model(plugin, {.path = "m.onnx", .settings = "{\"params\":{}}"});
  EXPECT_EQ(model.explain(), "");
  const auto context = model.open();
  std::vector<float> x(32), y(20);
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = static_cast<float>(i);
  const std::vector<View> inputs{View(x.data(), {2, 16})}, outputs{View(y.data(), {2, 10})};
  context->bind(inputs, outputs);
  context->run();
  EXPECT_EQ(y[0], 0.0F);
  EXPECT_EQ(y[19], 25.0F);
  EXPECT_EQ(context->profile(), "");
}

TEST(Abi, ANewerPluginIsRefused) {
  EXPECT_NE(refusal(plugin_file("newer")).find("ABI"), std::string::npos);
}

TEST(Abi, APluginThatDeclinesIsRefused) {
  EXPECT_NE(refusal(plugin_file("declining")).find("ABI"), std::string::npos);
}

TEST(Abi, ATableWithoutTheNecessaryIsRefused) {
  EXPECT_NE(refusal(plugin_file("short")).find("lacks"), std::string::npos);
}

TEST(Abi, ALibraryThatIsNoPluginIsRefused) {
  EXPECT_NE(refusal(plugin_file("other")).find(INFEROMETER_ENGINE_SYMBOL), std::string::npos);
}

TEST(Abi, AFileThatIsNoLibraryIsRefused) {
  const auto file = std::filesystem::path(INFEROMETER_TEST_PLUGINS) / "inferometer_engine_text.so";
  std::ofstream(file) << "no library";
  EXPECT_NE(refusal(file).find("can't be opened"), std::string::npos);
  EXPECT_FALSE(refusal(file.parent_path() / "absent.so").empty());
}

TEST(Abi, ABadAnswerIsThePluginsFault) {
  const auto plugin = core::open_plugin(plugin_file("babbling"));
  ASSERT_NE(plugin.table, nullptr);
  EXPECT_THROW(core::probe(plugin, ""), Error);
}

}  // namespace
}  // namespace inferometer

// SPDX-License-Identifier: Apache-2.0
#include "common/import.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

namespace inferometer::plugin {
namespace {

namespace fs = std::filesystem;

void answer(inferometer_sink sink, const fs::path& path) {
  const auto text = path.string();
  sink.write(sink.user, text.data(), text.size());
}

/// A host whose cache, a folder, is the token.
fs::path folder_of(void* cache) {
  return *static_cast<const fs::path*>(cache);
}
std::int32_t find(void* cache, const char* kind, inferometer_sink path) {
  const auto file = folder_of(cache) / kind;
  if (!fs::exists(file)) return 0;
  answer(path, file);
  return 1;
}
std::int32_t create(void* cache, const char* kind, inferometer_sink path) {
  answer(path, folder_of(cache) / (std::string(kind) + ".new"));
  return 1;
}
std::int32_t commit(void* cache, const char* kind, const char* temporary, std::int32_t keep,
                    inferometer_sink path) {
  const auto file = folder_of(cache) / kind;
  if (keep == 0) return fs::remove(temporary), 0;
  fs::rename(temporary, file);
  answer(path, file);
  return 1;
}
const inferometer_host kHost = {
    sizeof(inferometer_host), INFEROMETER_ABI, nullptr, find, create, commit};

class PackedWeights : public ::testing::Test {
 protected:
  void SetUp() override { fs::create_directories(folder_); }
  void TearDown() override { fs::remove_all(folder_); }

  std::vector<std::int64_t> weights(const Artifacts& artifacts) {
    const std::vector<graph::PackedTensor> tensors = {
        {"w", DType::I8, {2}, [this](std::span<std::byte> bytes) {
           ++made_;
           bytes[0] = static_cast<std::byte>(7), bytes[1] = static_cast<std::byte>(8);
         }}};
    return as_integers(packed_weights(artifacts, "weights", tensors).at(0));
  }

  fs::path folder_ =
      fs::temp_directory_path() / ("inferometer_import_" + std::to_string(::getpid()));
  const Artifacts cached_{&kHost, &folder_};
  const std::vector<std::int64_t> right_ = {7, 8};
  int made_ = 0;
};

TEST_F(PackedWeights, AreMadeOnceWithACache) {
  EXPECT_EQ(weights(cached_), right_);
  EXPECT_EQ(weights(cached_), right_);
  EXPECT_EQ(made_, 1);
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_), fs::directory_iterator()), 1);
}

TEST_F(PackedWeights, AreMadeInMemoryWithout) {
  EXPECT_EQ(weights(Artifacts(nullptr, nullptr)), right_);
  EXPECT_EQ(made_, 1);
  EXPECT_TRUE(fs::is_empty(folder_));
}

TEST_F(PackedWeights, ADamagedArtifactIsLeftAside) {
  std::ofstream(folder_ / "weights") << "not these";
  EXPECT_EQ(weights(cached_), right_);
}

TEST_F(PackedWeights, AFolderThatCantBeWrittenCostsOnlyTheCache) {
  fs::remove_all(folder_);
  EXPECT_EQ(weights(cached_), right_);
  EXPECT_EQ(made_, 1) << "made again for nothing";
}

}  // namespace
}  // namespace inferometer::plugin

// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <xmmintrin.h>

#include <new>

#include "base/json.hpp"
#include "inferometer/engine_plugin.hpp"

namespace inferometer::plugin {
namespace {

struct ToyContext : Context {
  explicit ToyContext(std::string behaviour) : behaviour_(std::move(behaviour)) {}
  void bind(std::span<const DLTensor>, std::span<DLTensor>) override {}
  void run() override {
    _mm_setcsr(_mm_getcsr() | 0x8040u);  // flush-to-zero, as ONNX Runtime leaves it
    if (behaviour_ == "error") throw Error(Status::Unsupported, "can't");
    if (behaviour_ == "memory") throw std::bad_alloc();
    if (behaviour_ == "other") throw 42;  // NOLINT: the guard must survive it
    if (behaviour_ == "long") throw std::runtime_error("\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4");
  }
  std::string behaviour_;
};

struct ToyModel : LoadedModel {
  explicit ToyModel(std::string behaviour) : behaviour_(std::move(behaviour)) {}
  ModelInfo info() const override {
    return {.inputs = {{"x", DType::F32, {-1, 3}}}, .dynamic_batch = true};
  }
  std::unique_ptr<Context> open() override { return std::make_unique<ToyContext>(behaviour_); }
  std::string behaviour_;
};

struct ToyEngine : Engine {
  Probe probe(const std::filesystem::path& library) override {
    return {.version = "1", .library = library};
  }
  std::vector<ParamSpec> params() const override { return {{.name = "behaviour"}}; }
  std::unique_ptr<LoadedModel> load(const LoadRequest& request) override {
    seen = request.dims;
    return std::make_unique<ToyModel>(request.text("behaviour"));
  }
  std::map<std::string, std::int64_t> seen;
};

const inferometer_host kHost = {
    sizeof(inferometer_host), INFEROMETER_ABI, nullptr, nullptr, nullptr, nullptr};

inferometer_sink into(std::string& text) {
  return {&text, [](void* user, const char* piece, std::size_t size) {
            static_cast<std::string*>(user)->append(piece, size);
          }};
}

struct Wall : testing::Test {
  const inferometer_engine* table = make_table(&kHost, "toy", engine);
  static ToyEngine engine;
  char text[64] = "";
  inferometer_error error = {text, sizeof text};

  std::int32_t run(const std::string& behaviour) {
    const std::string settings =
        Json({{"params", {{"behaviour", behaviour}}}, {"dims", {{"N", 4}}}}).dump();
    inferometer_load_request request = {};
    request.size = sizeof request;
    request.path = "m.onnx";
    request.settings = settings.c_str();
    void* model = nullptr;
    void* context = nullptr;
    std::string info;
    EXPECT_EQ(table->load(&request, &model, into(info), &error), 0) << text;
    EXPECT_EQ(parse_json(info, "info").at("inputs").at(0).at("shape"), Json({-1, 3}));
    EXPECT_EQ(table->open(model, &context, &error), 0);
    const std::int32_t code = table->run(context, &error);
    table->close(context);
    table->unload(model);
    return code;
  }
};
ToyEngine Wall::engine;

TEST_F(Wall, ExceptionsBecomeCodeAndText) {
  EXPECT_EQ(run("fine"), INFEROMETER_OK);
  EXPECT_EQ(engine.seen.at("N"), 4);
  EXPECT_EQ(run("error"), INFEROMETER_UNSUPPORTED);
  EXPECT_STREQ(text, "can't");
  EXPECT_EQ(run("memory"), INFEROMETER_OUT_OF_MEMORY);
  EXPECT_EQ(run("other"), INFEROMETER_PREDICT_FAILED);
}

TEST_F(Wall, LongTextIsCutAtACharacter) {
  error.capacity = 4;  // room for one and a half of the two-byte letters
  EXPECT_EQ(run("long"), INFEROMETER_PREDICT_FAILED);
  EXPECT_STREQ(text, "\xC3\xA4");
  EXPECT_EQ(text[4], '\0');
}

TEST_F(Wall, TheFloatingPointModeIsPutBack) {
  const unsigned before = _mm_getcsr();
  run("fine");
  EXPECT_EQ(_mm_getcsr(), before);
}

TEST_F(Wall, AnotherAbiIsRefused) {
  const inferometer_host newer = {
      sizeof(inferometer_host), INFEROMETER_ABI + 1, nullptr, nullptr, nullptr, nullptr};
  EXPECT_EQ(make_table(&newer, "toy", engine), nullptr);
  EXPECT_EQ(make_table(nullptr, "toy", engine), nullptr);
}

TEST(DLPack, EveryDTypeCrosses) {
  for (int i = 0; i <= static_cast<int>(DType::Bool); ++i) {
    DLTensor tensor = {};
    tensor.dtype = to_dlpack(static_cast<DType>(i));
    EXPECT_EQ(dtype_of(tensor), static_cast<DType>(i));
  }
  DLTensor odd = {};
  odd.dtype = {kDLFloat, 8, 1};
  EXPECT_THROW(dtype_of(odd), Error);
}

}  // namespace
}  // namespace inferometer::plugin

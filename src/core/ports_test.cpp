// SPDX-License-Identifier: Apache-2.0
#include "core/ports.hpp"

#include <gtest/gtest.h>

#include <array>

#include "inferometer/error.hpp"

namespace inferometer::core {
namespace {

const Port kImage = {.name = "image",
                     .dtype = DType::F32,
                     .shape = {{-1, "N"}, {3, ""}, {-1, "W"}},
                     .batch_axis = 0};
const Port kScale = {.name = "scale", .dtype = DType::F64, .shape = {}, .batch_axis = {}};

std::array<float, 64> memory;
double scalar = 1;

View image(std::int64_t rows, std::int64_t channels = 3, std::int64_t width = 2) {
  return View(memory.data(), {rows, channels, width});
}

Error refusal(std::span<const Port> ports, std::span<const View> views) {
  try {
    check_inputs(ports, views);
  } catch (const Error& error) {
    return error;
  }
  return {Status::Ok, "accepted"};
}

TEST(CheckInputs, GivesTheRows) {
  const std::array ports = {kImage, kScale};
  EXPECT_EQ(check_inputs(ports, std::array{image(5), View(&scalar, {})}), 5);
  EXPECT_EQ(check_inputs(std::array{kScale}, std::array{View(&scalar, {})}), 1);
}

TEST(CheckInputs, NamesPortExpectedAndGiven) {
  const Error error = refusal(std::array{kImage}, std::array{image(5, 4)});
  EXPECT_EQ(error.code(), Status::Invalid);
  EXPECT_EQ(error.context().at("port"), "image");
  EXPECT_EQ(error.context().at("expected"), "f32 [N,3,W]");
  EXPECT_EQ(error.context().at("given"), "f32 [5,4,2]");
}

TEST(CheckInputs, RefusesCountDTypeRankRowsAndMissingMemory) {
  const std::array ports = {kImage};
  EXPECT_EQ(refusal(ports, {}).code(), Status::Invalid);
  EXPECT_EQ(refusal(ports, std::array{View(&scalar, {1, 3, 2})}).code(), Status::Invalid);
  EXPECT_EQ(refusal(ports, std::array{View(memory.data(), {3, 2})}).code(), Status::Invalid);
  EXPECT_EQ(refusal(ports, std::array{image(0)}).code(), Status::Invalid);
  EXPECT_EQ(refusal(ports, std::array{View(static_cast<float*>(nullptr), {1, 3, 2})}).code(),
            Status::Invalid);
  EXPECT_EQ(refusal(std::array{kImage, kImage}, std::array{image(2), image(3)}).code(),
            Status::Invalid);
}

TEST(CheckInputs, ASymbolHasOneSize) {
  const Port mask = {.name = "mask", .shape = {{-1, "N"}, {-1, "W"}}, .batch_axis = 0};
  const std::array ports = {kImage, mask};
  EXPECT_EQ(check_inputs(ports, std::array{image(5), View(memory.data(), {5, 2})}), 5);
  const Error error = refusal(ports, std::array{image(5), View(memory.data(), {5, 3})});
  EXPECT_EQ(error.code(), Status::Invalid);
  EXPECT_EQ(error.context().at("expected"), "f32 [N,W] with W = 2 as before it");
  EXPECT_EQ(error.context().at("given"), "f32 [5,3]");
}

TEST(CheckOutputs, TheRowsMustBeTheInputs) {
  EXPECT_NO_THROW(check_outputs(std::array{kImage}, std::array{image(5)}, 5));
  EXPECT_THROW(check_outputs(std::array{kImage}, std::array{image(5)}, 4), Error);
}

TEST(OutputShape, TakesRowsAndSymbolsFromTheInputs) {
  const Port output = {.name = "y", .shape = {{-1, "N"}, {7, ""}, {-1, "W"}}, .batch_axis = 0};
  EXPECT_EQ(output_shape(output, std::array{kImage}, std::array{image(5)}, 5), (Shape{5, 7, 2}));
  const Port unknown = {.name = "y", .shape = {{-1, "count"}}};
  EXPECT_EQ(output_shape(unknown, std::array{kImage}, std::array{image(5)}, 5), std::nullopt);
}

TEST(RowsOf, IsAWindowWithoutACopy) {
  const View part = rows_of(kImage, image(5), 2, 3);
  EXPECT_EQ(part.data, &memory[12]);
  EXPECT_EQ(part.shape, (Shape{3, 3, 2}));
  EXPECT_EQ(rows_of(kScale, View(&scalar, {}), 2, 3).data, &scalar);
}

}  // namespace
}  // namespace inferometer::core

// SPDX-License-Identifier: Apache-2.0
#include "base/npy.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstring>
#include <numeric>

#include "inferometer/error.hpp"

namespace inferometer {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

std::span<const std::byte> bytes_of(const std::string& text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

std::string file_with(const std::string& dict, const std::string& data, char version = 1) {
  std::string text = "\x93NUMPY";
  text += {version, '\0', static_cast<char>(dict.size()), '\0'};
  if (version > 1) text += std::string(2, '\0');
  return text + dict + data;
}

void expect_refused(const std::string& file, Status code, const std::string& reason) {
  try {
    parse_npy(bytes_of(file), "x.npy");
    FAIL() << "accepted, expected: " << reason;
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), code) << error.what();
    EXPECT_THAT(error.what(), HasSubstr(reason));
    EXPECT_THAT(error.what(), HasSubstr("x.npy"));
  }
}

TEST(Npy, HeaderIsByteForByteWhatNumPyWrites) {
  const std::string expected = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }";
  const auto header = npy_header(DType::F32, {2, 3});
  EXPECT_EQ(header.size() % 64, 0u);
  EXPECT_EQ(header.substr(0, 10), std::string("\x93NUMPY\x01\x00\x76\x00", 10));
  EXPECT_EQ(header.substr(10, expected.size()), expected);
  EXPECT_EQ(header.back(), '\n');
  EXPECT_THAT(npy_header(DType::I64, {7}), HasSubstr("'shape': (7,), }"));
  EXPECT_THAT(npy_header(DType::Bool, {}),
              HasSubstr("'descr': '|b1', 'fortran_order': False, 'shape': (), }"));
}

TEST(Npy, EveryDTypeAndRankSurvivesAFile) {
  auto pattern = (fs::temp_directory_path() / "npy_test_XXXXXX").string();
  const fs::path folder = mkdtemp(pattern.data());
  for (const auto dtype : {DType::F32, DType::F64, DType::F16, DType::I8, DType::I16, DType::I32,
                           DType::I64, DType::U8, DType::U16, DType::U32, DType::U64, DType::Bool})
    for (const auto& shape :
         {Shape{}, Shape{5}, Shape{2, 3}, Shape{0, 4}, Shape{1, 1, 2, 1, 3, 1, 1, 2}}) {
      const Tensor x(dtype, shape);
      const auto bytes = x.view().size_bytes();
      for (std::size_t i = 0; i < bytes; ++i)
        static_cast<unsigned char*>(x.data())[i] = static_cast<unsigned char>(i % 2);
      write_npy(folder / "x.npy", x);
      const auto y = read_npy(folder / "x.npy");
      EXPECT_EQ(y.dtype(), dtype);
      EXPECT_EQ(y.shape(), shape);
      if (bytes > 0) {
        EXPECT_EQ(std::memcmp(x.data(), y.data(), bytes), 0) << to_string(dtype);
      }
    }
  fs::remove_all(folder);
}

TEST(Npy, Versions2And3AndLooseSpacing) {
  const std::string dict = "{\"shape\":(2,),'descr':'<i4','fortran_order':True}";
  const std::string data("\1\0\0\0\2\0\0\0", 8);
  for (const char version : {'\1', '\2', '\3'}) {
    const auto x = parse_npy(bytes_of(file_with(dict, data, version)), "x.npy");
    EXPECT_EQ(x.as<std::int32_t>()[1], 2);
  }
}

TEST(Npy, EveryTruncationIsRefused) {
  const std::string whole = npy_header(DType::F32, {2}) + "12345678";
  for (std::size_t size = 0; size < whole.size(); ++size)
    EXPECT_THROW(parse_npy(bytes_of(whole.substr(0, size)), "x.npy"), Error) << size;
  EXPECT_THROW(parse_npy(bytes_of(whole + "9"), "x.npy"), Error);
}

TEST(Npy, EveryCorruptedByteIsReadOrRefused) {
  const std::string whole = npy_header(DType::F32, {2, 1}) + "12345678";
  for (std::size_t at = 0; at < whole.size(); ++at)
    for (const char with : {'\0', '(', '9', '\'', '\xff'}) {
      auto text = whole;
      text[at] = with;
      try {
        EXPECT_EQ(parse_npy(bytes_of(text), "x.npy").view().size_bytes(), 8u);
      } catch (const Error&) {
      }
    }
}

TEST(Npy, WhatWeDoNotCarryIsSaid) {
  const auto dict = [](const std::string& descr, const std::string& order = "False",
                       const std::string& shape = "(2,)") {
    return "{'descr': " + descr + ", 'fortran_order': " + order + ", 'shape': " + shape + "}";
  };
  const std::string four(4, '\0');
  expect_refused(file_with(dict("'<V2'"), four), Status::Unsupported, "bfloat16");
  expect_refused(file_with(dict("'>f2'"), four), Status::Unsupported, "big-endian");
  expect_refused(file_with(dict("'<c8'"), four), Status::Unsupported, "'<c8'");
  expect_refused(file_with(dict("[('a', '<f4')]"), four), Status::Unsupported, "structured");
  expect_refused(file_with(dict("'|i1'", "True", "(2, 2)"), four), Status::Unsupported,
                 "ascontiguousarray");
  expect_refused(file_with(dict("'|i1'", "Maybe"), four), Status::Invalid, "fortran_order");
  expect_refused(file_with(dict("'|i1'", "False", "(1,1,1,1,1,1,1,1,4)"), four), Status::Invalid,
                 "axes");
  expect_refused(file_with(dict("'|i1'", "False", "(-4,)"), four), Status::Invalid, "shape");
  expect_refused(file_with(dict("'|i1'", "False", "(4611686018427387904, 8)"), four),
                 Status::Invalid, "4611686018427387904");
  expect_refused(file_with(dict("'|i1'"), four), Status::Invalid, "holds 4 bytes");
  expect_refused(file_with("{'descr': '|i1', 'descr': '|i1'}", four), Status::Invalid, "twice");
  expect_refused("PK\3\4 this is a zip", Status::Invalid, "NUMPY");
  const std::uint16_t one = 0x3f80;
  EXPECT_THROW(npy_header(DType::BF16, {1}), Error);
  EXPECT_THROW(write_npy("/nonexistent/x.npy", View(&one, Shape{1})), Error);
}

}  // namespace
}  // namespace inferometer

// SPDX-License-Identifier: Apache-2.0
#include "base/npy.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cstring>
#include <optional>
#include <utility>
#include <vector>

#include "base/file.hpp"
#include "base/text.hpp"
#include "inferometer/error.hpp"

namespace inferometer {
namespace {

static_assert(std::endian::native == std::endian::little);

constexpr std::string_view kMagic = "\x93NUMPY";
constexpr std::size_t kAlignment = 64;

constexpr std::array<std::pair<std::string_view, DType>, 12> kTypes = {{{"<f4", DType::F32},
                                                                        {"<f8", DType::F64},
                                                                        {"<f2", DType::F16},
                                                                        {"|i1", DType::I8},
                                                                        {"<i2", DType::I16},
                                                                        {"<i4", DType::I32},
                                                                        {"<i8", DType::I64},
                                                                        {"|u1", DType::U8},
                                                                        {"<u2", DType::U16},
                                                                        {"<u4", DType::U32},
                                                                        {"<u8", DType::U64},
                                                                        {"|b1", DType::Bool}}};

struct Header {
  std::string descr;
  bool column_major = false;
  Shape shape;
};

// The header is the text of a Python dict with three known keys; this reads that and nothing more.
class HeaderReader {
 public:
  HeaderReader(std::string_view text, std::string_view what) : rest_(text), what_(what) {}

  Header read() {
    Header header;
    bool descr = false, order = false, shape = false;
    expect('{');
    while (!take('}')) {
      const auto key = quoted();
      expect(':');
      if (key == "descr" && !descr)
        header.descr = type(), descr = true;
      else if (key == "fortran_order" && !order)
        header.column_major = boolean(), order = true;
      else if (key == "shape" && !shape)
        header.shape = tuple(), shape = true;
      else
        refuse(fmt::format("key '{}' in its header is unknown or given twice", printable(key)));
      if (!take(',')) {
        expect('}');
        break;
      }
    }
    skip_space();
    if (!rest_.empty()) refuse("text after its header's dict");
    if (!descr || !order || !shape) refuse("its header lacks descr, fortran_order or shape");
    return header;
  }

 private:
  [[noreturn]] void refuse(const std::string& reason) const {
    throw Error(Status::Invalid, fmt::format("{}: not a usable .npy file: {}", what_, reason));
  }
  void skip_space() {
    const auto first = rest_.find_first_not_of(" \n\t");
    rest_.remove_prefix(first == std::string_view::npos ? rest_.size() : first);
  }
  bool take(char wanted) {
    skip_space();
    if (rest_.empty() || rest_.front() != wanted) return false;
    rest_.remove_prefix(1);
    return true;
  }
  void expect(char wanted) {
    if (!take(wanted))
      refuse(fmt::format("expected '{}' in its header before '{}'", wanted, printable(rest_, 20)));
  }
  std::string quoted() {
    skip_space();
    const char quote = rest_.empty() ? '\0' : rest_.front();
    if (quote != '\'' && quote != '"') refuse("expected a quoted word in its header");
    const auto end = rest_.find(quote, 1);
    if (end == std::string_view::npos) refuse("a quoted word in its header has no end");
    const std::string word(rest_.substr(1, end - 1));
    rest_.remove_prefix(end + 1);
    return word;
  }
  std::string type() {
    skip_space();
    if (rest_.starts_with('['))
      throw Error(Status::Unsupported,
                  fmt::format("{}: holds a structured array; save each field on its own", what_));
    return quoted();
  }
  bool boolean() {
    skip_space();
    for (const auto& [word, value] : {std::pair("True", true), std::pair("False", false)}) {
      if (!rest_.starts_with(word)) continue;
      rest_.remove_prefix(std::strlen(word));
      return value;
    }
    refuse("fortran_order is neither True nor False");
  }
  Shape tuple() {
    std::vector<std::int64_t> dims;
    expect('(');
    while (!take(')')) {
      dims.push_back(size());
      if (dims.size() > kMaxRank) refuse(fmt::format("more than {} axes", kMaxRank));
      if (!take(',')) {
        expect(')');
        break;
      }
    }
    return Shape(std::span<const std::int64_t>(dims));
  }
  std::int64_t size() {
    skip_space();
    std::int64_t value = -1;
    const auto [end, problem] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), value);
    if (problem != std::errc() || value < 0) refuse("a size in its shape is not a number >= 0");
    rest_.remove_prefix(static_cast<std::size_t>(end - rest_.data()));
    return value;
  }

  std::string_view rest_;
  std::string_view what_;
};

DType dtype_of_descr(const std::string& descr, std::string_view what) {
  for (const auto& [text, dtype] : kTypes)
    if (descr == text ||
        (descr.size() == 3 && descr[0] == '=' && descr.substr(1) == text.substr(1)))
      return dtype;
  std::string remedy = "save it as one of float32, float64, float16, (u)int8..64, bool";
  if (descr.starts_with('>'))
    remedy = "it is big-endian: save it with astype(dtype.newbyteorder('<'))";
  if (descr == "<V2" || descr == "|V2")
    remedy = "if it is bfloat16: NumPy has no such type, save it as float32";
  throw Error(
      Status::Unsupported,
      fmt::format("{}: element type '{}' is not one of ours; {}", what, printable(descr), remedy),
      {{"dtype", printable(descr)}});
}

struct Parts {
  std::string_view header;
  std::span<const std::byte> data;
};

Parts split(std::span<const std::byte> bytes, std::string_view what) {
  const auto refuse = [&](std::string_view reason) {
    throw Error(Status::Invalid, fmt::format("{}: not a .npy file: {}", what, reason));
  };
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (!text.starts_with(kMagic) || text.size() < 10) refuse("it does not begin with \\x93NUMPY");
  const int version = static_cast<unsigned char>(text[6]);
  if (version < 1 || version > 3)
    refuse(fmt::format("format version {}, known are 1 to 3", version));
  const std::size_t width = version == 1 ? 2 : 4;
  const std::size_t start = 8 + width;
  if (text.size() < start) refuse("it ends within its header");
  std::uint32_t length = 0;
  std::memcpy(&length, text.data() + 8, width);
  if (length > text.size() - start)
    refuse(fmt::format("its header of {} bytes is longer than the file", length));
  return {text.substr(start, length), bytes.subspan(start + length)};
}

std::string_view descr_of(DType dtype) {
  for (const auto& [text, known] : kTypes)
    if (dtype == known) return text;
  throw Error(Status::Unsupported,
              "bf16 can't be written as .npy: NumPy has no such type; convert it to f32 first",
              {{"dtype", "bf16"}});
}

std::size_t elements_of(const Shape& shape, std::string_view what) {
  try {
    return static_cast<std::size_t>(shape.elements());
  } catch (const Error& error) {
    throw Error(error.code(), fmt::format("{}: {}", what, error.what()), error.context());
  }
}

void check_size(const Shape& shape, DType dtype, std::size_t got, std::string_view what) {
  const auto elements = elements_of(shape, what);
  const auto width = size_bytes(dtype);
  if (got % width == 0 && got / width == elements) return;
  throw Error(Status::Invalid,
              fmt::format("{}: shape {} of {} needs {} elements of {} bytes, the "
                          "file holds {} bytes after its header",
                          what, to_string(shape), to_string(dtype), elements, width, got));
}

}  // namespace

Tensor parse_npy(std::span<const std::byte> bytes, std::string_view what) {
  const auto parts = split(bytes, what);
  const auto header = HeaderReader(parts.header, what).read();
  const auto dtype = dtype_of_descr(header.descr, what);
  check_size(header.shape, dtype, parts.data.size(), what);
  if (header.column_major && header.shape.rank() > 1)
    throw Error(
        Status::Unsupported,
        fmt::format("{}: column-major (fortran_order); save numpy.ascontiguousarray(x)", what));
  Tensor tensor(dtype, header.shape);
  if (!parts.data.empty()) std::memcpy(tensor.data(), parts.data.data(), parts.data.size());
  return tensor;
}

Tensor read_npy(const std::filesystem::path& path) {
  const MappedFile file(path);
  return parse_npy(file.bytes(), path.string());
}

std::string npy_header(DType dtype, const Shape& shape) {
  std::string dims;
  for (const auto dim : shape) dims += fmt::format("{}, ", dim);
  if (shape.rank() > 1) dims.resize(dims.size() - 2);
  if (shape.rank() == 1) dims.resize(dims.size() - 1);
  auto dict = fmt::format("{{'descr': '{}', 'fortran_order': False, 'shape': ({}), }}",
                          descr_of(dtype), dims);
  const std::size_t fixed = kMagic.size() + 4;
  const auto whole = (fixed + dict.size() + 1 + kAlignment - 1) / kAlignment * kAlignment;
  dict.append(whole - fixed - dict.size() - 1, ' ').push_back('\n');
  const auto length = dict.size();
  std::string header(kMagic);
  header += {'\x01', '\x00', static_cast<char>(length & 0xff), static_cast<char>(length >> 8)};
  return header + dict;
}

void write_npy(const std::filesystem::path& path, const View& tensor) {
  auto text = npy_header(tensor.dtype, tensor.shape);
  text.append(static_cast<const char*>(tensor.data), tensor.size_bytes());
  write_text_atomic(path, text);
}

}  // namespace inferometer

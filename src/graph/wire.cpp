// SPDX-License-Identifier: Apache-2.0
#include "graph/wire.hpp"

#include <bit>
#include <cstring>

#include "graph/text.hpp"

namespace inferometer::graph {

namespace {

template <class T>
T little_endian(const std::byte* from) {
  static_assert(std::endian::native == std::endian::little);
  T value;
  std::memcpy(&value, from, sizeof(T));
  return value;
}

void expect(const WireField& field, WireType type, const char* kind) {
  if (field.type == type) return;
  throw_invalid("{}: field {} should be {} but has wire type {}", field.message->what(),
                field.number, kind, static_cast<int>(field.type));
}

template <class T>
void append_fixed(const WireField& field, WireType single, std::vector<T>& to) {
  if (field.type == single) {
    to.push_back(little_endian<T>(reinterpret_cast<const std::byte*>(&field.scalar)));
    return;
  }
  expect(field, WireType::Bytes, "packed numbers");
  if (field.bytes.size() % sizeof(T) != 0) {
    throw_invalid("{}: field {} holds {} bytes of packed numbers, not a multiple of {}",
                  field.message->what(), field.number, field.bytes.size(), sizeof(T));
  }
  const auto old = to.size();
  to.resize(old + field.bytes.size() / sizeof(T));
  if (!field.bytes.empty()) std::memcpy(&to[old], field.bytes.data(), field.bytes.size());
}

}  // namespace

std::int64_t WireField::integer() const {
  expect(*this, WireType::Varint, "an integer");
  return static_cast<std::int64_t>(scalar);
}

float WireField::real() const {
  expect(*this, WireType::Fixed32, "a float");
  return std::bit_cast<float>(static_cast<std::uint32_t>(scalar));
}

std::string WireField::text() const {
  const auto view = data();
  return {reinterpret_cast<const char*>(view.data()), view.size()};
}

std::span<const std::byte> WireField::data() const {
  expect(*this, WireType::Bytes, "bytes");
  return bytes;
}

WireMessage WireField::child(std::string_view what) const {
  expect(*this, WireType::Bytes, "a message");
  if (message->depth_ + 1 > kMaxMessageDepth) {
    throw_invalid("{}: messages nested deeper than {}", what, kMaxMessageDepth);
  }
  return {bytes, what, message->origin_, message->depth_ + 1};
}

void WireField::append_integers(std::vector<std::int64_t>& to) const {
  if (type == WireType::Varint) {
    to.push_back(static_cast<std::int64_t>(scalar));
    return;
  }
  expect(*this, WireType::Bytes, "packed integers");
  WireMessage packed(bytes, message->what_, message->origin_, message->depth_);
  while (!packed.rest_.empty()) to.push_back(static_cast<std::int64_t>(packed.varint()));
}

void WireField::append_floats(std::vector<float>& to) const {
  append_fixed(*this, WireType::Fixed32, to);
}

void WireField::append_doubles(std::vector<double>& to) const {
  append_fixed(*this, WireType::Fixed64, to);
}

WireMessage::WireMessage(std::span<const std::byte> bytes, std::string_view what)
    : WireMessage(bytes, what, bytes.data(), 0) {}

WireMessage::WireMessage(std::span<const std::byte> bytes, std::string_view what,
                         const std::byte* origin, int depth)
    : rest_(bytes), what_(what), origin_(origin), depth_(depth) {}

std::uint64_t WireMessage::varint() {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < 10; ++i) {
    if (i >= rest_.size()) {
      throw_invalid("{}: the file ends inside a number at byte {}", what_, offset() + i);
    }
    const auto byte = std::to_integer<std::uint64_t>(rest_[i]);
    value |= (byte & 0x7FU) << (7 * i);
    if ((byte & 0x80U) == 0) {
      rest_ = rest_.subspan(i + 1);
      return value;
    }
  }
  throw_invalid("{}: a number at byte {} has more than ten bytes", what_, offset());
}

std::uint64_t WireMessage::fixed(std::size_t size) {
  if (rest_.size() < size) {
    throw_invalid("{}: {} bytes left at byte {} where {} are needed", what_, rest_.size(), offset(),
                  size);
  }
  std::uint64_t value = 0;
  std::memcpy(&value, rest_.data(), size);
  rest_ = rest_.subspan(size);
  return value;
}

bool WireMessage::next(WireField& field) {
  if (rest_.empty()) return false;
  const auto at = offset();
  const auto tag = varint();
  if (tag >> 3 == 0 || tag >> 32 != 0) {
    throw_invalid("{}: no protobuf field starts at byte {}", what_, at);
  }
  field = {static_cast<std::uint32_t>(tag >> 3), static_cast<WireType>(tag & 7U), 0, {}, this};
  switch (field.type) {
    case WireType::Varint:
      field.scalar = varint();
      return true;
    case WireType::Fixed64:
      field.scalar = fixed(8);
      return true;
    case WireType::Fixed32:
      field.scalar = fixed(4);
      return true;
    case WireType::Bytes:
      break;
    default:
      throw_invalid("{}: wire type {} at byte {} is not used by ONNX", what_, tag & 7U, at);
  }
  const auto length = varint();
  if (length > rest_.size()) {
    throw_invalid("{}: field {} at byte {} says {} bytes but {} are left", what_, field.number, at,
                  length, rest_.size());
  }
  field.bytes = rest_.first(length);
  rest_ = rest_.subspan(length);
  return true;
}

void WireWriter::varint(std::uint64_t value) {
  while (value >= 0x80U) {
    buffer_.push_back(static_cast<char>(value | 0x80U));
    value >>= 7;
  }
  buffer_.push_back(static_cast<char>(value));
}

void WireWriter::tag(std::uint32_t field, WireType type) {
  varint(static_cast<std::uint64_t>(field) << 3 | static_cast<std::uint64_t>(type));
}

void WireWriter::integer(std::uint32_t field, std::int64_t value) {
  tag(field, WireType::Varint);
  varint(static_cast<std::uint64_t>(value));
}

void WireWriter::real(std::uint32_t field, float value) {
  tag(field, WireType::Fixed32);
  buffer_.append(reinterpret_cast<const char*>(&value), sizeof value);
}

void WireWriter::bytes_header(std::uint32_t field, std::size_t size) {
  tag(field, WireType::Bytes);
  varint(size);
}

void WireWriter::text(std::uint32_t field, std::string_view value) {
  bytes_header(field, value.size());
  buffer_ += value;
}

void WireWriter::packed_integers(std::uint32_t field, std::span<const std::int64_t> values) {
  WireWriter packed;
  for (const auto value : values) packed.varint(static_cast<std::uint64_t>(value));
  message(field, packed);
}

void WireWriter::packed_floats(std::uint32_t field, std::span<const float> values) {
  text(field, {reinterpret_cast<const char*>(values.data()), values.size_bytes()});
}

}  // namespace inferometer::graph

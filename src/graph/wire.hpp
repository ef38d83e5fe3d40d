// SPDX-License-Identifier: Apache-2.0
// The protobuf wire format: a bounded reader over memory and an appending writer. Knows no schema.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace inferometer::graph {

/// A message may be nested this deep (protobuf's own default).
inline constexpr int kMaxMessageDepth = 100;

enum class WireType : std::uint8_t { Varint = 0, Fixed64 = 1, Bytes = 2, Fixed32 = 5 };

class WireMessage;

/// One field of a message. The accessors throw Error{Invalid} naming message and field when the
/// wire type is another.
struct WireField {
  std::uint32_t number = 0;
  WireType type = WireType::Varint;
  std::uint64_t scalar = 0;          ///< of Varint, Fixed64, Fixed32
  std::span<const std::byte> bytes;  ///< of Bytes
  const WireMessage* message = nullptr;

  std::int64_t integer() const;
  float real() const;
  std::string text() const;
  std::span<const std::byte> data() const;
  WireMessage child(std::string_view what) const;
  /// Repeated numbers, packed or not, appended.
  void append_integers(std::vector<std::int64_t>& to) const;
  void append_floats(std::vector<float>& to) const;
  void append_doubles(std::vector<double>& to) const;
};

/// Walks the fields of one message: `WireField f; while (message.next(f)) switch (f.number) ...`.
/// Every length is compared with the bytes left before it is used; nothing is copied.
class WireMessage {
 public:
  WireMessage(std::span<const std::byte> bytes, std::string_view what);

  /// The next field, or false at the end. Throws Error{Invalid} on a malformed one.
  bool next(WireField& field);

  std::string_view what() const { return what_; }
  int depth() const { return depth_; }
  /// Bytes that are not walked yet.
  std::size_t size() const { return rest_.size(); }

 private:
  friend struct WireField;
  WireMessage(std::span<const std::byte> bytes, std::string_view what, const std::byte* origin,
              int depth);
  std::uint64_t varint();
  std::uint64_t fixed(std::size_t size);
  std::size_t offset() const { return static_cast<std::size_t>(rest_.data() - origin_); }

  std::span<const std::byte> rest_;
  std::string_view what_;
  const std::byte* origin_;  ///< of the outermost message: offsets in errors are the file's
  int depth_ = 0;
};

/// Appends fields to a buffer.
class WireWriter {
 public:
  void integer(std::uint32_t field, std::int64_t value);
  void real(std::uint32_t field, float value);
  void text(std::uint32_t field, std::string_view value);
  void message(std::uint32_t field, const WireWriter& value) { text(field, value.buffer_); }
  /// Only tag and length of a bytes field whose content the caller writes elsewhere.
  void bytes_header(std::uint32_t field, std::size_t size);
  void packed_integers(std::uint32_t field, std::span<const std::int64_t> values);
  void packed_floats(std::uint32_t field, std::span<const float> values);

  const std::string& buffer() const { return buffer_; }

 private:
  void tag(std::uint32_t field, WireType type);
  void varint(std::uint64_t value);

  std::string buffer_;
};

}  // namespace inferometer::graph

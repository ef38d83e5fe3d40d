// SPDX-License-Identifier: Apache-2.0
#include "mutate.hpp"

#include <algorithm>
#include <optional>
#include <span>
#include <vector>

#include "graph/wire.hpp"
#include "inferometer/error.hpp"

namespace inferometer::fuzz {
namespace {

using graph::WireType;
using random_graphs::Random;

/// A field as it stands; `children` when its bytes read as a message.
struct Field {
  std::uint32_t number = 0;
  WireType type = WireType::Varint;
  std::uint64_t scalar = 0;
  std::string bytes;
  std::optional<std::vector<Field>> children;
};

constexpr std::size_t kLargestParsed = 1 << 16;  // weights are data, whatever they look like
constexpr int kDeepest = 20;

std::optional<std::vector<Field>> parse(std::string_view message, int depth) {
  std::vector<Field> fields;
  try {
    graph::WireMessage reader(std::as_bytes(std::span(message.data(), message.size())), "fuzz");
    for (graph::WireField field; reader.next(field);) {
      Field made{field.number, field.type, field.scalar, {}, {}};
      if (field.type == WireType::Bytes) {
        made.bytes.assign(reinterpret_cast<const char*>(field.bytes.data()), field.bytes.size());
        if (depth < kDeepest && made.bytes.size() > 1 && made.bytes.size() < kLargestParsed)
          made.children = parse(made.bytes, depth + 1);
      }
      fields.push_back(std::move(made));
    }
  } catch (const Error&) {
    return std::nullopt;
  }
  return fields;
}

void append_varint(std::string& to, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) to.push_back(static_cast<char>((value & 0x7f) | 0x80));
  to.push_back(static_cast<char>(value));
}

void append_fixed(std::string& to, std::uint64_t value, int bytes) {
  for (int i = 0; i < bytes; ++i) to.push_back(static_cast<char>(value >> (8 * i)));
}

std::string serialised(const std::vector<Field>& fields) {
  std::string text;
  for (const auto& field : fields) {
    append_varint(text, std::uint64_t{field.number} << 3 | static_cast<std::uint64_t>(field.type));
    if (field.type == WireType::Varint) append_varint(text, field.scalar);
    if (field.type == WireType::Fixed64) append_fixed(text, field.scalar, 8);
    if (field.type == WireType::Fixed32) append_fixed(text, field.scalar, 4);
    if (field.type != WireType::Bytes) continue;
    const auto body = field.children ? serialised(*field.children) : field.bytes;
    append_varint(text, body.size());
    text += body;
  }
  return text;
}

std::uint64_t odd_number(Random& random, std::uint64_t before) {
  static const std::vector<std::uint64_t> numbers = {0,          1,
                                                     2,          3,
                                                     7,          8,
                                                     16,         255,
                                                     1U << 16,   (1U << 31) - 1,
                                                     1U << 31,   UINT32_MAX,
                                                     1ULL << 40, 1ULL << 62,
                                                     INT64_MAX,  1ULL << 63,
                                                     UINT64_MAX, UINT64_MAX - 1};
  switch (random.between(0, 3)) {
    case 0:
      return before + 1;
    case 1:
      return before - 1;
    case 2:
      return before * 2;
    default:
      return random.pick(numbers);
  }
}

void mutate_text(std::string& bytes, Random& random) {
  const auto place =
      static_cast<std::size_t>(random.between(0, static_cast<std::int64_t>(bytes.size())));
  switch (random.between(0, 3)) {
    case 0:
      bytes.resize(place);
      break;
    case 1:
      bytes.insert(place, static_cast<std::size_t>(random.between(1, 16)),
                   static_cast<char>(random.between(-128, 127)));
      break;
    case 2:
      bytes += bytes.substr(0, 64);
      break;
    default:
      if (place < bytes.size()) bytes[place] = static_cast<char>(random.between(-128, 127));
  }
}

void mutate_field(Field& field, Random& random) {
  if (field.type == WireType::Bytes) {
    field.children.reset();
    mutate_text(field.bytes, random);
  } else {
    field.scalar = odd_number(random, field.scalar);
  }
}

using Fields = std::vector<Field>;

/// Every list of fields in the tree.
void collect(Fields& fields, std::vector<Fields*>& lists) {
  if (!fields.empty()) lists.push_back(&fields);
  for (auto& field : fields)
    if (field.children) collect(*field.children, lists);
}

void mutate_list(Fields& fields, const Fields& donor, Random& random) {
  const auto last = static_cast<std::int64_t>(fields.size()) - 1;
  const auto at = fields.begin() + random.between(0, last);
  switch (random.between(0, 7)) {
    case 0:
      fields.erase(at);
      break;
    case 1:
      fields.insert(at, *at);
      break;
    case 2:
      std::iter_swap(at, fields.begin() + random.between(0, last));
      break;
    case 3:
      fields.insert(at, random.pick(donor));
      break;
    case 4:
      at->number = static_cast<std::uint32_t>(random.between(1, 24));
      break;
    default:
      mutate_field(*at, random);
  }
}

}  // namespace

std::string mutate(std::string_view message, Random& random) {
  auto fields = parse(message, 0);
  if (!fields || fields->empty()) return std::string(message);
  for (auto changes = random.between(1, 4); changes > 0; --changes) {
    std::vector<Fields*> lists;
    collect(*fields, lists);
    if (lists.empty()) break;
    const Fields donor = *random.pick(lists);
    mutate_list(*random.pick(lists), donor, random);
  }
  return serialised(*fields);
}

}  // namespace inferometer::fuzz

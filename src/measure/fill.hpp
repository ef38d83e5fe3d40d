// SPDX-License-Identifier: Apache-2.0
// How the values of an input are drawn.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "inferometer/model.hpp"  // Port

namespace inferometer::measure {

/// A distribution of independent elements.
struct Fill {
  enum class Kind {
    Usual,    ///< floating-point uniform in [-1, 1), integers in [0, 8), bool even
    Normal,   ///< mean 0, standard deviation 1, within 7; floating-point ports only
    Integers  ///< uniform in [least, most], as whole numbers on floating-point ports
  };
  Kind kind = Kind::Usual;
  std::int64_t least = 0, most = 0;  ///< Integers only, least <= most
  bool operator==(const Fill&) const = default;
};

/// What a fill's text may be, for people.
inline constexpr std::string_view kFillForms =
    ":normal, :int:LEAST..MOST with integers (both included), or :usual";

/// ":normal" or ":int:0..30521"; ":usual" stands for the default. nullopt: none of kFillForms.
std::optional<Fill> parse_fill(std::string_view text);
std::string to_string(const Fill& fill);

/// Throws Error{Invalid} naming port and fill when its dtype cannot hold what would be drawn.
void check_fill(const Port& port, const Fill& fill);

/// Stores element `index` of contiguous memory: what `fill` makes of 64 random bits. The value
/// depends on them, the fill and the dtype alone, bit for bit on every machine.
void store_drawn(const Fill& fill, DType dtype, void* data, std::size_t index,
                 std::uint64_t random);

}  // namespace inferometer::measure

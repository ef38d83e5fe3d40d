// SPDX-License-Identifier: Apache-2.0
#include "process/protocol.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "base/json.hpp"
#include "base/text.hpp"

namespace inferometer::process {

namespace {

constexpr std::array<std::string_view, 16> kKindNames = {
    "hello",   "probe", "load",    "share",   "release", "open_lane", "cancel", "predict",
    "prepare", "block", "explain", "profile", "canary",  "open_loop", "unload", "stop"};
static_assert(kKindNames.size() == static_cast<std::size_t>(kLastKind));

[[noreturn]] void refuse(const std::string& what) {
  throw Error(Status::Invalid, "message refused: " + what);
}

}  // namespace

std::string_view to_string(Kind kind) noexcept {
  const auto index = static_cast<std::size_t>(kind);
  return index >= 1 && index <= kKindNames.size() ? kKindNames[index - 1] : "unknown";
}

void check(const Header& header) {
  if (header.magic != kMagic) refuse(fmt::format("magic {:#010x}", header.magic));
  if (header.version != kVersion)
    refuse(fmt::format("protocol version {}, ours is {}", header.version, kVersion));
  const auto kind = static_cast<std::uint16_t>(header.kind);
  if (kind < 1 || kind > static_cast<std::uint16_t>(kLastKind))
    refuse(fmt::format("unknown kind {}", kind));
  const auto turn = static_cast<std::uint16_t>(header.turn);
  if (turn < 1 || turn > 3) refuse(fmt::format("unknown turn {}", turn));
  if (header.fd_count > kMaxFds) refuse(fmt::format("{} descriptors", header.fd_count));
  if (header.body_bytes > kMaxBody)
    refuse(fmt::format("a body of {} bytes, the limit is {}", header.body_bytes, kMaxBody));
}

WireTensor wire_tensor(std::uint64_t region, std::uint64_t offset, DType dtype,
                       const Shape& shape) {
  WireTensor wire{.region = region,
                  .offset = offset,
                  .dtype = static_cast<std::uint32_t>(dtype),
                  .rank = static_cast<std::uint32_t>(shape.rank())};
  std::copy(shape.begin(), shape.end(), wire.dims.begin());
  return wire;
}

DType dtype_of(const WireTensor& wire) {
  if (wire.dtype > static_cast<std::uint32_t>(DType::Bool))
    refuse(fmt::format("dtype number {}", wire.dtype));
  return static_cast<DType>(wire.dtype);
}

Shape shape_of(const WireTensor& wire) {
  if (wire.rank > kMaxRank) refuse(fmt::format("a tensor of rank {}", wire.rank));
  const Shape shape(std::span(wire.dims.data(), wire.rank));
  shape.elements();  // throws on a negative size or an overflow
  return shape;
}

void BodyReader::take_bytes(void* to, std::size_t size) {
  if (rest_.size() < size)
    refuse(fmt::format("its body ends early ({} of {} bytes)", rest_.size(), size));
  std::memcpy(to, rest_.data(), size);
  rest_.remove_prefix(size);
}

void BodyReader::finish() const {
  if (!rest_.empty()) refuse(fmt::format("{} bytes too many in its body", rest_.size()));
}

std::string failure_body(const Error& error) {
  Json context = Json::object();
  for (const auto& [key, value] : error.context()) context[key] = value;
  const Json body = {{"status", to_string(error.code())},
                     {"message", error.what()},
                     {"context", std::move(context)}};
  // An engine's text may be anything: bytes that aren't UTF-8 are replaced, not refused.
  return body.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Error error_from_body(std::string_view body) {
  const Json json = parse_json(body, "failure message");
  try {
    Error::Context context;
    for (const auto& [key, value] : json.at("context").items())
      context.emplace(key, value.get<std::string>());
    const Status status = parse_status(json.at("status").get<std::string>());
    if (status == Status::Ok || status == Status::Skipped) refuse("a failure without a failure");
    return {status, json.at("message").get<std::string>(), std::move(context)};
  } catch (const nlohmann::json::exception& bad) {
    refuse(std::string("malformed failure: ") + bad.what());
  }
}

}  // namespace inferometer::process

// SPDX-License-Identifier: Apache-2.0
// What a worker and its parent say to each other.
//
// Transport. A worker inherits one end of a Unix stream socket pair. Each such pair is a lane: the
// parent sends a request, the worker sends exactly one answer or failure with the same sequence
// number, strictly in turn. More lanes are opened by OpenLane, so that several threads may predict
// at once; every request may come on any lane. Both sides block in poll (a parent that
// predicts looks for 50 us first).
//
// Frame. A Header, then `body_bytes` bytes. Numbers are the machine's own, both ends being one
// machine. File descriptors travel with the header's first byte (SCM_RIGHTS). A receiver refuses
// wrong magic, another version, an unknown kind, a body above kMaxBody, more than kMaxFds
// descriptors, and bytes beyond the frame; the peer then counts as crashed.
//
// Tensors never cross the socket. They lie in regions: memfd pages sealed against shrinking that
// the parent shares once (Share) and then names by number, so that a prediction costs one small
// message each way. Outputs whose shapes depend on the data come back as one new region with the
// answer.
//
// Bodies. Predict, Block, OpenLoop and Prepare are packed structs, below; the rest is JSON text:
//   Hello    {"version":n}                       -> {"version":n,"pid":n}
//   Probe    {"engine":s,"library":s}            -> EngineStatus
//   Load     {"path":s,"params":{},"hashes":[]}  -> {"info":Info,"load_ns":n}
//   Share    [{"id":n,"size":n,"writable":b}], a descriptor for each         -> {}
//   Release  [id]                                -> {}
//   OpenLane {"lane":n}, one descriptor          -> {}
//   Cancel   {"lane":n,"sequence":n}: stops that prediction, if it has not ended -> {}
//   Explain, Profile {}                          -> the engine's JSON text, maybe empty
//   Canary   as measure defines it               -> the same
//   Unload   {}: drops the model; another may be loaded -> {}
//   Stop     {}                                  -> {}, then the worker ends with exit code 0
// A failure's body is {"status":word,"message":s,"context":{}}.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "inferometer/error.hpp"
#include "inferometer/tensor.hpp"
#include "process/unique_fd.hpp"

namespace inferometer::process {

inline constexpr std::uint32_t kMagic = 0x314d4649;  // "IFM1"
inline constexpr std::uint16_t kVersion = 3;
inline constexpr std::uint64_t kMaxBody = 64u << 20;
inline constexpr std::uint16_t kMaxFds = 16;
/// Tensors in one Predict or Prepare.
inline constexpr std::uint32_t kMaxTensors = 4096;
inline constexpr std::int64_t kMaxBlockBatches = 4'000'000;
inline constexpr std::size_t kMaxArrivals = 1'000'000;
inline constexpr std::int64_t kMaxArrivalNs = 1'000'000'000'000'000;  // eleven days

enum class Kind : std::uint16_t {
  Hello = 1,
  Probe,
  Load,
  Share,
  Release,
  OpenLane,
  Cancel,
  Predict,
  Prepare,
  Block,
  Explain,
  Profile,
  Canary,
  OpenLoop,
  Unload,
  Stop,
};
inline constexpr Kind kLastKind = Kind::Stop;
std::string_view to_string(Kind kind) noexcept;

enum class Turn : std::uint16_t { Request = 1, Answer = 2, Failure = 3 };

struct Header {
  std::uint32_t magic = kMagic;
  std::uint16_t version = kVersion;
  Kind kind = Kind::Hello;
  Turn turn = Turn::Request;
  std::uint16_t fd_count = 0;
  std::uint32_t sequence = 0;
  std::uint64_t body_bytes = 0;
};
static_assert(sizeof(Header) == 24 && std::is_trivially_copyable_v<Header>);

/// Throws Error{Invalid} naming the field that no honest peer would send.
void check(const Header& header);

struct Message {
  Kind kind = Kind::Hello;
  Turn turn = Turn::Request;
  std::uint32_t sequence = 0;
  std::string body;
  std::vector<UniqueFd> fds;
};

/// A tensor in a region.
struct WireTensor {
  std::uint64_t region = 0;
  std::uint64_t offset = 0;
  std::uint32_t dtype = 0;
  std::uint32_t rank = 0;
  std::array<std::int64_t, kMaxRank> dims{};
};
static_assert(sizeof(WireTensor) == 24 + 8 * kMaxRank);

WireTensor wire_tensor(std::uint64_t region, std::uint64_t offset, DType dtype, const Shape& shape);
/// Throws Error{Invalid} on an unknown dtype, too many axes, a negative size, an overflow.
DType dtype_of(const WireTensor& wire);
Shape shape_of(const WireTensor& wire);

/// Body of Predict and Prepare: this, then the inputs, then the outputs. Without outputs a
/// Predict's answer is a PredictAnswer and the outputs, which lie in the region sent with it;
/// otherwise the answer is empty.
struct TensorLists {
  std::uint32_t inputs = 0;
  std::uint32_t outputs = 0;
};
struct PredictAnswer {
  std::uint64_t region_bytes = 0;
  std::uint64_t outputs = 0;
};

/// Body of Block, and of its answer, which `timings` int64 nanoseconds follow.
struct BlockRequest {
  std::int64_t batches = 0;
  std::uint64_t poison = 0;
};
struct BlockAnswer {
  std::int64_t wall_ns = 0;
  std::int64_t cpu_ns = 0;
  std::int64_t samples = 0;
  std::uint64_t timings = 0;
};

/// Body of OpenLoop, which `arrivals` int64 nanoseconds follow, ascending; and of its answer, which
/// the start and end of each of the first `served` arrivals follow, as int64 nanoseconds.
struct OpenLoopRequest {
  std::uint64_t arrivals = 0;
  std::int64_t give_up_ns = 0;
  std::uint64_t most_over = 0;
};
struct OpenLoopAnswer {
  std::int64_t cpu_ns = 0;
  std::uint64_t served = 0;
};

template <class T>
void append(std::string& body, const T& value) {
  static_assert(std::is_trivially_copyable_v<T>);
  body.append(reinterpret_cast<const char*>(&value), sizeof value);
}

/// Reads packed structs off a body's front.
class BodyReader {
 public:
  explicit BodyReader(std::string_view body) : rest_(body) {}
  /// Throws Error{Invalid} when the body ends inside the value.
  template <class T>
  T take() {
    static_assert(std::is_trivially_copyable_v<T>);
    T value;
    take_bytes(&value, sizeof value);
    return value;
  }
  /// Throws Error{Invalid} when bytes are left.
  void finish() const;

 private:
  void take_bytes(void* to, std::size_t size);
  std::string_view rest_;
};

/// An Error to the body of a failure, and back. A body that isn't one: Error{Invalid}.
std::string failure_body(const Error& error);
Error error_from_body(std::string_view body);

}  // namespace inferometer::process

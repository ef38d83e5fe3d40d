// SPDX-License-Identifier: Apache-2.0
#include "core/hash.hpp"

#include <fmt/format.h>

#include <atomic>
#include <fstream>
#include <map>
#include <mutex>
#include <vector>

#include "base/file.hpp"
#include "graph/onnx.hpp"
#include "inferometer/error.hpp"

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace inferometer::core {
namespace {

// The other files that a model is made of. Throws Error{Unsupported} for ONNX that our reader
// doesn't take.
std::vector<std::filesystem::path> companions(const std::filesystem::path& path) {
  if (path.extension() == ".onnx") {
    const auto external = graph::read_onnx(path).external_files;
    return {external.begin(), external.end()};
  }
  if (path.extension() == ".xml") {  // OpenVINO IR: the weights lie beside it
    auto weights = path;
    weights.replace_extension(".bin");
    if (std::filesystem::exists(weights)) return {weights};
  }
  return {};
}

}  // namespace

struct Hasher::State {
  XXH3_state_t xxh;
};

Hasher::Hasher() : state_(std::make_unique<State>()) {
  XXH3_128bits_reset(&state_->xxh);
}
Hasher::~Hasher() = default;

void Hasher::feed(std::span<const std::byte> bytes) {
  XXH3_128bits_update(&state_->xxh, bytes.data(), bytes.size());
}

void Hasher::feed(std::string_view text) {
  const std::uint64_t length = text.size();
  feed(std::as_bytes(std::span(&length, 1)));
  feed(std::as_bytes(std::span(text)));
}

std::string Hasher::hex() const {
  const XXH128_hash_t hash = XXH3_128bits_digest(&state_->xxh);
  return fmt::format("{:016x}{:016x}", hash.high64, hash.low64);
}

namespace {

std::atomic<std::int64_t> hashing_ns{0};

// Counts while it lives, once where one hash asks for others.
class HashingTimer {
 public:
  HashingTimer() { ++depth_; }
  ~HashingTimer() {
    if (--depth_ == 0)
      hashing_ns += (std::chrono::steady_clock::now() - start_) / std::chrono::nanoseconds(1);
  }
  HashingTimer(const HashingTimer&) = delete;
  HashingTimer& operator=(const HashingTimer&) = delete;

 private:
  inline static thread_local int depth_ = 0;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

struct Memory {
  std::mutex mutex;
  std::map<FileIdentity, std::string> known;
  static Memory& of_this_process() {
    static Memory memory;
    return memory;
  }
};

// Read, not mapped: the pages of a mapping would count in the peak of a load.
std::string hash_of_content(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::vector<char> piece(1 << 20);
  Hasher hasher;
  while (file.read(piece.data(), static_cast<std::streamsize>(piece.size())) || file.gcount() > 0)
    hasher.feed(std::as_bytes(std::span(piece.data(), static_cast<std::size_t>(file.gcount()))));
  if (!file.eof() || file.bad())
    throw Error(Status::Invalid, fmt::format("{}: it can't be read", path.string()),
                {{"path", path.string()}});
  return hasher.hex();
}

}  // namespace

std::chrono::nanoseconds hashing_time() noexcept {
  return std::chrono::nanoseconds(hashing_ns.load());
}

std::string file_hash(const std::filesystem::path& path) {
  const HashingTimer timer;
  auto& memory = Memory::of_this_process();
  const FileIdentity identity = identity_of(path);
  {
    const std::lock_guard lock(memory.mutex);
    const auto found = memory.known.find(identity);
    if (found != memory.known.end()) return found->second;
  }
  const auto hash = hash_of_content(path);
  const std::lock_guard lock(memory.mutex);
  return memory.known[identity] = hash;
}

Json remembered_hashes() {
  auto& memory = Memory::of_this_process();
  const std::lock_guard lock(memory.mutex);
  auto list = Json::array();
  for (const auto& [file, hash] : memory.known)
    list.push_back({file.device, file.inode, file.size, file.modified_ns, hash});
  return list;
}

void remember_hashes(const Json& hashes) {
  auto& memory = Memory::of_this_process();
  const std::lock_guard lock(memory.mutex);
  try {
    for (const auto& each : hashes)
      memory.known.emplace(FileIdentity{each.at(0), each.at(1), each.at(2), each.at(3)},
                           each.at(4));
  } catch (const nlohmann::json::exception& bad) {
    throw Error(Status::Invalid, fmt::format("hashes of files: {}", bad.what()));
  }
}

ModelHash model_hash(const std::filesystem::path& path) {
  const HashingTimer timer;
  ModelHash hash{.files = {path}};
  Hasher hasher;
  hasher.feed(file_hash(path));
  try {
    for (const auto& file : companions(path)) {
      hasher.feed(file_hash(file));
      hash.files.push_back(file);
    }
  } catch (const Error& error) {
    if (error.code() != Status::Unsupported) throw;
    hash.left_out = error.what();
  }
  hash.hex = hasher.hex();
  return hash;
}

}  // namespace inferometer::core

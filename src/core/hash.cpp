// SPDX-License-Identifier: Apache-2.0
#include "core/hash.hpp"

#include <fmt/format.h>

#include <map>
#include <mutex>

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

std::string file_hash(const std::filesystem::path& path) {
  static std::mutex mutex;
  static std::map<FileIdentity, std::string> known;
  const FileIdentity identity = identity_of(path);
  {
    const std::lock_guard lock(mutex);
    if (const auto found = known.find(identity); found != known.end()) return found->second;
  }
  Hasher hasher;
  hasher.feed(MappedFile(path).bytes());
  const std::lock_guard lock(mutex);
  return known[identity] = hasher.hex();
}

ModelHash model_hash(const std::filesystem::path& path) {
  ModelHash hash;
  Hasher hasher;
  hasher.feed(file_hash(path));
  try {
    for (const auto& file : companions(path)) hasher.feed(file_hash(file));
  } catch (const Error& error) {
    if (error.code() != Status::Unsupported) throw;
    hash.left_out = error.what();
  }
  hash.hex = hasher.hex();
  return hash;
}

}  // namespace inferometer::core

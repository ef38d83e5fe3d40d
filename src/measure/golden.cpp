// SPDX-License-Identifier: Apache-2.0
#include "measure/golden.hpp"

#include <fmt/format.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <cstring>
#include <limits>

#include "base/file.hpp"
#include "base/json.hpp"
#include "base/text.hpp"
#include "inferometer/error.hpp"

namespace inferometer::measure {
namespace {

// Magic, length of the header in 8 bytes, header (JSON), then the outputs' bytes one after another.
constexpr std::string_view kMagic = "INFEROMETER GOLDEN 1\n";
constexpr std::size_t kHeaderLimit = 1u << 20;
constexpr std::size_t kOutputLimit = 1024;

Json to_json(const GoldenKey& key) {
  return {{"model_hash", key.model_hash},
          {"source", key.source},
          {"params", key.params},
          {"seed", key.seed}};
}

Json header_of(const GoldenFile& golden) {
  auto header = to_json(golden.key);
  header["rows"] = golden.rows;
  header["outputs"] = Json::array();
  for (const auto& output : golden.outputs) {
    const auto dims = output.shape().dims();
    header["outputs"].push_back({{"dtype", to_string(output.dtype())},
                                 {"shape", std::vector<std::int64_t>(dims.begin(), dims.end())}});
  }
  return header;
}

class Reader {
 public:
  Reader(std::span<const std::byte> bytes, std::string path)
      : rest_(bytes), path_(std::move(path)) {}

  GoldenFile read() {
    const auto magic = take(kMagic.size());
    if (std::memcmp(magic.data(), kMagic.data(), kMagic.size()) != 0)
      refuse("another kind of file");
    std::uint64_t length = 0;
    std::memcpy(&length, take(sizeof length).data(), sizeof length);
    if (length > kHeaderLimit) refuse("its header is too long");
    const auto text = take(static_cast<std::size_t>(length));
    try {
      return read_body(
          parse_json({reinterpret_cast<const char*>(text.data()), text.size()}, path_));
    } catch (const Json::exception& problem) {
      refuse(problem.what());
    }
  }

 private:
  [[noreturn]] void refuse(std::string_view why) const {
    throw Error(Status::Invalid,
                fmt::format("{}: not a golden file of ours: {}; delete it to have it made again",
                            path_, printable(why)),
                {{"path", path_}});
  }
  std::span<const std::byte> take(std::size_t size) {
    if (size > rest_.size()) refuse("it ends too early");
    const auto part = rest_.first(size);
    rest_ = rest_.subspan(size);
    return part;
  }
  GoldenFile read_body(const Json& header) {
    GoldenFile golden;
    golden.key = {header.at("model_hash").get<std::string>(),
                  header.at("source").get<std::string>(), header.at("params").get<std::string>(),
                  header.at("seed").get<std::uint64_t>()};
    golden.rows = header.at("rows").get<std::int64_t>();
    const auto& outputs = header.at("outputs");
    if (!outputs.is_array() || outputs.size() > kOutputLimit) refuse("too many outputs");
    for (const auto& each : outputs) golden.outputs.push_back(read_output(each));
    if (!rest_.empty()) refuse("bytes after its last output");
    return golden;
  }
  Tensor read_output(const Json& described) {
    const auto dtype = parse_dtype(described.at("dtype").get<std::string>());
    const auto dims = described.at("shape").get<std::vector<std::int64_t>>();
    const Shape shape{std::span<const std::int64_t>(dims)};
    const auto elements = static_cast<std::uint64_t>(shape.elements());
    if (elements > rest_.size() / size_bytes(dtype)) refuse("it ends too early");
    const auto data = take(static_cast<std::size_t>(elements) * size_bytes(dtype));
    Tensor tensor(dtype, shape);
    if (!data.empty()) std::memcpy(tensor.data(), data.data(), data.size());
    return tensor;
  }

  std::span<const std::byte> rest_;
  std::string path_;
};

}  // namespace

std::string golden_name(const GoldenKey& key) {
  const auto text = to_json(key).dump();
  const auto hash = XXH3_128bits(text.data(), text.size());
  return fmt::format("golden-{:016x}{:016x}.bin", hash.high64, hash.low64);
}

void write_golden(const std::filesystem::path& path, const GoldenFile& golden) {
  const auto header = header_of(golden).dump();
  const std::uint64_t length = header.size();
  std::string text(kMagic);
  text.append(reinterpret_cast<const char*>(&length), sizeof length).append(header);
  for (const auto& output : golden.outputs)
    text.append(static_cast<const char*>(output.data()), output.view().size_bytes());
  write_text_atomic(path, text);
}

GoldenFile read_golden(const std::filesystem::path& path) {
  const MappedFile file(path);
  return Reader(file.bytes(), path.string()).read();
}

}  // namespace inferometer::measure

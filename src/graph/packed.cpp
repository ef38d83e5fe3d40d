// SPDX-License-Identifier: Apache-2.0
// The file: kMagic, the length of a description as 8 bytes, the description, then each tensor at
// the next multiple of 64. The description says where every tensor is, so that a file made for
// others can't be taken for it.
#include "graph/packed.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>

#include "base/file.hpp"
#include "base/text.hpp"
#include "graph/sizes.hpp"
#include "graph/text.hpp"

namespace inferometer::graph {
namespace {

constexpr std::string_view kMagic = "inferometer packed 1";

std::size_t bytes_of(const PackedTensor& tensor) {
  const auto elements = checked_product(tensor.shape);
  const auto bytes =
      elements ? checked_mul(*elements, static_cast<std::int64_t>(size_bytes(tensor.dtype)))
               : std::nullopt;
  if (!bytes) {
    throw_invalid("packed tensor '{}': the bytes of shape {} overflow", printable(tensor.name),
                  shape_text(tensor.shape));
  }
  return static_cast<std::size_t>(*bytes);
}

std::size_t rounded_up(std::size_t at) {
  return (at + kPackedAlignment - 1) / kPackedAlignment * kPackedAlignment;
}

struct Plan {
  std::string head;  ///< everything before the first tensor
  std::vector<std::size_t> offsets;
  std::size_t total = 0;
};

Plan plan_file(std::span<const PackedTensor> tensors) {
  std::string description;
  for (const auto& tensor : tensors)
    description +=
        fmt::format("{} {} {}\n", to_string(tensor.dtype), shape_text(tensor.shape), tensor.name);
  Plan plan;
  plan.head = fmt::format("{} {}\n{}", kMagic, description.size(), description);
  plan.total = plan.head.size();
  for (const auto& tensor : tensors) {
    plan.offsets.push_back(rounded_up(plan.total));
    plan.total = plan.offsets.back() + bytes_of(tensor);
  }
  return plan;
}

Constant constant_at(const PackedTensor& tensor, const std::byte* data,
                     std::shared_ptr<const void> owner) {
  return {tensor.dtype, tensor.shape, {data, bytes_of(tensor)}, std::move(owner)};
}

Tensor filled(const PackedTensor& tensor) {
  Tensor memory(tensor.dtype, Shape(std::span<const std::int64_t>(tensor.shape)));
  if (const auto bytes = bytes_of(tensor); bytes > 0)
    tensor.fill({static_cast<std::byte*>(memory.data()), bytes});
  return memory;
}

}  // namespace

void write_packed(const std::filesystem::path& path, std::span<const PackedTensor> tensors) {
  const auto plan = plan_file(tensors);
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  if (!file) throw_invalid("{}: it can't be written", path.string());
  file.write(plan.head.data(), static_cast<std::streamsize>(plan.head.size()));
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    const auto memory = filled(tensors[i]);
    // A seek past the end leaves zeros between.
    file.seekp(static_cast<std::streamoff>(plan.offsets[i]));
    file.write(static_cast<const char*>(memory.data()),
               static_cast<std::streamsize>(bytes_of(tensors[i])));
  }
  file.close();
  // An empty tensor at the end wrote nothing where it begins.
  std::error_code error;
  if (file) std::filesystem::resize_file(path, plan.total, error);
  if (!file || error) throw_invalid("{}: it can't be written", path.string());
}

std::vector<Constant> map_packed(const std::filesystem::path& path,
                                 std::span<const PackedTensor> tensors) {
  const auto plan = plan_file(tensors);
  const auto file = std::make_shared<MappedFile>(path);
  const auto bytes = file->bytes();
  if (bytes.size() != plan.total ||
      !std::ranges::equal(bytes.first(plan.head.size()), std::as_bytes(std::span(plan.head)))) {
    throw_invalid("{}: it doesn't hold the packed weights asked for; delete it", path.string());
  }
  std::vector<Constant> constants;
  for (std::size_t i = 0; i < tensors.size(); ++i)
    constants.push_back(constant_at(tensors[i], bytes.data() + plan.offsets[i], file));
  return constants;
}

std::vector<Constant> pack_in_memory(std::span<const PackedTensor> tensors) {
  std::vector<Constant> constants;
  for (const auto& tensor : tensors) {
    const auto memory = filled(tensor);
    constants.push_back(
        constant_at(tensor, static_cast<const std::byte*>(memory.data()), memory.owner()));
  }
  return constants;
}

}  // namespace inferometer::graph

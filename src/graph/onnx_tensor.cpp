// SPDX-License-Identifier: Apache-2.0
#include "graph/onnx_tensor.hpp"

#include <algorithm>
#include <charconv>
#include <cstring>

#include "base/text.hpp"
#include "graph/elements.hpp"
#include "graph/onnx_types.hpp"
#include "graph/sizes.hpp"
#include "graph/text.hpp"

namespace inferometer::graph {

namespace {

constexpr std::int64_t kMaxDenseBytes = 256LL << 20;

/// TensorProto as it stands in the file.
struct RawTensor {
  std::string name;
  std::vector<std::int64_t> dims;
  std::int64_t type = 0;
  std::optional<std::span<const std::byte>> raw;
  std::vector<WireField> typed;  ///< the *_data fields, converted only if they are needed
  std::map<std::string, std::string> external;
  bool is_external = false;
};

std::pair<std::string, std::string> read_entry(WireMessage message) {
  std::pair<std::string, std::string> entry;
  WireField field;
  while (message.next(field)) {
    if (field.number == entry_field::Key) entry.first = field.text();
    if (field.number == entry_field::Value) entry.second = field.text();
  }
  return entry;
}

RawTensor read_raw_tensor(WireMessage& message) {
  RawTensor tensor;
  WireField field;
  while (message.next(field)) {
    switch (field.number) {
      case tensor_field::Dims:
        field.append_integers(tensor.dims);
        break;
      case tensor_field::Type:
        tensor.type = field.integer();
        break;
      case tensor_field::Name:
        tensor.name = field.text();
        break;
      case tensor_field::Raw:
        tensor.raw = field.data();
        break;
      case tensor_field::Floats:
      case tensor_field::Int32s:
      case tensor_field::Int64s:
      case tensor_field::Doubles:
      case tensor_field::Uint64s:
        tensor.typed.push_back(field);
        break;
      case tensor_field::External:
        tensor.external.insert(read_entry(field.child("external data entry")));
        break;
      case tensor_field::Location:
        tensor.is_external = field.integer() == 1;
        break;
      case tensor_field::Segment:
        throw_unsupported("tensor {}: stored in segments", printable(tensor.name));
      default:
        break;
    }
  }
  return tensor;
}

DType checked_dtype(const RawTensor& tensor) {
  if (const auto dtype = dtype_of_onnx(tensor.type)) return *dtype;
  const auto name = onnx_type_name(tensor.type);
  if (name.empty()) {
    throw_invalid("tensor {}: element type {} doesn't exist", printable(tensor.name), tensor.type);
  }
  throw_unsupported("tensor {}: element type {}", printable(tensor.name), name);
}

std::size_t checked_bytes(const RawTensor& tensor, DType dtype) {
  const auto elements = checked_product(tensor.dims);
  const auto bytes = elements ? checked_mul(*elements, static_cast<std::int64_t>(size_bytes(dtype)))
                              : std::nullopt;
  if (!bytes) {
    throw_invalid("tensor {}: shape {} is negative or overflows", printable(tensor.name),
                  shape_text(tensor.dims));
  }
  return static_cast<std::size_t>(*bytes);
}

void expect_bytes(const RawTensor& tensor, DType dtype, std::size_t expected, std::size_t given) {
  if (expected == given) return;
  throw_invalid("tensor {}: shape {} of {} needs {} bytes but {} are given", printable(tensor.name),
                shape_text(tensor.dims), to_string(dtype), expected, given);
}

template <class T>
Constant converted(const RawTensor& tensor, DType dtype, const std::vector<T>& values) {
  const auto size = size_bytes(dtype);
  expect_bytes(tensor, dtype, checked_bytes(tensor, dtype), values.size() * size);
  auto memory = std::make_shared<std::vector<std::byte>>(values.size() * size);
  // The two half formats come as their bits.
  const auto as = dtype == DType::F16 || dtype == DType::BF16 ? DType::U16 : dtype;
  visit_elements(as, [&](auto codec) {
    for (std::size_t i = 0; i < values.size(); ++i) {
      codec.store(*memory, i, static_cast<decltype(codec)::Type>(values[i]));
    }
  });
  return {dtype, tensor.dims, *memory, memory};
}

bool field_suits(std::uint32_t field, DType dtype) {
  switch (dtype) {
    case DType::F32:
      return field == tensor_field::Floats;
    case DType::F64:
      return field == tensor_field::Doubles;
    case DType::I64:
      return field == tensor_field::Int64s;
    case DType::U32:
    case DType::U64:
      return field == tensor_field::Uint64s;
    default:
      return field == tensor_field::Int32s;
  }
}

Constant typed_data(const RawTensor& tensor, DType dtype) {
  std::vector<float> floats;
  std::vector<double> doubles;
  std::vector<std::int64_t> integers;
  for (const auto& field : tensor.typed) {
    if (!field_suits(field.number, dtype)) {
      throw_invalid("tensor {}: data of {} stands in field {}", printable(tensor.name),
                    to_string(dtype), field.number);
    }
    if (dtype == DType::F32)
      field.append_floats(floats);
    else if (dtype == DType::F64)
      field.append_doubles(doubles);
    else
      field.append_integers(integers);
  }
  if (dtype == DType::F32) return converted(tensor, dtype, floats);
  if (dtype == DType::F64) return converted(tensor, dtype, doubles);
  return converted(tensor, dtype, integers);
}

std::optional<std::uint64_t> external_number(const RawTensor& tensor, const std::string& key) {
  const auto found = tensor.external.find(key);
  if (found == tensor.external.end()) return std::nullopt;
  const auto& text = found->second;
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) {
    throw_invalid("tensor {}: external {} '{}' is not a number >= 0", printable(tensor.name), key,
                  printable(text));
  }
  return value;
}

Constant external_data(const RawTensor& tensor, DType dtype, ExternalData& external) {
  const auto location = tensor.external.find("location");
  if (location == tensor.external.end()) {
    throw_invalid("tensor {}: external data without a location", printable(tensor.name));
  }
  const auto needed = checked_bytes(tensor, dtype);
  const auto buffer = external.find(location->second, tensor.name);
  const auto offset = external_number(tensor, "offset").value_or(0);
  const auto length = external_number(tensor, "length").value_or(needed);
  if (offset > buffer.bytes.size() || length > buffer.bytes.size() - offset) {
    throw_invalid("tensor {}: external data at {}+{} ends behind '{}' of {} bytes",
                  printable(tensor.name), offset, length, printable(location->second),
                  buffer.bytes.size());
  }
  expect_bytes(tensor, dtype, needed, length);
  return {dtype, tensor.dims, buffer.bytes.subspan(offset, length), buffer.owner};
}

/// Flat element index of each sparse value: indices are [nnz] or [nnz, rank].
std::vector<std::int64_t> flat_indices(const Constant& indices, std::span<const std::int64_t> dims,
                                       const std::string& name) {
  const auto numbers = as_integers(indices);
  const auto rank = indices.shape.size() == 2 ? dims.size() : std::size_t{1};
  std::vector<std::int64_t> flat;
  const auto total = checked_product(dims).value_or(0);
  for (std::size_t i = 0; rank > 0 && i + rank <= numbers.size(); i += rank) {
    std::int64_t index = rank == 1 && indices.shape.size() == 1 ? numbers[i] : 0;
    for (std::size_t k = 0; indices.shape.size() == 2 && k < rank; ++k) {
      if (numbers[i + k] < 0 || numbers[i + k] >= dims[k]) index = -1;
      if (index < 0) break;
      index = index * dims[k] + numbers[i + k];
    }
    if (index < 0 || index >= total) {
      throw_invalid("sparse tensor {}: an index lies outside {}", printable(name),
                    shape_text(dims));
    }
    flat.push_back(index);
  }
  return flat;
}

}  // namespace

ExternalData::ExternalData(const std::map<std::string, std::span<const std::byte>>& buffers) {
  for (const auto& [location, bytes] : buffers) buffers_[location] = {bytes, nullptr};
}

ExternalData::Buffer ExternalData::find(const std::string& location, const std::string& tensor) {
  const auto known = buffers_.find(location);
  if (known != buffers_.end()) return known->second;
  if (!folder_) {
    throw_invalid("tensor {}: external data '{}' was not given with the model", printable(tensor),
                  printable(location));
  }
  const auto path = checked_path(location, tensor);
  auto& mapped = mapped_[path];
  if (!mapped.owner) {
    const auto file = std::make_shared<MappedFile>(path);
    mapped = {file->bytes(), file};
  }
  return buffers_[location] = mapped;
}

std::vector<std::filesystem::path> ExternalData::files() const {
  std::vector<std::filesystem::path> paths;
  for (const auto& [path, buffer] : mapped_) paths.push_back(path);
  return paths;
}

std::filesystem::path ExternalData::checked_path(const std::string& location,
                                                 const std::string& tensor) const {
  namespace fs = std::filesystem;
  const fs::path relative(location);
  if (location.empty() || relative.is_absolute() || location.find('\0') != std::string::npos) {
    throw_invalid("tensor {}: external data must be a file below the model's folder, not '{}'",
                  printable(tensor), printable(location));
  }
  std::error_code error;
  const auto folder = fs::canonical(*folder_, error);
  const auto file = error ? fs::path() : fs::canonical(folder / relative, error);
  if (error) {
    throw_invalid("tensor {}: external data '{}' isn't in {}", printable(tensor),
                  printable(location), folder_->string());
  }
  // Compared after symbolic links are resolved: a link must not lead out either.
  const auto mismatch = std::mismatch(folder.begin(), folder.end(), file.begin(), file.end());
  if (mismatch.first != folder.end()) {
    throw_invalid("tensor {}: external data '{}' leads out of the model's folder {}",
                  printable(tensor), printable(location), folder.string());
  }
  return file;
}

NamedConstant read_tensor(WireMessage message, const std::shared_ptr<const void>& owner,
                          ExternalData& external) {
  auto tensor = read_raw_tensor(message);
  const auto dtype = checked_dtype(tensor);
  if (tensor.is_external) return {tensor.name, external_data(tensor, dtype, external)};
  if (!tensor.raw) return {tensor.name, typed_data(tensor, dtype)};
  expect_bytes(tensor, dtype, checked_bytes(tensor, dtype), tensor.raw->size());
  return {tensor.name, {dtype, tensor.dims, *tensor.raw, owner}};
}

NamedConstant read_sparse_tensor(WireMessage message, const std::shared_ptr<const void>& owner,
                                 ExternalData& external) {
  NamedConstant values, indices;
  std::vector<std::int64_t> dims;
  WireField field;
  while (message.next(field)) {
    if (field.number == sparse_field::Values) {
      values = read_tensor(field.child("sparse values"), owner, external);
    } else if (field.number == sparse_field::Indices) {
      indices = read_tensor(field.child("sparse indices"), owner, external);
    } else if (field.number == sparse_field::Dims) {
      field.append_integers(dims);
    }
  }
  const auto element = static_cast<std::int64_t>(size_bytes(values.constant.dtype));
  const auto elements = checked_product(dims);
  if (!elements || *elements > kMaxDenseBytes / element) {
    throw_invalid("sparse tensor {}: shape {} is negative or above {} bytes",
                  printable(values.name), shape_text(dims), kMaxDenseBytes);
  }
  const auto flat = flat_indices(indices.constant, dims, values.name);
  if (static_cast<std::int64_t>(flat.size()) != values.constant.elements()) {
    throw_invalid("sparse tensor {}: {} indices for {} values", printable(values.name), flat.size(),
                  values.constant.elements());
  }
  auto memory =
      std::make_shared<std::vector<std::byte>>(static_cast<std::size_t>(*elements * element));
  for (std::size_t i = 0; i < flat.size(); ++i) {
    std::memcpy(memory->data() + flat[i] * element,
                values.constant.bytes.data() + i * static_cast<std::size_t>(element),
                static_cast<std::size_t>(element));
  }
  return {values.name, {values.constant.dtype, dims, *memory, memory}};
}

}  // namespace inferometer::graph

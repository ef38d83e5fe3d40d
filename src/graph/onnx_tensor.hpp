// SPDX-License-Identifier: Apache-2.0
// TensorProto to Constant, its data inline or in other files.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "base/file.hpp"
#include "graph/graph.hpp"
#include "graph/wire.hpp"

namespace inferometer::graph {

/// Where external data comes from: files below a folder, or buffers given by their location.
class ExternalData {
 public:
  struct Buffer {
    std::span<const std::byte> bytes;
    std::shared_ptr<const void> owner;
  };

  ExternalData() = default;
  explicit ExternalData(std::filesystem::path folder) : folder_(std::move(folder)) {}
  explicit ExternalData(const std::map<std::string, std::span<const std::byte>>& buffers);

  /// Throws Error{Invalid} naming `tensor` when the location leaves the folder or isn't there.
  Buffer find(const std::string& location, const std::string& tensor);
  /// Canonical paths of the files that were mapped, each once.
  std::vector<std::filesystem::path> files() const;

 private:
  std::filesystem::path checked_path(const std::string& location, const std::string& tensor) const;

  std::optional<std::filesystem::path> folder_;
  std::map<std::string, Buffer> buffers_;           ///< by location
  std::map<std::filesystem::path, Buffer> mapped_;  ///< several locations may name one file
};

struct NamedConstant {
  std::string name;
  Constant constant;
};

/// `owner` keeps the message's memory alive. Throws Error{Invalid} naming the tensor.
NamedConstant read_tensor(WireMessage message, const std::shared_ptr<const void>& owner,
                          ExternalData& external);
/// A SparseTensorProto made dense; its name is that of its values.
NamedConstant read_sparse_tensor(WireMessage message, const std::shared_ptr<const void>& owner,
                                 ExternalData& external);

}  // namespace inferometer::graph

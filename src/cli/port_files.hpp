// SPDX-License-Identifier: Apache-2.0
// Which .npy file, or which fill, belongs to which port.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "campaign/inputs.hpp"
#include "cli/arguments.hpp"
#include "inferometer/model.hpp"

namespace inferometer::cli {

/// For every port its file, in port order; nullopt: none was given. A nameless file is the port's
/// when there is only one. Throws UsageError listing the ports for a name that isn't one, a
/// nameless file with several ports, and a port given twice.
std::vector<std::optional<std::string>> files_of_ports(std::string_view option,
                                                       std::span<const Port> ports,
                                                       const std::vector<NamedPath>& given);

/// Reads one tensor for every port. Throws UsageError listing the ports when one has no file.
std::vector<Tensor> read_ports(std::string_view option, std::span<const Port> ports,
                               const std::vector<NamedPath>& given);

/// The same for inputs, where a text that begins with ':' says how to draw the values.
std::vector<campaign::InputSource> read_sources(std::string_view option,
                                                std::span<const Port> ports,
                                                const std::vector<NamedPath>& given);

/// `[NAME=]FILE` each, where NAME may be a port's with '=' and '/' in it.
std::vector<NamedPath> parse_named_paths(std::string_view option, std::span<const Port> ports,
                                         const std::vector<std::string>& given);

/// {"name", "dtype", "shape", "batch_axis"}: a size, a symbol or null for every axis.
Json port_json(const Port& port);

}  // namespace inferometer::cli

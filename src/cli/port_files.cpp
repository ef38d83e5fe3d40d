// SPDX-License-Identifier: Apache-2.0
#include "cli/port_files.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/npy.hpp"
#include "base/text.hpp"
#include "cli/usage.hpp"
#include "core/ports.hpp"

namespace inferometer::cli {
namespace {

std::string listed(std::span<const Port> ports) {
  if (ports.empty()) return "the model's ports of that side: none";
  std::vector<std::string> lines;
  for (const Port& port : ports)
    lines.push_back(fmt::format("{} {}", port.name, core::to_string(port)));
  return "the model's ports: " + join(lines, "; ");
}

std::vector<std::string> names_of(std::span<const Port> ports) {
  std::vector<std::string> names;
  for (const Port& port : ports) names.push_back(port.name);
  return names;
}

[[noreturn]] void refuse(std::string_view option, std::span<const Port> ports,
                         const std::string& given, const std::string& why) {
  const auto names = names_of(ports);
  throw UsageError(fmt::format("{} {}: {}; {}", option, printable(given), why, listed(ports)),
                   {{"option", std::string(option)},
                    {"given", given},
                    {"ports", join(names)},
                    {"nearest", nearest(given, names)}});
}

std::size_t port_of(std::string_view option, std::span<const Port> ports, const NamedPath& file) {
  if (file.name.empty()) {
    if (ports.size() == 1) return 0;
    refuse(option, ports, file.path, "which port? Give NAME=FILE");
  }
  const auto found = std::ranges::find(ports, file.name, &Port::name);
  if (found == ports.end())
    refuse(option, ports, file.name, fmt::format("there is no port '{}'", printable(file.name)));
  return static_cast<std::size_t>(found - ports.begin());
}

}  // namespace

std::vector<std::optional<std::string>> files_of_ports(std::string_view option,
                                                       std::span<const Port> ports,
                                                       const std::vector<NamedPath>& given) {
  std::vector<std::optional<std::string>> files(ports.size());
  for (const NamedPath& file : given) {
    auto& place = files[port_of(option, ports, file)];
    if (place) refuse(option, ports, file.path, "that port has a file already, " + *place);
    place = file.path;
  }
  return files;
}

namespace {

std::vector<std::string> every_file(std::string_view option, std::span<const Port> ports,
                                    const std::vector<NamedPath>& given) {
  const auto files = files_of_ports(option, ports, given);
  std::vector<std::string> every;
  for (std::size_t i = 0; i < ports.size(); ++i) {
    if (!files[i])
      refuse(option, ports, ports[i].name, fmt::format("port '{}' needs a file", ports[i].name));
    every.push_back(*files[i]);
  }
  return every;
}

}  // namespace

std::vector<Tensor> read_ports(std::string_view option, std::span<const Port> ports,
                               const std::vector<NamedPath>& given) {
  std::vector<Tensor> tensors;
  for (const auto& file : every_file(option, ports, given)) tensors.push_back(read_npy(file));
  return tensors;
}

std::vector<campaign::InputSource> read_sources(std::string_view option,
                                                std::span<const Port> ports,
                                                const std::vector<NamedPath>& given) {
  const auto files = every_file(option, ports, given);
  std::vector<campaign::InputSource> sources;
  for (std::size_t i = 0; i < ports.size(); ++i) {
    if (files[i].starts_with(':')) {
      const auto fill = measure::parse_fill(files[i]);
      if (!fill) refuse(option, ports, files[i], fmt::format("expected {}", measure::kFillForms));
      measure::check_fill(ports[i], *fill);
      sources.emplace_back(*fill);
    } else {
      sources.emplace_back(read_npy(files[i]));
    }
  }
  return sources;
}

std::vector<NamedPath> parse_named_paths(std::string_view option, std::span<const Port> ports,
                                         const std::vector<std::string>& given) {
  const auto names = names_of(ports);
  std::vector<NamedPath> paths;
  for (const auto& text : given) paths.push_back(parse_named_path(option, text, names));
  return paths;
}

Json port_json(const Port& port) {
  Json shape = Json::array();
  for (const Dim& dim : port.shape) {
    if (dim.size >= 0)
      shape.push_back(dim.size);
    else
      shape.push_back(dim.symbol.empty() ? Json() : Json(dim.symbol));
  }
  return {{"name", port.name},
          {"dtype", to_string(port.dtype)},
          {"shape", std::move(shape)},
          {"batch_axis", port.batch_axis ? Json(*port.batch_axis) : Json()}};
}

}  // namespace inferometer::cli

// SPDX-License-Identifier: Apache-2.0
#include "graph/zoo.hpp"

#include <fmt/format.h>

#include "cli/command.hpp"
#include "cli/common.hpp"
#include "cli/table.hpp"
#include "cli/usage.hpp"
#include "graph/onnx.hpp"
#include "graph/passes.hpp"

namespace inferometer::cli {
namespace {

struct Given {
  std::string name;
  std::filesystem::path output;
  graph::ZooOptions network;
};

Reply list_networks() {
  Reply reply;
  reply.data["networks"] = Json::array();
  std::vector<std::vector<std::string>> rows;
  for (const auto& entry : graph::zoo_entries()) {
    reply.data["networks"].push_back({{"name", entry.name}, {"description", entry.description}});
    rows.push_back({entry.name, entry.description});
  }
  reply.text = table_text({{"network"}, {"description"}}, rows);
  return reply;
}

Reply write_network(const Given& given) {
  graph::Graph network = graph::zoo(given.name, given.network);
  graph::write_onnx(network, given.output);
  graph::infer_shapes(network);
  const auto parameters = graph::count_parameters(network);
  const auto macs = graph::count_macs(network);
  const auto size = static_cast<std::int64_t>(std::filesystem::file_size(given.output));
  Reply reply;
  reply.data = {{"name", given.name}, {"path", given.output.string()},
                {"file_bytes", size}, {"parameters", parameters},
                {"macs", macs},       {"seed", given.network.seed}};
  reply.text =
      fmt::format("{}: {} parameters, {}MAC, {}\n", given.output.string(), count_text(parameters),
                  short_count_text(static_cast<double>(macs)), bytes_text(size));
  return reply;
}

Reply zoo(const Given& given) {
  if (given.name.empty()) {
    if (!given.output.empty())
      throw UsageError("zoo: -o needs the NAME of a network", {{"missing", "NAME"}});
    return list_networks();
  }
  if (given.output.empty()) throw UsageError("zoo: -o FILE is missing", {{"missing", "--output"}});
  return write_network(given);
}

}  // namespace

Action declare_zoo(Options& options) {
  const auto given = std::make_shared<Given>();
  options.add("name", given->name, "NAME", "The network; without it they are listed");
  options.add("-o,--output", given->output, "FILE", "The ONNX file to write");
  options.add("--batch", given->network.batch, "N",
              "Fix the batch; without it any number of rows is taken");
  options.add("--image-size", given->network.image_size, "PIXELS",
              "Height and width of the input; default: the network's own");
  options.add("--seed", given->network.seed, "N", "Seed of the weights; default 1");
  return [given](const Console&) { return zoo(*given); };
}

}  // namespace inferometer::cli

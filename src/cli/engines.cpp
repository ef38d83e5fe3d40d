// SPDX-License-Identifier: Apache-2.0
#include "inferometer/engines.hpp"

#include <fmt/format.h>

#include "base/text.hpp"
#include "campaign/lab.hpp"
#include "cli/command.hpp"
#include "cli/common.hpp"
#include "cli/param_table.hpp"
#include "cli/table.hpp"
#include "core/unified.hpp"

namespace inferometer::cli {
namespace {

Json engine_json(const EngineStatus& engine) {
  return {{"name", engine.name},
          {"available", engine.available},
          {"version", engine.version},
          {"library", engine.library},
          {"library_hash", engine.library_hash},
          {"reason", engine.reason},
          {"devices", engine.devices},
          {"formats", engine.formats}};
}

std::string where_or_why(const EngineStatus& engine) {
  if (!engine.available) return engine.reason;
  return engine.library.empty() ? "built in" : engine.library;
}

Reply list_engines(const std::vector<EngineStatus>& found) {
  Reply reply;
  reply.data["engines"] = Json::array();
  std::vector<std::vector<std::string>> rows;
  for (const auto& engine : found) {
    reply.data["engines"].push_back(engine_json(engine));
    rows.push_back({engine.name, engine.available ? "available" : "unavailable",
                    engine.version.empty() ? "-" : engine.version, where_or_why(engine)});
  }
  reply.text = table_text({{"engine"}, {"status"}, {"version"}, {"library, or why not"}}, rows);
  return reply;
}

Reply show_engine(const EngineStatus& engine) {
  Reply reply;
  reply.data = {{"engine", engine_json(engine)},
                {"params", param_list_json(engine.params)},
                {"unified_params", param_list_json(core::unified_params())}};
  reply.text = facts_text({{"engine", engine.name},
                           {"status", engine.available ? "available" : "unavailable"},
                           {"version", engine.version.empty() ? "-" : engine.version},
                           {engine.available ? "library" : "why", where_or_why(engine)},
                           {"devices", join(engine.devices)},
                           {"formats", join(engine.formats)}});
  if (!engine.params.empty())
    reply.text += fmt::format("\nparams of {}:\n{}", engine.name, param_table_text(engine.params));
  else if (engine.available)
    reply.text += fmt::format("\n{} has no params of its own\n", engine.name);
  reply.text += "\nparams of every engine:\n" + param_table_text(core::unified_params());
  reply.text += "dim.SYMBOL fixes a symbolic dimension of the model at load, e.g. dim.seq=128.\n";
  return reply;
}

}  // namespace

Action declare_engines(Options& options) {
  const auto name = std::make_shared<std::string>();
  options.add("name", *name, "NAME", "Show this engine's params");
  return [name](const Console&) {
    const auto found = engines();
    return name->empty() ? list_engines(found) : show_engine(campaign::engine_named(found, *name));
  };
}

}  // namespace inferometer::cli

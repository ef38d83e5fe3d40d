// SPDX-License-Identifier: Apache-2.0
#include "process/remote.hpp"

#include <future>

#include "base/cpu.hpp"
#include "core/unified.hpp"

namespace inferometer::process {

namespace {

/// Forwards; the worker lives as long as the model does.
class RemoteRunner : public core::Runner {
 public:
  RemoteRunner(const WorkerOptions& options, const std::filesystem::path& path,
               const Params& params)
      : worker_(options), info_(worker_.load(path, params).info) {
    info_.requested.insert_or_assign("isolation", "process");
    info_.effective.insert_or_assign("isolation", "process");
  }

  const Info& info() const noexcept override { return info_; }
  std::vector<Tensor> predict(std::span<const View> inputs, std::stop_token stop) override {
    return worker_.predict(inputs, std::move(stop));
  }
  void predict_into(std::span<const View> inputs, std::span<const View> outputs,
                    std::stop_token stop) override {
    worker_.predict_into(inputs, outputs, std::move(stop));
  }
  Tensor allocate(const Port& port, std::int64_t rows) override {
    return worker_.allocate(port, rows);
  }
  std::string explain() override { return worker_.explain(); }
  std::string profile() override { return worker_.profile(); }

 private:
  Worker worker_;
  Info info_;
};

EngineStatus probe_one(const std::string& name, const WorkerOptions& options) {
  try {
    return Worker(options).probe(name);
  } catch (const Error& error) {
    std::string reason = std::string("its probe failed: ") + error.what();
    if (const auto log = error.context().find("log"); log != error.context().end())
      reason += "; it printed: " + log->second;
    return {.name = name, .available = false, .reason = std::move(reason)};
  }
}

}  // namespace

std::vector<int> worker_cpus(const Params& params) {
  if (!params.contains("threads") && !params.contains("cpus")) return {};
  const auto budget = core::cpu_budget(params);
  return core::choose_cpus(budget.allowed, budget.threads);
}

std::shared_ptr<core::Runner> load_remote(const std::filesystem::path& path, const Params& params,
                                          WorkerOptions options) {
  if (options.cpus.empty()) options.cpus = worker_cpus(params);
  Params inner = params;
  inner.erase("isolation");
  // The worker may run on the chosen ones alone: a longer list would be refused there.
  if (params.contains("cpus")) inner.insert_or_assign("cpus", cpu_list_text(options.cpus));
  // Relative to our folder now, whatever the worker's will be.
  return std::make_shared<RemoteRunner>(options, std::filesystem::absolute(path), inner);
}

std::vector<EngineStatus> probe_engines(const std::vector<std::string>& names,
                                        std::chrono::milliseconds limit, WorkerOptions options) {
  options.limits.load = limit;
  std::vector<std::future<EngineStatus>> answers;
  for (const std::string& name : names)
    answers.push_back(
        std::async(std::launch::async, [&options, name] { return probe_one(name, options); }));
  std::vector<EngineStatus> statuses;
  for (auto& answer : answers) statuses.push_back(answer.get());
  return statuses;
}

}  // namespace inferometer::process

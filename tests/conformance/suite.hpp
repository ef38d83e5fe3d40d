// SPDX-License-Identifier: Apache-2.0
// What every engine plugin must pass. A case is a row of a table and a function that throws; what
// an engine can't do is declared, with its reason, in engines/<name>/conformance.json.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "core/runner.hpp"
#include "core/wall.hpp"
#include "graph/graph.hpp"
#include "inferometer/params.hpp"
#include "inferometer/tensor.hpp"

namespace inferometer::conformance {

using Loaded = std::shared_ptr<core::Runner>;

/// Why a case failed.
struct Failure : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// One engine under test, and a folder for models and caches.
class Bench {
 public:
  Bench(std::string engine, std::filesystem::path folder);

  const std::string& engine() const noexcept { return engine_; }
  const core::Plugin& plugin() const { return core::plugin_named(engine_); }
  const std::filesystem::path& folder() const noexcept { return folder_; }
  /// Throws Error{Unavailable} with the reason.
  core::ProbeAnswer probe() const { return core::probe(plugin(), ""); }

  /// Loads with threads=2 unless `params` says otherwise.
  Loaded load(const std::filesystem::path& model, Params params = {}) const;
  /// What the outputs should be: those of `reference`, or, for it and for engines whose outputs are
  /// made up, their own when each row is computed alone on one thread.
  std::vector<Tensor> golden(const std::filesystem::path& model, std::span<const View> inputs,
                             const Params& params = {}) const;
  /// Writes a graph of the given name once.
  std::filesystem::path model(const std::string& name) const;

 private:
  std::string engine_;
  std::filesystem::path folder_;
};

struct Case {
  const char* name;
  void (*run)(const Bench&);
};

/// The suite, in the order it is run; one list per file.
std::vector<Case> all_cases();
std::vector<Case> tensor_cases();
std::vector<Case> batch_cases();
std::vector<Case> param_cases();
std::vector<Case> lifetime_cases();

/// Seeded values in [-1, 1] (integers: 0..9), different in every row.
Tensor noise(DType dtype, Shape shape, std::uint64_t seed = 1);
/// Inputs for every port of a model, with `rows` rows.
std::vector<Tensor> noise_for(const core::Runner& model, std::int64_t rows);
std::vector<View> views(const std::vector<Tensor>& tensors);

/// Throws Failure with what both sides were.
void expect(bool condition, const std::string& what);
/// Throws Failure unless `body` throws Error with this code.
void expect_error(Status code, const std::string& what, const std::function<void()>& body);
/// Floating dtypes within the fp32 gate (coarser for 16 bits), all others exactly.
void expect_close(const Tensor& got, const Tensor& expected, const std::string& what);
void expect_close(const std::vector<Tensor>& got, const std::vector<Tensor>& expected,
                  const std::string& what);
void expect_same_bits(const std::vector<Tensor>& got, const std::vector<Tensor>& expected,
                      const std::string& what);

}  // namespace inferometer::conformance

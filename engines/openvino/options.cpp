// SPDX-License-Identifier: Apache-2.0
#include "options.hpp"

#include <fmt/format.h>

#include <array>

namespace inferometer::openvino {
namespace {

// The param of ours that a property carries. What OpenVINO reads back is compared with what was
// set.
struct Row {
  const char* param;
  const char* key;
};
constexpr Row kRows[] = {
    {"precision", "INFERENCE_PRECISION_HINT"},
    {"threads", "INFERENCE_NUM_THREADS"},
    {"streams", "NUM_STREAMS"},
    {"cpu_pinning", "ENABLE_CPU_PINNING"},
    {"denormals", "CPU_DENORMALS_OPTIMIZATION"},
    {"profiling", "PERF_COUNT"},
};

struct Word {
  const char* ours;
  const char* theirs;
};
constexpr Word kPrecisions[] = {{"fp32", "f32"}, {"bf16", "bf16"}, {"fp16", "f16"}};

std::string precision_property(const std::string& precision) {
  for (const Word& word : kPrecisions) {
    if (precision == word.ours) return word.theirs;
  }
  throw Error(
      Status::Unsupported,
      fmt::format("precision \"{}\": its CPU device computes in fp32, bf16 or fp16", precision),
      {{"param", "precision"}});
}

const char* yes_no(bool value) {
  return value ? "YES" : "NO";
}

// OpenVINO's value in our words.
std::string in_our_words(const Row& row, const std::string& value) {
  const std::string param = row.param;
  if (param == "precision") {
    for (const Word& word : kPrecisions) {
      if (value == word.theirs) return word.ours;
    }
  }
  if (param == "denormals") return value == "YES" ? "zero" : "keep";
  if (value == "YES") return "true";
  if (value == "NO") return "false";
  return value;
}

void require_cpu(const std::string& device) {
  if (device == "cpu") return;
  throw Error(Status::Unsupported,
              fmt::format("device \"{}\": this plugin runs on \"cpu\"", device),
              {{"param", "device"}});
}

void require_cpus_free(const plugin::LoadRequest& request) {
  if (!request.flag("cpu_pinning") || request.text("cpus").empty()) return;
  throw Error(
      Status::Unsupported,
      fmt::format("param \"cpu_pinning\": OpenVINO pins to CPUs of its own choice, but cpus={} "
                  "was asked for; give one of the two",
                  request.text("cpus")),
      {{"param", "cpu_pinning"}});
}

void require_thread_each(std::int64_t threads, std::int64_t streams) {
  if (threads >= streams) return;
  throw Error(
      Status::Invalid,
      fmt::format("{} threads can't serve {} streams; every stream needs one", threads, streams),
      {{"param", "threads"}});
}

}  // namespace

std::vector<ParamSpec> own_params() {
  return {
      {.name = "cpu_pinning",
       .type = ParamSpec::Type::Bool,
       .fallback = false,
       .knob = true,
       .help =
           "Let OpenVINO pin each thread to a CPU, of all that the process has: `cpus` can't be "
           "given with it."},
      {.name = "denormals",
       .type = ParamSpec::Type::Text,
       .fallback = "keep",
       .choices = {"keep", "zero"},
       .help = "Compute with denormal numbers, or take them for zero (faster where they occur)."},
      {.name = "profiling",
       .type = ParamSpec::Type::Bool,
       .fallback = false,
       .help = "Time every node, for profile; costs a little on each run."},
  };
}

Properties::Properties(const plugin::LoadRequest& request) {
  require_cpu(request.text("device"));
  require_cpus_free(request);
  require_thread_each(request.integer("threads"), request.integer("streams"));
  values_ = {
      // Named even when it is the default: OpenVINO picks bf16 by itself where the CPU has it, and
      // forgets what an imported model was compiled for.
      {"INFERENCE_PRECISION_HINT", precision_property(request.text("precision"))},
      {"EXECUTION_MODE_HINT", "PERFORMANCE"},
      // Both default to 8-bit numbers inside operators of a model that asks for none.
      {"DYNAMIC_QUANTIZATION_GROUP_SIZE", "0"},
      {"KV_CACHE_PRECISION", precision_property(request.text("precision"))},
      {"INFERENCE_NUM_THREADS", std::to_string(request.integer("threads"))},
      {"NUM_STREAMS", std::to_string(request.integer("streams"))},
      {"ENABLE_CPU_PINNING", yes_no(request.flag("cpu_pinning"))},
      {"CPU_DENORMALS_OPTIMIZATION", yes_no(request.text("denormals") == "zero")},
      {"PERF_COUNT", yes_no(request.flag("profiling"))},
  };
  for (const auto& [key, value] : values_) raw_.push_back({key.c_str(), value.c_str()});
}

const std::string& Properties::value(const std::string& key) const {
  return values_.at(key);
}

void read_back(const Library& library, const ov_compiled_model_t* compiled,
               const Properties& wanted, plugin::ModelInfo& info) {
  for (const Row& row : kRows) {
    const std::string found = property(library, compiled, row.key);
    if (found != wanted.value(row.key)) {
      throw Error(Status::Unsupported,
                  fmt::format("{} = {} was asked for, this machine gets {} ({} read back "
                              "as {})",
                              row.param, in_our_words(row, wanted.value(row.key)),
                              in_our_words(row, found), row.key, found),
                  {{"param", row.param}});
    }
    info.effective[row.param] = in_our_words(row, found);
    info.proof[row.param] = fmt::format("{} read back from the compiled model", row.key);
  }
  if (info.effective.at("cpu_pinning") == "true") {
    info.effective["cpus"] = "OpenVINO's choice";
    info.proof["cpus"] = "cpu_pinning is on";
  }
}

std::string property(const Library& library, const ov_compiled_model_t* compiled,
                     const std::string& key) {
  char* raw = nullptr;
  library.check(library.compiled_model_get_property(compiled, key.c_str(), &raw),
                Status::LoadFailed);
  const std::string text = raw != nullptr ? raw : "";
  library.free(raw);
  return text;
}

}  // namespace inferometer::openvino

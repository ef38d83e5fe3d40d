// SPDX-License-Identifier: Apache-2.0
#include "measure/energy_nvml.hpp"

#include <fmt/format.h>

#include <array>

#include "base/locator.hpp"
#include "base/text.hpp"
#include "inferometer/error.hpp"

namespace inferometer::measure {
namespace {

// As in nvml.h: nvmlReturn_t is an enum whose 0 is success, nvmlDevice_t a pointer.
using Result = int;
using Device = void*;
struct Functions {
  Result (*init)();
  Result (*shutdown)();
  Result (*device_count)(unsigned int*);
  Result (*device_by_index)(unsigned int, Device*);
  Result (*device_name)(Device, char*, unsigned int);
  Result (*total_energy)(Device, unsigned long long* mj);
  const char* (*error_string)(Result);
};

template <class Function>
void find(void* library, const std::filesystem::path& path, const char* name, Function& function) {
  function = reinterpret_cast<Function>(symbol(library, name, path, "NVML with energy counters"));
}

Functions functions_of(const std::filesystem::path& path) {
  void* library = open_library(path);
  Functions nvml{};
  find(library, path, "nvmlInit_v2", nvml.init);
  find(library, path, "nvmlShutdown", nvml.shutdown);
  find(library, path, "nvmlDeviceGetCount_v2", nvml.device_count);
  find(library, path, "nvmlDeviceGetHandleByIndex_v2", nvml.device_by_index);
  find(library, path, "nvmlDeviceGetName", nvml.device_name);
  find(library, path, "nvmlDeviceGetTotalEnergyConsumption", nvml.total_energy);
  find(library, path, "nvmlErrorString", nvml.error_string);
  return nvml;
}

class Nvml : public EnergySource {
 public:
  explicit Nvml(const std::filesystem::path& path) : nvml_(functions_of(path)) {
    if (const auto result = nvml_.init(); result != 0)
      throw Error(Status::Unavailable, "nvmlInit_v2: " + words(result));
    try {
      find_devices();
    } catch (...) {
      nvml_.shutdown();
      throw;
    }
  }
  ~Nvml() override { nvml_.shutdown(); }
  Nvml(const Nvml&) = delete;
  Nvml& operator=(const Nvml&) = delete;

  std::string method() const override {
    return without_.empty() ? "NVML" : "NVML without " + without_;
  }
  const std::vector<EnergyDomain>& domains() const override { return domains_; }
  std::vector<EnergyReading> read() override {
    std::vector<EnergyReading> readings;
    for (auto* const device : devices_) readings.push_back(energy_of(device));
    return readings;
  }

 private:
  void find_devices() {
    unsigned int count = 0;
    if (const auto result = nvml_.device_count(&count); result != 0)
      throw Error(Status::Unavailable, "nvmlDeviceGetCount_v2: " + words(result));
    for (unsigned int index = 0; index < count; ++index) add(index);
    if (devices_.empty())
      throw Error(Status::Unavailable, without_.empty() ? "it shows no GPU" : without_);
  }

  void add(unsigned int index) {
    auto name = fmt::format("GPU {}", index);
    Device device = nullptr;
    if (const auto result = nvml_.device_by_index(index, &device); result != 0)
      return leave_out(name, "nvmlDeviceGetHandleByIndex_v2: " + words(result));
    std::array<char, 96> model{};  // NVML_DEVICE_NAME_V2_BUFFER_SIZE
    if (nvml_.device_name(device, model.data(), model.size() - 1) == 0)
      name += " " + printable(model.data());
    if (auto reading = energy_of(device); !reading.uj) return leave_out(name, reading.why);
    domains_.push_back({name, 0});
    devices_.push_back(device);
  }

  void leave_out(const std::string& name, const std::string& why) {
    without_ += fmt::format("{}{} ({})", without_.empty() ? "" : ", ", name, why);
  }

  EnergyReading energy_of(Device device) const {
    unsigned long long mj = 0;
    if (const auto result = nvml_.total_energy(device, &mj); result != 0)
      return {{}, "nvmlDeviceGetTotalEnergyConsumption: " + words(result)};
    return {mj * 1000, ""};
  }

  std::string words(Result result) const {
    const char* text = nvml_.error_string(result);
    return printable(text == nullptr ? fmt::format("error {}", result) : text);
  }

  Functions nvml_;
  std::vector<EnergyDomain> domains_;
  std::vector<Device> devices_;
  std::string without_;  ///< what does not count
};

}  // namespace

std::unique_ptr<EnergySource> nvml_source(const std::filesystem::path& library) {
  return std::make_unique<Nvml>(library);
}

}  // namespace inferometer::measure

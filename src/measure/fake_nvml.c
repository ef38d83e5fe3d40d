/* SPDX-License-Identifier: Apache-2.0
   For tests: a library with NVML's names. FAKE_NVML in the environment is read at each call: "GPUS" or "GPUS FUNCTION CODE
   [GPU]": so many GPUs, and FUNCTION answers CODE (of one GPU only, if given). Every call for energy finds 25 J more. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef int nvmlReturn_t;
typedef struct device {
  unsigned long long mj;
  int index;
} * nvmlDevice_t;

static struct device devices[8];

static int answer(const char* function, int gpu, int* gpus) {
  char refused[64] = "";
  int code = 0, only = -1;
  const char* script = getenv("FAKE_NVML");
  *gpus = 1;
  if (script) sscanf(script, "%d %63s %d %d", gpus, refused, &code, &only);
  return strcmp(refused, function) == 0 && (only < 0 || only == gpu) ? code : 0;
}

static int answer_all(const char* function) {
  int gpus;
  return answer(function, -1, &gpus);
}

nvmlReturn_t nvmlInit_v2(void);
nvmlReturn_t nvmlShutdown(void);
nvmlReturn_t nvmlDeviceGetCount_v2(unsigned int* count);
nvmlReturn_t nvmlDeviceGetHandleByIndex_v2(unsigned int index, nvmlDevice_t* device);
nvmlReturn_t nvmlDeviceGetName(nvmlDevice_t device, char* name, unsigned int length);
nvmlReturn_t nvmlDeviceGetTotalEnergyConsumption(nvmlDevice_t device, unsigned long long* energy);
const char* nvmlErrorString(nvmlReturn_t result);

nvmlReturn_t nvmlInit_v2(void) { return answer_all("nvmlInit_v2"); }
nvmlReturn_t nvmlShutdown(void) { return 0; }

nvmlReturn_t nvmlDeviceGetCount_v2(unsigned int* count) {
  int gpus;
  const int code = answer("nvmlDeviceGetCount_v2", -1, &gpus);
  *count = (unsigned int)gpus;
  return code;
}

nvmlReturn_t nvmlDeviceGetHandleByIndex_v2(unsigned int index, nvmlDevice_t* device) {
  int gpus;
  devices[index].index = (int)index;
  *device = &devices[index];
  return answer("nvmlDeviceGetHandleByIndex_v2", (int)index, &gpus);
}

nvmlReturn_t nvmlDeviceGetName(nvmlDevice_t device, char* name, unsigned int length) {
  snprintf(name, length, "Fake %d", device->index);
  return 0;
}

#ifndef FAKE_NVML_WITHOUT_ENERGY
nvmlReturn_t nvmlDeviceGetTotalEnergyConsumption(nvmlDevice_t device, unsigned long long* energy) {
  int gpus;
  *energy = device->mj += 25000;
  return answer("nvmlDeviceGetTotalEnergyConsumption", device->index, &gpus);
}
#endif

const char* nvmlErrorString(nvmlReturn_t result) {
  return result == 3 ? "Not Supported" : result == 9 ? "Driver Not Loaded" : NULL;
}

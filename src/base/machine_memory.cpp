// SPDX-License-Identifier: Apache-2.0
#include "base/machine_memory.hpp"

#include <unistd.h>

namespace inferometer {

std::size_t machine_memory_bytes() noexcept {
  static const std::size_t kBytes = static_cast<std::size_t>(::sysconf(_SC_PHYS_PAGES)) *
                                    static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  return kBytes;
}

}  // namespace inferometer

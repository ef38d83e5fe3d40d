// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

namespace inferometer {

/// RAM of the machine. What is asked for beyond it comes from a wrong size, and pages of it that
/// the kernel hands out unseen would be missing only when they are touched.
std::size_t machine_memory_bytes() noexcept;

}  // namespace inferometer

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "inferometer/engine_abi.h"

namespace inferometer::core {

/// The one host table that plugins get.
const inferometer_host& host_table();

}  // namespace inferometer::core

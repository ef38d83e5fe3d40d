// SPDX-License-Identifier: Apache-2.0
// The wall's header compiles alone as C++20 too.
#include "inferometer/engine_abi.h"

static_assert(sizeof(inferometer_engine) >= 136);

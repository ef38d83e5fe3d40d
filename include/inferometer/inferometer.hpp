// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "inferometer/engines.hpp"
#include "inferometer/error.hpp"
#include "inferometer/model.hpp"
#include "inferometer/params.hpp"
#include "inferometer/tensor.hpp"

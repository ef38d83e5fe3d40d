// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Marks what libinferometer.so exports; everything else is hidden.
#define INFEROMETER_API __attribute__((visibility("default")))

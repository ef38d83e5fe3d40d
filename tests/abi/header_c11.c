/* SPDX-License-Identifier: Apache-2.0 */
/* The wall's header is plain C11: that it compiles here is the test, and so is the layout below,
 * which old plugins have been compiled with. A member may be appended; nothing that stands may
 * move. */
#include <inferometer/engine_abi.h>
#include <stddef.h>

#define FROZEN_AT(type, member, offset) \
  _Static_assert(offsetof(type, member) == (offset), #type "." #member " has moved")

_Static_assert(sizeof(void*) == 8, "the frozen layout is that of 64-bit machines");

FROZEN_AT(inferometer_sink, user, 0);
FROZEN_AT(inferometer_sink, write, 8);
_Static_assert(sizeof(inferometer_sink) == 16, "passed by value: may never grow");

FROZEN_AT(inferometer_error, text, 0);
FROZEN_AT(inferometer_error, capacity, 8);
_Static_assert(sizeof(inferometer_error) == 16, "has no size member: may never grow");

FROZEN_AT(inferometer_buffer, name, 0);
FROZEN_AT(inferometer_buffer, data, 8);
FROZEN_AT(inferometer_buffer, size, 16);
_Static_assert(sizeof(inferometer_buffer) == 24, "stands in arrays: may never grow");

FROZEN_AT(inferometer_host, size, 0);
FROZEN_AT(inferometer_host, abi, 8);
FROZEN_AT(inferometer_host, log, 16);
FROZEN_AT(inferometer_host, artifact_find, 24);
FROZEN_AT(inferometer_host, artifact_create, 32);
FROZEN_AT(inferometer_host, artifact_commit, 40);
_Static_assert(sizeof(inferometer_host) >= 48, "members are only appended");

FROZEN_AT(inferometer_load_request, size, 0);
FROZEN_AT(inferometer_load_request, path, 8);
FROZEN_AT(inferometer_load_request, bytes, 16);
FROZEN_AT(inferometer_load_request, bytes_size, 24);
FROZEN_AT(inferometer_load_request, external, 32);
FROZEN_AT(inferometer_load_request, external_count, 40);
FROZEN_AT(inferometer_load_request, settings, 48);
FROZEN_AT(inferometer_load_request, cache, 56);
_Static_assert(sizeof(inferometer_load_request) >= 64, "members are only appended");

FROZEN_AT(inferometer_engine, size, 0);
FROZEN_AT(inferometer_engine, abi, 8);
FROZEN_AT(inferometer_engine, name, 16);
FROZEN_AT(inferometer_engine, probe, 24);
FROZEN_AT(inferometer_engine, describe_params, 32);
FROZEN_AT(inferometer_engine, accepts, 40);
FROZEN_AT(inferometer_engine, load, 48);
FROZEN_AT(inferometer_engine, open, 56);
FROZEN_AT(inferometer_engine, bind, 64);
FROZEN_AT(inferometer_engine, run, 72);
FROZEN_AT(inferometer_engine, start, 80);
FROZEN_AT(inferometer_engine, profile, 88);
FROZEN_AT(inferometer_engine, explain, 96);
FROZEN_AT(inferometer_engine, allocate, 104);
FROZEN_AT(inferometer_engine, release, 112);
FROZEN_AT(inferometer_engine, close, 120);
FROZEN_AT(inferometer_engine, unload, 128);
_Static_assert(sizeof(inferometer_engine) >= 136, "members are only appended");

_Static_assert(INFEROMETER_OK == 0 && INFEROMETER_UNAVAILABLE == 1 &&
                   INFEROMETER_UNSUPPORTED == 2 && INFEROMETER_INVALID == 3 &&
                   INFEROMETER_LOAD_FAILED == 4 && INFEROMETER_PREDICT_FAILED == 5 &&
                   INFEROMETER_OUT_OF_MEMORY == 8,
               "the numbers of statuses cross the wall");

/* Linked into the test, so that a C translation unit really takes part. */
unsigned inferometer_abi_seen_by_c(void) {
  return INFEROMETER_ABI;
}

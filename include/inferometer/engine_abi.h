/* SPDX-License-Identifier: Apache-2.0 */
/* The wall between Inferometer and an engine plugin: plain C11, one exported symbol, append-only tables.
 * Plugin authors include engine_plugin.hpp instead, which fills this table from a C++ class.
 *
 * Ownership: the side that allocates frees. Text is returned through an inferometer_sink, which copies; nothing that a
 *   plugin passes to a sink needs to outlive the call. Handles are opaque to the host.
 * Threads: a plugin's functions may be called from several threads at once; one context is used by one thread at a time.
 * Errors: functions return 0, or the number of a status (INFEROMETER_INVALID ...) with a text in `error`.
 * Growth: members are only ever appended. A reader compares `size` before it touches a member; a member that is
 *   missing or null means "not supported", with the consequence written beside it. */
#ifndef INFEROMETER_ENGINE_ABI_H
#define INFEROMETER_ENGINE_ABI_H

#include <dlpack/dlpack.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define INFEROMETER_ABI 1u
#define INFEROMETER_MAX_RANK 8
#define INFEROMETER_DL_BOOL 6u /* DLPack >= 0.8's kDLBool; Debian's header predates it */

/* The same numbers as inferometer::Status. */
enum {
  INFEROMETER_OK = 0,
  INFEROMETER_UNAVAILABLE = 1,
  INFEROMETER_UNSUPPORTED = 2,
  INFEROMETER_INVALID = 3,
  INFEROMETER_LOAD_FAILED = 4,
  INFEROMETER_PREDICT_FAILED = 5,
  INFEROMETER_OUT_OF_MEMORY = 8
};

/* Receives text (UTF-8, not NUL-terminated). May be called several times; the pieces are joined. */
typedef struct inferometer_sink {
  void* user;
  void (*write)(void* user, const char* text, size_t size);
} inferometer_sink;

/* What the host offers. Valid for the life of the process. */
typedef struct inferometer_host {
  size_t size;
  uint32_t abi;
  /* level: 0 debug, 1 info, 2 warning, 3 error. */
  void (*log)(int32_t level, const char* text);
  /* Artifacts: `cache` is the token of inferometer_load_request, `kind` names what is stored ("compiled", "weights_nhwc").
   * The host's key covers model, plugin, engine library, CPU features, shapes and params that affect compilation.
   * find: 1 and the path of a finished, read-only artifact, or 0. */
  int32_t (*artifact_find)(void* cache, const char* kind, inferometer_sink path);
  /* create: the path of a private file to write; 0 = caching is off or failed (write nothing). */
  int32_t (*artifact_create)(void* cache, const char* kind, inferometer_sink path);
  /* commit: publishes what `temporary` holds (keep = 0: throws it away) and gives its final path; 0 = not kept. */
  int32_t (*artifact_commit)(void* cache, const char* kind, const char* temporary, int32_t keep, inferometer_sink path);
} inferometer_host;

/* A model to load: a path, or bytes with named external buffers (path = NULL). */
typedef struct inferometer_buffer {
  const char* name; /* the "location" of external data */
  const void* data;
  size_t size;
} inferometer_buffer;

typedef struct inferometer_load_request {
  size_t size;
  const char* path;
  const void* bytes;
  size_t bytes_size;
  const inferometer_buffer* external;
  size_t external_count;
  /* JSON: {"params": {every unified and own param, resolved}, "dims": {"seq": 16}, "input_shapes": [[8,3,224,224]],
   *  "dynamic_batch": bool}. In input_shapes -1 stands for what is still dynamic; the batch axis has the param batch_size
   *  there, and its symbol is not in dims. */
  const char* settings;
  void* cache; /* for the artifact functions; NULL = caching is off */
} inferometer_load_request;

/* Called once when an asynchronous run has ended; status and text as a blocking run would have returned. */
typedef void (*inferometer_done)(void* user, int32_t status, const char* text);

typedef struct inferometer_error {
  char* text;      /* the caller's buffer, always NUL-terminated on failure */
  size_t capacity; /* bytes, including the NUL; longer texts are cut at a character */
} inferometer_error;

typedef struct inferometer_engine {
  size_t size;
  uint32_t abi;
  const char* name;

  /* Can I run here? `settings`: JSON {"library": path or ""}. Answer, JSON: {"version","library","devices":[],"formats":[],
   * "synthetic":bool}.
   * INFEROMETER_UNAVAILABLE: the text says why and where we looked. May open the engine's library. */
  int32_t (*probe)(const char* settings, inferometer_sink answer, inferometer_error* error);

  /* The engine's own params, JSON: a list of {"name","type","default","choices","min","max","knob","scope","affects","help"}.
   * Opens nothing. */
  int32_t (*describe_params)(inferometer_sink answer, inferometer_error* error);

  /* What of this model can't be taken, JSON: a list of {"node","op","reason"}; compiles nothing.
   * NULL, or INFEROMETER_UNSUPPORTED as the answer to this request: only loading can tell. */
  int32_t (*accepts)(const inferometer_load_request* request, inferometer_sink answer, inferometer_error* error);

  /* Info, JSON: {"inputs":[{"name","dtype","shape":[8,3,-1]}], "outputs":[...], "effective":{name: text},
   *  "proof":{name: text}, "phases_ns":{name: int}, "dynamic_batch":bool, "from_artifact":bool, "notes":[]}.
   * The request is only valid during the call. */
  int32_t (*load)(const inferometer_load_request* request, void** model, inferometer_sink info, inferometer_error* error);

  /* One execution state of a model; the host opens at most `streams`. */
  int32_t (*open)(void* model, void** context, inferometer_error* error);

  /* Sets what the next runs read and write. The arrays and the DLTensors in them stay valid and in place until the next
   * bind or close; memory that data points to until the last run before it has ended. Shapes carry the true rows.
   * An output with data = NULL stays the engine's: after a run its DLTensor holds data, and ndim and shape (room for
   * INFEROMETER_MAX_RANK axes), valid until the context's next run or bind. */
  int32_t (*bind)(void* context, const DLTensor* inputs, size_t input_count, DLTensor* outputs, size_t output_count,
                  inferometer_error* error);

  /* Computes; returns when outputs can be read on the host. */
  int32_t (*run)(void* context, inferometer_error* error);

  /* As run, but returns at once and calls `done` from any thread. NULL: the host calls run on a thread of its own.
   * No host calls this yet. */
  int32_t (*start)(void* context, inferometer_done done, void* user, inferometer_error* error);

  /* What the last run spent where, JSON: a list of {"node","kernel","precision","ns"}. NULL: can't tell. */
  int32_t (*profile)(void* context, inferometer_sink answer, inferometer_error* error);

  /* The engine's own view of a model, JSON object (kernels, memory, dumps). NULL: nothing to say. */
  int32_t (*explain)(void* model, inferometer_sink answer, inferometer_error* error);

  /* Pages that the device reads without a copy; released with `release`. NULL: ordinary 64-byte aligned memory does.
   * No host calls these yet. */
  void* (*allocate)(void* model, size_t bytes);
  void (*release)(void* model, void* memory, size_t bytes);

  void (*close)(void* context);
  void (*unload)(void* model);
} inferometer_engine;

/* The one exported symbol of a plugin. The host table outlives the plugin; the answer is constant. NULL: ABI not understood. */
typedef const inferometer_engine* (*inferometer_engine_entry)(const inferometer_host* host);
#define INFEROMETER_ENGINE_SYMBOL "inferometer_engine_v1"

#ifdef __cplusplus
}
#endif
#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* A plugin as an author in C may have built it long ago: its table ends after `run`, and what is
 * optional is null. It copies its one f32 input to its one output. OLD_PLUGIN_KIND makes the wrong
 * ones. */
#include <inferometer/engine_abi.h>
#include <stddef.h>
#include <string.h>

#define KIND_OLD 0
#define KIND_NEWER_ABI 1
#define KIND_TOO_SHORT 2
#define KIND_DECLINES 3
#define KIND_BAD_ANSWER 4

#define SAY(sink, literal) (sink).write((sink).user, literal, sizeof(literal) - 1)

struct bound {
  const DLTensor* input;
  DLTensor* output;
};

static int32_t probe(const char* settings, inferometer_sink answer, inferometer_error* error) {
  (void)settings;
  (void)error;
#if OLD_PLUGIN_KIND == KIND_BAD_ANSWER
  SAY(answer, "{\"version\": ");
#else
  SAY(answer,
      "{\"version\":\"0.1\",\"library\":\"\",\"devices\":[\"cpu\"],\"formats\":[\".onnx\"]}");
#endif
  return INFEROMETER_OK;
}

static int32_t describe_params(inferometer_sink answer, inferometer_error* error) {
  (void)error;
  SAY(answer, "[]");
  return INFEROMETER_OK;
}

static int32_t load(const inferometer_load_request* request, void** model, inferometer_sink info,
                    inferometer_error* error) {
  static char loaded;
  (void)request;
  (void)error;
  *model = &loaded;
  SAY(info,
      "{\"inputs\":[{\"name\":\"x\",\"dtype\":\"f32\",\"shape\":[-1,16]}],"
      "\"outputs\":[{\"name\":\"y\",\"dtype\":\"f32\",\"shape\":[-1,10]}],\"dynamic_batch\":true}");
  return INFEROMETER_OK;
}

static int32_t open_context(void* model, void** context, inferometer_error* error) {
  static struct bound only; /* a table this old has no close that could free it */
  (void)model;
  (void)error;
  *context = &only;
  return INFEROMETER_OK;
}

static int32_t bind(void* context, const DLTensor* inputs, size_t input_count, DLTensor* outputs,
                    size_t output_count, inferometer_error* error) {
  struct bound* bound = context;
  (void)input_count;
  (void)output_count;
  (void)error;
  bound->input = inputs;
  bound->output = outputs;
  return INFEROMETER_OK;
}

/* Each output row is the beginning of its input row. */
static int32_t run(void* context, inferometer_error* error) {
  const struct bound* bound = context;
  const float* from = bound->input->data;
  float* to = bound->output->data;
  int64_t row;
  (void)error;
  for (row = 0; row < bound->output->shape[0]; ++row)
    memcpy(to + row * 10, from + row * 16, 10 * sizeof(float));
  return INFEROMETER_OK;
}

static const inferometer_engine kTable = {
#if OLD_PLUGIN_KIND == KIND_TOO_SHORT
    .size = offsetof(inferometer_engine, load),
#else
    .size = offsetof(inferometer_engine, start),
#endif
#if OLD_PLUGIN_KIND == KIND_NEWER_ABI
    .abi = INFEROMETER_ABI + 1,
#else
    .abi = INFEROMETER_ABI,
#endif
    .name = OLD_PLUGIN_NAME,
    .probe = probe,
    .describe_params = describe_params,
    .load = load,
    .open = open_context,
    .bind = bind,
    .run = run,
};

const inferometer_engine* inferometer_engine_v1(const inferometer_host* host) {
  (void)host;
  return OLD_PLUGIN_KIND == KIND_DECLINES ? NULL : &kTable;
}

// SPDX-License-Identifier: Apache-2.0
#include "graph/operators.hpp"

namespace inferometer::graph {

namespace {

using enum AttributeKind;
using Rules = std::vector<AttributeRule>;

const Rules kNone;
const Rules kAxis = {{"axis", Int}};
const Rules kReduce = {{"axes", Ints}, {"keepdims", Int}, {"noop_with_empty_axes", Int}};
const Rules kArgReduce = {{"axis", Int}, {"keepdims", Int}, {"select_last_index", Int}};
const Rules kCast = {{"to", Int}, {"saturate", Int}, {"round_mode", Text}};
const Rules kWindow = {{"auto_pad", Text},
                       {"dilations", Ints},
                       {"kernel_shape", Ints},
                       {"pads", Ints},
                       {"strides", Ints}};
const Rules kPool = {{"auto_pad", Text},     {"ceil_mode", Int}, {"dilations", Ints},
                     {"kernel_shape", Ints}, {"pads", Ints},     {"strides", Ints}};

Rules with(Rules rules, const Rules& more) {
  rules.insert(rules.end(), more.begin(), more.end());
  return rules;
}

/// The bits of Operator::value_inputs.
template <class... Inputs>
constexpr std::uint32_t values(Inputs... inputs) {
  return ((1u << inputs) | ... | 0u);
}

Operator unary(std::string_view name, Rules rules = kNone) {
  return {name, 1, 1, 1, std::move(rules), infer_same, fold_unary};
}
Operator binary(std::string_view name) {
  return {name, 2, 2, 1, kNone, infer_broadcast, fold_binary, follow_arithmetic};
}
Operator many(std::string_view name) {
  return {name, 1, kManyInputs, 1, kNone, infer_broadcast, fold_binary, follow_arithmetic};
}
Operator compare(std::string_view name) {
  return {name, 2, 2, 1, kNone, infer_compare, fold_compare, follow_arithmetic};
}
Operator logic(std::string_view name) {
  return {name, 2, 2, 1, kNone, infer_logic, fold_compare, follow_arithmetic};
}
Operator reduce(std::string_view name) {
  return {name, 1, 2, 1, kReduce, infer_reduce, nullptr, nullptr, values(1)};
}

// NOLINTNEXTLINE(readability-function-size): a table
const std::vector<Operator>& elementwise() {
  static const std::vector<Operator> rows = {
      unary("Abs"),
      unary("Acos"),
      unary("Acosh"),
      binary("Add"),
      logic("And"),
      unary("Asin"),
      unary("Asinh"),
      unary("Atan"),
      unary("Atanh"),
      {"Cast", 1, 1, 1, kCast, infer_cast, fold_cast, follow_same},
      {"CastLike",
       2,
       2,
       1,
       {{"saturate", Int}, {"round_mode", Text}},
       infer_cast_like,
       fold_cast,
       follow_same},
      unary("Ceil"),
      unary("Celu", {{"alpha", Float}}),
      {"Clip", 1, 3, 1, {{"min", Float}, {"max", Float}}, infer_clip},
      unary("Cos"),
      unary("Cosh"),
      binary("Div"),
      {"Dropout",
       1,
       3,
       2,
       {{"ratio", Float}, {"seed", Int}},
       infer_dropout,
       nullptr,
       nullptr,
       values(2)},
      unary("Elu", {{"alpha", Float}}),
      compare("Equal"),
      unary("Erf"),
      unary("Exp"),
      unary("Floor"),
      unary("Gelu", {{"approximate", Text}}),
      compare("Greater"),
      compare("GreaterOrEqual"),
      unary("HardSigmoid", {{"alpha", Float}, {"beta", Float}}),
      unary("HardSwish"),
      {"Identity", 1, 1, 1, kNone, infer_same, fold_same_bytes, follow_same},
      {"IsInf", 1, 1, 1, {{"detect_negative", Int}, {"detect_positive", Int}}, infer_is},
      {"IsNaN", 1, 1, 1, kNone, infer_is},
      unary("LeakyRelu", {{"alpha", Float}}),
      compare("Less"),
      compare("LessOrEqual"),
      unary("Log"),
      many("Max"),
      many("Mean"),
      many("Min"),
      unary("Mish"),
      {"Mod", 2, 2, 1, {{"fmod", Int}}, infer_broadcast, fold_binary, follow_arithmetic},
      binary("Mul"),
      unary("Neg"),
      unary("Not"),
      logic("Or"),
      {"PRelu", 2, 2, 1, kNone, infer_prelu},
      {"Pow", 2, 2, 1, kNone, infer_power},
      unary("Reciprocal"),
      unary("Relu"),
      unary("Round"),
      unary("Selu", {{"alpha", Float}, {"gamma", Float}}),
      unary("Shrink", {{"bias", Float}, {"lambd", Float}}),
      unary("Sigmoid"),
      unary("Sign"),
      unary("Sin"),
      unary("Sinh"),
      unary("Softplus"),
      unary("Softsign"),
      unary("Sqrt"),
      binary("Sub"),
      many("Sum"),
      unary("Swish", {{"alpha", Float}}),
      unary("Tan"),
      unary("Tanh"),
      unary("ThresholdedRelu", {{"alpha", Float}}),
      {"Where", 3, 3, 1, kNone, infer_where, fold_where, follow_where},
      logic("Xor"),
  };
  return rows;
}

// NOLINTNEXTLINE(readability-function-size): a table
const std::vector<Operator>& layout() {
  static const std::vector<Operator> rows = {
      {"Concat", 1, kManyInputs, 1, kAxis, infer_concat, fold_concat, follow_concat},
      {"ConstantOfShape",
       1,
       1,
       1,
       {{"value", Tensor}},
       infer_constant_of_shape,
       fold_constant_of_shape,
       follow_constant_of_shape,
       values(0)},
      {"CumSum",
       2,
       2,
       1,
       {{"exclusive", Int}, {"reverse", Int}},
       infer_cum_sum,
       nullptr,
       nullptr,
       values(1)},
      {"DepthToSpace",
       1,
       1,
       1,
       {{"blocksize", Int}, {"mode", Text}},
       infer_depth_to_space,
       fold_strided},
      {"Expand", 2, 2, 1, kNone, infer_expand, fold_strided, follow_expand, values(1)},
      {"Flatten", 1, 1, 1, kAxis, infer_flatten, fold_same_bytes},
      {"Gather", 2, 2, 1, kAxis, infer_gather, fold_gather, follow_gather},
      {"GatherElements", 2, 2, 1, kAxis, infer_gather_elements},
      {"GatherND", 2, 2, 1, {{"batch_dims", Int}}, infer_gather_nd},
      {"If",
       1,
       1,
       kManyInputs,
       {{"then_branch", Body}, {"else_branch", Body}},
       infer_declared,
       nullptr,
       nullptr,
       values(0)},
      {"Loop",
       0,  // trip count and condition may be left out
       kManyInputs,
       kManyInputs,
       {{"body", Body}},
       infer_declared,
       nullptr,
       nullptr,
       values(0, 1)},
      {"NonZero", 1, 1, 1, kNone, infer_non_zero, nullptr, nullptr, values(0)},
      {"OneHot", 3, 3, 1, kAxis, infer_one_hot, nullptr, nullptr, values(1)},
      {"Pad",
       1,
       4,
       1,
       {{"mode", Text}, {"pads", Ints}, {"value", Float}},
       infer_pad,
       nullptr,
       nullptr,
       values(1, 3)},
      {"Range",
       3,
       3,
       1,
       {{"stash_type", Int}},
       infer_range,
       fold_range,
       follow_range,
       values(0, 1, 2)},
      {"Reshape",
       2,
       2,
       1,
       {{"allowzero", Int}},
       infer_reshape,
       fold_same_bytes,
       follow_same,
       values(1)},
      {"Scatter", 3, 3, 1, kAxis, infer_scatter_elements},
      {"ScatterElements", 3, 3, 1, with(kAxis, {{"reduction", Text}}), infer_scatter_elements},
      {"ScatterND", 3, 3, 1, {{"reduction", Text}}, infer_scatter_nd},
      {"Shape", 1, 1, 1, {{"start", Int}, {"end", Int}}, infer_shape_of, nullptr, follow_shape_of},
      {"Size", 1, 1, 1, kNone, infer_size_of, nullptr, follow_size_of},
      {"Slice",
       1,
       5,
       1,
       {{"axes", Ints}, {"ends", Ints}, {"starts", Ints}},
       infer_slice,
       fold_strided,
       follow_slice,
       values(1, 2, 3, 4)},
      {"SpaceToDepth",
       1,
       1,
       1,
       {{"blocksize", Int}, {"mode", Text}},
       infer_space_to_depth,
       fold_strided},
      {"Split",
       1,
       2,
       kManyInputs,
       {{"axis", Int}, {"num_outputs", Int}, {"split", Ints}},
       infer_split,
       nullptr,
       follow_split,
       values(1)},
      {"Squeeze",
       1,
       2,
       1,
       {{"axes", Ints}},
       infer_squeeze,
       fold_same_bytes,
       follow_same,
       values(1)},
      {"Tile", 2, 2, 1, kNone, infer_tile, fold_strided, nullptr, values(1)},
      {"TopK",
       1,
       2,
       2,
       {{"axis", Int}, {"k", Int}, {"largest", Int}, {"sorted", Int}},
       infer_top_k,
       nullptr,
       nullptr,
       values(1)},
      {"Transpose", 1, 1, 1, {{"perm", Ints}}, infer_transpose, fold_strided},
      {"Trilu", 1, 2, 1, {{"upper", Int}}, infer_trilu, nullptr, nullptr, values(1)},
      {"Unsqueeze",
       1,
       2,
       1,
       {{"axes", Ints}},
       infer_unsqueeze,
       fold_same_bytes,
       follow_same,
       values(1)},
  };
  return rows;
}

const std::vector<Operator>& reducing() {
  static const std::vector<Operator> rows = {
      {"ArgMax", 1, 1, 1, kArgReduce, infer_arg_reduce},
      {"ArgMin", 1, 1, 1, kArgReduce, infer_arg_reduce},
      {"Hardmax", 1, 1, 1, kAxis, infer_softmax},
      {"LogSoftmax", 1, 1, 1, kAxis, infer_softmax},
      reduce("ReduceL1"),
      reduce("ReduceL2"),
      reduce("ReduceLogSum"),
      reduce("ReduceLogSumExp"),
      reduce("ReduceMax"),
      reduce("ReduceMean"),
      reduce("ReduceMin"),
      {"ReduceProd", 1, 2, 1, kReduce, infer_reduce, nullptr, follow_reduce_prod, values(1)},
      reduce("ReduceSum"),
      reduce("ReduceSumSquare"),
      {"Softmax", 1, 1, 1, kAxis, infer_softmax},
  };
  return rows;
}

// NOLINTNEXTLINE(readability-function-size): a table
const std::vector<Operator>& neural() {
  static const Rules resize = {{"antialias", Int},
                               {"axes", Ints},
                               {"coordinate_transformation_mode", Text},
                               {"cubic_coeff_a", Float},
                               {"exclude_outside", Int},
                               {"extrapolation_value", Float},
                               {"keep_aspect_ratio_policy", Text},
                               {"mode", Text},
                               {"nearest_mode", Text}};
  static const Rules recurrent = {{"activation_alpha", Floats},
                                  {"activation_beta", Floats},
                                  {"activations", Texts},
                                  {"clip", Float},
                                  {"direction", Text},
                                  {"hidden_size", Int},
                                  {"layout", Int}};
  static const std::vector<Operator> rows = {
      {"AveragePool", 1, 1, 1, with(kPool, {{"count_include_pad", Int}}), infer_pool},
      {"BatchNormalization",
       5,
       5,
       5,
       {{"epsilon", Float}, {"momentum", Float}, {"spatial", Int}, {"training_mode", Int}},
       infer_batch_norm},
      {"Conv", 2, 3, 1, with(kWindow, {{"group", Int}}), infer_conv},
      {"ConvTranspose", 2, 3, 1,
       with(kWindow, {{"group", Int}, {"output_padding", Ints}, {"output_shape", Ints}}),
       infer_conv_transpose},
      {"GRU", 3, 6, 2, with(recurrent, {{"linear_before_reset", Int}}), infer_recurrent},
      {"Gemm",
       2,
       3,
       1,
       {{"alpha", Float}, {"beta", Float}, {"transA", Int}, {"transB", Int}},
       infer_gemm},
      {"GlobalAveragePool", 1, 1, 1, kNone, infer_global_pool},
      {"GlobalMaxPool", 1, 1, 1, kNone, infer_global_pool},
      {"GroupNormalization",
       3,
       3,
       1,
       {{"epsilon", Float}, {"num_groups", Int}, {"stash_type", Int}},
       infer_group_norm},
      {"InstanceNormalization", 3, 3, 1, {{"epsilon", Float}}, infer_channel_norm},
      {"LRN",
       1,
       1,
       1,
       {{"alpha", Float}, {"beta", Float}, {"bias", Float}, {"size", Int}},
       infer_lrn},
      {"LSTM", 3, 8, 3, with(recurrent, {{"input_forget", Int}}), infer_recurrent},
      {"LayerNormalization",
       2,
       3,
       3,
       {{"axis", Int}, {"epsilon", Float}, {"stash_type", Int}},
       infer_layer_norm},
      {"MatMul", 2, 2, 1, kNone, infer_matmul},
      {"MaxPool", 1, 1, 2, with(kPool, {{"storage_order", Int}}), infer_pool},
      {"RMSNormalization",
       2,
       2,
       1,
       {{"axis", Int}, {"epsilon", Float}, {"stash_type", Int}},
       infer_rms_norm},
      {"RNN", 3, 6, 2, recurrent, infer_recurrent},
      {"Resize", 1, 4, 1, resize, infer_resize, nullptr, nullptr, values(1, 2, 3)},
      {"Upsample",
       1,
       2,
       1,
       {{"mode", Text}, {"scales", Floats}},
       infer_resize,
       nullptr,
       nullptr,
       values(1)},
  };
  return rows;
}

}  // namespace

const std::vector<Operator>& operator_table() {
  static const std::vector<Operator> rows = [] {
    std::vector<Operator> all = elementwise();
    for (auto& row : all) row.elementwise = true;
    for (const auto* family : {&layout(), &reducing(), &neural()}) {
      all.insert(all.end(), family->begin(), family->end());
    }
    return all;
  }();
  return rows;
}

}  // namespace inferometer::graph

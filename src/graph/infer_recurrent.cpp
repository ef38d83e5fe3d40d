// SPDX-License-Identifier: Apache-2.0
// Shapes through LSTM, GRU and RNN.
#include <vector>

#include "base/text.hpp"
#include "graph/operators.hpp"
#include "graph/recurrent.hpp"
#include "graph/sizes.hpp"

namespace inferometer::graph {

namespace {

void expect_shape(const Inference& at, std::size_t input, const std::vector<Dim>& wanted) {
  const auto* have = at.shape(input);
  if (have == nullptr) return;
  bool equal = have->size() == wanted.size();
  for (std::size_t i = 0; equal && i < wanted.size(); ++i) {
    equal = (*have)[i].size < 0 || wanted[i].size < 0 || (*have)[i].size == wanted[i].size;
  }
  if (!equal) {
    at.fail("input {} has shape {}, {} is needed", input, shape_text(*have), shape_text(wanted));
  }
}

Dim times(const Inference& at, std::int64_t factor, const Dim& size) {
  if (size.size < 0) return {};
  const auto product = checked_mul(factor, size.size);
  if (!product) at.fail("a hidden size of {} overflows", size.size);
  return {*product, ""};
}

}  // namespace

std::int64_t recurrent_gates(const NodeView& at) {
  return at.op() == "LSTM" ? 4 : at.op() == "GRU" ? 3 : 1;
}

std::int64_t recurrent_directions(const NodeView& at) {
  const auto word = string_attribute(at.node(), "direction", "forward");
  if (word == "forward" || word == "reverse") return 1;
  if (word == "bidirectional") return 2;
  at.fail("direction '{}' is none of forward, reverse, bidirectional", printable(word));
}

void infer_recurrent(Inference& at) {
  const auto dtype = at.dtype(0);
  const auto directions = recurrent_directions(at);
  const bool lstm = at.op() == "LSTM";
  const bool batch_first = int_attribute(at.node(), "layout", 0) != 0;
  for (std::size_t i = 0; i < at.output_count(); ++i) at.set(i, dtype, std::nullopt);
  for (std::size_t i = 1; i < at.input_count(); ++i) {
    const auto given = at.dtype(i);
    const auto wanted = i == 4 ? std::optional(DType::I32) : dtype;
    if (given && wanted && *given != *wanted) {
      at.fail("input {} is of dtype {}, {} is needed", i, to_string(*given), to_string(*wanted));
    }
  }
  const auto* x = at.shape(0);
  const auto* recurrence = at.shape(2);
  if (x == nullptr || recurrence == nullptr) return;
  if (x->size() != 3 || recurrence->size() != 3) {
    at.fail("input {} and recurrence {} must have three axes", shape_text(*x),
            shape_text(*recurrence));
  }
  const auto &steps = (*x)[batch_first ? 1 : 0], &batch = (*x)[batch_first ? 0 : 1];
  const auto hidden = (*recurrence)[2];
  const auto stated = int_attribute(at.node(), "hidden_size", hidden.size);
  if (hidden.size >= 0 && stated != hidden.size) {
    at.fail("hidden_size is {} but the recurrence {}", stated, shape_text(*recurrence));
  }
  const Dim lines{directions, ""};
  const auto gates = times(at, recurrent_gates(at), hidden);
  const auto state =
      batch_first ? std::vector{batch, lines, hidden} : std::vector{lines, batch, hidden};
  expect_shape(at, 1, {lines, gates, (*x)[2]});
  expect_shape(at, 2, {lines, gates, hidden});
  expect_shape(at, 3, {lines, times(at, 2, gates)});
  expect_shape(at, 4, {batch});
  expect_shape(at, 5, state);
  expect_shape(at, 6, state);
  if (lstm) expect_shape(at, 7, {lines, times(at, 3, hidden)});
  at.set(0, dtype,
         batch_first ? std::vector{batch, steps, lines, hidden}
                     : std::vector{steps, lines, batch, hidden});
  at.set(1, dtype, state);
  at.set(2, dtype, state);
}

}  // namespace inferometer::graph

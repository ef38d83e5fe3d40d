// SPDX-License-Identifier: Apache-2.0
// LSTM, GRU and RNN, in double: one sequence of one direction after the other, so that the order of
// additions never changes.
#include "graph/recurrent.hpp"

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "graph/scalar.hpp"
#include "kernel.hpp"
#include "number.hpp"

namespace inferometer::reference {
namespace {

using Row = std::vector<double>;

/// An activation function, its input cut to [-clip, clip].
struct Activation {
  graph::RealFunction function;
  double clip = HUGE_VAL;

  double operator()(double x) const { return function(std::clamp(x, -clip, clip)); }
};

std::vector<float> floats_attribute(const Site& site, const char* name) {
  const auto found = site.node().attributes.find(name);
  if (found == site.node().attributes.end()) return {};
  return std::get<std::vector<float>>(found->second);
}

std::vector<std::string> activation_names(const Site& site, std::int64_t directions) {
  const auto found = site.node().attributes.find("activations");
  if (found != site.node().attributes.end())
    return std::get<std::vector<std::string>>(found->second);
  std::vector<std::string> names, one{"Tanh"};
  if (site.node().op == "LSTM") one = {"Sigmoid", "Tanh", "Tanh"};
  if (site.node().op == "GRU") one = {"Sigmoid", "Tanh"};
  for (std::int64_t i = 0; i < directions; ++i) names.insert(names.end(), one.begin(), one.end());
  return names;
}

/// Takes the next of the values given for functions that have such a parameter.
double next_of(std::vector<float>& given, double fallback) {
  if (given.empty()) return fallback;
  const auto value = static_cast<double>(given.front());
  given.erase(given.begin());
  return value;
}

graph::RealFunction activation(const Site& site, const std::string& name,
                               std::vector<float>& alphas, std::vector<float>& betas) {
  if (name == "Affine") {
    const double a = next_of(alphas, 1);
    return {[](double x, double s, double t) { return s * x + t; }, a, next_of(betas, 0)};
  }
  if (name == "ScaledTanh") {
    const double a = next_of(alphas, 1);
    return {[](double x, double s, double t) { return s * std::tanh(t * x); }, a,
            next_of(betas, 1)};
  }
  graph::Node plain{
      .name = {}, .op = name, .domain = {}, .inputs = {}, .outputs = {}, .attributes = {}};
  auto function = graph::real_function(plain);
  if (!function) site.refuse("activation " + name);
  const bool takes_alpha =
      name == "LeakyRelu" || name == "ThresholdedRelu" || name == "HardSigmoid" || name == "Elu";
  if (takes_alpha) function->a = next_of(alphas, function->a);
  if (name == "HardSigmoid") function->b = next_of(betas, function->b);
  return *function;
}

struct Recurrence {
  std::string op;
  std::int64_t steps = 0, batch = 0, input = 0, hidden = 0, directions = 1, gates = 1;
  bool batch_first = false, reverse = false, input_forget = false, reset_first = true;
  std::vector<Activation> activations;  ///< of all directions

  const Activation& function(std::int64_t direction, std::size_t i) const {
    const auto each = activations.size() / static_cast<std::size_t>(directions);
    return activations[static_cast<std::size_t>(direction) * each + i];
  }
  bool runs_back(std::int64_t direction) const { return reverse || direction == 1; }
  /// Elements before a line of the input, of the output and of a state.
  std::int64_t input_at(std::int64_t step, std::int64_t item) const {
    return (batch_first ? item * steps + step : step * batch + item) * input;
  }
  std::int64_t output_at(std::int64_t step, std::int64_t direction, std::int64_t item) const {
    return (batch_first ? (item * steps + step) * directions + direction
                        : (step * directions + direction) * batch + item) *
           hidden;
  }
  std::int64_t state_at(std::int64_t direction, std::int64_t item) const {
    return (batch_first ? item * directions + direction : direction * batch + item) * hidden;
  }
};

std::vector<Activation> read_activations(const Site& site, const Recurrence& r) {
  auto alphas = floats_attribute(site, "activation_alpha"),
       betas = floats_attribute(site, "activation_beta");
  const auto names = activation_names(site, r.directions);
  const std::int64_t each = r.op == "LSTM" ? 3 : r.op == "GRU" ? 2 : 1;
  if (static_cast<std::int64_t>(names.size()) != each * r.directions)
    site.refuse(fmt::format("{} activations", names.size()));
  const double clip = graph::float_attribute(site.node(), "clip", HUGE_VALF);
  std::vector<Activation> activations;
  for (const auto& name : names)
    activations.push_back({activation(site, name, alphas, betas), clip > 0 ? clip : HUGE_VAL});
  return activations;
}

Recurrence make_recurrence(const Site& site) {
  const Shape in = site.input_shape(0), weights = site.input_shape(2);
  Recurrence r;
  r.op = site.node().op;
  r.batch_first = graph::int_attribute(site.node(), "layout", 0) != 0;
  r.steps = in[r.batch_first ? 1 : 0];
  r.batch = in[r.batch_first ? 0 : 1];
  r.input = in[2];
  r.hidden = weights[2];
  r.gates = graph::recurrent_gates(site.view());
  r.directions = graph::recurrent_directions(site.view());
  r.reverse = graph::string_attribute(site.node(), "direction", "forward") == "reverse";
  r.input_forget = graph::int_attribute(site.node(), "input_forget", 0) != 0;
  r.reset_first = graph::int_attribute(site.node(), "linear_before_reset", 0) == 0;
  r.activations = read_activations(site, r);
  return r;
}

/// Elements first..first+count-1 of an input; zeros when it is left out.
template <class T>
Row row_of(const Work& work, std::size_t input, std::int64_t first, std::int64_t count) {
  Row row(static_cast<std::size_t>(count), 0.0);
  if (input >= work.in.size() || work.in[input].data == nullptr) return row;
  const T* from = static_cast<const T*>(work.in[input].data) + first;
  for (std::size_t i = 0; i < row.size(); ++i) row[i] = static_cast<double>(from[i]);
  return row;
}

/// The learned numbers of one direction.
struct Weights {
  Row input, recurrence, input_bias, recurrence_bias, peephole;
};

template <class T>
Weights weights_of(const Recurrence& r, const Work& work, std::int64_t d) {
  const std::int64_t rows = r.gates * r.hidden;
  return {row_of<T>(work, 1, d * rows * r.input, rows * r.input),
          row_of<T>(work, 2, d * rows * r.hidden, rows * r.hidden),
          row_of<T>(work, 3, d * 2 * rows, rows), row_of<T>(work, 3, d * 2 * rows + rows, rows),
          r.op == "LSTM" ? row_of<T>(work, 7, d * 3 * r.hidden, 3 * r.hidden) : Row{}};
}

struct State {
  Row hidden, cell;
};

/// One step of one sequence.
class Cell {
 public:
  Cell(const Recurrence& r, const Weights& w, std::int64_t direction)
      : r_(r), w_(w), direction_(direction) {}

  void step(const Row& x, State& state) const {
    if (r_.op == "LSTM") return lstm(x, state);
    if (r_.op == "GRU") return gru(x, state);
    const Row before = state.hidden;
    for (std::int64_t k = 0; k < r_.hidden; ++k)
      at(state.hidden, k) = f(0)(from_input(0, k, x) + from_state(0, k, before));
  }

 private:
  static double& at(Row& row, std::int64_t i) { return row[static_cast<std::size_t>(i)]; }
  static double at(const Row& row, std::int64_t i) { return row[static_cast<std::size_t>(i)]; }
  const Activation& f(std::size_t i) const { return r_.function(direction_, i); }

  static double dot(const Row& matrix, std::int64_t row, const Row& x) {
    const double* from = matrix.data() + static_cast<std::size_t>(row) * x.size();
    double sum = 0;
    for (std::size_t i = 0; i < x.size(); ++i) sum += from[i] * x[i];
    return sum;
  }
  double from_input(std::int64_t gate, std::int64_t k, const Row& x) const {
    const std::int64_t row = gate * r_.hidden + k;
    return dot(w_.input, row, x) + at(w_.input_bias, row);
  }
  double from_state(std::int64_t gate, std::int64_t k, const Row& h) const {
    const std::int64_t row = gate * r_.hidden + k;
    return dot(w_.recurrence, row, h) + at(w_.recurrence_bias, row);
  }

  // Rows of the weights: input, output, forget, cell; of the peepholes: input, output, forget.
  void lstm(const Row& x, State& state) const {
    const Row before = state.hidden;
    const auto gate = [&](std::int64_t g, std::int64_t k, double cell) {
      const double seen = at(w_.peephole, g * r_.hidden + k) * cell;
      return f(0)(from_input(g, k, x) + from_state(g, k, before) + seen);
    };
    for (std::int64_t k = 0; k < r_.hidden; ++k) {
      double& cell = at(state.cell, k);
      const double in = gate(0, k, cell);
      const double keep = r_.input_forget ? 1 - in : gate(2, k, cell);
      const double fresh = f(1)(from_input(3, k, x) + from_state(3, k, before));
      cell = keep * cell + in * fresh;
      at(state.hidden, k) = gate(1, k, cell) * f(2)(cell);
    }
  }

  // Rows of the weights: update, reset, hidden.
  void gru(const Row& x, State& state) const {
    const Row before = state.hidden;
    Row reset(before.size()), kept(before.size());
    for (std::int64_t k = 0; k < r_.hidden; ++k) {
      at(reset, k) = f(0)(from_input(1, k, x) + from_state(1, k, before));
      at(kept, k) = at(reset, k) * at(before, k);
    }
    for (std::int64_t k = 0; k < r_.hidden; ++k) {
      const double update = f(0)(from_input(0, k, x) + from_state(0, k, before));
      const double past =
          r_.reset_first ? from_state(2, k, kept) : at(reset, k) * from_state(2, k, before);
      const double fresh = f(1)(from_input(2, k, x) + past);
      at(state.hidden, k) = (1 - update) * fresh + update * at(before, k);
    }
  }

  const Recurrence& r_;
  const Weights& w_;
  std::int64_t direction_;
};

std::int64_t length_of(const Recurrence& r, const Work& work, std::int64_t item) {
  if (work.in.size() <= 4 || work.in[4].data == nullptr) return r.steps;
  const std::int64_t length = static_cast<const std::int32_t*>(work.in[4].data)[item];
  if (length >= 0 && length <= r.steps) return length;
  throw Error(Status::PredictFailed,
              fmt::format("{}: a sequence of {} steps of {}", r.op, length, r.steps));
}

template <class T>
void store(const Work& work, std::size_t output, std::int64_t first, const Row& row) {
  if (output >= work.out.size() || work.out[output].data == nullptr) return;
  T* to = static_cast<T*>(work.out[output].data) + first;
  for (const double value : row) *to++ = static_cast<T>(value);
}

template <class T>
void run_sequence(const Recurrence& r, const Weights& weights, const Work& work,
                  std::int64_t direction, std::int64_t item) {
  const Cell cell(r, weights, direction);
  const std::int64_t state_at = r.state_at(direction, item), length = length_of(r, work, item);
  State state{row_of<T>(work, 5, state_at, r.hidden), {}};
  if (r.op == "LSTM") state.cell = row_of<T>(work, 6, state_at, r.hidden);
  const Row zeros(static_cast<std::size_t>(r.hidden), 0.0);
  for (std::int64_t i = 0; i < r.steps; ++i) {
    const std::int64_t step = r.runs_back(direction) && i < length ? length - 1 - i : i;
    const bool runs = i < length;
    if (runs) cell.step(row_of<T>(work, 0, r.input_at(step, item), r.input), state);
    store<T>(work, 0, r.output_at(step, direction, item), runs ? state.hidden : zeros);
  }
  store<T>(work, 1, state_at, state.hidden);
  if (r.op == "LSTM") store<T>(work, 2, state_at, state.cell);
}

}  // namespace

Compute prepare_recurrent(const Site& site) {
  const Recurrence r = make_recurrence(site);
  return with_real_type(site.input_dtype(0), r.op, [&]<class T>(T) -> Compute {
    return [r](const Work& work) {
      std::vector<Weights> weights;
      for (std::int64_t d = 0; d < r.directions; ++d) weights.push_back(weights_of<T>(r, work, d));
      work.pool.run(r.directions * r.batch, [&](std::int64_t i, std::size_t) {
        const std::int64_t direction = i / r.batch;
        run_sequence<T>(r, weights[static_cast<std::size_t>(direction)], work, direction,
                        i % r.batch);
      });
    };
  });
}

}  // namespace inferometer::reference

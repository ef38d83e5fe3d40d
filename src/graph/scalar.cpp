// SPDX-License-Identifier: Apache-2.0
#include "graph/scalar.hpp"

#include <algorithm>
#include <string>
#include <unordered_map>

namespace inferometer::graph {

namespace {

using Apply = double (*)(double, double, double);

struct Parameter {
  const char* name = nullptr;  ///< nullptr: none
  float fallback = 0;
};

struct Row {
  Apply apply;
  Parameter a = {}, b = {};
};

double sigmoid(double x) {
  return 1 / (1 + std::exp(-x));
}
// log(1 + e^x) without the overflow of e^x.
double softplus(double x) {
  return std::max(x, 0.0) + std::log1p(std::exp(-std::abs(x)));
}
double hard_sigmoid(double x, double alpha, double beta) {
  return std::clamp(alpha * x + beta, 0.0, 1.0);
}

double relu(double x, double, double) {
  return x < 0 ? 0 : x;
}
double sign(double x, double, double) {
  return x > 0 ? 1 : x < 0 ? -1 : x;
}
double gelu_erf(double x, double, double) {
  return 0.5 * x * (1 + std::erf(x / std::sqrt(2.0)));
}
double gelu_tanh(double x, double, double) {
  const double pi = std::acos(-1.0);
  return 0.5 * x * (1 + std::tanh(std::sqrt(2 / pi) * (x + 0.044715 * x * x * x)));
}

const std::unordered_map<std::string_view, Row>& rows() {
  static const std::unordered_map<std::string_view, Row> kRows = {
      {"Abs", {[](double x, double, double) { return std::abs(x); }}},
      {"Acos", {[](double x, double, double) { return std::acos(x); }}},
      {"Acosh", {[](double x, double, double) { return std::acosh(x); }}},
      {"Asin", {[](double x, double, double) { return std::asin(x); }}},
      {"Asinh", {[](double x, double, double) { return std::asinh(x); }}},
      {"Atan", {[](double x, double, double) { return std::atan(x); }}},
      {"Atanh", {[](double x, double, double) { return std::atanh(x); }}},
      {"Ceil", {[](double x, double, double) { return std::ceil(x); }}},
      {"Celu",
       {[](double x, double a, double) {
          return std::max(0.0, x) + std::min(0.0, a * std::expm1(x / a));
        },
        {"alpha", 1}}},
      {"Cos", {[](double x, double, double) { return std::cos(x); }}},
      {"Cosh", {[](double x, double, double) { return std::cosh(x); }}},
      {"Elu",
       {[](double x, double a, double) { return x < 0 ? a * std::expm1(x) : x; }, {"alpha", 1}}},
      {"Erf", {[](double x, double, double) { return std::erf(x); }}},
      {"Exp", {[](double x, double, double) { return std::exp(x); }}},
      {"Floor", {[](double x, double, double) { return std::floor(x); }}},
      {"HardSigmoid", {hard_sigmoid, {"alpha", 0.2F}, {"beta", 0.5F}}},
      {"HardSwish", {[](double x, double, double) { return x * hard_sigmoid(x, 1.0 / 6, 0.5); }}},
      {"LeakyRelu",
       {[](double x, double a, double) { return x < 0 ? a * x : x; }, {"alpha", 0.01F}}},
      {"Log", {[](double x, double, double) { return std::log(x); }}},
      {"Mish", {[](double x, double, double) { return x * std::tanh(softplus(x)); }}},
      {"Neg", {[](double x, double, double) { return -x; }}},
      {"Reciprocal", {[](double x, double, double) { return 1 / x; }}},
      {"Relu", {relu}},
      // To nearest, halves to even: the mode that every thread starts with.
      {"Round", {[](double x, double, double) { return std::nearbyint(x); }}},
      {"Selu",
       {[](double x, double a, double b) { return b * (x > 0 ? x : a * std::expm1(x)); },
        {"alpha", 1.67326319F},
        {"gamma", 1.05070102F}}},
      {"Shrink",
       {[](double x, double a, double b) { return x < -a  ? x + b
                                                  : x > a ? x - b
                                                          : 0; },
        {"lambd", 0.5F},
        {"bias", 0}}},
      {"Sigmoid", {[](double x, double, double) { return sigmoid(x); }}},
      {"Sign", {sign}},
      {"Sin", {[](double x, double, double) { return std::sin(x); }}},
      {"Sinh", {[](double x, double, double) { return std::sinh(x); }}},
      {"Softplus", {[](double x, double, double) { return softplus(x); }}},
      {"Softsign", {[](double x, double, double) { return x / (1 + std::abs(x)); }}},
      {"Sqrt", {[](double x, double, double) { return std::sqrt(x); }}},
      {"Swish", {[](double x, double a, double) { return x * sigmoid(a * x); }, {"alpha", 1}}},
      {"Tan", {[](double x, double, double) { return std::tan(x); }}},
      {"Tanh", {[](double x, double, double) { return std::tanh(x); }}},
      {"ThresholdedRelu", {[](double x, double a, double) { return x > a ? x : 0; }, {"alpha", 1}}},
  };
  return kRows;
}

double parameter(const Node& node, const Parameter& wanted) {
  if (wanted.name == nullptr) return 0;
  return static_cast<double>(float_attribute(node, wanted.name, wanted.fallback));
}

}  // namespace

std::optional<RealFunction> real_function(const Node& node) {
  if (node.op == "Gelu") {
    const auto word = string_attribute(node, "approximate", "none");
    return RealFunction{word == "tanh" ? gelu_tanh : gelu_erf};
  }
  const auto found = rows().find(node.op);
  if (found == rows().end()) return std::nullopt;
  const auto& row = found->second;
  return RealFunction{row.apply, parameter(node, row.a), parameter(node, row.b)};
}

}  // namespace inferometer::graph

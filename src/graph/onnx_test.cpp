// SPDX-License-Identifier: Apache-2.0
#include "graph/onnx.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstring>
#include <fstream>
#include <functional>

#include "base/file.hpp"
#include "graph/builder.hpp"
#include "graph/onnx_types.hpp"
#include "graph/passes.hpp"
#include "graph/wire.hpp"
#include "graph/zoo.hpp"

namespace inferometer::graph {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using Ints = std::vector<std::int64_t>;

/// A folder of its own for every test.
class OnnxTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto* info = ::testing::UnitTest::GetInstance()->current_test_info();
    folder_ =
        fs::temp_directory_path() / fmt::format("inferometer_onnx_{}_{}", info->name(), ::getpid());
    fs::create_directories(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }

  fs::path write(const std::string& name, const std::string& bytes) const {
    std::ofstream(folder_ / name, std::ios::binary) << bytes;
    return folder_ / name;
  }

  fs::path folder_;
};

std::string refusal(const std::function<void()>& action, Status expected = Status::Invalid) {
  try {
    action();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), expected) << error.what();
    return error.what();
  }
  ADD_FAILURE() << "nothing was refused";
  return "";
}

std::string refusal_of_bytes(const std::string& bytes, Status expected = Status::Invalid) {
  return refusal(
      [&] {
        auto graph = read_onnx(std::as_bytes(std::span(bytes)));
        infer_shapes(graph);
      },
      expected);
}

/// Writes what the Builder can't: parts of a model by hand.
constexpr std::int64_t kNoOpset = -1;

struct HandMade {
  std::int64_t ir_version = 8, opset = 17;
  WireWriter graph, model_extra;

  HandMade() {
    add_value(graph_field::Input, "x", 1, {2});
    add_value(graph_field::Output, "y", 1, {2});
  }

  void add_value(std::uint32_t field, const std::string& name, std::int64_t type,
                 const Ints& dims) {
    WireWriter shape, tensor, outer, value;
    for (const auto dim : dims) {
      WireWriter axis;
      axis.integer(dim_field::Value, dim);
      shape.message(shape_field::Dim, axis);
    }
    tensor.integer(tensor_type_field::Element, type);
    tensor.message(tensor_type_field::Shape, shape);
    outer.message(type_field::Tensor, tensor);
    value.text(value_field::Name, name);
    value.message(value_field::Type, outer);
    graph.message(field, value);
  }

  void add_node(const std::string& op, const std::vector<std::string>& inputs,
                const std::string& output, const std::string& domain = "") {
    WireWriter node;
    for (const auto& input : inputs) node.text(node_field::Input, input);
    node.text(node_field::Output, output);
    node.text(node_field::Name, op + " of " + output);
    node.text(node_field::Op, op);
    if (!domain.empty()) node.text(node_field::Domain, domain);
    graph.message(graph_field::Node, node);
  }

  /// An initialiser "w"; `fill` adds its data.
  void add_tensor(std::int64_t type, const Ints& dims,
                  const std::function<void(WireWriter&)>& fill) {
    WireWriter tensor;
    for (const auto dim : dims) tensor.integer(tensor_field::Dims, dim);
    tensor.integer(tensor_field::Type, type);
    tensor.text(tensor_field::Name, "w");
    fill(tensor);
    graph.message(graph_field::Initializer, tensor);
  }

  void add_external(const std::map<std::string, std::string>& entries) {
    add_tensor(1, {2}, [&](WireWriter& tensor) {
      for (const auto& [key, value] : entries) {
        WireWriter entry;
        entry.text(entry_field::Key, key);
        entry.text(entry_field::Value, value);
        tensor.message(tensor_field::External, entry);
      }
      tensor.integer(tensor_field::Location, 1);
    });
    add_node("Add", {"x", "w"}, "y");
  }

  std::string bytes() const {
    WireWriter model, opsets;
    model.integer(model_field::IrVersion, ir_version);
    if (opset != kNoOpset) {
      opsets.integer(opset_field::Version, opset);
      model.message(model_field::Opset, opsets);
    }
    model.message(model_field::Graph, graph);
    return model.buffer() + model_extra.buffer();
  }
};

std::string floats(const std::vector<float>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float)};
}

TEST_F(OnnxTest, WhatIsWrittenIsReadBack) {
  const auto path = folder_ / "tiny.onnx";
  const auto made = zoo("tiny_cnn");
  write_onnx(made, path);
  const auto read = read_onnx(path);
  ASSERT_EQ(read.nodes.size(), made.nodes.size());
  for (std::size_t i = 0; i < read.nodes.size(); ++i) {
    EXPECT_EQ(read.nodes[i].name, made.nodes[i].name);
    EXPECT_EQ(read.nodes[i].op, made.nodes[i].op);
    EXPECT_EQ(read.nodes[i].attributes.size(), made.nodes[i].attributes.size());
  }
  EXPECT_EQ(count_parameters(read), count_parameters(made));
  EXPECT_EQ(read.value(read.inputs[0]).shape, made.value(made.inputs[0]).shape);
  EXPECT_EQ(read.opset, 17);
  const auto again = folder_ / "again.onnx";
  write_onnx(read, again);
  EXPECT_EQ(read_onnx(again).values.size(), read.values.size());
  EXPECT_EQ(fs::file_size(again), fs::file_size(path));
}

TEST_F(OnnxTest, WeightsAreAWindowOfTheFile) {
  const auto path = folder_ / "tiny.onnx";
  write_onnx(zoo("tiny_mlp"), path);
  const auto read = read_onnx(path);
  for (const auto& value : read.values) {
    if (!value.constant) continue;
    EXPECT_EQ(value.constant->owner, read.values[0].constant->owner);
  }
}

TEST_F(OnnxTest, ExternalDataIsFoundBesideTheModel) {
  const auto path = folder_ / "tiny.onnx";
  write_onnx(zoo("tiny_mlp"), path, 64);
  ASSERT_TRUE(fs::exists(folder_ / "tiny.onnx.data"));
  const auto read = read_onnx(path);
  EXPECT_EQ(read.external_files, std::vector{fs::canonical(folder_ / "tiny.onnx.data")});
  EXPECT_EQ(count_parameters(read), count_parameters(zoo("tiny_mlp")));
  const MappedFile model(path), data(folder_ / "tiny.onnx.data");
  const auto given = read_onnx(model.bytes(), {{"tiny.onnx.data", data.bytes()}});
  EXPECT_EQ(count_parameters(given), count_parameters(read));
  EXPECT_THAT(refusal([&] { read_onnx(model.bytes()); }), HasSubstr("tiny.onnx.data"));
}

TEST_F(OnnxTest, ExternalDataStaysBelowTheFolder) {
  const auto outside = fs::path(folder_.string() + "_outside");
  std::ofstream(outside) << "01234567";
  fs::create_directories(folder_ / "m");
  fs::create_symlink(outside, folder_ / "m/link");
  std::ofstream(folder_ / "m/good", std::ios::binary) << floats({1, 2, 3});
  const auto refused = [&](const std::map<std::string, std::string>& entries) {
    HandMade model;
    model.add_external(entries);
    const auto path = write("m/model.onnx", model.bytes());
    return refusal([&] { read_onnx(path); });
  };
  EXPECT_THAT(refused({{"location", "../../etc/passwd"}}), HasSubstr("w"));
  EXPECT_THAT(refused({{"location", "../" + outside.filename().string()}}), HasSubstr("isn't in"));
  EXPECT_THAT(refused({{"location", "../../" + outside.filename().string()}}),
              HasSubstr("leads out"));
  EXPECT_THAT(refused({{"location", "/etc/passwd"}}), HasSubstr("below the model's folder"));
  EXPECT_THAT(refused({{"location", "link"}}), HasSubstr("leads out"));
  EXPECT_THAT(refused({{"location", "absent"}}), HasSubstr("absent"));
  EXPECT_THAT(refused({{"offset", "0"}}), HasSubstr("location"));
  EXPECT_THAT(refused({{"location", "good"}, {"offset", "8"}}), HasSubstr("ends behind"));
  EXPECT_THAT(refused({{"location", "good"}, {"offset", "-4"}}), HasSubstr("offset"));
  EXPECT_THAT(refused({{"location", "good"}, {"length", "4"}}), HasSubstr("needs 8 bytes"));
  EXPECT_THAT(refused({{"location", "good"}, {"offset", "18446744073709551615"}}),
              HasSubstr("ends behind"));
  fs::remove(outside);
}

TEST(Onnx, TypedDataIsConverted) {
  HandMade model;
  model.add_tensor(1, {2}, [](WireWriter& t) {
    t.packed_floats(tensor_field::Floats, std::vector{1.5F, 2.5F});
  });
  model.add_node("Add", {"x", "w"}, "y");
  const auto bytes = model.bytes();
  const auto graph = read_onnx(std::as_bytes(std::span(bytes)));
  EXPECT_EQ(as_reals(*graph.values[0].constant), (std::vector<double>{1.5, 2.5}));

  HandMade halves;
  halves.add_tensor(10, {2}, [](WireWriter& t) {
    t.packed_integers(tensor_field::Int32s, Ints{0x3C00, 0xC000});
  });
  halves.add_node("Identity", {"x"}, "y");
  const auto half_bytes = halves.bytes();
  const auto half_graph = read_onnx(std::as_bytes(std::span(half_bytes)));
  EXPECT_EQ(as_reals(*half_graph.values[0].constant), (std::vector<double>{1, -2}));
}

TEST(Onnx, WrongTensorsAreRefusedByName) {
  const auto refused = [](std::int64_t type, const Ints& dims,
                          const std::function<void(WireWriter&)>& fill,
                          Status status = Status::Invalid) {
    HandMade model;
    model.add_tensor(type, dims, fill);
    model.add_node("Add", {"x", "w"}, "y");
    const auto message = refusal_of_bytes(model.bytes(), status);
    EXPECT_THAT(message, HasSubstr("tensor w"));
    return message;
  };
  const auto raw = [](std::size_t size) {
    return [size](WireWriter& t) { t.text(tensor_field::Raw, std::string(size, '\0')); };
  };
  constexpr std::int64_t kHuge = std::int64_t{1} << 40;
  EXPECT_THAT(refused(1, {-2}, raw(8)), HasSubstr("negative"));
  EXPECT_THAT(refused(1, {kHuge, kHuge}, raw(8)), HasSubstr("overflows"));
  EXPECT_THAT(refused(1, {kHuge}, raw(24)), HasSubstr("24 are given"));
  EXPECT_THAT(refused(1, {2}, raw(7)), HasSubstr("7 are given"));
  EXPECT_THAT(refused(1, {2}, raw(9)), HasSubstr("9 are given"));
  EXPECT_THAT(refused(99, {2}, raw(8)), HasSubstr("99"));
  EXPECT_THAT(refused(0, {2}, raw(8)), HasSubstr("element type 0"));
  EXPECT_THAT(refused(8, {2}, raw(8), Status::Unsupported), HasSubstr("string"));
  EXPECT_THAT(
      refused(1, {2},
              [](WireWriter& t) { t.packed_floats(tensor_field::Floats, std::vector{1.F}); }),
      HasSubstr("4 are given"));
}

TEST(Onnx, GarbageIsRefused) {
  EXPECT_THAT(refusal_of_bytes(""), HasSubstr("empty"));
  EXPECT_THAT(refusal_of_bytes("<!DOCTYPE html><html>"), HasSubstr("model"));
  EXPECT_THAT(refusal_of_bytes(std::string(12, '\xFF')), HasSubstr("ten bytes"));
  EXPECT_THAT(refusal_of_bytes("\x08\x80"), HasSubstr("ends inside a number"));
  EXPECT_THAT(refusal_of_bytes("\x3A\x80\x80\x80\x80\x80\x80\x80\x80\x40x"), HasSubstr("left"));
  EXPECT_THAT(refusal_of_bytes(std::string("\x08\x08", 2)), HasSubstr("no graph"));
}

TEST(Onnx, EveryTruncationIsRefusedOrWhole) {
  HandMade model;
  model.add_tensor(1, {2}, [](WireWriter& t) { t.text(tensor_field::Raw, floats({1, 2})); });
  model.add_node("Add", {"x", "w"}, "y");
  const auto whole = model.bytes();
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_NE(refusal_of_bytes(whole.substr(0, size)), "") << size;
  }
}

TEST(Onnx, EveryFlippedByteIsReadOrRefused) {
  HandMade model;
  model.add_tensor(1, {2}, [](WireWriter& t) { t.text(tensor_field::Raw, floats({1, 2})); });
  model.add_node("Add", {"x", "w"}, "y");
  const auto whole = model.bytes();
  int refused = 0;
  for (std::size_t i = 0; i < whole.size(); ++i) {
    for (const int flip : {0x01, 0x08, 0x80, 0xFF}) {
      auto bytes = whole;
      bytes[i] = static_cast<char>(bytes[i] ^ flip);
      try {
        auto graph = read_onnx(std::as_bytes(std::span(bytes)));
        infer_shapes(graph);
        fold_constants(graph);
      } catch (const Error&) {
        ++refused;
      }
    }
  }
  EXPECT_GT(refused, static_cast<int>(whole.size()));
}

TEST(Onnx, WrongGraphsAreRefusedByName) {
  HandMade cycle;
  cycle.add_node("Add", {"x", "b"}, "a");
  cycle.add_node("Relu", {"a"}, "b");
  cycle.add_node("Relu", {"b"}, "y");
  EXPECT_THAT(refusal_of_bytes(cycle.bytes()), HasSubstr("cycle"));

  HandMade twice;
  twice.add_node("Relu", {"x"}, "y");
  twice.add_node("Sigmoid", {"x"}, "y");
  EXPECT_THAT(refusal_of_bytes(twice.bytes()), HasSubstr("Sigmoid of y"));

  HandMade missing;
  missing.add_node("Add", {"x", "w"}, "y");
  EXPECT_THAT(refusal_of_bytes(missing.bytes()), HasSubstr("input w"));

  HandMade no_output;
  no_output.add_node("Relu", {"x"}, "z");
  EXPECT_THAT(refusal_of_bytes(no_output.bytes()), HasSubstr("output y"));

  HandMade domain;
  domain.add_node("Relu", {"x"}, "y", "com.example");
  EXPECT_THAT(refusal_of_bytes(domain.bytes()), HasSubstr("com.example"));
}

TEST(Onnx, VersionsAreChecked) {
  const auto refused = [](std::int64_t ir, std::int64_t opset) {
    HandMade model;
    model.ir_version = ir;
    model.opset = opset;
    model.add_node("Relu", {"x"}, "y");
    return refusal_of_bytes(model.bytes(), Status::Invalid);
  };
  EXPECT_THAT(refused(99, 17), HasSubstr("ir_version 99"));
  EXPECT_THAT(refused(8, 999), HasSubstr("opset 999"));
  EXPECT_THAT(refused(8, 0), HasSubstr("version 0"));
  EXPECT_THAT(refused(8, kNoOpset), HasSubstr("opset_import"));
}

std::string of_other_domains_only(const std::vector<std::string>& operator_domains) {
  HandMade model;
  model.opset = kNoOpset;
  WireWriter opset;
  opset.text(opset_field::Domain, "ai.onnx.ml");
  opset.integer(opset_field::Version, 3);
  model.model_extra.message(model_field::Opset, opset);
  auto from = std::string("x");
  for (std::size_t i = 0; i < operator_domains.size(); ++i) {
    const auto to = i + 1 == operator_domains.size() ? std::string("y") : fmt::format("v{}", i);
    model.add_node("Scaler", {from}, to, operator_domains[i]);
    from = to;
  }
  return model.bytes();
}

TEST(Onnx, AModelMayUseOtherDomainsOnly) {
  const auto bytes = of_other_domains_only({"ai.onnx.ml"});
  const auto graph = read_onnx(std::as_bytes(std::span(bytes)));
  EXPECT_EQ(graph.opset, 0);
  EXPECT_EQ(unknown_operators(graph).size(), 1u);
  EXPECT_THAT(refusal_of_bytes(of_other_domains_only({"ai.onnx.ml", ""}), Status::Invalid),
              HasSubstr("Scaler of y (Scaler): opset_import names no version"));
}

TEST(Onnx, NodesAreSorted) {
  HandMade model;
  model.add_node("Relu", {"b"}, "y");
  model.add_node("Sigmoid", {"a"}, "b");
  model.add_node("Identity", {"x"}, "a");
  const auto bytes = model.bytes();
  const auto graph = read_onnx(std::as_bytes(std::span(bytes)));
  ASSERT_EQ(graph.nodes.size(), 3U);
  EXPECT_EQ(graph.nodes[0].op, "Identity");
  EXPECT_EQ(graph.nodes[1].op, "Sigmoid");
  EXPECT_EQ(graph.nodes[2].op, "Relu");
}

TEST(Onnx, NestingIsBounded) {
  std::string inner;
  for (int i = 0; i < 2000; ++i) {
    WireWriter attribute, node, graph;
    attribute.text(attribute_field::Name, "then_branch");
    attribute.text(attribute_field::G, inner);
    attribute.integer(attribute_field::Type, static_cast<std::int64_t>(AttributeType::Graph));
    node.text(node_field::Op, "If");
    node.message(node_field::Attribute, attribute);
    graph.message(graph_field::Node, node);
    inner = graph.buffer();
  }
  WireWriter model, opset;
  opset.integer(opset_field::Version, 17);
  model.integer(model_field::IrVersion, 8);
  model.message(model_field::Opset, opset);
  model.text(model_field::Graph, inner);
  EXPECT_THAT(refusal_of_bytes(model.buffer()), HasSubstr("deeper than 100"));
}

/// A FunctionProto of domain com.example.
struct HandMadeFunction {
  WireWriter message;

  HandMadeFunction(const std::string& name, const std::vector<std::string>& inputs,
                   const std::vector<std::string>& outputs) {
    message.text(function_field::Name, name);
    message.text(function_field::Domain, "com.example");
    for (const auto& input : inputs) message.text(function_field::Input, input);
    for (const auto& output : outputs) message.text(function_field::Output, output);
  }

  /// `attribute` = `reference` of the call, when given.
  HandMadeFunction& node(const std::string& op, const std::vector<std::string>& inputs,
                         const std::string& output, const std::string& domain = "",
                         const std::string& attribute = "", const std::string& reference = "") {
    WireWriter made;
    for (const auto& input : inputs) made.text(node_field::Input, input);
    made.text(node_field::Output, output);
    made.text(node_field::Op, op);
    made.text(node_field::Domain, domain);
    if (!attribute.empty()) {
      WireWriter refers;
      refers.text(attribute_field::Name, attribute);
      refers.text(attribute_field::Reference, reference);
      made.message(node_field::Attribute, refers);
    }
    message.message(function_field::Node, made);
    return *this;
  }
};

/// "y = Op(x)" with a call of `function` in domain com.example.
std::string calling(const std::vector<HandMadeFunction>& functions, const std::string& function) {
  HandMade model;
  for (const auto& made : functions) {
    model.model_extra.message(model_field::Functions, made.message);
  }
  WireWriter opset;
  opset.text(opset_field::Domain, "com.example");
  opset.integer(opset_field::Version, 1);
  model.model_extra.message(model_field::Opset, opset);
  model.add_node(function, {"x"}, "y", "com.example");
  return model.bytes();
}

std::vector<std::string> node_lines(const Graph& graph) {
  std::vector<std::string> lines;
  for (const auto& node : graph.nodes) {
    std::vector<std::string> names;
    for (const auto id : node.inputs) names.push_back(graph.value(id).name);
    lines.push_back(fmt::format("{} = {}({})", graph.value(node.outputs[0]).name, node.op,
                                fmt::join(names, ",")));
  }
  return lines;
}

TEST(Onnx, FunctionsArePutInThePlaceOfTheirCalls) {
  const auto twice = HandMadeFunction("Twice", {"a"}, {"b"}).node("Add", {"a", "a"}, "b");
  const auto fourfold = HandMadeFunction("Fourfold", {"x"}, {"z"})
                            .node("Twice", {"x"}, "y", "com.example")
                            .node("Twice", {"y"}, "z", "com.example");
  const auto bytes = calling({twice, fourfold}, "Fourfold");
  const auto graph = read_onnx(std::as_bytes(std::span(bytes)));
  EXPECT_THAT(node_lines(graph),
              ::testing::ElementsAre("Fourfold of y/y = Add(x,x)",
                                     "y = Add(Fourfold of y/y,Fourfold of y/y)"));
}

TEST(Onnx, AFunctionMayHandItsInputOn) {
  const auto bytes = calling({HandMadeFunction("Same", {"a"}, {"a"})}, "Same");
  const auto graph = read_onnx(std::as_bytes(std::span(bytes)));
  EXPECT_THAT(node_lines(graph), ::testing::ElementsAre("y = Identity(x)"));
}

TEST(Onnx, AnAttributeThatTheCallLeavesOutIsLeftOut) {
  const auto leaky =
      HandMadeFunction("Leaky", {"a"}, {"b"}).node("LeakyRelu", {"a"}, "b", "", "alpha", "slope");
  const auto bytes = calling({leaky}, "Leaky");
  const auto graph = read_onnx(std::as_bytes(std::span(bytes)));
  EXPECT_TRUE(graph.nodes.at(0).attributes.empty());
}

TEST(Onnx, FunctionsCantGrowWithoutBound) {
  const auto endless =
      HandMadeFunction("Loop", {"a"}, {"b"}).node("Loop", {"a"}, "b", "com.example");
  EXPECT_THAT(refusal_of_bytes(calling({endless}, "Loop")), HasSubstr("call each other"));
  std::vector<HandMadeFunction> doubling = {
      HandMadeFunction("F0", {"a"}, {"b"}).node("Relu", {"a"}, "b")};
  for (int i = 1; i < 40; ++i) {
    const auto below = fmt::format("F{}", i - 1);
    doubling.push_back(HandMadeFunction(fmt::format("F{}", i), {"a"}, {"b"})
                           .node(below, {"a"}, "m", "com.example")
                           .node(below, {"m"}, "b", "com.example"));
  }
  EXPECT_THAT(refusal_of_bytes(calling(doubling, "F39")), HasSubstr("grow beyond"));
}

TEST(Onnx, AnInitialiserIsNoInput) {
  HandMade model;
  model.add_tensor(1, {2}, [](WireWriter& t) { t.text(tensor_field::Raw, floats({1, 2})); });
  model.add_value(graph_field::Input, "w", 1, {2});
  model.add_node("Add", {"x", "w"}, "y");
  const auto bytes = model.bytes();
  const auto graph = read_onnx(std::as_bytes(std::span(bytes)));
  ASSERT_EQ(graph.inputs.size(), 1U);
  EXPECT_EQ(graph.value(graph.inputs[0]).name, "x");
}

}  // namespace
}  // namespace inferometer::graph

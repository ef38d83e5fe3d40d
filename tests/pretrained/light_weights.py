# SPDX-License-Identifier: Apache-2.0
"""Weights for onnx's light_* models: well-known networks whose weights are fills of one value.

With those fills every output is the same number whatever the input is. `fill` draws seeded weights in their place, by
what reads them: large enough that every layer still tells two inputs apart, small enough that no softmax saturates.
"""
import numpy as np
from onnx import TensorProto, helper, numpy_helper

BETWEEN = ("Unsqueeze", "Reshape")  # what stands between a weight and the layer that it is for
FIELDS = {("Conv", 1): "filter", ("Conv", 2): "shift", ("Gemm", 1): "matrix", ("Gemm", 2): "shift",
          ("BatchNormalization", 1): "scale", ("BatchNormalization", 2): "shift", ("BatchNormalization", 3): "shift",
          ("BatchNormalization", 4): "variance", ("Mul", 1): "scale", ("Add", 1): "shift"}
# He's variance keeps the size of values from layer to layer, but a sum adds the branch's to the shortcut's.
BRANCH_SCALE, CLASSIFIER_SCALE = 0.5, 0.25


def weight_shapes(graph):
    """{name: shape} of the floating-point initialisers and of the fills."""
    values = {tensor.name: tensor for tensor in graph.initializer}
    shapes = {name: list(tensor.dims) for name, tensor in values.items() if tensor.data_type == tensor.FLOAT}
    for node in graph.node:
        if node.op_type == "ConstantOfShape" and node.input[0] in values:
            shapes[node.output[0]] = numpy_helper.to_array(values[node.input[0]]).tolist()
    return shapes


def neighbours(graph):
    """{name: [(node that reads it, which input)]} and {name: operator that writes it}."""
    readers, writers = {}, {}
    for node in graph.node:
        for index, name in enumerate(node.input):
            readers.setdefault(name, []).append((node, index))
        writers.update({name: node.op_type for name in node.output})
    return readers, writers


def field_of(name, readers):
    """What the weight is to its layer, and that layer; a weight with several readers is drawn for the first."""
    node, index = readers[name][0]
    if node.op_type in BETWEEN and index == 0:
        return field_of(node.output[0], readers)
    return FIELDS.get((node.op_type, index)), node


def scale_of(field, node, readers, writers):
    next_operators = {reader.op_type for reader, _ in readers.get(node.output[0], [])}
    if field == "scale" and "Sum" in next_operators:
        return BRANCH_SCALE
    if field == "matrix" and "Softmax" in next_operators:
        return CLASSIFIER_SCALE
    if field == "filter" and writers.get(node.input[0]) == "BatchNormalization":
        return np.sqrt(0.5)  # He's 2 makes up for the half that a Relu cuts off; here is none
    return 1


def draw(rng, field, shape):
    normal = rng.standard_normal(shape, np.float32)
    if field == "filter":  # [outputs, inputs of the group, ...]
        return normal * np.sqrt(2 / np.prod(shape[1:], dtype=np.float32))
    if field == "matrix":  # [..., outputs, inputs]: every Gemm of these models has transB
        return normal * np.sqrt(np.float32(2 / shape[-1]))
    if field == "variance":
        return np.exp(0.1 * normal)
    return 1 + 0.1 * normal if field == "scale" else 0.1 * normal


def fill(model, seed):
    """Changes the model; returns how many weights were drawn."""
    graph, rng = model.graph, np.random.default_rng(seed)
    readers, writers = neighbours(graph)
    drawn = {}
    for name, shape in weight_shapes(graph).items():
        field, node = field_of(name, readers) if name in readers else (None, None)
        if field:
            values = draw(rng, field, shape) * np.float32(scale_of(field, node, readers, writers))
            drawn[name] = numpy_helper.from_array(values, name)
    declared = {port.name for port in graph.input}
    graph.input.extend(helper.make_tensor_value_info(name, TensorProto.FLOAT, tensor.dims)
                       for name, tensor in drawn.items() if name not in declared)  # as version 3 of the format has it
    kept = [tensor for tensor in graph.initializer if tensor.name not in drawn]
    nodes = [node for node in graph.node if node.output[0] not in drawn]
    del graph.initializer[:], graph.node[:]
    graph.initializer.extend([*kept, *drawn.values()])
    graph.node.extend(nodes)
    return len(drawn)

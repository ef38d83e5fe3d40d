# SPDX-License-Identifier: Apache-2.0
"""Models for the tests: written here, one operator each, so that every answer is known."""

import faulthandler

import pytest

onnx = pytest.importorskip("onnx", reason="the onnx wheel (tests/wheels.lock) writes the models")
from onnx import TensorProto, helper  # noqa: E402

import inferometer  # noqa: E402

faulthandler.dump_traceback_later(240, exit=True)  # a deadlock must show where

ONNX_TYPES = {
    "f32": TensorProto.FLOAT,
    "f64": TensorProto.DOUBLE,
    "f16": TensorProto.FLOAT16,
    "bf16": TensorProto.BFLOAT16,
    "i8": TensorProto.INT8,
    "i16": TensorProto.INT16,
    "i32": TensorProto.INT32,
    "i64": TensorProto.INT64,
    "u8": TensorProto.UINT8,
    "u16": TensorProto.UINT16,
    "u32": TensorProto.UINT32,
    "u64": TensorProto.UINT64,
    "bool": TensorProto.BOOL,
}


def write_identities(path, ports):
    """A model that hands each input on: ports are (input, output, dtype word, shape)."""
    nodes, inputs, outputs = [], [], []
    for source, result, dtype, shape in ports:
        nodes.append(helper.make_node("Identity", [source], [result]))
        inputs.append(helper.make_tensor_value_info(source, ONNX_TYPES[dtype], shape))
        outputs.append(helper.make_tensor_value_info(result, ONNX_TYPES[dtype], shape))
    graph = helper.make_graph(nodes, "identities", inputs, outputs)
    opsets = [helper.make_opsetid("", 17)]
    onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=8), path)
    return path


@pytest.fixture
def identity(tmp_path):
    """Loads a model that hands its one input on."""

    def load(dtype="f32", shape=("N", 4), engine="null", **params):
        path = write_identities(tmp_path / "identity.onnx", [("x", "y", dtype, shape)])
        return inferometer.load(path, engine=engine, **params)

    return load


@pytest.fixture
def pair(tmp_path):
    """Loads a model with two inputs and two outputs of different dtypes."""
    ports = [("image", "image_out", "f32", ("N", 2, 3)), ("count", "count_out", "i64", ("N", 1))]
    path = write_identities(tmp_path / "pair.onnx", ports)
    return lambda **params: inferometer.load(path, **{"engine": "reference", **params})

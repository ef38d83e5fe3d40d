# SPDX-License-Identifier: Apache-2.0
"""predict in its forms, with the right answers."""

import gc

import numpy as np
import pytest

import inferometer

NUMPY = {
    "f32": "float32",
    "f64": "float64",
    "f16": "float16",
    "i8": "int8",
    "i16": "int16",
    "i32": "int32",
    "i64": "int64",
    "u8": "uint8",
    "u16": "uint16",
    "u32": "uint32",
    "u64": "uint64",
    "bool": "bool",
}


@pytest.mark.parametrize("isolation", ["none", "process"])
@pytest.mark.parametrize("dtype", NUMPY)
def test_every_dtype(identity, dtype, isolation):
    m = identity(dtype, engine="reference", batch_size=2, isolation=isolation)
    assert m.info.inputs[0].dtype == dtype
    x = np.random.default_rng(1).integers(0, 2 if dtype == "bool" else 100, (5, 4)).astype(NUMPY[dtype])
    y = m.predict(x)
    assert y.dtype == x.dtype
    np.testing.assert_array_equal(y, x)


def test_bf16_through_ml_dtypes(identity):
    ml_dtypes = pytest.importorskip("ml_dtypes")
    m = identity("bf16", engine="reference", batch_size=2)
    x = np.arange(20, dtype=np.float32).reshape(5, 4).astype(ml_dtypes.bfloat16)
    y = m.predict(x)
    assert y.dtype == ml_dtypes.bfloat16
    np.testing.assert_array_equal(y, x)
    out = np.zeros_like(x)
    assert m.predict(x, out=out) is out
    np.testing.assert_array_equal(out, x)
    out.setflags(write=False)
    with pytest.raises(inferometer.InvalidError, match="output 0 is read-only"):
        m.predict(x, out=out)


def test_bf16_without_ml_dtypes_speaks_dlpack(identity, monkeypatch):
    ml_dtypes = pytest.importorskip("ml_dtypes")
    m = identity("bf16", engine="reference")
    x = np.ones((1, 4), ml_dtypes.bfloat16)
    monkeypatch.setitem(__import__("sys").modules, "ml_dtypes", None)
    y = m.predict(x)
    assert hasattr(y, "__dlpack__") and y.__dlpack_device__() == (1, 0)
    again = m.predict(y)  # what came out goes in
    assert hasattr(again, "__dlpack__")


def test_a_scalar(identity):
    m = identity("f64", shape=(), engine="reference")
    y = m.predict(np.array(2.5))
    assert y.shape == () and y == 2.5


@pytest.mark.parametrize("rows", [1, 3, 4, 9])
def test_any_number_of_rows(identity, rows):
    m = identity(engine="reference", batch_size=4)
    x = np.random.default_rng(rows).random((rows, 4), np.float32)
    np.testing.assert_array_equal(m.predict(x), x)


@pytest.mark.parametrize("form", [list, tuple])
def test_a_list_in_gives_a_list_in_port_order(pair, form):
    m = pair()
    image, count = np.ones((3, 2, 3), np.float32), np.array([[1], [2], [3]])
    outputs = m.predict(form([image, count]))
    assert isinstance(outputs, list)
    np.testing.assert_array_equal(outputs[0], image)
    np.testing.assert_array_equal(outputs[1], count)


def test_a_dict_in_gives_a_dict(pair):
    m = pair()
    x = {"count": np.array([[7]]), "image": np.full((1, 2, 3), 2, np.float32)}
    outputs = m.predict(x)
    assert list(outputs) == ["image_out", "count_out"]
    np.testing.assert_array_equal(outputs["count_out"], x["count"])
    np.testing.assert_array_equal(outputs["image_out"], x["image"])


def test_out_is_written_in_place(pair):
    m = pair(batch_size=2)
    x = {"count": np.arange(5).reshape(5, 1), "image": np.random.rand(5, 2, 3).astype(np.float32)}
    out = {"image_out": np.zeros((5, 2, 3), np.float32), "count_out": np.zeros((5, 1), np.int64)}
    assert m.predict(x, out=out) is out
    np.testing.assert_array_equal(out["image_out"], x["image"])
    listed = [np.zeros((5, 2, 3), np.float32), np.zeros((5, 1), np.int64)]
    m.predict([x["image"], x["count"]], out=listed)
    np.testing.assert_array_equal(listed[1], x["count"])


def test_outputs_outlive_the_model(identity):
    m = identity(engine="reference")
    x = np.arange(4, dtype=np.float32).reshape(1, 4)
    y = m.predict(x)
    del m
    gc.collect()
    np.testing.assert_array_equal(y, x)


@pytest.mark.parametrize("isolation", ["none", "process"])
def test_allocate(identity, isolation):
    m = identity(engine="reference", isolation=isolation)
    x = m.allocate("x", 3)
    assert x.shape == (3, 4) and x.dtype == np.float32
    x[...] = 5
    y = m.allocate(m.info.outputs[0], 3)
    m.predict(x, out=y)
    assert (y == 5).all()
    with pytest.raises(inferometer.Error, match="its ports: x, y"):
        m.allocate("z", 3)


def test_info(identity):
    m = identity(engine="reference", batch_size=3, params={"threads": 1})
    info = m.info
    assert info is m.info
    assert info.engine == "reference" and info.engine_choice == "asked for"
    assert info.inputs[0].name == "x" and info.inputs[0].shape == ["N", 4]
    assert info.inputs[0].batch_axis == 0
    assert info.requested["batch_size"] == 3 and info.requested["threads"] == 1
    assert info.to_dict()["inputs"][0]["dtype"] == "f32"
    assert "reference" in repr(info) and "reference" in repr(m)
    with pytest.raises(AttributeError):
        info.engine = "other"


def test_a_symbol_fixed_at_load(identity):
    m = identity(shape=("N", "seq"), engine="reference", params={"dim.seq": 6})
    assert m.info.inputs[0].shape == ["N", 6]
    assert m.predict(np.zeros((2, 6), np.float32)).shape == (2, 6)


def test_engines():
    found = {engine.name: engine for engine in inferometer.engines()}
    assert {"null", "reference", "onnxruntime", "openvino"} <= set(found)
    assert found["null"].available and ".onnx" in found["null"].formats
    for engine in found.values():
        assert engine.available or engine.reason
    spec = next(s for s in found["null"].params if s.name == "fill")
    assert spec.choices == ["rows", "none"] and spec.default == "rows" and spec.type == "text"


@pytest.mark.parametrize("engine", ["onnxruntime", "openvino"])
def test_the_environments_engines_are_found_without_activation(identity, engine):
    if not {e.name: e.available for e in inferometer.engines()}[engine]:
        pytest.skip(f"{engine} is not available here")
    m = identity(engine=engine)
    x = np.random.default_rng(2).random((2, 4), np.float32)
    np.testing.assert_array_equal(m.predict(x), x)

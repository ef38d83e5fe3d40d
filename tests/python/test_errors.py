# SPDX-License-Identifier: Apache-2.0
"""Whatever is wrong is an inferometer.Error that names it; nothing is ever converted silently."""

import ctypes
import os
import pickle

import numpy as np
import pytest

import inferometer

ROWS = np.ones((2, 4), np.float32)

WRONG = {
    "dtype": (ROWS.astype(np.float64), "f64"),
    "complex": (ROWS.astype(np.complex64), "complex64"),
    "text": (np.array([["a"] * 4]), "not an array"),
    "object": (ROWS.astype(object), "not an array"),
    "rank": (np.ones(4, np.float32), r"\[4\]"),
    "shape": (np.ones((2, 5), np.float32), r"\[2,5\]"),
    "no_rows": (np.ones((0, 4), np.float32), r"\[0,4\]"),
    "strided": (np.ones((2, 8), np.float32)[:, ::2], "contiguous"),
    "reversed": (ROWS[::-1], "contiguous"),
    "column_major": (np.asfortranarray(ROWS), "contiguous"),
    "byte_order": (ROWS.astype(">f4"), "byte order"),
    "unaligned": (np.frombuffer(b"\0" * 33, np.uint8)[1:].view(np.float32).reshape(2, 4), "aligned"),
    "number": (1.5, "float"),
    "nothing": (None, "NoneType"),
    "rank_9": (np.ones((1,) * 9, np.float32), ""),
}


@pytest.mark.parametrize("case", WRONG)
@pytest.mark.parametrize("form", [lambda x: x, lambda x: [x], lambda x: {"x": x}])
def test_wrong_input(identity, case, form):
    x, said = WRONG[case]
    with pytest.raises(inferometer.Error, match=said) as caught:
        identity().predict(form(x))
    assert caught.value.code == "invalid"
    assert isinstance(caught.value, TypeError) and isinstance(caught.value, ValueError)


def read_only():
    y = np.zeros((2, 4), np.float32)
    y.setflags(write=False)
    return y


@pytest.mark.parametrize(
    "out",
    [
        read_only(),
        np.zeros((3, 4), np.float32),
        np.zeros((2, 4), np.float64),
        np.zeros((4, 2), np.float32).T,
        [],
        [np.zeros((2, 4), np.float32)] * 2,
        {"z": np.zeros((2, 4), np.float32)},
        {},
        0,
    ],
)
def test_wrong_output(identity, out):
    with pytest.raises(inferometer.InvalidError):
        identity().predict(ROWS, out=out)


def test_wrong_number_and_names(pair):
    m = pair()
    image, count = np.ones((1, 2, 3), np.float32), np.ones((1, 1), np.int64)
    for wrong in (image, [image], [image] * 3, {"image": image}, {"image": image, "cuont": count}):
        with pytest.raises(inferometer.InvalidError):
            m.predict(wrong)
    with pytest.raises(inferometer.InvalidError, match="count.* is missing"):
        m.predict({"image": image})
    with pytest.raises(inferometer.InvalidError):
        m.predict([image, np.ones((2, 1), np.int64)])  # rows differ


class DLDevice(ctypes.Structure):
    _fields_ = [("type", ctypes.c_int32), ("id", ctypes.c_int32)]


class DLManagedTensor(ctypes.Structure):
    _fields_ = [
        ("data", ctypes.c_void_p),
        ("device", DLDevice),
        ("ndim", ctypes.c_int32),
        ("code", ctypes.c_uint8),
        ("bits", ctypes.c_uint8),
        ("lanes", ctypes.c_uint16),
        ("shape", ctypes.POINTER(ctypes.c_int64)),
        ("strides", ctypes.c_void_p),
        ("byte_offset", ctypes.c_uint64),
        ("manager_ctx", ctypes.c_void_p),
        ("deleter", ctypes.c_void_p),
    ]


class OnAGpu:
    """Claims to lie on CUDA device 0; its address must never be touched."""

    shape = (ctypes.c_int64 * 2)(2, 4)

    def __dlpack__(self, **_):
        self.tensor = DLManagedTensor(64, DLDevice(2, 0), 2, 2, 32, 1, self.shape)
        make = ctypes.pythonapi.PyCapsule_New
        make.restype, make.argtypes = ctypes.py_object, [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p]
        return make(ctypes.addressof(self.tensor), b"dltensor", None)

    def __dlpack_device__(self):
        return (2, 0)


def test_an_array_on_another_device(identity):
    with pytest.raises(inferometer.InvalidError, match="CPU"):
        identity().predict(OnAGpu())


def test_the_nearest_param_is_named(identity):
    with pytest.raises(inferometer.Error) as caught:
        identity(thread=2)
    assert caught.value.code == "invalid"
    assert caught.value.context["param"] == "thread"
    assert caught.value.context["nearest"] == "threads"


@pytest.mark.parametrize(
    "value", [2**63, -(2**63) - 1, 10**400, None, [1], 1j, b"\xff\xfe", "\udc80", "two", 1.5, True, {}]
)
def test_a_param_of_a_wrong_type_or_size(identity, value):
    with pytest.raises(inferometer.Error) as caught:
        identity(batch_size=value)
    assert caught.value.code == "invalid"
    assert caught.value.context["param"] == "batch_size"


def test_params_of_numpy_and_paths_are_taken(identity, tmp_path):
    m = identity(batch_size=np.int32(3), sleeps=np.bool_(False), drift=np.float32(0.5), cache_dir=tmp_path)
    assert m.info.requested["batch_size"] == 3 and m.info.requested["drift"] == 0.5


def test_texts_that_are_cut_or_no_utf_8(identity):
    with pytest.raises(inferometer.InvalidError) as caught:
        identity(precision="a" + "é" * 100)
    assert "é..." in str(caught.value)
    with pytest.raises(inferometer.Error) as caught:
        inferometer.load(os.fsencode("/none\udcff.onnx"), engine="null")
    assert "/none" in str(caught.value)


def test_a_shape_that_null_can_not_know(identity):
    with pytest.raises(inferometer.Error, match="output y doesn't follow") as caught:
        identity(shape=(None, 4))
    assert caught.value.code == "unsupported"


def test_a_param_given_twice(identity):
    with pytest.raises(inferometer.InvalidError, match="twice"):
        identity(batch_size=1, params={"batch_size": 2})
    with pytest.raises(inferometer.InvalidError, match="no name"):
        identity(params={3: 2})


def test_files(tmp_path):
    for path in (tmp_path / "none.onnx", "", "a\0b", 3, None):
        with pytest.raises(inferometer.InvalidError):
            inferometer.load(path, engine="null")
    with pytest.raises(inferometer.Error) as caught:
        inferometer.load(tmp_path, engine="null")  # a folder may be a model, but not one of this engine's
    assert caught.value.code == "unsupported"
    bad = tmp_path / "bad.onnx"
    bad.write_bytes(b"\x08\xff\xff")
    with pytest.raises(inferometer.InvalidError):
        inferometer.load(bad, engine="null")


def test_a_library_that_is_missing(identity, tmp_path):
    with pytest.raises(inferometer.Error) as caught:
        identity(engine="onnxruntime", library=tmp_path / "none.so")
    assert caught.value.code == "unavailable"
    assert not isinstance(caught.value, TypeError)


def test_the_engines_own_failure(identity):
    m = identity(fault="error")
    with pytest.raises(inferometer.Error) as caught:
        m.predict(ROWS)
    assert caught.value.code == "predict_failed" and caught.value.context["engine"] == "null"


def test_a_worker_that_crashes(identity):
    m = identity(fault="crash", isolation="process")
    with pytest.raises(inferometer.Error) as caught:
        m.predict(ROWS)
    assert caught.value.code == "crashed"
    assert caught.value.context["signal"]


@pytest.mark.parametrize("code", ["invalid", "unavailable"])
def test_an_error_survives_pickling(code):
    kind = inferometer.InvalidError if code == "invalid" else inferometer.Error
    error = kind("no", code, {"param": "x"})
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is kind
    assert (str(again), again.code, again.context) == ("no", code, {"param": "x"})

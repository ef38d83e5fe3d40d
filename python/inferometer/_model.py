# SPDX-License-Identifier: Apache-2.0
"""load and Model."""

import os
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Dict, List, Mapping, Optional, Sequence, Union

from . import _inferometer, _params
from ._errors import invalid

Array = Any  # a NumPy array, or an object with __dlpack__ whose memory is the CPU's
Arrays = Union[Array, Sequence[Array], Mapping[str, Array]]


class Model:
    """A loaded network. Every method may be called from any number of threads at once; calls beyond
    `streams` wait for a context, and other Python threads run meanwhile.

    Arrays are read and written in place: row-major, of exactly the port's dtype, on the CPU. With a
    batch axis a port takes any number of rows >= 1; rows are cut into batches of `batch_size`
    without copying. bf16 goes in and out as ml_dtypes.bfloat16 when that package is installed, and
    through DLPack.
    """

    def __init__(self, handle: _inferometer.Handle):
        self._handle = handle
        self._info = handle.info
        self._bf16 = any(p.dtype == "bf16" for p in self._info.inputs + self._info.outputs)
        self._executor: Optional[ThreadPoolExecutor] = None
        self._lock = threading.Lock()

    @property
    def info(self) -> _inferometer.Info:
        """Ports, engine, params asked for and in effect, load phases. Constant after load."""
        return self._info

    def predict(self, x: Arrays, out: Optional[Arrays] = None) -> Any:
        """The outputs for `x`.

        One array in gives one array (the model has one input and one output); a list or tuple in
        port order gives a list in port order; a dict by name gives a dict by name. Outputs are
        NumPy arrays that own their memory, or `out` when it is given: arrays of the same form as
        the result (array, list or dict), of the right dtype and shape, which are written in place.

        Raises Error: `invalid` (also a TypeError and a ValueError) for a wrong number, name, dtype,
        shape or layout, naming what was expected and given; `predict_failed`, `out_of_memory`, and
        with isolation="process" `crashed` and `timeout`.
        """
        if out is not None:
            return self._predict_into(x, out)
        if self._bf16 or isinstance(x, (list, tuple, dict)):
            return self._predict_general(x)
        return self._handle.predict(x)

    def predict_async(self, x: Arrays, out: Optional[Arrays] = None) -> "Future[Any]":
        """As predict, on another thread: a concurrent.futures.Future. At most `in_flight` calls run
        at once, the others wait in order and can be cancelled. The future keeps the arrays of `x`;
        don't write to them before it is done."""
        return self._pool().submit(self.predict, x, out)

    def allocate(self, port: Union[str, _inferometer.Port], rows: int) -> Array:
        """An uninitialised NumPy array for `rows` rows of an input or output (a Port or its name):
        memory that the engine, or the worker with isolation="process", need not copy."""
        found = self._port(port) if isinstance(port, str) else port
        array = self._handle.allocate(found, rows)
        return _bf16_out(array) if found.dtype == "bf16" else array

    def __repr__(self) -> str:
        return f"<inferometer.Model {self._info.model_path!r} on {self._info.engine}>"

    def _predict_general(self, x: Arrays) -> Any:
        inputs = self._flat("input", x)
        outputs = self._handle.predict_list([_bf16_in(a) for a in inputs] if self._bf16 else inputs)
        if self._bf16:
            outputs = [
                _bf16_out(a) if port.dtype == "bf16" else a
                for a, port in zip(outputs, self._info.outputs)
            ]
        if isinstance(x, dict):
            return {port.name: a for a, port in zip(outputs, self._info.outputs)}
        return outputs if isinstance(x, (list, tuple)) else outputs[0]

    def _predict_into(self, x: Arrays, out: Arrays) -> Arrays:
        inputs, outputs = self._flat("input", x), self._flat("output", out)
        if self._bf16:
            inputs = [_bf16_in(a) for a in inputs]
            outputs = [_bf16_in(_writable(i, a)) for i, a in enumerate(outputs)]
        self._handle.predict_into(inputs, outputs)
        return out

    def _flat(self, kind: str, given: Arrays) -> Sequence[Array]:
        ports = self._info.inputs if kind == "input" else self._info.outputs
        if isinstance(given, dict):
            return _in_port_order(kind, [port.name for port in ports], given)
        if isinstance(given, (list, tuple)):
            return given
        if kind == "input" and len(self._info.outputs) != 1 or len(ports) != 1:
            raise invalid(
                f"one array is for a model with one input and one output; this one has "
                f"{len(self._info.inputs)} and {len(self._info.outputs)}: give a list or a dict"
            )
        return [given]

    def _port(self, name: str) -> _inferometer.Port:
        for port in self._info.inputs + self._info.outputs:
            if port.name == name:
                return port
        names = ", ".join(port.name for port in self._info.inputs + self._info.outputs)
        raise invalid(f"the model has no port {name!r}; its ports: {names}", port=name)

    def _pool(self) -> ThreadPoolExecutor:
        with self._lock:
            if self._executor is None:
                self._executor = ThreadPoolExecutor(
                    max(1, int(self._info.requested["in_flight"])), "inferometer"
                )
            return self._executor


def load(
    path: Union[str, "os.PathLike[str]"],
    *,
    params: Optional[Mapping[str, Any]] = None,
    **named: Any,
) -> Model:
    """Loads a model file for one engine.

    Params are keywords: engine="openvino", batch_size=8, threads=4, streams=2, precision="bf16" ...
    Names that are no identifiers go into `params`: params={"dim.seq": 128}. `inferometer engines
    NAME` and docs/params.md list them. Other Python threads run meanwhile. Thread-safe.

    Raises Error: `invalid` (file, or a param: context has "param" and the "nearest" known name),
    `unsupported`, `unavailable` (where we looked is in the message), `load_failed`.
    """
    try:
        plain_path = os.fsdecode(path)
    except TypeError:
        raise invalid(f"path is a {type(path).__name__}, not a str or a path") from None
    if "\0" in plain_path:
        raise invalid(f"path {plain_path!r} holds a NUL character", path=plain_path.replace("\0", "?"))
    return Model(_inferometer.load(plain_path, _params.merge(named, params)))


def _in_port_order(kind: str, names: List[str], given: Mapping[str, Array]) -> List[Array]:
    for name in given:
        if name not in names:
            raise invalid(
                f"the model has no {kind} {name!r}; its {kind}s: {', '.join(names)}",
                **{kind: str(name)},
            )
    for name in names:
        if name not in given:
            raise invalid(f"{kind} {name!r} is missing; given: {', '.join(given)}", **{kind: name})
    return [given[name] for name in names]


# NumPy itself has no bf16. ml_dtypes gives it one, but such arrays don't speak DLPack: their bits
# cross as uint16, in place both ways.
def _is_ml_dtypes(array: Array) -> bool:
    return getattr(getattr(array, "dtype", None), "name", "") == "bfloat16" and not hasattr(array, "cpu")


# as_bf16 takes memory that may only be read, and what it gives looks writable.
def _writable(index: int, array: Array) -> Array:
    if _is_ml_dtypes(array) and not getattr(getattr(array, "flags", None), "writeable", False):
        raise invalid(f"output {index} is read-only: give an array that can be written", argument="output")
    return array


def _bf16_in(array: Array) -> Array:
    if not _is_ml_dtypes(array):
        return array
    return _inferometer.as_bf16(array.view("uint16"))


def _bf16_out(bits: Array) -> Array:
    try:
        import ml_dtypes
    except ImportError:
        return _inferometer.as_bf16(bits)
    return bits.view(ml_dtypes.bfloat16)

# SPDX-License-Identifier: Apache-2.0
"""An engine's own Python loop behind the worker protocol (src/process/protocol.hpp), so that the
schedule can interleave its blocks with those of our workers. The engine gets the settings that our
plugin gives it: fp32, T threads, one stream. Started by process::Worker in place of
inferometer_worker."""

import array
import ctypes
import json
import mmap
import os
import signal
import socket
import struct
import sys
import threading
import time

import numpy as np

MAGIC, VERSION = 0x314D4649, 3
HEADER = struct.Struct("=IHHHHIQ")
TENSOR = struct.Struct("=QQII8q")
KINDS = (
    "hello probe load share release open_lane cancel predict prepare block explain profile canary open_loop unload stop"
).split()
ANSWER, FAILURE = 2, 3
# In the order of inferometer::DType; bf16 has no NumPy type.
DTYPES = "f4 f8 f2 u2 i1 i2 i4 i8 u1 u2 u4 u8 ?".split()
NAMES = "f32 f64 f16 bf16 i8 i16 i32 i64 u8 u16 u32 u64 bool".split()
OWN_NAMES = {"float": "f32", "double": "f64", "float32": "f32", "float64": "f64", "int64_t": "i64"}


class OnnxRuntime:
    def __init__(self, path, threads):
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        self._session = onnxruntime.InferenceSession(
            path, options, providers=["CPUExecutionProvider"]
        )
        self.version = onnxruntime.__version__
        self.inputs = [(p.name, p.type[7:-1], p.shape) for p in self._session.get_inputs()]
        self.outputs = [(p.name, p.type[7:-1], p.shape) for p in self._session.get_outputs()]

    def bind(self, inputs):
        """Gives the function that computes one batch and returns its outputs."""
        names = [name for name, _, _ in self.outputs]
        feeds = {name: x for (name, _, _), x in zip(self.inputs, inputs)}
        return lambda: self._session.run(names, feeds)


class OpenVino:
    def __init__(self, path, threads):
        import openvino

        settings = {
            "INFERENCE_PRECISION_HINT": "f32",
            "EXECUTION_MODE_HINT": "PERFORMANCE",
            "INFERENCE_NUM_THREADS": threads,
            "NUM_STREAMS": 1,
        }
        self._model = openvino.Core().compile_model(path, "CPU", settings)
        self._request = self._model.create_infer_request()
        self.version = openvino.__version__
        self.inputs = [self._port(p) for p in self._model.inputs]
        self.outputs = [self._port(p) for p in self._model.outputs]

    @staticmethod
    def _port(port):
        return port.any_name, port.element_type.get_type_name(), list(port.shape)

    def bind(self, inputs):
        feeds = dict(enumerate(inputs))

        def one_batch():
            results = self._request.infer(feeds, share_inputs=True, share_outputs=True)
            return [results[i] for i in range(len(self.outputs))]

        return one_batch


ENGINES = {"onnxruntime": OnnxRuntime, "openvino": OpenVino}


class Child:
    def __init__(self):
        self._regions = {}
        self._engine = self._one_batch = None
        self._rows, self._outputs = 1, []

    def serve(self, lane):
        while True:
            head, fds = receive(lane, HEADER.size)
            if head is None:
                os._exit(0)  # the parent has gone
            _, _, kind, _, _, sequence, size = HEADER.unpack(head)
            body, more = receive(lane, size)
            turn = ANSWER
            try:
                reply = getattr(self, KINDS[kind - 1])(body, fds + more)
            except Exception as error:
                turn = FAILURE
                reply = {"status": "load_failed", "message": repr(error), "context": {}}
            if not isinstance(reply, bytes):
                reply = json.dumps(reply).encode()
            header = HEADER.pack(MAGIC, VERSION, kind, turn, 0, sequence, len(reply))
            lane.sendall(header + reply)
            if KINDS[kind - 1] == "stop":
                os._exit(0)

    def hello(self, body, fds):
        return {"version": VERSION, "pid": os.getpid()}

    def load(self, body, fds):
        request = json.loads(body)
        params = request["params"]
        start = time.perf_counter_ns()
        self._engine = ENGINES[params["engine"]](request["path"], params["threads"])
        took = time.perf_counter_ns() - start
        return {"info": self._info(request["path"], params), "load_ns": took}

    def share(self, body, fds):
        for region, fd in zip(json.loads(body), fds):
            access = mmap.PROT_READ | (mmap.PROT_WRITE if region["writable"] else 0)
            self._regions[region["id"]] = mmap.mmap(fd, region["size"], mmap.MAP_SHARED, access)
            os.close(fd)
        return {}

    def release(self, body, fds):
        for region in json.loads(body):
            self._regions.pop(region, None)
        return {}

    def open_lane(self, body, fds):
        threading.Thread(target=self.serve, args=(lane_of(fds[0]),), daemon=True).start()
        return {}

    def cancel(self, body, fds):
        return {}

    def prepare(self, body, fds):
        inputs, outputs = struct.unpack_from("=II", body)
        tensors = [self._tensor(body, 8 + i * TENSOR.size) for i in range(inputs + outputs)]
        self._one_batch = self._engine.bind(tensors[:inputs])
        self._outputs = tensors[inputs:]
        self._rows = tensors[0].shape[0]
        return {}

    def block(self, body, fds):
        batches, _ = struct.unpack("=qQ", body)
        timings = array.array("q", bytes(8 * batches))
        one_batch, now = self._one_batch, time.perf_counter_ns
        cpu = time.process_time_ns()
        for i in range(batches):
            start = now()
            results = one_batch()
            timings[i] = now() - start
        cpu = time.process_time_ns() - cpu
        for to, result in zip(self._outputs, results):
            to[...] = result
        answer = struct.pack("=qqqQ", sum(timings), cpu, batches * self._rows, batches)
        return answer + timings.tobytes()

    def stop(self, body, fds):
        return {}

    def _tensor(self, body, at):
        region, offset, dtype, rank, *dims = TENSOR.unpack_from(body, at)
        shape = tuple(dims[:rank])
        count = int(np.prod(shape, dtype=np.int64))
        flat = np.frombuffer(self._regions[region], DTYPES[dtype], count, offset)
        return flat.reshape(shape)

    def _info(self, path, params):
        texts = "library library_hash model_hash".split()
        return {
            "engine": params["engine"],
            "engine_choice": "asked for",
            "engine_version": self._engine.version,
            **{key: "" for key in texts},
            "model_path": path,
            "effective": {},
            "proof": {},
            "load_phases_ns": {},
            "dynamic_batch": False,
            "synthetic": False,
            "from_artifact": False,
            "notes": ["the engine's own Python loop"],
            "inputs": [port(p) for p in self._engine.inputs],
            "outputs": [port(p) for p in self._engine.outputs],
            "requested": params,
        }


def port(found):
    name, dtype, shape = found
    dtype = OWN_NAMES.get(dtype, dtype)
    assert dtype in NAMES, f"{name}: dtype {dtype}"
    axes = [{"size": int(size), "symbol": ""} for size in shape]
    return {"name": name, "dtype": dtype, "shape": axes, "batch_axis": None}


def receive(lane, size):
    data, fds = b"", []
    while len(data) < size:
        piece, found, _, _ = socket.recv_fds(lane, size - len(data), 16)
        fds += found
        if not piece:
            return None, fds
        data += piece
    return data, fds


def lane_of(fd):
    lane = socket.socket(fileno=fd)
    lane.setblocking(True)
    return lane


def main():
    options = dict(zip(sys.argv[1::2], sys.argv[2::2]))
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
    if os.getppid() != int(options["--parent"]):
        return
    Child().serve(lane_of(int(options["--socket"])))


main()

#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""large_weights_test.py PROGRAM: a model whose weights are a sparse file of 3 GB beside it.

protobuf can't hold it and memory shouldn't: `inspect` and `predict` with reference, which looks up three rows, map the
file and touch no more of it than they use. Exit 77: there is no onnx here to write the file with.
"""
import json
import os
import pathlib
import struct
import sys
import tempfile

from hostile_test import SKIPPED, run

ROWS, WIDTH = 3 << 18, 1024  # 3 GiB of f32
LIMIT_KIB = 300 << 10
PICKED = [0, 12345, ROWS - 1]


def write_model(folder):
    from onnx import TensorProto, helper

    table = TensorProto(name="table", data_type=TensorProto.FLOAT, dims=[ROWS, WIDTH],
                        data_location=TensorProto.EXTERNAL)
    table.external_data.add(key="location", value="table.bin")
    graph = helper.make_graph([helper.make_node("Gather", ["table", "ids"], ["y"])], "lookup",
                              [helper.make_tensor_value_info("ids", TensorProto.INT64, ["N"])],
                              [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["N", WIDTH])], [table])
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    (folder / "lookup.onnx").write_bytes(made.SerializeToString())
    with open(folder / "table.bin", "wb") as weights:
        os.truncate(weights.fileno(), 4 * ROWS * WIDTH)
        for row in PICKED:  # the rest are holes
            weights.seek(4 * row * WIDTH)
            weights.write(struct.pack("<f", row))
    return folder / "lookup.onnx"


def checked_run(what, command):
    code, text, seconds, kib = run(command)
    print(f"{what}: {seconds:.1f} s, {kib >> 10} MiB")
    if code != 0:
        raise AssertionError(f"{what}: exit code {code}: {text[:300]}")
    if kib > LIMIT_KIB:
        raise AssertionError(f"{what}: {kib >> 10} MiB resident; the limit is {LIMIT_KIB >> 10} MiB")
    return json.loads(text)["data"]


def main(program):
    try:
        import numpy as np
        import onnx  # noqa: F401
    except ImportError as error:
        print(f"skipped: {error}; scripts/setup installs onnx")
        return SKIPPED
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        model = write_model(folder)
        found = checked_run("inspect", [program, "inspect", model, "--json"])
        assert found["parameters"] == ROWS * WIDTH, found["parameters"]
        np.save(folder / "ids.npy", np.array(PICKED, np.int64))
        checked_run("predict", [program, "predict", model, "--engine", "reference", "--input", folder / "ids.npy",
                                "--output", folder / "y.npy", "--json"])
        looked_up = np.load(folder / "y.npy")
        assert looked_up[:, 0].tolist() == PICKED and not looked_up[:, 1:].any(), looked_up
    return 0


if __name__ == "__main__":
    sys.exit(main(pathlib.Path(sys.argv[1])))

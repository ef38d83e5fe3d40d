# SPDX-License-Identifier: Apache-2.0
"""onnx's nine light_* networks, with weights of our own."""
import pathlib
import tempfile
import time

import numpy as np
import onnx
import onnx.backend.test.data

import light_weights
import program

SEED = 1
# An engine that ignored its input would be off by this much at least, many times the gate.
LEAST_CHANGE = 2e-3


def networks():
    """Their files by name; the wheel carries them."""
    folder = pathlib.Path(next(iter(onnx.backend.test.data.__path__))) / "light"
    return {path.stem.removeprefix("light_"): path for path in sorted(folder.glob("light_*.onnx"))}


def write_filled(source, target):
    """The one real input of the network."""
    model = onnx.load(source)
    light_weights.fill(model, SEED)
    onnx.save(model, target)
    given = {tensor.name for tensor in model.graph.initializer}
    port, = (port for port in model.graph.input if port.name not in given)
    return port


def change(options, model, engine, port):
    """By how much the output differs between two inputs."""
    rng = np.random.default_rng(SEED)
    shape = [dim.dim_value for dim in port.type.tensor_type.shape.dim]
    inputs = ({port.name: rng.uniform(-1, 1, shape).astype(np.float32)} for _ in range(2))
    return program.relative_change(*(program.predict(options.program, model, engine, given) for given in inputs))


def check_network(name, source, engines, options):
    """What is wrong, one line each."""
    started, problems = time.monotonic(), []
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        model = pathlib.Path(folder) / source.name
        port = write_filled(source, model)
        outcomes = program.check(options.program, model, engines, {})
        changed = change(options, model, engines[0], port)
    for engine, outcome in outcomes.items():
        wrong = program.disagreement(outcome)
        problems += [f"{name}: {engine}: {wrong}"] if wrong else []
        print(f"{name:14} {engine:12} {wrong or f'error {program.error_of(outcome):.2g}'}")
    if not changed > LEAST_CHANGE:
        problems.append(f"{name}: the output hardly depends on the input: it changes by {changed:.1g}")
    print(f"{name:14} another input changes the output by {changed:.2g}; {time.monotonic() - started:.1f} s",
          flush=True)
    return problems


def problems_of(options, engines):
    found = networks()
    names = [options.only] if options.only else list(found)
    problems = [] if len(found) == 9 else [f"{len(found)} networks instead of 9"]
    return problems + [line for name in names for line in check_network(name, found[name], engines, options)]

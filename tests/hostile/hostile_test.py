#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""hostile_test.py PROGRAM [--engines A,B] [--only NAME] [--unbounded]: hostile model files on the command line.

Every file through `inspect`, and through `check` and `predict` with every engine: a clear error under its exit code,
or the right acceptance, within 1 GiB and 5 s (--unbounded: a sanitized build needs more). Exit 77: there is no onnx
here to write the files with.
"""
import argparse
import concurrent.futures
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

SKIPPED = 77
LIMIT_S, LIMIT_KIB = 5, 1 << 20
HANG_S = 60
REFUSALS = {4: "unsupported", 5: "invalid", 6: "load_failed", 7: "predict_failed", 10: "out_of_memory"}


def run(command):
    """Exit code, what it printed on stdout, seconds, KiB at most in one of its processes."""
    with tempfile.TemporaryFile() as output:
        started = time.monotonic()
        child = subprocess.Popen(["timeout", "--signal=KILL", str(HANG_S), *map(str, command)], stdout=output,
                                 stderr=subprocess.DEVNULL)
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        return child.returncode, output.read().decode(), time.monotonic() - started, usage.ru_maxrss


def write_inputs(inspected, folder):
    """--input options for the ports that `inspect` showed; without any, for the one that most files have."""
    import numpy as np

    ports = inspected.get("inputs") or [{"name": "x", "dtype": "f32", "shape": [1, 3, 8, 8]}]
    options = []
    for index, port in enumerate(ports):
        sizes = [size if isinstance(size, int) and size > 0 else 1 for size in port["shape"]]
        path = folder / f"input_{index}.npy"
        np.save(path, np.ones(sizes, {"f32": np.float32, "i64": np.int64}[port["dtype"]]))
        options += ["--input", f"{port['name']}={path}"]
    return options


def problem(expected, is_inspect, code, text):
    """"" when the ending is right."""
    from hostile_files import ACCEPTED, NOT_RUN

    try:
        envelope = json.loads(text)
    except ValueError:
        return f"exit code {code} and no JSON: {text[:200]!r}"
    if code == 0:
        return "" if expected == ACCEPTED or (is_inspect and expected == NOT_RUN) else "was accepted"
    if expected == ACCEPTED:
        return f"was refused: {json.dumps(envelope)[:300]}"
    # `check` says 1 when an engine gave an answer that is wrong: no refusal.
    return "" if code in REFUSALS else f"exit code {code}: {json.dumps(envelope)[:300]}"


def check_file(name, folder, options):
    """What is wrong, one line each; seconds and KiB at most."""
    import hostile_files

    expected = hostile_files.FILES[name][0]
    path = hostile_files.write(name, folder)
    program = options.program
    problems, slowest, largest = [], 0, 0

    def judge(what, command):
        nonlocal slowest, largest
        code, text, seconds, kib = run(command)
        slowest, largest = max(slowest, seconds), max(largest, kib)
        wrong = problem(expected, what == "inspect", code, text)
        if not options.unbounded and (seconds > LIMIT_S or kib > LIMIT_KIB):
            wrong = f"took {seconds:.1f} s and {kib >> 10} MiB"
        if wrong:
            problems.append(f"{name}: {what}: {wrong}")
        return text

    text = judge("inspect", [program, "inspect", path, "--json"])
    try:
        inspected = json.loads(text).get("data") or {}
    except ValueError:
        inspected = {}
    inputs = write_inputs(inspected, path.parent)
    for engine in options.engines:
        judge(f"check on {engine}", [program, "check", path, "--engines", engine, "--cache-dir", "", "--json"])
        judge(f"predict on {engine}", [program, "predict", path, "--engine", engine, *inputs, "--json"])
    return problems, slowest, largest


def parse():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("--engines", type=lambda text: text.split(","), default=["reference", "onnxruntime"])
    parser.add_argument("--only")
    parser.add_argument("--unbounded", action="store_true")
    return parser.parse_args()


def available(program, engines):
    known = json.loads(subprocess.run([program, "engines", "--json"], stdout=subprocess.PIPE, check=False).stdout)
    here = {engine["name"] for engine in known["data"]["engines"] if engine["available"]}
    return [name for name in engines if name in here]


def main():
    try:
        import hostile_files
    except ImportError as error:
        print(f"skipped: {error}; scripts/setup installs onnx")
        return SKIPPED
    options = parse()
    options.engines = available(options.program, options.engines)
    names = [options.only] if options.only else list(hostile_files.FILES)
    with tempfile.TemporaryDirectory() as folder, concurrent.futures.ThreadPoolExecutor(2) as pool:
        results = list(pool.map(lambda name: check_file(name, pathlib.Path(folder), options), names))
    problems = [line for found, _, _ in results for line in found]
    print("\n".join(problems))
    print(f"{len(names)} files on {', '.join(options.engines)}: {len(problems)} problems; at most "
          f"{max(seconds for _, seconds, _ in results):.1f} s, {max(kib for _, _, kib in results) >> 10} MiB")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())

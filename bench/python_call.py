# SPDX-License-Identifier: Apache-2.0
"""What a call costs from Python: the null engine, which computes and writes nothing, in this
process. Noise only ever adds to such a time, so the figure is the lowest of several medians."""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time

import inferometer

REPETITIONS, CALLS, TARGET_NS = 10, 5_000, 5_000


def median_ns(call):
    timings = []
    for _ in range(CALLS):
        start = time.perf_counter_ns()
        call()
        timings.append(time.perf_counter_ns() - start)
    return statistics.median(timings)


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("program", help="the inferometer program, which writes the model")
    options.add_argument("--json", action="store_true")
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        model = os.path.join(folder, "tiny_mlp.onnx")
        subprocess.run([chosen.program, "zoo", "tiny_mlp", "-o", model], check=True,
                       stdout=subprocess.DEVNULL)
        m = inferometer.load(model, engine="null", batch_size=1, in_flight=1, fill="none")
    x, y = m.allocate(m.info.inputs[0], 1), m.allocate(m.info.outputs[0], 1)
    cases = []
    for name, call in {"predict": lambda: m.predict(x), "into": lambda: m.predict(x, y)}.items():
        medians = [median_ns(call) for _ in range(REPETITIONS)]
        cases.append({"case": name, "call_ns": min(medians), "medians_ns": medians})
    passed = cases[0]["call_ns"] <= TARGET_NS
    status = "passed" if passed else "missed"
    if chosen.json:
        data = {"target_ns": TARGET_NS, "cases": cases}
        print(json.dumps({"schema": "inferometer.bench.python_call", "version": 1,
                          "status": status, "data": data}, indent=2))
    else:
        for case in cases:
            print(f"{case['case']:8} {case['call_ns']:6.0f} ns, the lowest of {REPETITIONS} medians")
        print(f"python_call: {status} (predict, target {TARGET_NS} ns)")
    return 0 if passed else 1


sys.exit(main())

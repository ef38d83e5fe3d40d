#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Energy with the real program: energy_test.py PROGRAM. A pass takes some 25 s."""
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import threading
import time
import unittest

PROGRAM = sys.argv.pop(1)
WATTS = 50


def program(*arguments):
    return subprocess.run([PROGRAM, *arguments], capture_output=True, text=True)


class PowerMeter(threading.Thread):
    """Writes a row of 50 W ten times a second until it is stopped."""

    def __init__(self, path):
        super().__init__()
        self.path, self.over = path, threading.Event()
        pathlib.Path(path).write_text("unix_time_s,watts\n")

    def run(self):
        with open(self.path, "a") as log:
            while not self.over.wait(0.1):
                log.write(f"{time.time():.6f},{WATTS}\n")
                log.flush()

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.join()


class Energy(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.before = os.getcwd()
        os.chdir(cls.folder.name)
        os.environ["INFEROMETER_CACHE_DIR"] = os.path.join(cls.folder.name, "cache")
        assert program("zoo", "tiny_mlp", "-o", "tiny_mlp.onnx").returncode == 0

    @classmethod
    def tearDownClass(cls):
        os.chdir(cls.before)
        cls.folder.cleanup()

    def run_energy(self, *arguments):
        done = program("run", "tiny_mlp.onnx", "--workload", "energy", "--json", *arguments)
        return done.returncode, json.loads(done.stdout)["data"]["outcomes"][0]

    def test_counters_or_the_reason_of_each(self):
        code, outcome = self.run_energy("--engine", "null")
        if code == 0:  # a machine with counters
            self.assertGreater(outcome["values"]["energy_gross_j_per_sample"], 0, outcome)
            self.assertTrue(outcome["values"]["energy_domains"], outcome)
            return
        self.assertEqual((code, outcome["status"]), (3, "unavailable"), outcome)
        for word in ("RAPL: ", "NVML: ", "power log: none given"):
            self.assertIn(word, outcome["reason"])
        self.assertNotIn("energy_gross_j_per_sample", outcome["values"])

    def test_a_log_that_is_written_meanwhile(self):
        with PowerMeter("meter.csv"):
            code, outcome = self.run_energy("--engine", "reference", "--power-log", "meter.csv")
        self.assertEqual(code, 0, outcome)
        values = outcome["values"]
        for key in ("energy_mean_w", "energy_idle_before_w", "energy_idle_after_w"):
            self.assertAlmostEqual(values[key], WATTS, places=3, msg=outcome)
        seconds = values["energy_window_ns"] / 1e9
        self.assertGreaterEqual(seconds, 10)
        self.assertAlmostEqual(values["energy_gross_j_per_sample"] * values["energy_samples"] / (WATTS * seconds), 1, places=6)
        self.assertAlmostEqual(values["energy_net_j_per_sample"] * values["energy_samples"] / seconds, 0, places=3)
        self.assertEqual(values["energy_method"], "power log")
        self.assertIn("--workload energy --power-log meter.csv", outcome["rerun"])

    def test_a_wrong_log_is_refused_before_anything_is_measured(self):
        pathlib.Path("wrong.csv").write_text("time_s,watts\n1,fifty\n")
        code, outcome = self.run_energy("--engine", "null", "--power-log", "wrong.csv")
        self.assertEqual((code, outcome["status"]), (5, "invalid"), outcome)
        self.assertIn("wrong.csv, line 2: power 'fifty'", outcome["reason"])
        done = program("run", "tiny_mlp.onnx", "--engine", "null", "--power-log", "wrong.csv")
        self.assertEqual(done.returncode, 2)
        self.assertIn("--workload energy", done.stderr)

    def test_interrupt_ends_it(self):
        pathlib.Path("one.csv").write_text("time_s,watts\n1,50\n")
        line = [PROGRAM, "bench", "tiny_mlp.onnx", "--engines", "null", "--workload", "energy", "--power-log", "one.csv",
                "-o", "stopped.jsonl"]
        with subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
            limit = time.monotonic() + 120
            while not (os.path.exists("stopped.jsonl") and '"launch"' in pathlib.Path("stopped.jsonl").read_text()):
                self.assertIsNone(process.poll(), "ended by itself")
                self.assertLess(time.monotonic(), limit, "no launch")
                time.sleep(0.02)
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=120)
        self.assertEqual(process.returncode, 12)


if __name__ == "__main__":
    unittest.main(verbosity=1)

#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Drives the real program with the engines null and reference: cli_test.py PROGRAM [TEST...]."""
import json
import os
import pathlib
import signal
import struct
import subprocess
import sys
import tempfile
import time
import unittest

PROGRAM = sys.argv.pop(1)


def run(*arguments, exit=0, **options):
    done = subprocess.run([PROGRAM, *arguments], capture_output=True, text=True, **options)
    if done.returncode != exit:
        raise AssertionError(f"{arguments}: exit code {done.returncode}, not {exit}\n{done.stdout}\n{done.stderr}")
    return done


def data(*arguments, exit=0, status="ok"):
    envelope = json.loads(run(*arguments, "--json", exit=exit).stdout)
    assert list(envelope) == ["schema", "version", "status", "data"], envelope
    assert envelope["status"] == status, envelope
    return envelope["data"]


def write_npy(path, shape, values, dtype="<f4", code="f"):
    header = str({"descr": dtype, "fortran_order": False, "shape": tuple(shape)}).encode()
    header += b" " * (63 - (10 + len(header)) % 64) + b"\n"
    with open(path, "wb") as file:
        file.write(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header)
        file.write(struct.pack(f"<{len(values)}{code}", *values))


def read_npy(path):
    raw = pathlib.Path(path).read_bytes()
    length = struct.unpack("<H", raw[8:10])[0]
    return raw[10:10 + length].decode(), raw[10 + length:]


class CommandLine(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.before = os.getcwd()
        os.chdir(cls.folder.name)
        os.environ["INFEROMETER_CACHE_DIR"] = os.path.join(cls.folder.name, "cache")
        for name in ("tiny_mlp", "tiny_cnn", "two_in_two_out"):
            run("zoo", name, "-o", f"{name}.onnx")
        write_npy("one.npy", [1, 16], [0.5] * 16)

    @classmethod
    def tearDownClass(cls):
        os.chdir(cls.before)
        cls.folder.cleanup()

    def test_help_and_version(self):
        commands = ("engines", "zoo", "inspect", "check", "predict", "run", "bench", "report", "journal")
        overview = run("--help").stdout
        for command in commands:
            self.assertIn(command, overview)
            self.assertIn("Examples:", run(command, "--help").stdout)
        self.assertRegex(run("--version").stdout, r"^inferometer \d+\.\d+\.\d+\n$")

    def test_engines(self):
        engines = {engine["name"]: engine for engine in data("engines")["engines"]}
        for name in ("null", "reference"):
            self.assertTrue(engines[name]["available"], engines[name])
        for engine in engines.values():
            self.assertTrue(engine["available"] or engine["reason"], engine)
            for key in ("version", "library"):
                self.assertIn(key, engine)
        params = data("engines", "null")
        self.assertTrue(params["params"])
        self.assertIn("batch_size", [spec["name"] for spec in params["unified_params"]])
        error = data("engines", "nul", exit=5, status="invalid")
        self.assertEqual(error["context"]["nearest"], "null")

    def test_usage_errors(self):
        for arguments in ((), ("benhc",), ("predict",), ("zoo", "tiny_mlp"), ("run", "tiny_mlp.onnx"),
                          ("predict", "tiny_mlp.onnx", "--frobnicate"), ("bench", "m.onnx", "--resume"),
                          ("engines", "--quiet", "--verbose")):
            done = run(*arguments, exit=2)
            self.assertEqual(done.stdout, "")
            self.assertIn("--help", done.stderr)
        self.assertIn("threads", run("predict", "tiny_mlp.onnx", "-p", "threads", exit=2).stderr)
        self.assertIn("did you mean bench", run("benhc", exit=2).stderr)
        self.assertEqual(data("benhc", exit=2, status="invalid")["context"]["nearest"], "bench")

    def test_bad_input(self):
        data("inspect", "missing.onnx", exit=5, status="invalid")
        with open("broken.onnx", "wb") as file:
            file.write(pathlib.Path("tiny_cnn.onnx").read_bytes()[:100])
        data("inspect", "broken.onnx", exit=5, status="invalid")
        error = data("predict", "tiny_mlp.onnx", "--engine", "reference", "-p", "thread=2", exit=5, status="invalid")
        self.assertEqual(error["context"], {"nearest": "threads", "param": "thread"})
        with open("broken.jsonl", "w") as file:
            file.write("not a journal\n{}\n")
        data("report", "broken.jsonl", exit=5, status="invalid")
        run("report", "broken.jsonl", "-o", "x.pdf", exit=2)

    def test_inspect(self):
        found = data("inspect", "two_in_two_out.onnx")
        self.assertEqual(len(found["inputs"]), 2)
        self.assertEqual(len(found["outputs"]), 2)
        self.assertGreater(found["parameters"], 0)
        self.assertEqual(found["unknown_operators"], [])
        self.assertEqual(sum(found["operators"].values()), found["nodes"])
        answers = {engine["name"]: engine["answer"] for engine in found["engines"]}
        self.assertIn(answers["reference"], ("takes", "only loading tells"))

    def test_predict_one_port(self):
        rows = 3
        write_npy("x.npy", [rows, 16], [0.1 * i for i in range(rows * 16)])
        done = data("predict", "tiny_mlp.onnx", "--engine", "reference", "-p", "batch_size=2", "--input", "x.npy",
                    "--output", "y.npy")
        self.assertEqual(done["engine"], "reference")
        self.assertEqual(done["outputs"][0]["shape"], [rows, 10])
        header, body = read_npy("y.npy")
        self.assertIn("(3, 10)", header)
        values = struct.unpack(f"<{rows * 10}f", body)
        self.assertGreater(len(set(values)), 10)
        write_npy("narrow.npy", [rows, 15], [0.0] * rows * 15)
        data("predict", "tiny_mlp.onnx", "--engine", "reference", "--input", "narrow.npy", exit=5, status="invalid")

    def test_predict_names_ports(self):
        ports = [port["name"] for port in data("inspect", "two_in_two_out.onnx")["inputs"]]
        error = data("predict", "two_in_two_out.onnx", "--engine", "reference", "--input", "x.npy", exit=2,
                     status="invalid")
        self.assertEqual(error["context"]["ports"], ", ".join(ports))
        error = data("predict", "two_in_two_out.onnx", "--engine", "reference", "--input", f"{ports[0]}x=x.npy", exit=2,
                     status="invalid")
        self.assertEqual(error["context"]["nearest"], ports[0])
        error = data("predict", "two_in_two_out.onnx", "--engine", "reference", exit=2, status="invalid")
        self.assertEqual(error["context"]["ports"], ", ".join(ports))

    def test_predict_draws_what_is_asked(self):
        data("predict", "tiny_mlp.onnx", "--engine", "reference", "-p", "batch_size=3", "--input", ":int:2..4",
             "--output", "drawn.npy")
        self.assertIn("(3, 10)", read_npy("drawn.npy")[0])
        ports = [port["name"] for port in data("inspect", "two_in_two_out.onnx")["inputs"]]
        line = ("predict", "two_in_two_out.onnx", "--engine", "reference", "--input", f"{ports[0]}=:normal", "--input")
        data(*line, f"{ports[1]}=:normal")
        error = data(*line, f"{ports[1]}=:int:4..2", exit=2, status="invalid")
        self.assertIn(":int:LEAST..MOST", error["message"])

    def test_check_draws_what_is_asked(self):
        ports = [port["name"] for port in data("inspect", "two_in_two_out.onnx")["inputs"]]
        inputs = [word for port in ports for word in ("--input", f"{port}=:normal")]
        outcome = data("check", "two_in_two_out.onnx", "--engines", "reference", *inputs)["outcomes"][0]
        self.assertEqual(outcome["status"], "ok", outcome)
        self.assertIn(f"--input {ports[0]}=:normal", outcome["rerun"])

    def test_check(self):
        outcome = data("check", "tiny_mlp.onnx", "--engines", "reference")["outcomes"][0]
        self.assertEqual(outcome["status"], "ok")
        data("predict", "tiny_mlp.onnx", "--engine", "reference", "--input", "one.npy", "--output", "right.npy")
        data("check", "tiny_mlp.onnx", "--engines", "reference", "--input", "one.npy", "--expect", "right.npy")
        values = list(struct.unpack("<10f", read_npy("right.npy")[1]))
        values[3] += 0.5
        write_npy("wrong.npy", [1, 10], values)
        data("check", "tiny_mlp.onnx", "--engines", "reference", "--input", "one.npy", "--expect", "wrong.npy",
             exit=1, status="mismatch")
        # Either alone: the reference's answer to these inputs; this answer to seeded inputs, which it is not.
        data("check", "tiny_mlp.onnx", "--engines", "reference", "--input", "one.npy")
        data("check", "tiny_mlp.onnx", "--engines", "reference", "--expect", "right.npy", exit=1, status="mismatch")

    def test_run(self):
        outcomes = data("run", "tiny_mlp.onnx", "--engine", "reference", "--rounds", "5", "--block-ms", "2")["outcomes"]
        self.assertEqual([outcome["workload"] for outcome in outcomes], ["throughput", "latency", "load", "memory"])
        for outcome in outcomes:
            self.assertEqual(outcome["status"], "ok", outcome)
            self.assertIn("inferometer run tiny_mlp.onnx --engine reference", outcome["rerun"])

    def test_rate_wants_a_bound(self):
        line = ("run", "tiny_mlp.onnx", "--engine", "null", "--workload")
        self.assertIn("--latency-bound-ms", run(*line, "rate", exit=2).stderr)
        self.assertIn("--workload rate", run(*line, "load", "--latency-bound-ms", "5", exit=2).stderr)
        data(*line, "rate", "--latency-bound-ms", "0", exit=5, status="invalid")
        data(*line, "rate", "--latency-bound-ms", "5", "--latency-percentile", "98", exit=5, status="invalid")

    def test_rate_that_nobody_can_keep(self):
        outcome = data("run", "tiny_mlp.onnx", "--engine", "null", "-p", "times_us=[2000]", "-p", "sleeps=true",
                       "--workload", "rate", "--latency-bound-ms", "1")["outcomes"][0]
        self.assertIsNone(outcome["values"]["rate_within_bound_per_s"])
        self.assertIn("took longer than 1 ms", outcome["values"]["rate_within_bound_per_s_why"])
        self.assertTrue(outcome["rerun"].endswith("--workload rate --latency-bound-ms 1"), outcome["rerun"])

    def test_rate_goes_through_the_journal(self):
        outcome = data("bench", "tiny_mlp.onnx", "--engines", "null", "-p", "times_us=[500]", "-p", "sleeps=true",
                       "--workload", "rate", "--latency-bound-ms", "3600000", "--latency-percentile", "50", "-o",
                       "rate.jsonl")["outcomes"][0]
        values = outcome["values"]
        self.assertGreater(values["rate_within_bound_per_s"], 0)
        self.assertGreater(values["rate_latency_p50_ns"], 500_000)
        self.assertTrue(any(trial["passes"] for trial in values["rate_trials"]))
        self.assertEqual(data("report", "rate.jsonl")["outcomes"][0]["values"], values)
        self.assertIn("Rate", run("report", "rate.jsonl").stdout)

    def test_params_reach_the_worker_by_type(self):
        line = ("run", "tiny_mlp.onnx", "--engine", "reference", "--rounds", "2", "--block-ms", "2", "--workload",
                "throughput")
        outcome = data(*line, "-p", "threads=1", "-p", "cpus=0")["outcomes"][0]
        self.assertEqual(outcome["params"], {"cpus": "0", "threads": 1})
        self.assertEqual(outcome["values"]["effective_params"]["threads"], "1")
        # More CPUs than threads: the worker gets the chosen ones and is not asked for the others.
        cpus = sorted(os.sched_getaffinity(0))
        outcome = data(*line, "-p", "threads=1", "-p", "cpus=" + ",".join(map(str, cpus)))["outcomes"][0]
        self.assertEqual(outcome["status"], "ok", outcome)
        # What fails comes with the line that shows it again.
        failed = run(*line, "-p", "threads=many", exit=5).stdout
        self.assertIn('param "threads" = "many"', failed)
        self.assertIn("inferometer run tiny_mlp.onnx --engine reference -p threads=many", failed)
        data("check", "tiny_mlp.onnx", "--engines", "reference", "-p", "threads=1")
        data("predict", "tiny_mlp.onnx", "--engine", "reference", "-p", "threads=1", "-p", "isolation=process",
             "--input", "one.npy")

    def test_bench_resume_report(self):
        line = ("bench", "tiny_mlp.onnx", "tiny_cnn.onnx", "--engines", "reference", "--batch-sizes", "1,2", "--rounds",
                "3", "--block-ms", "2", "--workload", "throughput", "-o", "j.jsonl")
        self.assertEqual(len(data(*line)["outcomes"]), 4)
        data(*line, exit=5, status="invalid")
        size = os.path.getsize("j.jsonl")
        self.assertEqual(len(data(*line, "--resume")["outcomes"]), 4)
        self.assertGreaterEqual(os.path.getsize("j.jsonl"), size)
        self.assertEqual(len(data("report", "j.jsonl")["outcomes"]), 4)
        for ending in ("html", "md", "csv", "json"):
            run("report", "j.jsonl", "-o", f"r.{ending}")
            self.assertIn("tiny_mlp", pathlib.Path(f"r.{ending}").read_text())
        self.assertEqual(json.loads(pathlib.Path("r.json").read_text())["schema"], "inferometer.report/1")

    def test_journal(self):
        line = ("bench", "tiny_mlp.onnx", "--engines", "reference,null", "--rounds", "3", "--block-ms", "2",
                "--workload", "throughput,load", "-o")
        data(*line, "first.jsonl")
        data(*line, "second.jsonl")
        values = data("report", "first.jsonl")["outcomes"][0]["values"]
        self.assertGreater(values["parent_cpu_share"], 0)
        self.assertGreater(values["canary_share"], 0)
        for when in ("before", "after"):
            self.assertIn("context_switches", values["fingerprint"][when])
        self.assertGreater(values["fingerprint"]["change"]["context_switches"], 0)

        shown = data("journal", "show", "first.jsonl", "second.jsonl")["journals"]
        self.assertEqual([each["name"] for each in shown], ["first.jsonl", "second.jsonl"])
        self.assertEqual([launch["ending"] for launch in shown[0]["launches"]], ["complete"])
        self.assertEqual(shown[0]["launches"][0]["rounds"], 3)
        self.assertEqual(len(shown[0]["cells"]), 4)
        text = run("journal", "show", "first.jsonl").stdout
        self.assertIn("3 of 3", text)
        self.assertIn("complete", text)

        verified = data("journal", "verify", "first.jsonl", "second.jsonl")["journals"]
        self.assertEqual([each["problems"] for each in verified], [0, 0])
        self.assertIn(" 0 problems, 0 warnings", run("journal", "verify", "first.jsonl").stdout)

        with open("second.jsonl", "a") as file:
            file.write('{"line":"rou')
        joined = run("journal", "join", "first.jsonl", "second.jsonl", "-o", "both.jsonl").stdout
        self.assertIn("second.jsonl: its last line is torn and was left out", joined)
        self.assertIn("both.jsonl: 2 journals", joined)
        data("journal", "join", "first.jsonl", "second.jsonl", "-o", "both.jsonl", exit=5, status="invalid")
        data("journal", "join", "first.jsonl", "both.jsonl", "-o", "more.jsonl", exit=5, status="invalid")
        self.assertEqual(data("journal", "verify", "both.jsonl")["journals"][0]["journals"], 2)
        names = [each["name"] for each in data("journal", "show", "both.jsonl")["journals"]]
        self.assertEqual(names, ["both.jsonl#1", "both.jsonl#2"])
        self.assertEqual(len(data("report", "both.jsonl")["outcomes"]), 8)
        error = data(*line, "both.jsonl", "--resume", exit=5, status="invalid")
        self.assertIn("joined from 2 journals", error["message"])

        lines = pathlib.Path("first.jsonl").read_text().splitlines(True)
        pathlib.Path("spoilt.jsonl").write_text("".join(lines[:3] + lines[2:]))
        found = data("journal", "verify", "spoilt.jsonl", exit=5, status="invalid")["journals"][0]
        self.assertEqual((found["findings"][0]["kind"], found["findings"][0]["line"]), ("problem", 4))
        self.assertIn("spoilt.jsonl: line 4: round", run("journal", "verify", "spoilt.jsonl", exit=5).stdout)

        schema = data("journal", "schema")
        self.assertEqual(json.loads(lines[0])["schema"], schema["schema"])
        keys = {each["name"]: [key["key"] for key in each["keys"]] for each in schema["lines"]}
        for text in lines:
            self.assertEqual(list(json.loads(text)), keys[json.loads(text)["line"]])

    def test_journal_usage(self):
        for arguments in ((), ("shwo", "j"), ("show",), ("verify",), ("join", "a", "-o", "b"), ("join", "a", "b"),
                          ("schema", "a"), ("show", "a", "-o", "b")):
            self.assertIn("journal", run("journal", *arguments, exit=2).stderr)
        self.assertEqual(data("journal", "shwo", exit=2, status="invalid")["context"]["nearest"], "show")
        data("journal", "show", "absent.jsonl", exit=5, status="invalid")
        data("journal", "verify", "absent.jsonl", exit=5, status="invalid")

    def test_interrupt_keeps_what_was_measured(self):
        line = [PROGRAM, "bench", "tiny_mlp.onnx", "--engines", "reference", "--rounds", "100000", "--block-ms", "5",
                "--workload", "throughput", "-o", "stopped.jsonl", "--json"]
        with subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
            limit = time.monotonic() + 120
            while not self.has_rounds("stopped.jsonl", 3):
                self.assertIsNone(process.poll(), "ended by itself")
                self.assertLess(time.monotonic(), limit, "no rounds")
                time.sleep(0.02)
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=120)
        self.assertEqual(process.returncode, 12, err)
        self.assertEqual(json.loads(out)["status"], "skipped")
        self.assertEqual(err, "")
        self.assertTrue(data("report", "stopped.jsonl")["outcomes"])
        self.assertEqual(data("journal", "show", "stopped.jsonl")["journals"][0]["launches"][0]["ending"], "interrupted")
        self.assertEqual(data("journal", "verify", "stopped.jsonl")["journals"][0]["findings"], [])

    @staticmethod
    def has_rounds(path, count):
        if not os.path.exists(path):
            return False
        return sum('"round"' in line for line in pathlib.Path(path).read_text().splitlines()) >= count

    def test_quiet_when_not_a_terminal(self):
        done = run("check", "tiny_mlp.onnx", "--engines", "reference")
        self.assertEqual(done.stderr, "")
        self.assertNotIn("\x1b", done.stdout)


if __name__ == "__main__":
    unittest.main(verbosity=1)

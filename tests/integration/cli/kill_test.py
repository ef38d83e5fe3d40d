#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Kills `bench` on the null engine at random moments: kill_test.py PROGRAM KILLS [SEED].

After every kill the journal must be read by `report` and found whole by `journal verify`, hold every line that it held
before, byte for byte, with the rounds of a launch in order and none missing, and every process of the bench must go,
stopped ones included. What was killed is resumed; a campaign that has ended is followed by a new one.
"""
import json
import os
import pathlib
import random
import select
import signal
import subprocess
import sys
import tempfile
import time
import uuid

GONE_WITHIN_S = 10


def processes(mark):
    """pid -> state of every process that inherited `mark` in its environment."""
    found = {}
    for entry in pathlib.Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            if mark.encode() in (entry / "environ").read_bytes():
                state = (entry / "stat").read_text().rpartition(")")[2].split()[0]
                if state != "Z":  # dead; its parent has yet to ask
                    found[int(entry.name)] = state
        except OSError:
            pass  # it has gone meanwhile
    return found


def whole_lines(journal):
    raw = journal.read_bytes() if journal.exists() else b""
    return raw[:raw.rfind(b"\n") + 1]


def check_rounds(lines):
    """Timed rounds of each launch and group count from 1 without a gap."""
    last, rounds = {}, 0
    for text in lines.decode().splitlines():
        line = json.loads(text)
        if line["line"] == "round" and line["round"] > 0:  # 0: load and memory, of several cells
            key = line["launch"], line["group"]
            assert line["round"] == last.get(key, 0) + 1, f"round {line['round']} of {key} follows {last.get(key, 0)}"
            last[key] = line["round"]
            rounds += 1
    return rounds


def wait_until_gone(mark):
    deadline = time.monotonic() + GONE_WITHIN_S
    while left := processes(mark):
        for pid, state in left.items():
            try:
                handle = os.pidfd_open(pid)
            except ProcessLookupError:
                continue
            ready, _, _ = select.select([handle], [], [], max(0, deadline - time.monotonic()))
            os.close(handle)
            assert ready, f"process {pid}, state {state}, is left {GONE_WITHIN_S} s after the kill"


class Campaign:
    def __init__(self, program, folder):
        self.program, self.folder = program, folder
        subprocess.run([program, "zoo", "tiny_mlp", "-o", "tiny_mlp.onnx"], cwd=folder, check=True, capture_output=True)
        self.number = 0
        self.next()

    def next(self):
        self.number += 1
        self.journal = self.folder / f"journal_{self.number}.jsonl"

    def start(self, mark):
        command = [self.program, "bench", "tiny_mlp.onnx", "--engines", "null", "--batch-sizes", "1,4", "--launches", "2",
                   "--rounds", "6", "--block-ms", "10", "--cache-dir", "", "-o", self.journal.name]
        if self.journal.exists():
            command.append("--resume")
        # Into a file: a pipe would be held open by whatever outlives the bench.
        self.messages = self.folder / "messages.txt"
        with open(self.messages, "wb") as messages:
            return subprocess.Popen(command, cwd=self.folder, stdout=messages, stderr=messages,
                                    env={**os.environ, "INFEROMETER_TEST_MARK": mark})

    def read_back(self):
        done = subprocess.run([self.program, "report", self.journal.name, "--json"],
                              cwd=self.folder, capture_output=True, text=True)
        assert done.returncode == 0, f"report: exit code {done.returncode}: {done.stderr}"
        verified = subprocess.run([self.program, "journal", "verify", self.journal.name],
                                  cwd=self.folder, capture_output=True, text=True)
        assert verified.returncode == 0, f"journal verify: {verified.stdout}{verified.stderr}"
        return json.loads(done.stdout)


def kill_once(campaign, after_s):
    mark = "kill_test_" + uuid.uuid4().hex
    kept = whole_lines(campaign.journal)  # by the run that was killed before
    bench = campaign.start(mark)
    try:
        bench.wait(after_s)
        assert bench.returncode == 0, campaign.messages.read_text()
        killed = False
    except subprocess.TimeoutExpired:
        before = whole_lines(campaign.journal)
        bench.send_signal(signal.SIGKILL)
        bench.wait()
        killed = True
        assert whole_lines(campaign.journal).startswith(before), "lines were lost"
    wait_until_gone(mark)
    assert whole_lines(campaign.journal).startswith(kept), "lines of the run before were lost"
    rounds = check_rounds(whole_lines(campaign.journal))
    if whole_lines(campaign.journal):
        campaign.read_back()
    return killed, rounds


def main():
    program, wanted = os.path.abspath(sys.argv[1]), int(sys.argv[2])
    seed = int(sys.argv[3]) if len(sys.argv) > 3 else 1
    chance = random.Random(seed)
    with tempfile.TemporaryDirectory() as folder:
        campaign = Campaign(program, pathlib.Path(folder))
        began = time.monotonic()
        assert kill_once(campaign, 120) == (False, check_rounds(whole_lines(campaign.journal)))
        whole_s = time.monotonic() - began
        complete = check_rounds(whole_lines(campaign.journal))
        campaign.next()
        kills, kept = 0, []
        while kills < wanted:
            killed, rounds = kill_once(campaign, chance.uniform(0, whole_s))
            kills += killed
            kept.append(rounds)
            if not killed:
                assert rounds >= complete, f"{rounds} rounds at the end, {complete} without a kill"
                campaign.next()
        while kill_once(campaign, 120)[0]:
            pass
        print(f"{kills} kills of a bench of {whole_s:.1f} s and {complete} rounds; rounds kept after each: {kept}")


if __name__ == "__main__":
    main()

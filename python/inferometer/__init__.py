# SPDX-License-Identifier: Apache-2.0
"""One API over deep-learning inference engines.

>>> import inferometer
>>> m = inferometer.load("resnet50.onnx", engine="openvino", batch_size=8)
>>> y = m.predict(x)                  # NumPy or any DLPack array on the CPU, read in place
"""

import os as _os
import sys as _sys

# Engines live in this interpreter's environment; this is where the C++ side looks first, also when
# nothing is activated. Workers inherit it.
_os.environ.setdefault("INFEROMETER_PYTHON_PREFIX", _sys.prefix)

from ._errors import Error, InvalidError  # noqa: E402
from ._inferometer import EngineStatus, Info, ParamSpec, Port, engines  # noqa: E402
from ._model import Array, Model, load  # noqa: E402

__all__ = [
    "Array",
    "EngineStatus",
    "Error",
    "Info",
    "InvalidError",
    "Model",
    "ParamSpec",
    "Port",
    "engines",
    "load",
]

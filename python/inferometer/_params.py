# SPDX-License-Identifier: Apache-2.0
"""Params as Python gives them -> the four types that the C++ side takes."""

import operator
import os
from typing import Any, Dict, Mapping, Optional, Union

Plain = Union[bool, int, float, str]


def merge(named: Mapping[str, Any], more: Optional[Mapping[str, Any]]) -> Dict[str, Plain]:
    """Keyword params and `params`, which carries the names that are no identifiers."""
    more = {} if more is None else more
    twice = sorted(set(named) & set(more))
    if twice:
        raise _refuse(twice[0], "is given twice: as a keyword and in params")
    return {_name(name): plain(name, value) for name, value in {**named, **more}.items()}


def plain(name: str, value: Any) -> Plain:
    """A bool, an int of 64 bits, a float or a text; NumPy's scalars and paths become these."""
    if type(value).__name__ in ("bool", "bool_") and getattr(value, "ndim", 0) == 0:
        return bool(value)
    if isinstance(value, (str, os.PathLike)):
        return _text(name, os.fspath(value))
    if isinstance(value, float):
        return float(value)
    if getattr(value, "ndim", 0) == 0:
        if hasattr(type(value), "__index__"):
            return _integer(name, operator.index(value))
        if hasattr(type(value), "__float__"):
            return float(value)
    raise _refuse(name, f"is a {type(value).__name__}: give a bool, an int, a float or a str")


def _name(name: Any) -> str:
    if not isinstance(name, str):
        raise _refuse(repr(name), "is no name: params have names of type str")
    return _text(name, name)


def _integer(name: str, value: int) -> int:
    if not -(2**63) <= value < 2**63:
        raise _refuse(name, f"= {_short(str(value))} does not fit in 64 bits")
    return value


def _text(name: str, value: Any) -> str:
    if isinstance(value, bytes):
        value = os.fsdecode(value)
    try:
        value.encode()
    except UnicodeEncodeError:
        raise _refuse(name, f"= {_short(ascii(value))} is not text in UTF-8") from None
    return value


def _short(text: str) -> str:
    return text if len(text) <= 80 else text[:77] + "..."


def _refuse(name: str, why: str) -> Exception:
    from ._errors import invalid

    return invalid(f"param {_short(ascii(name))} {why}", param=name.encode(errors="replace").decode())

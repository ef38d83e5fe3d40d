# SPDX-License-Identifier: Apache-2.0
"""The one exception type."""

from typing import Mapping, Optional


class Error(RuntimeError):
    """An operation that failed.

    `code` is one of unavailable, unsupported, invalid, load_failed, predict_failed, mismatch,
    timeout, out_of_memory, crashed. `context` holds details for programs, such as
    {"param": "thread", "nearest": "threads"}. str() is the message for people.
    """

    def __init__(self, message: str, code: str, context: Optional[Mapping[str, str]] = None):
        super().__init__(message)
        self.code = code
        self.context = dict(context or {})

    def __reduce__(self):
        return make_error, (str(self), self.code, self.context)


class InvalidError(Error, TypeError, ValueError):
    """Error with code `invalid`: the caller's file, param or array is wrong."""


def make_error(message: str, code: str, context: Mapping[str, str]) -> Error:
    """The Error, of its narrowest class."""
    return (InvalidError if code == "invalid" else Error)(message, code, context)


def invalid(message: str, **context: str) -> InvalidError:
    return InvalidError(message, "invalid", context)

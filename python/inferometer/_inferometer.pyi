# SPDX-License-Identifier: Apache-2.0
"""The C++ side of package inferometer; import that instead."""

from collections.abc import Mapping, Sequence
import os


class Port:
    """A named input or output of a model."""

    def __repr__(self) -> str: ...

    def to_dict(self) -> dict:
        """The fields as a dict of plain values, ready for json.dumps."""

    @property
    def name(self) -> str:
        """The port's name in the model file."""

    @property
    def dtype(self) -> str:
        """Element type: f32, f64, f16, bf16, i8 ... u64 or bool."""

    @property
    def shape(self) -> list[int | str]:
        """Axes, outermost first: a size, or a symbol where any size is taken."""

    @property
    def batch_axis(self) -> int | None:
        """
        The axis whose rows are independent samples; None: the tensor is passed whole.
        """

    __match_args__: tuple = ('name', 'dtype', 'shape', 'batch_axis')

class ParamSpec:
    """What a param of an engine may be."""

    def __repr__(self) -> str: ...

    def to_dict(self) -> dict:
        """The fields as a dict of plain values, ready for json.dumps."""

    @property
    def name(self) -> str:
        """The key."""

    @property
    def type(self) -> str:
        """bool, integer, real or text."""

    @property
    def default(self) -> bool | int | float | str:
        """The value when none is given."""

    @property
    def choices(self) -> list[str]:
        """Allowed texts; empty: any."""

    @property
    def minimum(self) -> float | None:
        """Least number, inclusive, or None."""

    @property
    def maximum(self) -> float | None:
        """Largest number, inclusive, or None."""

    @property
    def knob(self) -> bool:
        """Whether a tuner may move it."""

    @property
    def scope(self) -> str:
        """process (one value for all loads in a process), model or call."""

    @property
    def affects(self) -> str:
        """compile (it is part of what a cached artifact is kept for) or run."""

    @property
    def help(self) -> str:
        """One sentence."""

    __match_args__: tuple = ...

class EngineStatus:
    """Whether an engine can be used here, and how."""

    def __repr__(self) -> str: ...

    def to_dict(self) -> dict:
        """The fields as a dict of plain values, ready for json.dumps."""

    @property
    def name(self) -> str:
        """The engine's name, as param `engine` takes it."""

    @property
    def available(self) -> bool:
        """Whether it can load models here."""

    @property
    def version(self) -> str:
        """Of the engine's library."""

    @property
    def library(self) -> str:
        """The engine's library file; empty: it has none."""

    @property
    def library_hash(self) -> str:
        """XXH3-128 of that file, hex."""

    @property
    def reason(self) -> str:
        """When unavailable: why, and where we looked."""

    @property
    def devices(self) -> list[str]:
        """For example cpu, cuda:0."""

    @property
    def formats(self) -> list[str]:
        """File endings that it takes."""

    @property
    def params(self) -> list[ParamSpec]:
        """Its own params; empty when unavailable."""

    __match_args__: tuple = ...

class Info:
    """What is known of a loaded model. All durations are nanoseconds."""

    def __repr__(self) -> str: ...

    def to_dict(self) -> dict:
        """The fields as a dict of plain values, ready for json.dumps."""

    @property
    def engine(self) -> str:
        """The engine that holds the model."""

    @property
    def engine_choice(self) -> str:
        """Why this engine."""

    @property
    def engine_version(self) -> str:
        """Of the engine's library."""

    @property
    def library(self) -> str:
        """The engine's library file; empty: it has none."""

    @property
    def library_hash(self) -> str:
        """XXH3-128 of that file, hex."""

    @property
    def model_path(self) -> str:
        """The file as given."""

    @property
    def model_hash(self) -> str:
        """
        XXH3-128 over the model and its external data, hex; empty when nothing needed it.
        """

    @property
    def inputs(self) -> list[Port]:
        """Ports, in the order that lists of arrays follow."""

    @property
    def outputs(self) -> list[Port]:
        """Ports, in the order that lists of arrays follow."""

    @property
    def requested(self) -> dict[str, bool | int | float | str]:
        """Params as given, defaults filled in."""

    @property
    def effective(self) -> dict[str, str]:
        """Values read back from the engine, or proved."""

    @property
    def proof(self) -> dict[str, str]:
        """How each effective value is known."""

    @property
    def load_phases_ns(self) -> dict[str, int]:
        """Nanoseconds of the phases that the engine can tell apart."""

    @property
    def dynamic_batch(self) -> bool:
        """
        Whether a ragged last batch runs at its true size (else it is padded and cut).
        """

    @property
    def from_artifact(self) -> bool:
        """Whether the compiled form came from the artifact cache."""

    @property
    def synthetic(self) -> bool:
        """Whether outputs are made up (engine null): there is no right answer."""

    @property
    def notes(self) -> list[str]:
        """What the caller should know, one sentence each."""

    __match_args__: tuple = ...

class Handle:
    """A loaded model as the package's Model wraps it."""

    @property
    def info(self) -> Info: ...

    def predict(self, x: object | None) -> object:
        """One array in, one out."""

    def predict_list(self, inputs: Sequence) -> list:
        """Arrays in port order in, arrays in port order out."""

    def predict_into(self, inputs: Sequence, outputs: Sequence) -> None:
        """Both in port order; the outputs are written in place."""

    def allocate(self, port: Port, rows: int) -> object:
        """
        Uninitialised memory for rows of a port that engine and worker need not copy.
        """

def load(path: str | os.PathLike, params: Mapping[str, bool | int | float | str]) -> Handle:
    """Loads a model file."""

def engines() -> list[EngineStatus]:
    """Every engine, in the order that engine='auto' tries."""

def as_bf16(bits: object) -> object:
    """A uint16 array's memory as a DLPack array of bf16, which keeps it."""

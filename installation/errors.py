"""Every error this package raises on purpose.

InstallationError          shown to a person as its message, never as a traceback
├── SceneError             a scene file says what it may not; holds every fault at once
├── ModelError             a model's file is missing, unknown, untrusted or not what its card says
├── CardError              no such sound card, or it refused
├── ShaderError            a shader does not parse, compile or link; holds the author's own line
├── SoundFileError         a file to be heard holds no sound that can be read
├── StoreError             the store is not a store, or was made for another model
├── ClusterError           a cluster can't be joined, or its actors are lost
├── ControlError           a port or device of control can't be opened
└── RenderError            what was asked to be written can't be
"""

from __future__ import annotations

from dataclasses import dataclass


class InstallationError(Exception):
    """The root: place, thing, got, allowed, in one sentence."""


@dataclass(frozen=True)
class Fault:
    """One thing wrong in a file, at the author's own line and column (both from 1)."""

    file: str
    line: int
    column: int
    path: str
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}: {self.path}: {self.message}"


class SceneError(InstallationError):
    """Every fault of one scene file."""

    def __init__(self, faults: tuple[Fault, ...]) -> None:
        super().__init__("\n".join(str(fault) for fault in faults))
        self.faults = faults


class ModelError(InstallationError):
    """A model's file is missing, unknown, untrusted or not what its card says."""


class CardError(InstallationError):
    """No such sound card, or it refused."""


class ShaderError(InstallationError):
    """A shader does not parse, compile or link; `line` is the author's own, from 1, or None."""

    def __init__(self, file: str, message: str, line: int | None = None) -> None:
        super().__init__(f"{file}:{line}: {message}" if line else f"{file}: {message}")
        self.file = file
        self.message = message
        self.line = line


class StoreError(InstallationError):
    """The store is not a store, or was made for another model."""


class SoundFileError(InstallationError):
    """A file to be heard holds no sound that can be read."""


class ClusterError(InstallationError):
    """A cluster can't be joined, or its actors are lost."""


class ControlError(InstallationError):
    """A port or device of control can't be opened."""


class RenderError(InstallationError):
    """What was asked to be written can't be."""

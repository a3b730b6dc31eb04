"""A moment of the show that can be come back to: its parameters in a small file, beside the picture that was seen.

`NAME.json` holds what is written here, `NAME.png` is the picture. The first is enough to recall it, and it is read as
what may come from anywhere: of bounded size, nothing in it but numbers and short texts.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from pathlib import Path
from typing import Any

from installation.commands import Set
from installation.errors import InstallationError
from installation.parameters import Parameter

SIZE_AT_MOST = 1 << 20
VALUES_AT_MOST = 10_000
TEXT_AT_MOST = 1000
WHOLE_AT_MOST = 1 << 63
FORMAT = 1
_NAME = re.compile(r"[^\W_](?:[\w .-]{0,62}[\w-])?")
NAMES_ARE = "allowed are up to 64 letters, digits, spaces, dots, - and _, a letter or digit first and no dot at the end"


@dataclass(frozen=True)
class Snapshot:
    """What the show was when it was taken: the `scene` by its file's stem, the `shader` it drew, when by the wall clock
    (ISO 8601) and how long after the show's start, the `seed`, the `trajectory` sounding (0: none) of which
    `generation`, and the `values` of all parameters by address."""

    scene: str
    shader: str
    taken: str
    time_s: float
    seed: int
    trajectory: int
    generation: int
    values: Mapping[str, float]

    def settings(self, parameters: Mapping[str, Parameter]) -> tuple[tuple[Set, ...], tuple[str, ...]]:
        """What brings every one of `parameters` back to where it was; and the addresses that are none of them, or take
        the value no more."""
        known = {
            address: value
            for address, value in self.values.items()
            if address in parameters and parameters[address].fault(value) is None
        }
        left = tuple(address for address in self.values if address not in known)
        return tuple(Set(address, value) for address, value in known.items()), left

    def save(self, folder: Path, name: str) -> Path:
        """Write it to `folder`/`name`.json, whole or not at all; the picture's path is this one, with .png instead."""
        path = _path(folder, name)
        text = json.dumps({"format": FORMAT} | asdict(self), indent=1, allow_nan=False)
        part = path.with_name(f".{path.name}.part")
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with part.open("w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            part.replace(path)
        except OSError as error:
            with contextlib.suppress(OSError):
                part.unlink(missing_ok=True)
            raise InstallationError(f"{path}: can't be written: {error}") from error
        return path


def named(scene: str, now: datetime) -> str:
    """The name of a snapshot that was given none: SCENE-YYYYmmdd-HHMMSS-mmm."""
    stem = re.sub(r"[^\w-]+", "-", scene).strip("-_")[:40] or "snapshot"
    return f"{stem}-{now:%Y%m%d-%H%M%S}-{now.microsecond // 1000:03d}"


def fault(name: str) -> str | None:
    """Why a snapshot can't be called `name`, or None."""
    shown = name if len(name) <= 64 else name[:61] + "..."
    return None if _NAME.fullmatch(name) else f"{shown!r} is no name of a snapshot; {NAMES_ARE}"


def load(folder: Path, name: str) -> Snapshot:
    """The one called `name`; InstallationError when there is none or its file is not one."""
    path = _path(folder, name)
    try:
        with path.open("rb") as file:
            raw = file.read(SIZE_AT_MOST + 1)
    except FileNotFoundError as error:
        raise InstallationError(f"{path}: no such snapshot") from error
    except OSError as error:
        raise InstallationError(f"{path}: can't be read: {error}") from error
    if len(raw) > SIZE_AT_MOST:
        raise InstallationError(f"{path}: more than {SIZE_AT_MOST} bytes, a snapshot has fewer")
    try:
        return _read(json.loads(raw.decode("utf-8"), parse_constant=_no_constant))
    except (ValueError, RecursionError) as error:
        raise InstallationError(f"{path}: no snapshot: {error}") from error


def _path(folder: Path, name: str) -> Path:
    why = fault(name)
    if why:
        raise InstallationError(why)
    return folder / f"{name}.json"


def _read(found: Any) -> Snapshot:
    """A snapshot out of what JSON made of its file; ValueError says why not."""
    if not isinstance(found, dict) or found.get("format") != FORMAT:
        raise ValueError(f"its format is not {FORMAT}")
    kept = {name: _checked(name, kind, found.get(name)) for name, kind in _KINDS.items()}
    values = found.get("values")
    if not isinstance(values, dict) or len(values) > VALUES_AT_MOST:
        raise ValueError(f"values: got {type(values).__name__}, allowed are up to {VALUES_AT_MOST} numbers by address")
    read = {address: float(_checked(_short(address), float, value)) for address, value in values.items()}
    return Snapshot(**kept, values=read)


_KINDS: dict[str, type] = {
    each.name: {"str": str, "float": float, "int": int}[str(each.type)] for each in fields(Snapshot)[:-1]
}


def _checked(name: str, kind: type, value: Any) -> Any:
    if kind is str:
        if isinstance(value, str) and len(value) <= TEXT_AT_MOST:
            return value
        raise ValueError(f"{name}: allowed is text of up to {TEXT_AT_MOST} characters")
    whole = isinstance(value, int) and not isinstance(value, bool) and abs(value) < WHOLE_AT_MOST
    if whole or (kind is float and isinstance(value, float) and abs(value) < float("inf")):
        return value
    raise ValueError(f"{name}: got {type(value).__name__}, allowed is a {'whole ' if kind is int else ''}number")


def _short(address: str) -> str:
    return address if len(address) <= 64 else address[:61] + "..."


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is no number")

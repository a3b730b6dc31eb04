"""Families of synthesised sound that models learn, and their recordings: a family, a seed and a number name one."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt

from installation.errors import ModelError
from installation.training import breath, bronze, sounds, wire

Samples = npt.NDArray[np.float32]
Perform = Callable[[float, int, np.random.Generator], Samples]
"""Seconds, sample rate and chance to a recording, (samples,)."""

FAMILIES: dict[str, Perform] = {"bronze": bronze.perform, "breath": breath.perform, "wire": wire.perform}


def excerpts(family: str, minutes: float, sample_rate_hz: int, seed: int) -> Iterator[Samples]:
    """Performances of one minute each, every one from a seed of its own; ModelError if there is no such family."""
    if family not in FAMILIES:
        raise ModelError(f"models synthesise: no family {family!r}; there are {', '.join(FAMILIES)}")
    for number in range(math.ceil(minutes)):
        seconds = min(60.0, 60.0 * (minutes - number))
        yield FAMILIES[family](seconds, sample_rate_hz, np.random.default_rng((seed, number)))


def files(minutes: float) -> int:
    """How many files `write` makes of so many minutes."""
    return math.ceil(minutes)


def write(folder: Path, family: str, minutes: float, sample_rate_hz: int, seed: int) -> Iterator[Path]:
    """Write `minutes` of performances as 16-bit mono WAV files of a minute each; their paths, one by one as they are
    written."""
    made = excerpts(family, minutes, sample_rate_hz, seed)
    for number, sound in enumerate(made):
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{family}-{seed}-{number:03d}.wav"
        sounds.write(path, sound, sample_rate_hz)
        yield path

"""Spectrograms beside the sounds a command writes: where drawing is asked for, and what it says when it can't."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import numpy.typing as npt

from installation.errors import InstallationError, RenderError

Floats = npt.NDArray[np.float32]

SHORTEST = 4096
"""A sound of fewer samples is drawn with silence after it."""


def need_drawing() -> None:
    """InstallationError, before any work is done, if matplotlib is missing."""
    if find_spec("matplotlib") is None:
        raise InstallationError("--plot: needs matplotlib; pip install -c constraints.txt '.[plots]'")


def draw(path: Path, title: str, sounds: dict[str, Floats], sample_rate_hz: int) -> None:
    """`sounds` (samples,) by name, one above the other, to a PNG; RenderError if it can't be written."""
    from installation.training.pictures import draw_panels

    long = {name: np.pad(sound, (0, max(0, SHORTEST - len(sound)))) for name, sound in sounds.items()}
    try:
        draw_panels(path, title, long, sample_rate_hz)
    except (OSError, ValueError) as error:
        raise RenderError(f"{path}: can't be drawn: {error}") from error

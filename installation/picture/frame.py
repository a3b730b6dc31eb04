"""What one shader is drawn with in one frame."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy.typing as npt

from installation.picture.shading.isf import Number

Pixels = npt.NDArray[Any]


@dataclass(frozen=True)
class Frame:
    """All that a frame of one shader depends on besides its persistent targets. `values` are its inputs; `textures`,
    (height, width) or (height, width, channels) of float16, float32 or uint8, hold only those that changed; `date` is
    year, month, day, seconds of the day."""

    time_s: float = 0.0
    delta_s: float = 0.0
    index: int = 0
    date: tuple[float, float, float, float] = (2000.0, 1.0, 1.0, 0.0)
    values: Mapping[str, Number] = field(default_factory=dict)
    textures: Mapping[str, Pixels] = field(default_factory=dict)

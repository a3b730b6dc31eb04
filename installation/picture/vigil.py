"""Watches the picture: one that stays black, or does not move at all, while sound is heard. Time is an argument."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

Advice = Literal["reload", "fall back", "restart"]
STEPS: tuple[Advice, ...] = ("reload", "fall back", "restart")
"""What is advised in turn, each PATIENCE_S after the one before: the shader compiled again; the safe
picture; a new process, for then it is not the shader."""

SAID_AFTER_S = 20.0
PATIENCE_S = 60.0
STEP_AT_MOST_S = 2.0
"""No more than this of the time between two looks counts: in a gap nothing was seen."""
MEAN_FLOOR, MOST_FLOOR = 0.004, 0.02
"""Luminance 0..1: a picture whose mean and brightest cell are both under their floor is black. They are
of linear light: 21 and 43 of 255 as it is displayed."""


@dataclass(frozen=True)
class Remark:
    """A sentence for the log, and what should be done, if anything."""

    sentence: str
    advice: Advice | None = None


class _Fault:
    """One thing that can be wrong with a picture, and for how long it has been."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.seconds = 0.0
        self.times = 0
        self._said = False
        self._advised = 0

    def push(self, wrong: bool, seconds: float) -> Remark | None:
        """`seconds` more of sound were heard, and the picture is `wrong` or not."""
        if not wrong:
            return self._over()
        self.seconds += seconds
        if not self._said and self.seconds >= SAID_AFTER_S:
            self._said = True
            self.times += 1
            return Remark(f"the picture has been {self.name} for {self.seconds:.0f} s while there is sound")
        if self._advised < len(STEPS) and self.seconds >= PATIENCE_S * (self._advised + 1):
            advice = STEPS[self._advised]
            self._advised += 1
            return Remark(f"the picture has been {self.name} for {self.seconds:.0f} s: {advice}", advice)
        return None

    def _over(self) -> Remark | None:
        said, seconds = self._said, self.seconds
        self.seconds, self._said, self._advised = 0.0, False, 0
        return Remark(f"the picture is no longer {self.name}, after {seconds:.0f} s of sound") if said else None


class Vigil:
    """Looks at thumbnails of what is seen, about one a second. Only time in which light is expected counts, and it
    adds up over the silences between: music with pauses does not hide a dead picture."""

    def __init__(self) -> None:
        self._black, self._frozen = _Fault("black"), _Fault("frozen")
        self._last: npt.NDArray[np.float64] | None = None
        self._last_s: float | None = None
        self._looks = 0

    def push(self, luminance: npt.NDArray[Any], now_s: float, expects_light: bool, moves: bool = True) -> Remark | None:
        """A thumbnail, (rows, columns) or (rows, columns, channels), uint8 or float 0..1, seen at `now_s`.
        `expects_light`: sound is heard, and neither blackout nor a knob keeps the picture dark; `moves`: TIME goes on,
        and the picture is not one that stands still when all is well (see `Verdict.moves`)."""
        scale = 255.0 if luminance.dtype.kind in "ui" else 1.0
        now = np.nan_to_num(luminance.astype(np.float64) / scale, posinf=1.0, neginf=0.0)
        last, last_s, self._last, self._last_s = self._last, self._last_s, now, now_s
        self._looks += 1
        seconds = min(STEP_AT_MOST_S, max(0.0, now_s - last_s)) if last_s is not None and expects_light else 0.0
        black = bool(now.mean() < MEAN_FLOOR and now.max() < MOST_FLOOR)
        still = last is not None and np.array_equal(last, now)
        said = self._black.push(black, seconds)
        # A black picture does not move either: one fault at a time.
        other = self._frozen.push(still and moves and not black, seconds)
        return said or other

    def figures(self) -> dict[str, Any]:
        """Its part of the report: how often the picture stood still or dark, and whether it does so now."""
        return {
            "looks": self._looks,
            "black": self._black.times,
            "frozen": self._frozen.times,
            "black_s": round(self._black.seconds, 1),
            "frozen_s": round(self._frozen.seconds, 1),
        }

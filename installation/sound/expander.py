"""A downward expander: what is quieter than a threshold becomes quieter still, as a model's noise between notes.

The louder channel decides for all. Its peaks, of each 32 samples, are followed at once upwards and by a steady fall in
dB downwards; below the threshold each dB of level becomes `ratio` dB, with a soft knee (Giannoulis, Massberg and Reiss,
"Digital dynamic range compressor design", J. Audio Eng. Soc. 60, 2012, equation 4, turned downwards), never more than
RANGE_DB; gains open within ATTACK_S and close within RELEASE_S, in straight lines over 32 samples. It does not delay.
Everything it remembers is in its state, and blocks of any size, whatever their length, give the same.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]

OFF_DB = -120.0
"""A threshold here or lower leaves every sound as it is, bit by bit."""
SUB_BLOCK = 32
KNEE_DB = 6.0
RANGE_DB = 60.0
"""The most that is taken away."""
ATTACK_S = 0.001
RELEASE_S = 0.12
FALL_DB_S = 120.0
"""How fast what is followed falls: 1.2 dB in half a period of 50 Hz."""
NEARLY_DB = 0.01
"""Closer to open than this is open."""
FLOOR_DB = -240.0


@dataclass(frozen=True)
class ExpanderState:
    """What the expander remembers: how much of the sub-block now running has come and its peak so far, the level
    followed, and the gains at the beginning and the end of that sub-block."""

    filled: int = 0
    peak: float = 0.0
    level_db: float = FLOOR_DB
    from_db: float = 0.0
    to_db: float = 0.0


class Expander:
    """For (samples, channels) at a rate. Pure: it keeps nothing itself."""

    def __init__(self, channels: int, sample_rate_hz: int) -> None:
        self.channels = channels
        sub_block_s = SUB_BLOCK / sample_rate_hz
        self._opens = 1.0 - math.exp(-sub_block_s / ATTACK_S)
        self._closes = 1.0 - math.exp(-sub_block_s / RELEASE_S)
        self._fall_db = FALL_DB_S * sub_block_s
        self._rise = (np.arange(SUB_BLOCK) + 1.0) / SUB_BLOCK

    def start(self) -> ExpanderState:
        """The state of one that has heard nothing: open."""
        return ExpanderState()

    def process(
        self, sound: Floats, state: ExpanderState, threshold_db: float, ratio: float = 2.0
    ) -> tuple[Floats, ExpanderState]:
        """`sound` (samples, channels) → as many samples, and the next state. `threshold_db` is a peak level in dBFS,
        `ratio` 1 (nothing is changed) or more."""
        off = threshold_db <= OFF_DB or ratio <= 1.0
        if off and state.from_db == 0.0 and state.to_db == 0.0:
            return sound, ExpanderState(filled=(state.filled + len(sound)) % SUB_BLOCK)
        peaks, filled, peak = self._peaks(sound, state)
        line_db, level_db = [state.from_db, state.to_db], state.level_db
        for each in peaks:
            level_db = max(_db(each), level_db - self._fall_db)
            goal_db = 0.0 if off else _curve_db(level_db, threshold_db, ratio)
            line_db.append(self._towards(goal_db, line_db[-1]))
        out = (sound * self._gains(line_db, state.filled, len(sound))).astype(np.float32)
        if off:
            peak, level_db = 0.0, FLOOR_DB
        return out, ExpanderState(filled, peak, level_db, line_db[-2], line_db[-1])

    def _peaks(self, sound: Floats, state: ExpanderState) -> tuple[list[float], int, float]:
        """Peaks of the sub-blocks that end in `sound`; how much of the next has come, and its peak so far."""
        loudest = np.nan_to_num(np.abs(sound).max(axis=1), nan=0.0, posinf=0.0)
        line = np.concatenate([np.zeros(state.filled, np.float32), loudest])
        if state.filled and len(loudest):
            line[0] = state.peak
        whole = len(line) // SUB_BLOCK * SUB_BLOCK
        rest = line[whole:]
        peaks = line[:whole].reshape(-1, SUB_BLOCK).max(axis=1).tolist()
        return peaks, len(rest), float(rest.max(initial=0.0))

    def _towards(self, goal_db: float, here_db: float) -> float:
        """The gain a sub-block later."""
        there_db = here_db + (goal_db - here_db) * (self._opens if goal_db > here_db else self._closes)
        return 0.0 if goal_db == 0.0 and there_db > -NEARLY_DB else there_db

    def _gains(self, line_db: list[float], skipped: int, count: int) -> Doubles:
        """Straight lines between the gains at the ends of sub-blocks, `count` from the `skipped`-th on, (count, 1)."""
        ends = 10.0 ** (np.asarray(line_db) / 20.0)
        lines = ends[:-1, None] + np.diff(ends)[:, None] * self._rise
        return np.asarray(lines.reshape(-1, 1)[skipped : skipped + count])


def _curve_db(level_db: float, threshold_db: float, ratio: float) -> float:
    """The gain a steady level is to have: 0 above the knee, `ratio - 1` dB less for each dB below it."""
    under = threshold_db - level_db
    if under <= -0.5 * KNEE_DB:
        return 0.0
    if under < 0.5 * KNEE_DB:
        return max(-RANGE_DB, (1.0 - ratio) * (under + 0.5 * KNEE_DB) ** 2 / (2.0 * KNEE_DB))
    return max(-RANGE_DB, (1.0 - ratio) * under)


def _db(peak: float) -> float:
    return 20.0 * math.log10(peak) if peak > 1e-12 else FLOOR_DB

"""Brings what is heard to the level the model was trained at: slowly, without lifting silence or the noise of a room.

Loudness is measured as in ITU-R BS.1770-5, without its weighting of frequencies: powers of blocks of 0.1 s, of which
those below -60 dBFS do not count, nor those 20 dB below the mean of the rest. Here the blocks are the last 3 s that
counted, so a pause changes nothing, however long. A steady hiss below the reach of what was last heard does not count
either: a block must stand out from the quietest of the last 10 s, or be near the level that is already followed.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]

HOP_S = 0.1
WINDOW_HOPS = 30
"""So many blocks that counted make the level: 3 s of sound."""
FLOOR_HOPS = 100
"""The quietest of so many blocks is the noise of the room: 10 s."""
ABSOLUTE_GATE_DB = -60.0
RELATIVE_GATE_DB = 20.0
STANDS_OUT_DB = 12.0
LEAST_DB, MOST_DB = -24.0, 30.0
"""The gain's limits."""
UP_DB_S, DOWN_DB_S = 6.0, 24.0
"""How fast the gain changes, at the most."""
KNEE = 0.7
"""What is louder than this, full scale being 1, is bent so that it never reaches 1."""
_SILENCE = 1e-12


@dataclass(frozen=True, eq=False)
class LevelState:
    """What the leveller remembers: the block that is not yet whole, powers of those that counted and of the last ones
    of all, and the gain at the beginning and the end of the block now coming.

    `input_db` and `sounding` are of the last whole block: its level before the gain, and whether it counted.
    """

    pending: Floats
    counted: tuple[float, ...]
    recent: tuple[float, ...]
    from_db: float
    to_db: float
    input_db: float
    sounding: bool


class Leveller:
    """Mono sound at a rate → the same at `target_db` (RMS, dBFS). Pure; blocks of any size give the same."""

    def __init__(self, sample_rate_hz: int, target_db: float) -> None:
        self._hop = max(1, round(HOP_S * sample_rate_hz))
        self._target_db = target_db
        self._ramp = np.arange(1, self._hop + 1, dtype=np.float32) / self._hop

    def start(self) -> LevelState:
        """The state of one that has heard nothing: a gain of 0 dB."""
        return LevelState(np.zeros(0, np.float32), (), (), 0.0, 0.0, -120.0, False)

    def process(self, sound: Floats, state: LevelState) -> tuple[Floats, LevelState]:
        """`sound` (samples,) → as many samples, within -1..1, and the next state. What is not a number is silence."""
        clean: Floats = np.nan_to_num(np.asarray(sound, np.float32), nan=0.0, posinf=0.0, neginf=0.0)
        out, begin = np.empty_like(clean), 0
        while begin < len(clean):
            held = len(state.pending)
            piece = clean[begin : begin + self._hop - held]
            start, end = 10.0 ** (state.from_db / 20.0), 10.0 ** (state.to_db / 20.0)
            gains = np.float32(start) + np.float32(end - start) * self._ramp[held : held + len(piece)]
            out[begin : begin + len(piece)] = bent((piece * gains).astype(np.float32))
            state = replace(state, pending=np.concatenate([state.pending, piece]))
            begin += len(piece)
            if len(state.pending) == self._hop:
                state = self._judged(state)
        return out, state

    def _judged(self, state: LevelState) -> LevelState:
        """The state after a whole block: whether it counts, and where the gain goes in the next."""
        power = float(np.mean(np.square(state.pending, dtype=np.float64)))
        recent = (*state.recent, power)[-FLOOR_HOPS:]
        sounding = self._counts(power, recent, state.counted)
        counted = (*state.counted, power)[-WINDOW_HOPS:] if sounding else state.counted
        goal = state.to_db
        if sounding:
            goal = float(np.clip(self._target_db - self._level_db(counted), LEAST_DB, MOST_DB))
        step = float(np.clip(goal - state.to_db, -DOWN_DB_S * HOP_S, UP_DB_S * HOP_S))
        nothing = np.zeros(0, np.float32)
        return LevelState(nothing, counted, recent, state.to_db, state.to_db + step, _db(power), sounding)

    def _counts(self, power: float, recent: tuple[float, ...], counted: tuple[float, ...]) -> bool:
        """Whether a block is sound, and not the silence or the noise between sounds."""
        here_db = _db(power)
        near = here_db > self._level_db(counted) - RELATIVE_GATE_DB
        return here_db > ABSOLUTE_GATE_DB and (near or here_db > _db(min(recent)) + STANDS_OUT_DB)

    def _level_db(self, counted: tuple[float, ...]) -> float:
        """The level followed: that of what counted, or the target itself before anything did."""
        return gated_db(np.array(counted)) if counted else self._target_db


def bent(sound: Floats) -> Floats:
    """`sound` within -1..1: as it is up to KNEE, from there on along a tanh."""
    over = np.maximum(np.abs(sound) - np.float32(KNEE), 0.0)
    if not over.any():
        return sound
    room = np.float32(1.0 - KNEE)
    return np.where(over > 0.0, np.sign(sound) * (np.float32(KNEE) + room * np.tanh(over / room)), sound)


def gated_db(powers: npt.NDArray[np.float64]) -> float:
    """Level of blocks of these mean squares, in dBFS: the mean of those less than 20 dB below the mean of all."""
    gate = powers.mean() * 10.0 ** (-RELATIVE_GATE_DB / 10.0)
    return _db(float(powers[powers >= gate].mean()))


def level_db(sound: Floats, sample_rate_hz: int) -> float:
    """The level of a whole `sound` (samples,) in dBFS, as the leveller would follow it; -120 for silence. What a
    model's training sound has is the target for what it is to hear."""
    hop = max(1, round(HOP_S * sample_rate_hz))
    whole = sound[: max(1, len(sound) // hop) * hop]
    powers = np.array(
        [np.mean(np.square(part, dtype=np.float64)) for part in np.split(whole, max(1, len(whole) // hop))]
    )
    loud = powers[powers > 10.0 ** (ABSOLUTE_GATE_DB / 10.0)]
    return gated_db(loud) if len(loud) else -120.0


def _db(power: float) -> float:
    return float(10.0 * np.log10(max(power, _SILENCE)))

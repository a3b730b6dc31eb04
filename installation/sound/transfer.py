"""A recording played through a model: encoded, turned, decoded, and back at its own loudness and in its own time.

Each channel of a recording is a row of its own to a mono model; a model of several channels hears the mix of them.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from installation.sound.decoder import Decoder
from installation.sound.encoder import Encode, encode_whole
from installation.sound.latency import MOST_S, measured
from installation.sound.loudness import SILENT_DB, gated_level_db
from installation.sound.outlet import let_out
from installation.sound.player import Turn
from installation.sound.ranges import tamed

Floats = npt.NDArray[np.float32]

Clean = Callable[[Floats], Floats | None]
"""Takes noise out of (samples, channels); None where it finds none."""

LEVEL_DB = -20.0
"""Where a model is not known to expect another."""
PIECE_STEPS = 64


@dataclass(frozen=True, eq=False)
class Bearings:
    """What must be known of a model: its latents' `mean`, `deviation` and range (latent_dim,), the level of what it
    was trained on, and how late it plays, in samples; None: to be measured on each sound."""

    mean: Floats
    deviation: Floats
    low: Floats
    high: Floats
    level_db: float = LEVEL_DB
    latency: int | None = None


@dataclass(frozen=True, eq=False)
class Wishes:
    """How it is to be played. `mix` goes from the recording (0) to the model (1) at equal power, `tame` as in `ranges`;
    `mono` mixes the channels first; unless `loudness` is kept, the model's own level is left; `before` and `after`
    clean the recording and what is made of it."""

    turn: Turn
    mix: float = 1.0
    tame: float = 0.0
    mono: bool = False
    loudness: bool = True
    before: Clean | None = None
    after: Clean | None = None


@dataclass(frozen=True, eq=False)
class Transferred:
    """What came of a recording: `original`, as it was after `before`, and `sound`, (samples, channels) each, as long as
    each other; how late the model was, in samples; the recording's level; whether noise was found where it was to be
    taken out."""

    original: Floats
    sound: Floats
    latency: int
    level_db: float
    noise_found: bool


class Transfer:
    """One model's way with recordings at its rate."""

    def __init__(self, encode: Encode, decoder: Decoder, bearings: Bearings, wishes: Wishes) -> None:
        self._encode, self._decoder, self._bearings, self._wishes = encode, decoder, bearings, wishes

    def __call__(self, sound: Floats) -> Transferred:
        """`sound` (samples, channels) played through the model."""
        wishes, rate_hz = self._wishes, self._decoder.sample_rate_hz
        mixed = wishes.mono or self._decoder.channels > 1
        heard = sound.mean(axis=1, keepdims=True, dtype=np.float32) if mixed else sound
        original, found = _cleaned(heard, wishes.before)
        level = gated_level_db(original, rate_hz)
        late, latency = self._played(original, level)
        wet, found_after = _cleaned(late[latency : latency + len(original)], wishes.after)
        wet = self._as_loud(wet, level) if wishes.loudness else wet
        mixture = _mixed(original, wet, wishes.mix)
        return Transferred(original, let_out(mixture, rate_hz), latency, level, found and found_after)

    def _played(self, original: Floats, level: float) -> tuple[Floats, int]:
        """What the model makes of it, late, and by how many samples."""
        bearings, ratio = self._bearings, self._decoder.ratio
        known = bearings.latency
        most = round(MOST_S * self._decoder.sample_rate_hz) if known is None else known
        gain = 10.0 ** ((bearings.level_db - level) / 20.0) if level > SILENT_DB else 1.0
        steps = -(-(len(original) + most) // ratio)
        padded = np.pad(original * np.float32(gain), ((0, steps * ratio - len(original)), (0, 0)))
        latents = np.stack([encode_whole(row, ratio, self._encode) for row in np.ascontiguousarray(padded.T)])
        turned = self._wishes.turn.apply(latents, bearings.mean, bearings.deviation)
        late = self._decoded(tamed(turned, bearings.low, bearings.high, self._wishes.tame))
        if known is None:
            known = measured(padded.mean(axis=1), late.mean(axis=1), self._decoder.sample_rate_hz)
        return late, known

    def _decoded(self, latents: Floats) -> Floats:
        """Latents (rows, steps, latent_dim) → sound (samples, channels)."""
        state, made = self._decoder.start(len(latents)), []
        for begin in range(0, latents.shape[1], PIECE_STEPS):
            sound, state = self._decoder.decode(latents[:, begin : begin + PIECE_STEPS], state)
            made.append(sound)
        rows = np.concatenate(made, axis=1)
        return rows[0] if self._decoder.channels > 1 else np.ascontiguousarray(rows[:, :, 0].T)

    def _as_loud(self, wet: Floats, level: float) -> Floats:
        """`wet` at the recording's `level`; silence for silence."""
        if level <= SILENT_DB:
            return np.zeros_like(wet)
        made = gated_level_db(wet, self._decoder.sample_rate_hz)
        return (wet * np.float32(10.0 ** ((level - made) / 20.0))).astype(np.float32) if made > SILENT_DB else wet


def _cleaned(sound: Floats, clean: Clean | None) -> tuple[Floats, bool]:
    """`sound` without its noise, and whether there was any to find where there is something that cleans."""
    if clean is None:
        return sound, True
    made = clean(sound)
    return (sound, False) if made is None else (made, True)


def _mixed(dry: Floats, wet: Floats, mix: float) -> Floats:
    """From `dry` (0) to `wet` (1), cosine and sine."""
    if mix >= 1.0:
        return wet
    angle = 0.5 * math.pi * mix
    return (math.cos(angle) * np.broadcast_to(dry, wet.shape) + math.sin(angle) * wet).astype(np.float32)

"""What was heard, as trajectories: while the input sounds its latents are collected, and phrases are cut from them.

A phrase begins where the input began to sound, or within a long sound where something was struck anew, and is exactly
as long as a trajectory of the search, so that it can become an individual. What ends sooner glides back to where it
began; what ends too soon is none. Phrases of a long sound overlap. Time is counted in latents.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]

GATE_DB = -45.0
"""The input sounds from this level on, before it is levelled."""
HYSTERESIS_DB = 6.0
"""And until it is so much below the gate …"""
PAUSE_S = 0.4
"""… for so long."""
ONSET_DB = 6.0
"""A rise by so much over the softest of the last latents is an onset."""
ONSET_STEPS = 3
LEAST_SHARE = 1.0 / 3.0
"""A phrase shorter than this share of a trajectory is none."""
INTERVAL_S = 4.0
"""Phrases come at most so often."""


@dataclass(frozen=True, eq=False)
class ListeningState:
    """The phrase that is being collected: `latents` (steps, latent_dim) and `onsets` (steps,), how many of its steps
    are of the phrase before it; the last levels; how long it is soft, and how long until the next phrase may come."""

    sounding: bool
    latents: Floats
    onsets: npt.NDArray[np.bool_]
    shared: int
    levels_db: tuple[float, ...]
    soft: int
    rest: int


class Listening:
    """Latents of `step_s` seconds and their levels in, phrases of `steps` latents out. Pure; any number at a time."""

    def __init__(self, steps: int, latent_dim: int, step_s: float, gate_db: float = GATE_DB) -> None:
        self._steps, self._latent_dim, self._gate_db = steps, latent_dim, gate_db
        self._least = max(2, round(LEAST_SHARE * steps))
        self._pause = max(1, round(PAUSE_S / step_s))
        self._interval = round(INTERVAL_S / step_s)

    def start(self) -> ListeningState:
        """The state of one that has heard nothing."""
        nothing = np.zeros((0, self._latent_dim), np.float32)
        return ListeningState(False, nothing, np.zeros(0, np.bool_), 0, (), 0, 0)

    def push(
        self, latents: Floats, levels_db: Floats, state: ListeningState
    ) -> tuple[tuple[Floats, ...], ListeningState]:
        """The next `latents` (count, latent_dim) and the level of the input in each, dBFS, (count,) → the phrases they
        complete, each (steps, latent_dim), and the next state."""
        phrases: list[Floats] = []
        for latent, level_db in zip(np.asarray(latents, np.float32), levels_db, strict=True):
            phrase, state = self._step(latent, float(level_db), state)
            if phrase is not None:
                phrases.append(phrase)
        return tuple(phrases), state

    def _step(self, latent: Floats, level_db: float, state: ListeningState) -> tuple[Floats | None, ListeningState]:
        rises = bool(state.levels_db) and level_db > min(state.levels_db) + ONSET_DB
        levels = (*state.levels_db, level_db)[-ONSET_STEPS:]
        state = replace(state, levels_db=levels, rest=max(0, state.rest - 1))
        if not state.sounding and level_db < self._gate_db:
            return None, state
        soft = state.soft + 1 if level_db < self._gate_db - HYSTERESIS_DB else 0
        state = replace(
            state,
            sounding=True,
            soft=soft,
            latents=np.concatenate([state.latents, latent[None]]),
            onsets=np.append(state.onsets, rises),
        )
        if soft >= self._pause:
            return self._ended(state)
        return self._full(state) if len(state.latents) == self._steps else (None, state)

    def _ended(self, state: ListeningState) -> tuple[Floats | None, ListeningState]:
        """After a pause: what sounded before it, if it is long enough and enough of it is new."""
        phrase = state.latents[: max(0, len(state.latents) - state.soft)]
        after = replace(self.start(), levels_db=state.levels_db, rest=state.rest)
        if len(phrase) - state.shared < self._least:
            return None, after
        return self._given(rounded(phrase, self._steps), after)

    def _full(self, state: ListeningState) -> tuple[Floats | None, ListeningState]:
        """A phrase, and the beginning of the next in it."""
        begin = next_begin(state.onsets)
        rest = replace(
            state,
            latents=state.latents[begin:],
            onsets=state.onsets[begin:],
            shared=self._steps - begin,
        )
        return self._given(state.latents, rest)

    def _given(self, phrase: Floats, after: ListeningState) -> tuple[Floats | None, ListeningState]:
        """The phrase, unless one was given a short while ago."""
        if after.rest:
            return None, after
        return phrase, replace(after, rest=self._interval)


def next_begin(onsets: npt.NDArray[np.bool_]) -> int:
    """Where in a phrase the next of a long sound begins: at the first onset of its middle half, or else half way."""
    low, high = len(onsets) // 4, 3 * len(onsets) // 4
    found = np.flatnonzero(onsets[low:high])
    return max(1, low + int(found[0]) if len(found) else len(onsets) // 2)


def rounded(phrase: Floats, steps: int) -> Floats:
    """`phrase` (fewer, latent_dim) as `steps` latents: after its end it glides to where it began."""
    missing = steps - len(phrase)
    share = (np.arange(1, missing + 1, dtype=np.float32) / max(1, missing))[:, None]
    glide = phrase[-1] + (phrase[0] - phrase[-1]) * share * share * (3.0 - 2.0 * share)
    return np.concatenate([phrase, glide]).astype(np.float32)

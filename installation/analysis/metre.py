"""Where in the bar we are and how fast it goes: a forward filter over all tempi and places at once.

The bar pointer of Whiteley, Cemgil & Godsill (2006) in the discrete state space of Krebs, Böck & Widmer ("An efficient
state-space model for joint tempo and meter tracking", ISMIR 2015), over two beats: a state is a tempo and a whole
number of hops since the first of them, each hop moves every state on by one, and at a beat the tempo may change a
little. Only the past is used (the forward recursion), so it is causal.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Doubles = npt.NDArray[np.float64]
Floats = npt.NDArray[np.float32]

SLOWEST_BPM, FASTEST_BPM = 60.0, 182.0
STEP = 0.014
"""From one tempo to the next, as a share."""
STIFFNESS = 100.0
"""A tempo r times the last is exp(-STIFFNESS * |log r|) as likely as the same."""
DOUBT = 3e-5
"""Share that each hop begins anew, anywhere: how a change of tempo without warning is found."""
TRUST = 0.25
"""Exponent of what is heard: neighbouring hops tell much the same."""
WISH = 0.1
USUAL_BPM, USUAL_OCTAVES = 115.0, 0.6
"""Tempi people tap are log-normal about here (Moelants 2002: 120 BPM)."""

PLACES = ("beat", "after", "before", "quarter", "half", "three quarters", "third", "between")
"""Kinds of places within a beat; those of the second beat of the two come after, in the same order."""


def places(since: Doubles, beat: Doubles) -> npt.NDArray[np.int64]:
    """The kind of place of each position `since` a beat of the length `beat`, both in hops: an index into PLACES."""
    found = np.full(since.shape, PLACES.index("between"))
    found[(np.abs(since - beat / 3) < 0.75) | (np.abs(since - 2 * beat / 3) < 0.75)] = PLACES.index("third")
    found[np.abs(since - beat / 4) < 0.75] = PLACES.index("quarter")
    found[np.abs(since - 3 * beat / 4) < 0.75] = PLACES.index("three quarters")
    found[np.abs(since - beat / 2) < 1.0] = PLACES.index("half")
    found[(since >= beat - 1.5) & (since < beat - 0.5)] = PLACES.index("before")
    found[(since >= 0.5) & (since < 1.5)] = PLACES.index("after")
    found[(since < 0.5) | (since >= beat - 0.5)] = PLACES.index("beat")
    return found


@dataclass(frozen=True)
class Belief:
    """What the filter holds for most likely: hops a beat, hops since the last beat was struck, and how sharply it
    knows the latter, 0..1 (the length of the mean of all phases on a circle)."""

    beat: float
    since: float
    sharpness: float


class Metre:
    """Probabilities of some 7000 states, pushed once a hop. Bounded, and never quite sure."""

    def __init__(self, hop_s: float) -> None:
        self.lengths = lengths(hop_s)
        self._first = np.concatenate([[0], np.cumsum(self.lengths)[:-1]])
        self._last = self._first + self.lengths - 1
        self._middle = self._first + (self.lengths + 1) // 2
        ratio = self.lengths[None, :] / self.lengths[:, None]
        octaves = np.log2(120 / (self.lengths * hop_s) / USUAL_BPM)
        usual = np.exp(-0.5 * (octaves / USUAL_OCTAVES) ** 2)
        turn = np.exp(-STIFFNESS * np.abs(np.log(ratio)))
        self._turn: Floats = (turn / turn.sum(axis=1, keepdims=True) * usual**WISH).astype(np.float32)
        position = np.concatenate([np.arange(length, dtype=np.float64) for length in self.lengths])
        beat = np.repeat(self.lengths / 2, self.lengths)
        within = np.mod(position, beat)
        self._places = places(within, beat) + len(PLACES) * (position >= beat)
        angle = 2 * np.pi * within / beat
        self._circle: Floats = np.stack([np.cos(angle), np.sin(angle)]).astype(np.float32)
        self._usual: Floats = np.repeat(usual / usual.sum() / self.lengths, self.lengths).astype(np.float32)
        self.restart()

    def restart(self) -> None:
        """Believe in nothing but what is usual."""
        self._states = self._usual.copy()
        self._moved = np.empty_like(self._states)

    def push(self, ratios: Doubles) -> Belief:
        """One hop on. `ratios` (2 * len(PLACES),): how many times likelier what was heard is at a place than anywhere."""
        moved, states = self._moved, self._states
        moved[1:] = states[:-1]
        moved[self._first] = states[self._last] @ self._turn
        moved[self._middle] = states[self._middle - 1] @ self._turn
        moved *= np.power(ratios, TRUST).astype(np.float32)[self._places]
        moved *= (1 - DOUBT) / moved.sum()
        moved += DOUBT * self._usual
        self._states, self._moved = moved, states
        return self._belief()

    def _belief(self) -> Belief:
        """Round the likeliest tempo: the mean length, and the mean place on the circle."""
        tempi = np.add.reduceat(self._states, self._first)
        best = int(tempi.argmax())
        low, high = max(0, best - 3), min(len(tempi), best + 4)
        near = slice(self._first[low], self._last[high - 1] + 1)
        beat = float(tempi[low:high] @ self.lengths[low:high] / tempi[low:high].sum()) / 2
        across, up = self._circle[:, near] @ self._states[near]
        since = float(np.arctan2(up, across)) / (2 * np.pi) % 1.0
        return Belief(beat, since * beat, float(np.hypot(across, up)))


def lengths(hop_s: float) -> npt.NDArray[np.int64]:
    """Whole numbers of hops that two beats may last, each about STEP longer than the last, ascending."""
    found = [round(120 / FASTEST_BPM / hop_s)]
    while found[-1] < 120 / SLOWEST_BPM / hop_s:
        found.append(max(found[-1] + 1, round(found[-1] * (1 + STEP))))
    return np.array(found)

"""Where in the bar we are and how fast it goes: a forward filter over all tempi and places at once.

The bar pointer of Whiteley, Cemgil & Godsill (2006) in the discrete state space of Krebs, Böck & Widmer ("An efficient
state-space model for joint tempo and meter tracking", ISMIR 2015), over four beats: a state is a tempo and a whole
number of hops since the first of them, each hop moves every state on by one, and at a beat the tempo may change a
little. Only the past is used (the forward recursion), so it is causal.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Doubles = npt.NDArray[np.float64]
Floats = npt.NDArray[np.float32]

SLOWEST_BPM, FASTEST_BPM = 60.0, 182.0
STEP = 0.018
"""From one tempo to the next, as a share."""
STIFFNESS = 100.0
"""A tempo r times the last is exp(-STIFFNESS * |log r|) as likely as the same."""
DOUBT = 3e-5
"""Share that each hop begins anew, anywhere: how a change of tempo without warning is found."""
TRUST = 0.3
"""Exponent of what is heard: neighbouring hops tell much the same."""
USUAL_BPM, USUAL_OCTAVES = 115.0, 0.6
"""Tempi people tap are log-normal about here (Moelants 2002: 120 BPM)."""

ASTRAY = 0.02
"""How likely the next beat is any of the bar's, whichever was last: a bar of three, or one miscounted."""

BEATS = 4
"""In a bar: what is struck on them differs, as kick and snare do, and a chord comes with the first."""

AHEAD = 8
"""Hops a belief is held against what comes of it: longer than what is heard in one hop is heard in the next ones."""
NEAR = 3
"""Tempi on either side of the likeliest that are taken for the same."""

PLACES = ("beat", "after", "before", "quarter", "half", "three quarters", "third", "between")
"""Kinds of places within a beat; those of the second beat of the bar come after, in the same order, and so on."""


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
    knows the latter, 0..1 (the length of the mean of all phases on a circle). And by which share it foresaw this hop
    better, AHEAD hops ago, than one who knows the tempo but not the beats would have: below 0 it was worse."""

    beat: float
    since: float
    sharpness: float
    foresight: float


class Metre:
    """Probabilities of some 14000 states, pushed once a hop. Bounded, and never quite sure."""

    def __init__(self, hop_s: float) -> None:
        self._lengths = lengths(hop_s)
        position = np.concatenate([np.arange(length, dtype=np.float64) for length in self._lengths])
        beat = np.repeat(self._lengths / BEATS, self._lengths)
        number = np.floor(position / beat).astype(np.int64)
        within = position - number * beat
        self._places = places(within, beat) + len(PLACES) * number
        angle = 2 * np.pi * within / beat
        self._circle: Floats = np.stack([np.cos(angle), np.sin(angle)]).astype(np.float32)
        self._first = np.concatenate([[0], np.cumsum(self._lengths)[:-1]])
        begins = -(-self._lengths * np.arange(BEATS)[:, None] // BEATS)
        self._begins = self._first + begins
        self._ends = np.concatenate([self._begins[1:], (self._first + self._lengths)[None]]) - 1
        self._turn = turns(self._lengths)
        self._usual = usual(self._lengths, hop_s)
        self._doubt: Floats = np.asarray(DOUBT * self._usual, np.float32)
        self._likely = np.empty_like(self._usual)
        self._shares = shares(self._places, self._lengths)
        self.restart()

    def restart(self) -> None:
        """Believe in nothing but what is usual."""
        self._states = self._usual.copy()
        self._foretold: deque[tuple[int, float]] = deque(maxlen=AHEAD)
        self._moved = np.empty_like(self._states)

    def push(self, ratios: Doubles) -> Belief:
        """One hop on. `ratios` (BEATS * len(PLACES),): how much likelier what was heard is at each place than anywhere,
        up to a factor common to all."""
        self._move()
        trusted = (ratios**TRUST).astype(np.float32)
        states = self._states
        states *= trusted.take(self._places, out=self._likely, mode="clip")
        states *= (1 - DOUBT) / float(states.sum())
        states += self._doubt
        return self._belief(self._foresight(trusted))

    def _foresight(self, trusted: Floats) -> float:
        """How much better this hop was foreseen AHEAD hops ago than by chance, 0 if as well."""
        if len(self._foretold) < AHEAD:
            return 0.0
        tempo, phase = self._foretold[0]
        place = self._places[self._first[tempo] + int(phase * self._lengths[tempo] / BEATS)] % len(PLACES)
        likely = trusted.reshape(BEATS, -1).mean(axis=0)
        return float(likely[place] / (self._shares[tempo] @ likely)) - 1

    def _move(self) -> None:
        """Everything a hop on, and from the end of a beat to the beginning of the next, at any tempo."""
        moved, states = self._moved, self._states
        ended = states[self._ends] @ self._turn
        moved[1:] = states[:-1]
        moved[self._begins] = (1 - ASTRAY) * np.roll(ended, 1, axis=0) + ASTRAY / BEATS * ended.sum(axis=0)
        self._states, self._moved = moved, states

    def _belief(self, foresight: float) -> Belief:
        """Round the likeliest tempo: the mean length, and the mean place on the circle."""
        tempi = np.add.reduceat(self._states, self._first)
        best = int(tempi.argmax())
        low, high = max(0, best - NEAR), min(len(tempi), best + NEAR + 1)
        near = slice(self._first[low], self._ends[-1][high - 1] + 1)
        beat = float(tempi[low:high] @ self._lengths[low:high] / tempi[low:high].sum()) / BEATS
        across, up = self._circle[:, near] @ self._states[near]
        phase = float(np.arctan2(up, across)) / (2 * np.pi) % 1.0
        self._foretold.append((best, (phase + AHEAD / beat) % 1.0))
        return Belief(beat, phase * beat, min(1.0, float(np.hypot(across, up))), foresight)


def lengths(hop_s: float) -> npt.NDArray[np.int64]:
    """Whole numbers of hops that a bar may last, each about STEP longer than the last, ascending."""
    found = [round(60 * BEATS / FASTEST_BPM / hop_s)]
    while found[-1] < 60 * BEATS / SLOWEST_BPM / hop_s:
        found.append(max(found[-1] + 1, round(found[-1] * (1 + STEP))))
    return np.array(found)


def turns(lengths: npt.NDArray[np.int64]) -> Floats:
    """How likely each tempo (column) comes after each (row), each row of sum 1."""
    ratio = lengths[None, :] / lengths[:, None]
    turn = np.exp(-STIFFNESS * np.abs(np.log(ratio)))
    return np.asarray(turn / turn.sum(axis=1, keepdims=True), np.float32)


def usual(lengths: npt.NDArray[np.int64], hop_s: float) -> Floats:
    """How likely each state is before anything is heard, of sum 1."""
    octaves = np.log2(60 * BEATS / (lengths * hop_s) / USUAL_BPM)
    tempi = np.exp(-0.5 * (octaves / USUAL_OCTAVES) ** 2)
    return np.asarray(np.repeat(tempi / tempi.sum() / lengths, lengths), np.float32)


def shares(places: npt.NDArray[np.int64], lengths: npt.NDArray[np.int64]) -> Floats:
    """Which share of the states of each tempo (row) is of each kind of place, whichever the beat, each row of sum 1."""
    tempo = np.repeat(np.arange(len(lengths)), lengths)
    size = len(lengths), len(PLACES)
    counts = np.bincount(tempo * size[1] + places % size[1], minlength=size[0] * size[1]).reshape(size)
    return np.asarray(counts / lengths[:, None], np.float32)

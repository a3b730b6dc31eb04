"""The beat, announced when it falls and not after: what the picture may pulse with.

Each hop's accents (`analysis.accents`) say how likely they are at each kind of place in a beat (`analysis.places`), and
the metre (`analysis.metre`) makes of all of them so far where the beat must be. That is foretold: a strike is known a
little late, when it has come to the middle of the window, so a beat is announced that much before the metre would see
it, at the end of the hop that is nearest to it. Nothing is announced until the metre has been sure, and right, for a
while.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from installation.analysis.accents import Accents
from installation.analysis.metre import Belief, Metre
from installation.analysis.places import Places
from installation.analysis.spectrum import HOP, LOUDEST

Doubles = npt.NDArray[np.float64]

LATE_HOPS = 1.7
"""How long after a strike the metre sees it, in hops, in the mean."""
FORESIGHT_S = 3.0
"""How long it is judged by what it foresaw,"""
SHARPNESS_S = 1.0
"""and by how sharply it knew where the beat is."""
FORESEEING = 0.012
"""Mean foresight of music, at least, nearly; that of noise is 0 or less, nearly."""
VAGUE, SHARP = 0.5, 0.9
"""Sharpness of what is believed of noise, and of music, nearly."""
BEGIN, CEASE = 0.5, 0.3
"""Confidence from which beats are announced, and below which no more."""
APART = 0.6
"""Beats are at least this share of a beat apart."""
OVERDUE_HOPS = 4.0
"""So late a beat is still announced that was not foreseen."""
TEMPO_S, OTHER_TEMPO = 1.5, 0.04
"""How slowly the tempo said follows that believed, and from which share it jumps."""
DECAY_S = 0.25
LOWEST_DB, HIGHEST_DB = -120.0, 60.0


class Beat:
    """Pushed each hop of 512 samples. `level` 0..1 jumps at each beat and decays, `phase` 0..1 is 0 at the beat,
    `tempo_bpm` and `confidence` 0..1 are what it believes, `count` the beats so far. Pure in what it is pushed."""

    def __init__(self, sample_rate_hz: int) -> None:
        self._hop_s = HOP / sample_rate_hz
        self._accents = Accents(sample_rate_hz)
        self._places = Places()
        self._metre = Metre(self._hop_s)
        self.count = 0
        self.restart()

    def restart(self) -> None:
        """Forget everything but the count: after a gap."""
        self._accents.restart()
        self._places.restart()
        self._metre.restart()
        self._since = float("inf")
        self._announcing = False
        self._foresight, self._sharpness = 0.0, 0.0
        self.level, self.phase, self.tempo_bpm, self.confidence = 0.0, 0.0, 0.0, 0.0

    def push(self, hop: Doubles, mels_db: Doubles, present: bool) -> None:
        """Hear one hop (512,), mono, within ±1 or so, and the mel levels (any count, in dB) of the frame that ends with
        it. Where nothing is `present` no beat is announced. What isn't a number is silence."""
        sound, mels = within(hop, -LOUDEST, LOUDEST, 0.0), within(mels_db, LOWEST_DB, HIGHEST_DB, LOWEST_DB)
        belief = self._metre.push(self._places.push(self._accents.push(sound, mels)))
        self._judge(belief, present)
        self._follow(60 / (belief.beat * self._hop_s))
        since = belief.since + LATE_HOPS
        self.phase = since / belief.beat % 1.0
        self.level = self.level * float(np.exp(-self._hop_s / DECAY_S)) if self.level > 1e-4 else 0.0
        self._since += 1
        due = belief.beat - since <= 0.5 or since <= OVERDUE_HOPS
        if self._announcing and due and self._since > APART * belief.beat:
            self._strike()

    def _judge(self, belief: Belief, present: bool) -> None:
        """How far the belief can be relied on: as sharp as it is, if it foresees anything at all."""
        self._foresight += (belief.foresight * present - self._foresight) * min(1.0, self._hop_s / FORESIGHT_S)
        self._sharpness += (belief.sharpness * present - self._sharpness) * min(1.0, self._hop_s / SHARPNESS_S)
        sharp, foreseen = (self._sharpness - VAGUE) / (SHARP - VAGUE), self._foresight / FORESEEING
        self.confidence = min(1.0, max(0.0, sharp)) * min(1.0, max(0.0, foreseen))
        self._announcing = present and self.confidence > (CEASE if self._announcing else BEGIN)

    def _follow(self, tempo_bpm: float) -> None:
        """The tempo said goes after that believed."""
        if abs(tempo_bpm - self.tempo_bpm) > OTHER_TEMPO * tempo_bpm:
            self.tempo_bpm = tempo_bpm
        self.tempo_bpm += (tempo_bpm - self.tempo_bpm) * min(1.0, self._hop_s / TEMPO_S)

    def _strike(self) -> None:
        self.count += 1
        self._since = 0.0
        self.level = max(self.level, self.confidence)


def within(values: Doubles, least: float, most: float, missing: float) -> Doubles:
    """Values held within bounds, and `missing` where they aren't numbers."""
    held = np.minimum(np.maximum(values, least), most)
    held[np.isnan(held)] = missing
    return np.asarray(held)

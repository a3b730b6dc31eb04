"""The beat, announced when it falls and not after: what the picture may pulse with.

Each hop's accents (`analysis.accents`) say how likely they are at each kind of place in a beat (`analysis.places`), the
metre (`analysis.metre`) makes of all of them so far where the beat must be, and that is foretold: what is known is known
a little late, the window's middle and the hop, so a beat is announced that much before the metre would see it, at the
end of the hop that is nearest to it. Nothing is announced until the metre has been sure for a while.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from installation.analysis.accents import HOP, Accents
from installation.analysis.metre import Metre
from installation.analysis.places import Places

Doubles = npt.NDArray[np.float64]

LATE_HOPS = 1.7
"""How long after a strike the metre sees it, in hops, in the mean."""
SURE_S = 1.0
"""How long the confidence looks back."""
BEGIN, CEASE = 0.5, 0.3
"""Confidence from which beats are announced, and below which no more."""
APART = 0.6
"""Beats are at least this share of a beat apart."""
DECAY_S = 0.25


class Beat:
    """Pushed each hop of 512 samples. `level` 0..1 jumps at each beat and decays, `phase` 0..1 is 0 at the beat,
    `tempo_bpm` and `confidence` 0..1 are what it believes, `count` the beats so far. Pure in what it is pushed."""

    def __init__(self, sample_rate_hz: int) -> None:
        self._hop_s = HOP / sample_rate_hz
        self._accents = Accents(sample_rate_hz)
        self._places = Places()
        self._metre = Metre(self._hop_s)
        self._decay = float(np.exp(-self._hop_s / DECAY_S))
        self.count = 0
        self.restart()

    def restart(self) -> None:
        """Forget everything but the count: after a gap."""
        self._accents.restart()
        self._places.restart()
        self._metre.restart()
        self._since = float("inf")
        self._announcing = False
        self.level, self.phase, self.tempo_bpm, self.confidence = 0.0, 0.0, 0.0, 0.0

    def push(self, hop: Doubles, mels_db: Doubles, present: bool) -> None:
        """Hear one hop (512,), mono, within ±1 or so, and the mel levels (any count, in dB) of the frame that ends with
        it. Where nothing is `present` no beat is announced."""
        sound = np.where(np.isfinite(hop), np.clip(hop, -8.0, 8.0), 0.0)
        mels = np.where(np.isfinite(mels_db), np.clip(mels_db, -120.0, 60.0), -120.0)
        belief = self._metre.push(self._places.push(self._accents.push(sound, mels)))
        self.tempo_bpm = 60 / (belief.beat * self._hop_s)
        sure = belief.sharpness if present else 0.0
        self.confidence += (sure - self.confidence) * min(1.0, self._hop_s / SURE_S)
        self._announcing = present and self.confidence > (CEASE if self._announcing else BEGIN)
        self._since += 1
        self.level = self.level * self._decay if self.level > 1e-4 else 0.0
        since = belief.since + LATE_HOPS
        left = belief.beat - since
        self.phase = since / belief.beat % 1.0
        if self._announcing and left <= 0.5 and self._since > APART * belief.beat:
            self._strike()

    def _strike(self) -> None:
        self.count += 1
        self._since = 0.0
        self.level = max(self.level, self.confidence)

"""What the voice hears: line → the ring's rate → feedback guard → the model's rate → leveller → encoder → latents for
the part that plays them, and phrases for the search. Composition only; no process, no card."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from installation.part import Part
from installation.ring import Ring
from installation.sound.encoder import EncoderStream
from installation.sound.feedback import FeedbackGuard
from installation.sound.leveller import Leveller
from installation.sound.line import Line
from installation.sound.listening import Listening
from installation.sound.mixer import decibels
from installation.sound.rate import RateChanger

Floats = npt.NDArray[np.float32]

MOST_S = 0.5
"""Of what came while nobody looked, at most so much is heard: the newest."""
ASTRAY_S = 0.05
"""The place in what was played is taken anew when it is so far from where the clocks say."""
LOST_S = 2.0
"""An input that brought nothing for so long is lost."""
QUIETEST_DB = -120.0


@dataclass(frozen=True)
class InputSetup:
    """Which input is wanted: (part of) its name, None for the default one, and which of its channels, from 1."""

    device: str | None
    channel: int | None


class Ear:
    """What one part's encoder has heard so far."""

    def __init__(self, encoder: EncoderStream, part: Part, from_hz: int) -> None:
        self.part = part
        self._encoder = encoder
        self._changer = RateChanger(from_hz, encoder.sample_rate_hz, 1)
        self._leveller = Leveller(encoder.sample_rate_hz, part.model.level_db)
        self._listening = Listening(part.setup.steps, encoder.latent_dim, encoder.ratio / encoder.sample_rate_hz)
        self._states: Any = (
            self._changer.start(),
            self._leveller.start(),
            encoder.start(),
            self._listening.start(),
        )
        self._pending = np.zeros(0, np.float32)
        self.level_db = QUIETEST_DB

    def hear(self, sound: Floats, gain: float) -> tuple[Floats, tuple[Floats, ...]]:
        """Mono `sound` (samples,) → the latents it completes (steps, latent_dim), and the phrases."""
        rate, level, encoder, listening = self._states
        changed, rate = self._changer.change(sound[:, None], rate)
        levelled, level = self._leveller.process(changed[:, 0], level)
        line = np.concatenate([self._pending, np.float32(gain) * levelled])
        whole = len(line) // self._encoder.ratio * self._encoder.ratio
        latents, encoder = self._encoder.encode(line[None, :whole, None], encoder)
        self._pending, self.level_db = line[whole:], level.input_db
        heard = np.asarray(latents[0], np.float32)
        phrases, listening = self._listening.push(heard, np.full(len(heard), level.input_db, np.float32), listening)
        self._states = rate, level, encoder, listening
        return heard, phrases


class Incoming:
    """The line, and the ear of the part that hears it. `phrases` are those not yet taken away."""

    def __init__(self, line: Line, ring: Ring, now_s: float) -> None:
        self._line, self._ring = line, ring
        self._read = 0
        self._played: int | None = None
        self._to_ring = RateChanger(line.sample_rate_hz, ring.sample_rate_hz, 1)
        self._rate = self._to_ring.start()
        self._guard = FeedbackGuard(ring.sample_rate_hz)
        self._found = self._guard.start()
        self._ear: Ear | None = None
        self._came, self._came_s = line.callbacks, now_s
        self.lost = False
        self._phrases: list[Floats] = []
        self._phrases_given = 0

    def hear(self, part: Part | None, now_s: float) -> None:
        """Take what came since, and let `part` know."""
        if part is None or part.encoder is None:
            return
        if self._ear is None or self._ear.part is not part:
            self._ear = Ear(part.encoder, part, self._ring.sample_rate_hz)
        sound = self._sound(now_s)
        if self.lost:
            part.hear_nothing()
        if not len(sound):
            return
        share = self._share(sound, part.values["/input/guard"] > 0.5)
        latents, phrases = self._ear.hear(sound, decibels(part.values["/input/gain"]))
        if part.values["/input/listen"] > 0.5 and share > 0.5:
            self._phrases.extend(phrases)
        part.hear(latents[-1] if len(latents) else None, share)

    def take_phrases(self) -> Floats | None:
        """The phrases since the last call, (count, steps, latent_dim), or None."""
        if not self._phrases:
            return None
        phrases = np.stack(self._phrases)
        self._phrases_given += len(phrases)
        self._phrases.clear()
        return phrases

    def _sound(self, now_s: float) -> Floats:
        """What came since, at the ring's rate, (samples,); notices an input that is lost, and one that is back."""
        if self._line.callbacks != self._came:
            self._came, self._came_s = self._line.callbacks, now_s
        self.lost = now_s - self._came_s > LOST_S
        most = int(MOST_S * self._line.sample_rate_hz)
        self._read = max(self._read, self._line.written - most)
        sound, self._read = self._line.read_since(self._read, most)
        changed, self._rate = self._to_ring.change(sound[:, None], self._rate)
        return np.asarray(changed[:, 0], np.float32)

    def _share(self, sound: Floats, guarded: bool) -> float:
        """How much of the input may be heard, as far as it is not the show's own sound."""
        self._found = self._guard.push(sound, self._played_meanwhile(len(sound)), self._found)
        return self._found.factor if guarded else 1.0

    def _played_meanwhile(self, count: int) -> Floats:
        """What the card played while so many samples came, mono (count,)."""
        ring, silence = self._ring, np.zeros(count, np.float32)
        heard_s, taken = self._line.adc_time_s(self._read), ring.taken
        there_s = ring.dac_time_s(taken)
        if not heard_s or not there_s:
            return silence
        end = taken + round((heard_s - there_s) * ring.sample_rate_hz)
        if self._played is None or abs(self._played + count - end) > ASTRAY_S * ring.sample_rate_hz:
            self._played = end - count
        self._played += count
        return np.asarray(ring.tap(min(self._played, ring.written), count).mean(axis=1), np.float32)

    def figures(self) -> dict[str, Any]:
        """The input's part of the run's report."""
        return {
            "name": self._line.name,
            "level_db": round(self._ear.level_db if self._ear else QUIETEST_DB, 1),
            "own_sound": round(self._found.likeness, 3),
            "share": round(self._found.factor, 3),
            "overflows": self._line.overflows,
            "phrases": self._phrases_given,
        }

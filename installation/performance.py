"""Parts, stream and ring as one instrument, and the ear on what the card took; no process, no card, no clock."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from installation import commands
from installation.analysis.features import Analyser, Hearing
from installation.model import Model
from installation.parameters import part_of
from installation.part import Part, PartSetup
from installation.ring import Ring
from installation.sound.decoder import Decoder
from installation.sound.stream import Stream
from installation.track import LATENTS_AT_MOST, MOMENT, Track

Floats = npt.NDArray[np.floating[Any]]

RECENT_S = 5.0
"""Of the decodes of so long the breeder is told, which gives way to them."""
BRACE_S = 1.5
"""So much is held ready while a model is loaded: loading may hold everything else up for a moment."""


@dataclass(frozen=True)
class Ahead:
    """Hold so much sound ready for the card from now on."""

    ms: float


@dataclass(frozen=True)
class Arrange:
    """Play these parts from now on, with these values: those whose model stays play on, the others change places
    across `crossfade_s`."""

    parts: tuple[PartSetup, ...]
    values: dict[str, float]
    crossfade_s: float


class Performance:
    """`parts` sound, by number; `arriving` wait for their decoders, which whoever runs this loads and brings."""

    def __init__(self, ring: Ring, track: Track, values: dict[str, float], ahead_ms: float) -> None:
        self._ring, self._track = ring, track
        self.values = dict(values)
        self.parts: dict[int, Part] = {}
        self.arriving: dict[int, Part] = {}
        self._ahead_ms = ahead_ms
        self._crossfade_s = 0.0
        self._muted = False
        self.stream = Stream(ring, 0)
        self.brace(False)
        self._click()
        self._analyser = Analyser(ring.sample_rate_hz, ring.channels, ring.taken)
        self._heard = self._begun = ring.taken
        self._square_sum, self._peak = 0.0, 0.0
        self._broken = self._played = 0
        self._decoded: deque[float] = deque(maxlen=8192)
        """How long decoding took in the parts that have gone, in ms."""

    # Parts ------------------------------------------------------------------------------------------------------

    def await_part(self, setup: PartSetup, model: Model) -> Part:
        """A part that sounds as soon as `enter` brings its decoder; what it is sent meanwhile is not lost."""
        part = Part(setup, model, self.values)
        part.muted = self._muted
        self.arriving[setup.number] = part
        return part

    def enter(self, part: Part, decoder: Decoder) -> None:
        """Let it be heard, in place of the one of its number: at once where nothing sounds yet."""
        if self.arriving.get(part.number) is not part:
            return
        del self.arriving[part.number]
        ring, before = self._ring, self.parts.get(part.number)
        crossfade = int(self._crossfade_s * ring.sample_rate_hz) if self.stream.lanes else 0
        self.stream.add(part.enter(decoder, ring.sample_rate_hz, ring.channels, ring.written), crossfade)
        if before is not None:
            self._retire(before)
        self.parts[part.number] = part

    def give_up(self, part: Part) -> None:
        """It can't be had: what sounds in its place sounds on."""
        if self.arriving.get(part.number) is part:
            del self.arriving[part.number]

    def arrange(self, command: Arrange) -> list[PartSetup]:
        """Let what is not wanted any more fall silent, and turn the rest; those to be awaited."""
        self.values, self._crossfade_s = dict(command.values), command.crossfade_s
        self._click()
        self.arriving.clear()
        wanted = {setup.number: setup for setup in command.parts}
        for number in [number for number in self.parts if number not in wanted]:
            self._retire(self.parts.pop(number))
        strangers = []
        for number, setup in wanted.items():
            part = self.parts.get(number)
            if part is not None and part.setup.instrument == setup.instrument:
                part.heard_at = self._ring.taken
                part.take_values(self.values)
            else:
                strangers.append(setup)
        return strangers

    def _retire(self, part: Part) -> None:
        if part.lane is not None:
            self.stream.retire(part.lane, int(self._crossfade_s * self._ring.sample_rate_hz))
            self._broken += part.lane.broken_steps
            self._decoded.extend(part.lane.decode_ms)
        self._played += part.player.played

    def _all(self) -> tuple[Part, ...]:
        return (*self.parts.values(), *self.arriving.values())

    def _part(self, number: int) -> Part | None:
        """The part people mean by `number`: the one that arrives, else the one that is there."""
        return self.arriving.get(number) or self.parts.get(number)

    # Commands ---------------------------------------------------------------------------------------------------

    def obey(self, command: Any) -> None:
        """Take a command; what it changes is made heard by the stream's next `respond`."""
        match command:
            case commands.Set(address, value):
                self._set(address, value)
            case commands.Play() | commands.Drop():
                part = self._part(command.part)
                if part is not None:
                    part.obey(command)
            case Ahead(ms):
                self._ahead_ms = ms
                self.brace(False)
            case commands.Panic():
                self.stream.restart()
            case commands.Stop():
                self._muted = True
                for part in self._all():
                    part.muted = True
                    part.turn()

    def _set(self, address: str, value: float) -> None:
        self.values[address] = value
        self._click()
        number, own = part_of(address)
        shared = own.split("/")[1] not in ("voice", "latent")
        for part in self._all() if shared else [each for each in [self._part(number)] if each]:
            part.heard_at = self._ring.taken
            part.set(own, value)

    def _click(self) -> None:
        """Clicks instead of music, if that is wanted; a mute silences them as well."""
        values = self.values
        self.stream.clicks = values.get("/master/click", 0.0) > 0.5 and values.get("/master/mute", 0.0) < 0.5

    def brace(self, loading: bool) -> None:
        """Hold more ready while something is loading."""
        seconds = max(self._ahead_ms / 1000.0, BRACE_S if loading else 0.0)
        self.stream.ahead = min(int(seconds * self._ring.sample_rate_hz), self._ring.capacity // 2)

    @property
    def held_s(self) -> float:
        """How much sound is held ready."""
        return self._ring.ahead / self._ring.sample_rate_hz

    # The ear ----------------------------------------------------------------------------------------------------

    def listen(self) -> int:
        """Analyse what the card took since the last call and push its moments; how many samples that were."""
        taken = self._ring.taken
        count = min(taken - self._heard, self._ring.capacity // 4)
        if count <= 0:
            return 0
        if taken - count != self._heard:
            self._analyser.restart(taken - count)
        block = self._ring.tap(taken, count)
        self._square_sum += float(np.sum(np.square(block, dtype=np.float64)))
        self._peak = max(self._peak, float(np.abs(block).max()))
        for heard in self._analyser.push(block):
            self._track.push(self._moment(heard))
        self._heard = taken
        return count

    def _moment(self, heard: Hearing) -> Any:
        moment = np.zeros((), MOMENT)
        moment["time_s"], moment["sample"] = self._ring.dac_time_s(heard.end), heard.end
        moment["features"], moment["spectrum"] = heard.features, heard.spectrum
        moment["mel"], moment["beats"] = heard.mel, heard.beats
        part = self.parts.get(1)
        sounding = part.lane.sounding(heard.end - 1) if part and part.lane else None
        if part is not None and sounding is not None:
            latent, of = sounding
            dim = min(len(latent), LATENTS_AT_MOST)
            moment["latent"][:dim] = ((latent - part.model.mean) / part.model.deviation)[:dim]
            moment["latent_dim"], moment["step"], moment["steps"] = dim, of.step, of.steps
            moment["trajectory"], moment["sparseness"], moment["generation"] = (
                of.trajectory,
                of.sparseness,
                of.generation,
            )
        return moment

    def faults(self) -> list[str]:
        """What models said that refused to decode since the last call, each once; the sound died away and came back."""
        found = []
        for part in self.parts.values():
            if part.lane is not None and part.lane.fault not in (None, part.fault):
                part.fault = part.lane.fault
                found.append(f"part {part.number}: {part.fault}")
        return found

    # Figures ----------------------------------------------------------------------------------------------------

    @property
    def budget_ms(self) -> float:
        """How long decoding one step of one part may take at the most: a part's shortest step, shared by all."""
        lanes = self.stream.lanes
        return 1000.0 * min((lane.step_s for lane in lanes), default=0.04) / max(1, len(lanes))

    def figures(self) -> dict[str, Any]:
        """The voice's part of the run's report."""
        ring = self._ring
        lanes = [part.lane for part in self.parts.values() if part.lane is not None]
        decode_ms = np.concatenate([[0.0], self._decoded, *(lane.decode_ms for lane in lanes)])
        recent = [recent_p99(np.array(lane.decode_ms), 1e3 * lane.step_s) for lane in lanes if lane.decode_ms]
        samples = ring.taken - self._begun
        mean_square = self._square_sum / max(1, samples * ring.channels)
        return {
            "sample_rate_hz": ring.sample_rate_hz,
            "models": [part.model.name for part in self.parts.values()],
            "samples": samples,
            "missed_samples": ring.missed,
            "card_underflows": ring.underflows,
            "decode_ms": {
                "p50": round(float(np.percentile(decode_ms, 50)), 3),
                "p99": round(float(np.percentile(decode_ms, 99)), 3),
                "max": round(float(decode_ms.max()), 3),
                "recent_p99": round(max(recent, default=0.0), 3),
            },
            "decode_budget_ms": round(self.budget_ms, 3),
            "ahead_ms": round(1000.0 * ring.ahead / ring.sample_rate_hz, 1),
            "rms_db": round(10.0 * float(np.log10(max(mean_square, 1e-12))), 1),
            "peak_db": round(20.0 * float(np.log10(max(self._peak, 1e-6))), 1),
            "broken_steps": self._broken + sum(lane.broken_steps for lane in lanes),
            "knob_rewrites": self.stream.rewrites,
            "torn_rewrites": self.stream.torn,
            "trajectories_played": self._played + sum(part.player.played for part in self.parts.values()),
        }


def recent_p99(decode_ms: Floats, step_ms: float) -> float:
    """99th percentile of the decodes of the last RECENT_S, one a step; of few the slowest is left out, so that one that
    was slow for reasons of its own, as the first is, says nothing."""
    recent = decode_ms[-max(1, round(RECENT_S * 1000.0 / step_ms)) :]
    return float(np.percentile(recent, 99, method="lower"))

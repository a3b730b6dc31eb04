"""What is heard, by name, at any time: the features of the moments, and the envelopes that follow them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator

import numpy as np

from installation import features
from installation.features import BANDS, TURN_S
from installation.track import FEATURES, Moments

HEARD = (*FEATURES, "sparseness", "age", "progress", "trailPhase")
"""Names a shader may give a float INPUT to have it filled: the features, each in its own range and unit; of the
trajectory sounding, all 0..1, its `sparseness`, .5 for one as far from the known as those lately heard (the scale of
embeddings differs, so it is held against its own slow mean); its `age`, n / (n + 10) of the n generations since it was
bred; its `progress` through its steps; and `trailPhase`, moments gone by since row 0 of the trails was heard, so that
they can scroll smoothly."""

OF_TRAJECTORIES = ("sparseness", "generation", "step", "steps")
"""What is heard of the trajectory sounding."""
SPARSENESS_S = 60.0
"""How slowly the mean follows that sparseness is held against."""
AGE_GENERATIONS = 10.0

STALE_S = 0.5
"""Without a new moment for this long there is nothing to be heard: features fall to what they are in silence."""
PHASES = tuple(each.name for each in features.FEATURES if each.phase)
"""What runs round: it goes on between moments, and no envelope follows it but at once."""
CLOCKS = {f"time{band}": band for band in range(BANDS)}
MOVING = {"trailPhase", "beat_phase", *CLOCKS}
"""What goes on between moments."""
SILENT = {each.name: each.silent for each in features.FEATURES if each.name not in CLOCKS}
"""What features fall to; clocks stand still."""


class Envelope:
    """A one-pole follower of a signal that is constant between moments, solved exactly: y' = (x - y) / tau, tau the
    attack while x > y, else the release. However the time is divided into frames, the result is the same."""

    def __init__(self, attack_ms: float, release_ms: float) -> None:
        self._attack_s = attack_ms / 1000.0
        self._release_s = release_ms / 1000.0
        self.value = 0.0

    def advance(self, target: float, delta_s: float) -> float:
        """Its value after `delta_s` of `target`."""
        tau_s = self._attack_s if target > self.value else self._release_s
        if tau_s <= 0.0:
            self.value = target
        elif delta_s > 0.0:
            self.value = target + (self.value - target) * math.exp(-delta_s / tau_s)
        return self.value


class Heard:
    """Features as the moments give them, and the envelopes that follow them, brought forward in time together."""

    def __init__(self) -> None:
        self._now: dict[str, float] = {**dict.fromkeys(HEARD, 0.0), **SILENT}
        self._time_s: float | None = None
        self._moment_s = 0.0
        self._period_s = 0.0
        self._usual = 0.0
        self._youngest = 0
        self._followers: list[tuple[str, Envelope]] = []

    def follow(self, source: str, attack_ms: float, release_ms: float) -> Envelope:
        """A new envelope on `source`; one of PHASES is followed at once, however slow it shall be: half the way from
        the end to the beginning is not the middle."""
        envelope = Envelope(0.0, 0.0) if source in PHASES else Envelope(attack_ms, release_ms)
        envelope.value = self.value(source)
        self._followers.append((source, envelope))
        return envelope

    def leave(self, envelopes: Iterable[Envelope]) -> None:
        """Let go of these envelopes."""
        gone = {id(envelope) for envelope in envelopes}
        self._followers = [(source, envelope) for source, envelope in self._followers if id(envelope) not in gone]

    def push(self, moments: Moments) -> None:
        """Live through `moments`, oldest first, each at its own time."""
        for _ in self.live(moments):
            pass

    def live(self, moments: Moments) -> Iterator[float]:
        """Live through `moments`; the time of each, once it is heard."""
        columns = (moments[name].tolist() for name in ("time_s", "features", *OF_TRAJECTORIES))
        for time_s, heard, *of_trajectory in zip(*columns, strict=True):
            self.advance(time_s)
            self._period_s = max(0.0, time_s - self._moment_s)
            self._moment_s = time_s
            self._hear(heard, *of_trajectory)
            self._step(0.0)
            yield time_s

    def advance(self, now_s: float) -> None:
        """Hold what was heard last until `now_s`; after STALE_S without a moment, silence."""
        if self._time_s is None:
            self._time_s = now_s
        stale_s = self._moment_s + STALE_S
        if self._time_s < stale_s < now_s:
            self._to(stale_s)
            self._now.update({clock: self.value(clock) for clock in CLOCKS} | SILENT)
        self._to(now_s)

    def value(self, name: str) -> float:
        """What is heard under `name` now, followed by nothing."""
        now_s = self._time_s or 0.0
        if name == "trailPhase":
            return min(1.0, max(0.0, now_s - self._moment_s) / self._period_s) if self._period_s > 0.0 else 0.0
        if name == "beat_phase":
            return (self._now[name] + self._since_s(now_s) * self._now["tempo_bpm"] / 60.0) % 1.0
        if name in CLOCKS:
            speed = self._now[f"band{CLOCKS[name]}"] * (1.0 - self._now["silence"])
            return (self._now[name] + self._since_s(now_s) * speed) % TURN_S
        return self._now[name]

    def _since_s(self, now_s: float) -> float:
        """How long what was heard last has been heard."""
        return max(0.0, now_s - self._moment_s)

    def _hear(self, heard: list[float], sparseness: float, generation: int, step: int, steps: int) -> None:
        if not math.isfinite(sum(heard) + sparseness):  # asked first, for it takes long to see to
            *heard, sparseness = np.nan_to_num(np.array([*heard, sparseness], np.float32)).tolist()
        self._now.update(zip(FEATURES, heard, strict=True))
        self._now["sparseness"] = self._strangeness(max(0.0, sparseness))
        self._youngest = max(self._youngest, generation)
        generations = self._youngest - generation
        self._now["age"] = generations / (generations + AGE_GENERATIONS)
        self._now["progress"] = min(1.0, max(0.0, step / max(1.0, steps)))

    def _strangeness(self, sparseness: float) -> float:
        """`sparseness` against its slow mean, which starts at the first there is."""
        if sparseness <= 0.0:
            return 0.0
        rest = math.exp(-min(self._period_s, 1.0) / SPARSENESS_S) if self._usual > 0.0 else 0.0
        self._usual = sparseness + (self._usual - sparseness) * rest
        return sparseness / (sparseness + self._usual)

    def _to(self, time_s: float) -> None:
        delta_s = time_s - (self._time_s or 0.0)
        if delta_s > 0.0:
            self._time_s = time_s
            self._step(delta_s)

    def _step(self, delta_s: float) -> None:
        for source, envelope in self._followers:
            envelope.advance(self.value(source) if source in MOVING else self._now[source], delta_s)

"""What shaders read as numbers: defaults, parameters turned, features heard, and mappings from one to the other.

A later one wins: DEFAULT, the parameter, what is heard (an input with a name in HEARD), a mapping. An input's parameter
is `/picture/input/<name>` for the drawing itself, `/picture/effect/<n>/<name>` for its nth effect; point2D and color
have one a part, `…/x`, `…/red`. An input called as one of the picture's own knobs and going 0..1 is turned by that.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from installation import features
from installation.errors import InstallationError
from installation.parameters import INPUT, INPUT_PARTS, nearest
from installation.picture.heard import HEARD, Envelope, Heard
from installation.picture.shading.isf import NUMBERS, Input, Number, Shader
from installation.track import FEATURES

RELEASE_MS = 120.0
"""A feature's envelope where the shader declares no ATTACK_MS and RELEASE_MS: at once up, this long down, so that no
moment between two frames is lost."""
BLACKOUT_S = 0.25
"""How long the picture takes to black and back: a switch turned to and fro must not strobe."""

PROGRESS = "progress"
"""How far a transition has come: in one it is not the progress of what is heard."""
LONGEST = 2**31 - 1
"""What a GLSL int holds."""
KNOBS = ("brightness", "feedback", "hue")
"""The picture's knobs that a shader may take over, at /picture/<name>."""
NUMBERED = {"archiveCount": "float", "playing": "point2D", "playingIndex": "float", "iSampleRate": "float"}
"""Numbers of this instrument under reserved names, and the kind of input each is."""
POSITIONS = {each.name: each.position for each in features.FEATURES}
"""Where in its range, 0..1, a feature's value lies."""


class Mapped(Protocol):
    """What a scene says of one mapping: input `target` goes `low`..`high` as feature `source` goes 0..1."""

    @property
    def source(self) -> str: ...
    @property
    def target(self) -> str: ...
    @property
    def low(self) -> float: ...
    @property
    def high(self) -> float: ...
    @property
    def attack_ms(self) -> float: ...
    @property
    def release_ms(self) -> float: ...


@dataclass(frozen=True)
class FeatureMapping:
    """A `Mapped` to send between processes. `target` is the name of an input, with or without `/picture/`."""

    source: str
    target: str
    low: float = 0.0
    high: float = 1.0
    attack_ms: float = 20.0
    release_ms: float = 200.0

    @classmethod
    def of(cls, mapped: Mapped) -> FeatureMapping:
        """The same, whatever kind of object says it."""
        return cls(mapped.source, mapped.target, mapped.low, mapped.high, mapped.attack_ms, mapped.release_ms)


class Uniforms:
    """The values of one shader's inputs at any time. `values` are parameters by address and outlive the shader, as
    `heard` does; `prefix` is what the addresses of its inputs begin with."""

    def __init__(
        self,
        values: dict[str, float],
        heard: Heard,
        shader: Shader,
        mappings: Iterable[Mapped] = (),
        prefix: str = INPUT,
    ) -> None:
        mappings = tuple(mappings)
        self.check(mappings)
        self.values, self._heard, self._prefix = values, heard, prefix
        self._inputs = tuple(each for each in shader.inputs if not each.is_image)
        self._envelopes = {each.name: self._envelope(each) for each in self._inputs if _is_heard(each, shader.kind)}
        by_name = {each.name: each for each in self._inputs if NUMBERS[each.kind] == 1}
        pairs = [
            (by_name.get(each.target.removeprefix(f"{prefix}/").removeprefix("/picture/")), each) for each in mappings
        ]
        self._mapped = [
            (target, each, heard.follow(each.source, each.attack_ms, each.release_ms))
            for target, each in pairs
            if target is not None
        ]

    @staticmethod
    def check(mappings: Iterable[Mapped]) -> None:
        """Every source is something that is heard, or InstallationError."""
        for each in mappings:
            if each.source not in HEARD:
                raise InstallationError(
                    f"mapping to {each.target}: no source {each.source!r}{nearest(each.source, HEARD)}"
                )

    def leave(self) -> None:
        """The shader is shown no more: nothing need follow the sound for it."""
        self._heard.leave([*self._envelopes.values(), *(envelope for _, _, envelope in self._mapped)])

    def dims(self) -> bool:
        """Whether the shader turns its own brightness by the picture's knob."""
        return any(each.name == "brightness" and _is_knob(each) for each in self._inputs)

    def at(self, given: Mapping[str, Number]) -> dict[str, Number]:
        """Every input's value by name, as is heard now; an event is true once after it was set. `given` are numbers
        under reserved names, for inputs of their kind."""
        found: dict[str, Number] = {}
        for each in self._inputs:
            known = given.get(each.name) if NUMBERED.get(each.name) == each.kind else None
            found[each.name] = _fitted(each, self._value(each) if known is None else known)
            if each.kind == "event":
                self.values.pop(f"{self._prefix}/{each.name}", None)
        for each, mapping, envelope in self._mapped:
            position = POSITIONS.get(mapping.source, float)(envelope.value)
            value = mapping.low + (mapping.high - mapping.low) * position
            found[each.name] = _fitted(each, value)
        return found

    def _envelope(self, each: Input) -> Envelope:
        release_ms = RELEASE_MS if each.name in FEATURES else 0.0
        return self._heard.follow(
            each.name,
            0.0 if each.attack_ms is None else each.attack_ms,
            release_ms if each.release_ms is None else each.release_ms,
        )

    def _value(self, each: Input) -> Number:
        if each.name in self._envelopes:
            still = each.attack_ms is None and each.release_ms is None and each.name not in FEATURES
            return self._heard.value(each.name) if still else self._envelopes[each.name].value
        if _is_knob(each) and f"/picture/{each.name}" in self.values:
            return self.values[f"/picture/{each.name}"]
        if isinstance(each.default, tuple):
            names = (f"{self._prefix}/{each.name}{part}" for part in INPUT_PARTS[len(each.default)])
            return tuple(self.values.get(name, part) for name, part in zip(names, each.default, strict=True))
        return self.values.get(f"{self._prefix}/{each.name}", each.default)


class Light:
    """How bright the finished picture is, 0..1: blackout, faded, times brightness."""

    def __init__(self, values: Mapping[str, float]) -> None:
        self._values = values
        self._light = 0.0 if values.get("/master/blackout", 0.0) else 1.0
        self._now_s: float | None = None

    def at(self, now_s: float, dimmed: bool) -> float:
        """The gain at `now_s`; `dimmed`: the shader sees to its brightness by itself."""
        goal = 0.0 if self._values.get("/master/blackout", 0.0) else 1.0
        travel = max(0.0, now_s - (now_s if self._now_s is None else self._now_s)) / BLACKOUT_S
        self._now_s = now_s
        self._light += min(travel, max(-travel, goal - self._light))
        return self._light if dimmed else self._light * min(1.0, max(0.0, self._values.get("/picture/brightness", 1.0)))


def filled(each: Input, kind: str) -> bool:
    """Whether the show fills input `each` of a shader of `kind`, so that nobody can turn it."""
    numbered = NUMBERED.get(each.name) == each.kind
    return numbered or _is_knob(each) or _is_heard(each, kind) or (kind == "transition" and each.name == PROGRESS)


def _is_heard(each: Input, kind: str) -> bool:
    return each.kind == "float" and each.name in HEARD and not (kind == "transition" and each.name == PROGRESS)


def _is_knob(each: Input) -> bool:
    """Whether the picture's knob of that name turns it: other shaders have a `brightness` of -1..1, or a colour."""
    return each.kind == "float" and each.name in KNOBS and each.minimum in (None, 0.0) and each.maximum in (None, 1.0)


def _fitted(each: Input, value: Number) -> Number:
    """`value` inside the input's MIN..MAX and of its GLSL type."""
    if isinstance(value, tuple):
        return value
    if each.kind in ("event", "bool"):
        return bool(value)
    if isinstance(each.minimum, float):
        value = max(each.minimum, value)
    if isinstance(each.maximum, float):
        value = min(each.maximum, value)
    return min(LONGEST, max(-LONGEST, int(value))) if each.kind == "long" else value

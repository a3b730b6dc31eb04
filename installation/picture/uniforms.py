"""What shaders read as numbers: defaults, parameters turned, features heard, and mappings from one to the other.

A later one wins: DEFAULT, the parameter `/picture/<name>`, what is heard (an input with a name in HEARD), a mapping.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from installation.errors import InstallationError
from installation.parameters import nearest
from installation.picture.heard import HEARD, Envelope, Heard
from installation.picture.isf import NUMBERS, Input, Number
from installation.track import FEATURES

RELEASE_MS = 120.0
"""A feature's envelope where the shader declares no ATTACK_MS and RELEASE_MS: at once up, this long down, so that no
moment between two frames is lost."""
BLACKOUT_S = 0.25
"""How long the picture takes to black and back: a switch turned to and fro must not strobe."""

PREFIX = "/picture/"


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
    """The values of one shader's inputs at any time, and the gain of the whole picture. `values` are parameters by
    address; they outlive the shader."""

    def __init__(self, values: Mapping[str, float] | None = None) -> None:
        self.values = dict(values or {})
        self.heard = Heard()
        self._inputs: tuple[Input, ...] = ()
        self._envelopes: dict[str, Envelope] = {}
        self._mapped: list[tuple[Input, Mapped, Envelope]] = []
        self._light = 0.0 if self.values.get("/master/blackout", 0.0) else 1.0
        self._light_s: float | None = None

    @staticmethod
    def check(mappings: Iterable[Mapped]) -> None:
        """Every source is something that is heard, or InstallationError."""
        for each in mappings:
            if each.source not in HEARD:
                raise InstallationError(
                    f"mapping to {each.target}: no source {each.source!r}{nearest(each.source, HEARD)}"
                )

    def show(self, inputs: Iterable[Input], mappings: Iterable[Mapped]) -> None:
        """Fill `inputs` from now on. A mapping whose target this shader lacks does nothing."""
        inputs, mappings = tuple(inputs), tuple(mappings)
        self.check(mappings)
        self._inputs = tuple(each for each in inputs if not each.is_image)
        self.heard.forget()
        self._envelopes = {each.name: self._envelope(each) for each in self._inputs if _is_heard(each)}
        by_name = {each.name: each for each in self._inputs if NUMBERS[each.kind] == 1}
        pairs = [(by_name.get(each.target.removeprefix(PREFIX)), each) for each in mappings]
        self._mapped = [
            (target, each, self.heard.follow(each.source, each.attack_ms, each.release_ms))
            for target, each in pairs
            if target is not None
        ]

    def set(self, address: str, value: float) -> None:
        """Turn the parameter at `address`."""
        self.values[address] = value

    def at(self, now_s: float) -> dict[str, Number]:
        """Every input's value by name, at `now_s`; an event is true once after it was set."""
        self.heard.advance(now_s)
        found: dict[str, Number] = {}
        for each in self._inputs:
            found[each.name] = _fitted(each, self._value(each))
            if each.kind == "event":
                self.values.pop(PREFIX + each.name, None)
        for each, mapping, envelope in self._mapped:
            value = mapping.low + (mapping.high - mapping.low) * envelope.value
            found[each.name] = _fitted(each, value)
        return found

    def gain(self, now_s: float) -> float:
        """What the finished picture is multiplied by, 0..1: blackout, faded, and brightness, unless the shader has an
        input of that name and so does it itself."""
        goal = 0.0 if self.values.get("/master/blackout", 0.0) else 1.0
        travel = max(0.0, now_s - (now_s if self._light_s is None else self._light_s)) / BLACKOUT_S
        self._light_s = now_s
        self._light += min(travel, max(-travel, goal - self._light))
        if any(each.name == "brightness" for each in self._inputs):
            return self._light
        return self._light * min(1.0, max(0.0, self.values.get("/picture/brightness", 1.0)))

    def _envelope(self, each: Input) -> Envelope:
        release_ms = RELEASE_MS if each.name in FEATURES else 0.0
        return self.heard.follow(
            each.name,
            0.0 if each.attack_ms is None else each.attack_ms,
            release_ms if each.release_ms is None else each.release_ms,
        )

    def _value(self, each: Input) -> Number:
        if each.name in self._envelopes:
            still = each.attack_ms is None and each.release_ms is None and each.name not in FEATURES
            return self.heard.value(each.name) if still else self._envelopes[each.name].value
        return self.values.get(PREFIX + each.name, each.default)


def _is_heard(each: Input) -> bool:
    return each.kind == "float" and each.name in HEARD


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
    return int(value) if each.kind == "long" else value

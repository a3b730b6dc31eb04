"""What is heard, told to a peer as OSC: `/feature/<name>` in bundles, what changed at once and all of it each second.

Pure: values and time in, packets out. A packet is below what one Ethernet frame takes, so none is ever torn.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from functools import cache

from installation.control import pattern
from installation.features import FEATURES

PREFIX = "/feature/"
PACKET_AT_MOST = 1400
"""Bytes; the frame of an ordinary network takes 1472."""
ALL_S = 1.0
"""A peer that came late, or missed a packet, knows everything after so long."""
SMALLEST = 1e-4
"""A change smaller than this, against the value itself, is none. Of whole numbers any change is one."""
SMALLEST_S = 1e-3
"""Of a clock a change smaller than this is none, however long it has run; OSC's f tells hardly less after hours."""
CLOCKS = frozenset(each.name for each in FEATURES if each.phase and each.unit == "s")
RATE_AT_MOST_HZ = 120.0
_HEAD = b"#bundle\0" + struct.pack(">Q", 1)


class Telling:
    """One peer's: `rate_hz` times a second at the most, of the names that `wanted`, an OSC pattern, matches."""

    def __init__(self, rate_hz: float, wanted: str = "*") -> None:
        self._period_s = 1.0 / min(RATE_AT_MOST_HZ, rate_hz)
        self._pattern = pattern.read(PREFIX + wanted)
        self._told: dict[str, float] = {}
        self._names: tuple[str, ...] = ()
        self._chosen: tuple[str, ...] = ()
        self._due_s = self._all_s = 0.0

    def packets(self, values: Mapping[str, float], now_s: float) -> list[bytes]:
        """What to send at `now_s`: `values`, whole numbers as i, others as f, or nothing before its time."""
        if now_s < self._due_s or self._pattern is None:
            return []
        self._due_s = max(self._due_s + self._period_s, now_s)
        if now_s >= self._all_s:
            self._told.clear()
            self._all_s = now_s + ALL_S
        self._choose(tuple(values))
        changed = {name: values[name] for name in self._chosen if self._news(name, values[name])}
        self._told.update(changed)
        return bundles(changed)

    def _choose(self, names: tuple[str, ...]) -> None:
        if names != self._names and self._pattern is not None:
            selected = self._pattern.select(PREFIX + name for name in names)
            self._names, self._chosen = names, tuple(each.removeprefix(PREFIX) for each in selected)

    def _news(self, name: str, value: float) -> bool:
        told = self._told.get(name)
        if told is None or isinstance(value, int):
            return value != told
        smallest = SMALLEST_S if name in CLOCKS else SMALLEST * max(1.0, abs(told))
        return abs(value - told) > smallest


def bundles(values: Mapping[str, float]) -> list[bytes]:
    """`values` as bundles to be obeyed at once, each of PACKET_AT_MOST bytes at the most."""
    found: list[bytes] = []
    packet = _HEAD
    for name, value in values.items():
        element = _element(name, value)
        if len(packet) + len(element) > PACKET_AT_MOST:
            found.append(packet)
            packet = _HEAD
        packet += element
    return [*found, packet] if len(packet) > len(_HEAD) else found


def _element(name: str, value: float) -> bytes:
    if isinstance(value, int):
        return _address(name, True) + struct.pack(">i", value & 0x7FFFFFFF)
    return _address(name, False) + struct.pack(">f", value)


@cache
def _address(name: str, whole: bool) -> bytes:
    """Size, address and type tag of an element: all of it but the number."""
    address = _padded((PREFIX + name).encode("ascii"))
    tag = _padded(b",i" if whole else b",f")
    return struct.pack(">i", len(address) + len(tag) + 4) + address + tag


def _padded(text: bytes) -> bytes:
    return text + bytes(4 - len(text) % 4)

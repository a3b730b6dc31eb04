"""OSC 1.0 packets, read in one pass and in time linear in their length; hostile ones are refused, never raised.

Every length is checked before it is used, so no size, depth or text can hang, misalign or exhaust the reader. Reads all
argument types of the 1.0 specification and of the 1.1 paper (Freed & Schmeder, NIME 2009): i f s b h t d S c r m T F N
I [ ].
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator
from typing import NamedTuple

from installation.commands import Refused

Argument = int | float | str | bytes | bool | None | tuple["Argument", ...]

BYTES_AT_MOST = 65_507
"""The largest UDP datagram over IPv4."""
MESSAGES_AT_MOST = 1024
ARGUMENTS_AT_MOST = 128
ADDRESS_AT_MOST = 255
DEPTH_AT_MOST = 8
"""Bundles within bundles, and arrays within arrays."""
HORIZON_S = 10.0
"""How far ahead a bundle may be dated."""

_BUNDLE = b"#bundle\0"
_AT_ONCE = 1
_EPOCH_S = 2_208_988_800
"""Seconds from 1900, where OSC time begins, to 1970, where Unix time does."""
_ADDRESS_BYTES = frozenset(range(0x21, 0x7F)) - frozenset(b"#")


class Message(NamedTuple):
    """One message: `delay_s` is how long after now its bundle asks for it, 0 for at once or late."""

    address: str
    arguments: tuple[Argument, ...]
    delay_s: float = 0.0


class _MalformedError(Exception):
    """Why the packet is refused; never leaves this file."""


def read(packet: bytes, unix_s: float) -> tuple[Message, ...] | Refused:
    """The messages of `packet` in order, all or none. `unix_s` is the wall clock, which OSC's time tags speak of."""
    if len(packet) > BYTES_AT_MOST:
        return Refused("packet too long")
    try:
        messages: list[Message] = []
        for message in _element(packet, 0, len(packet), unix_s, 0.0, 0):
            messages.append(message)
            if len(messages) > MESSAGES_AT_MOST:
                return Refused("too many messages in a packet")
        return tuple(messages)
    except _MalformedError as fault:
        return Refused(str(fault))


def _element(data: bytes, start: int, end: int, unix_s: float, delay_s: float, depth: int) -> Iterator[Message]:
    """The messages of the packet or bundle element in data[start:end]."""
    if (end - start) % 4 or end - start < 4:
        raise _MalformedError("size is not a multiple of 4")
    if data[start : start + 8] == _BUNDLE:
        yield from _bundle(data, start, end, unix_s, depth)
    else:
        yield _message(data, start, end, delay_s)


def _bundle(data: bytes, start: int, end: int, unix_s: float, depth: int) -> Iterator[Message]:
    if depth >= DEPTH_AT_MOST:
        raise _MalformedError("bundles too deep")
    if end - start < 16:
        raise _MalformedError("bundle without a time tag")
    delay_s = _delay_s(data, start + 8, unix_s)
    position = start + 16
    while position < end:
        size = int.from_bytes(data[position : position + 4], "big", signed=True)
        position += 4
        if size <= 0 or size > end - position:
            raise _MalformedError("bundle element of impossible size")
        yield from _element(data, position, position + size, unix_s, delay_s, depth + 1)
        position += size


def _delay_s(data: bytes, start: int, unix_s: float) -> float:
    """How long until the time tag at `start`; late is now. Fixed point seconds since 1900, 32.32 bits (OSC 1.0)."""
    tag = int.from_bytes(data[start : start + 8], "big")
    delay_s = 0.0 if tag == _AT_ONCE else tag / 2**32 - _EPOCH_S - unix_s
    if delay_s > HORIZON_S:
        raise _MalformedError("dated too far ahead")
    return max(0.0, delay_s)


def _message(data: bytes, start: int, end: int, delay_s: float) -> Message:
    raw, position = _string(data, start, end)
    if not raw.startswith(b"/"):
        raise _MalformedError("address does not start with /")
    if len(raw) > ADDRESS_AT_MOST or not _ADDRESS_BYTES.issuperset(raw):
        raise _MalformedError("address too long or not printable ASCII")
    arguments: tuple[Argument, ...] = ()
    if position < end:
        tags, position = _string(data, position, end)
        arguments, position = _arguments(tags, data, position, end)
    if position != end:
        raise _MalformedError("bytes left over")
    return Message(raw.decode("ascii"), arguments, delay_s)


def _string(data: bytes, start: int, end: int) -> tuple[bytes, int]:
    """The zero-ended bytes at `start` and where what follows their padding begins."""
    stop = data.find(b"\0", start, end)
    if stop < 0:
        raise _MalformedError("text without its end")
    return data[start:stop], start + (stop - start) // 4 * 4 + 4


def _arguments(tags: bytes, data: bytes, position: int, end: int) -> tuple[tuple[Argument, ...], int]:
    if not tags.startswith(b","):
        raise _MalformedError("no type tags")
    if len(tags) - 1 > ARGUMENTS_AT_MOST:
        raise _MalformedError("too many arguments")
    open_arrays: list[list[Argument]] = [[]]
    for tag in tags[1:].decode("latin-1"):
        if tag == "[":
            if len(open_arrays) > DEPTH_AT_MOST:
                raise _MalformedError("arrays too deep")
            open_arrays.append([])
        elif tag == "]":
            if len(open_arrays) == 1:
                raise _MalformedError("array closed that was not opened")
            array = tuple(open_arrays.pop())
            open_arrays[-1].append(array)
        else:
            argument, position = _argument(tag, data, position, end)
            open_arrays[-1].append(argument)
    if len(open_arrays) > 1:
        raise _MalformedError("array not closed")
    return tuple(open_arrays[0]), position


_FIXED = {"i": ">i", "f": ">f", "h": ">q", "d": ">d", "t": ">Q", "r": ">I", "c": ">I"}
_BARE: dict[str, Argument] = {"T": True, "F": False, "N": None, "I": None}
"""Types without bytes. Nil and impulse both say "no value": an address that needs none obeys them."""


def _argument(tag: str, data: bytes, position: int, end: int) -> tuple[Argument, int]:
    if tag in _BARE:
        return _BARE[tag], position
    if tag in _FIXED:
        return _number(tag, data, position, end)
    if tag in ("s", "S"):
        raw, position = _string(data, position, end)
        return _text(raw), position
    if tag == "m":
        return _slice(data, position, 4, end), position + 4
    if tag == "b":
        size = int.from_bytes(_slice(data, position, 4, end), "big", signed=True)
        return _slice(data, position + 4, size, end), position + 4 + (size + 3) // 4 * 4
    raise _MalformedError("unknown type tag")


def _number(tag: str, data: bytes, position: int, end: int) -> tuple[Argument, int]:
    size = struct.calcsize(_FIXED[tag])
    (value,) = struct.unpack(_FIXED[tag], _slice(data, position, size, end))
    if not math.isfinite(value):
        raise _MalformedError("not a finite number")
    if tag == "c":
        return _character(value), position + size
    return value, position + size


def _slice(data: bytes, position: int, size: int, end: int) -> bytes:
    if size < 0 or size > end - position:
        raise _MalformedError("argument outside the packet")
    return data[position : position + size]


def _text(raw: bytes) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        raise _MalformedError("text is not UTF-8") from None


def _character(code: int) -> str:
    if code > 0x7F:
        raise _MalformedError("character is not ASCII")
    return chr(code)

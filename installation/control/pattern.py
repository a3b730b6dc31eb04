"""OSC 1.0 address patterns (`?`, `*`, `[a-z]`, `[!a-z]`, `{one,two}` within a part), matched without backtracking.

The set of places in the text that the pattern so far can reach is one integer, bit i for place i; each piece of the
pattern moves the whole set at once. So the work is one pass over the pattern, whatever it says: `/*a*a*a…b` costs no
more than any other of its length.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

SPECIAL = frozenset("?*[]{}")

_Move = Callable[[int, "_Part"], int]


class _Part:
    """One part of an address: where each of its characters stands, as bits."""

    def __init__(self, text: str) -> None:
        self.length = len(text)
        self.places: dict[str, int] = {}
        for place, character in enumerate(text):
            self.places[character] = self.places.get(character, 0) | 1 << place


@dataclass(frozen=True)
class Pattern:
    """A pattern read once, for many addresses."""

    parts: tuple[tuple[_Move, ...], ...]

    def select(self, addresses: Iterable[str]) -> tuple[str, ...]:
        """Those of `addresses` that match, in their order. Parts that many addresses share are matched once."""
        known: dict[tuple[int, str], bool] = {}
        return tuple(address for address in addresses if self._matches(address, known))

    def _matches(self, address: str, known: dict[tuple[int, str], bool]) -> bool:
        parts = address.split("/")[1:]
        if len(parts) != len(self.parts):
            return False
        for number, part in enumerate(parts):
            if (number, part) not in known:
                known[number, part] = _reaches_the_end(self.parts[number], _Part(part))
            if not known[number, part]:
                return False
        return True


def is_pattern(address: str) -> bool:
    """Whether `address` may speak of more than itself."""
    return not SPECIAL.isdisjoint(address)


def read(text: str) -> Pattern | None:
    """The pattern `text` (an address with wildcards), or None if a bracket or brace is not closed."""
    parts = []
    for part in text.split("/")[1:]:
        moves = _moves(part)
        if moves is None:
            return None
        parts.append(moves)
    return Pattern(tuple(parts))


def _reaches_the_end(moves: tuple[_Move, ...], part: _Part) -> bool:
    reached = 1
    for move in moves:
        reached = move(reached, part)
        if not reached:
            return False
    return bool(reached >> part.length & 1)


def _moves(part: str) -> tuple[_Move, ...] | None:
    moves: list[_Move] = []
    place = 0
    while place < len(part):
        character = part[place]
        if character in "[{":
            stop = part.find("]" if character == "[" else "}", place)
            if stop < 0:
                return None
            inner = part[place + 1 : stop]
            moves.append(_class(inner) if character == "[" else _alternatives(inner))
            place = stop
        elif character in "]}":
            return None
        elif part[place : place + 2] != "**":
            moves.append(_WILD.get(character) or _literal(character))
        place += 1
    return tuple(moves)


def _any_one(reached: int, part: _Part) -> int:
    return (reached & (1 << part.length) - 1) << 1


def _any_many(reached: int, part: _Part) -> int:
    lowest = reached & -reached
    return (1 << part.length + 1) - lowest


_WILD: dict[str, _Move] = {"?": _any_one, "*": _any_many}


def _literal(character: str) -> _Move:
    return lambda reached, part: (reached & part.places.get(character, 0)) << 1


def _class(inner: str) -> _Move:
    """`a-z` is a range, `!` at the start turns the class round; a `-` at the end is itself (OSC 1.0)."""
    turned = inner.startswith("!")
    inner = inner[turned:]
    wanted: set[str] = set()
    place = 0
    while place < len(inner):
        if inner[place + 1 : place + 2] == "-" and place + 2 < len(inner):
            first, last = sorted((ord(inner[place]), ord(inner[place + 2])))
            wanted.update(map(chr, range(first, last + 1)))
            place += 3
        else:
            wanted.add(inner[place])
            place += 1

    def move(reached: int, part: _Part) -> int:
        places = sum(bits for character, bits in part.places.items() if (character in wanted) is not turned)
        return (reached & places) << 1

    return move


def _alternatives(inner: str) -> _Move:
    words = inner.split(",")

    def move(reached: int, part: _Part) -> int:
        after = 0
        for word in words:
            here = reached
            for character in word:
                here = (here & part.places.get(character, 0)) << 1
            after |= here
        return after

    return move

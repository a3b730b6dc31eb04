"""YAML to plain values that remember their places: a scene file is read by YAML 1.2's core schema, with its own faults.

PyYAML splits the text into events; what they mean is decided here, because PyYAML's own reading is YAML 1.1's: `no` is
false, `1:30` is 90 and the second of two equal keys wins. Here only true and false are truth values, numbers are
decimal (or 0x, 0o) and a key may stand once. Tags, anchors and aliases, which a scene never needs, are refused: so
nothing is built but mappings, lists, texts and numbers, and no file can grow in memory beyond its length.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml

Path = tuple[str | int, ...]

BYTES_AT_MOST = 65_536
DEPTH_AT_MOST = 16
NUMBER_AT_MOST = 40
"""Characters of a number; longer ones are text."""

_WORDS: dict[str, bool | None] = {"": None, "~": None, "true": True, "false": False}
_WORDS |= {"null": None, "Null": None, "NULL": None, "True": True, "TRUE": True, "False": False, "FALSE": False}
_INTEGER = re.compile(r"[-+]?[0-9]+", re.ASCII)
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", re.ASCII)
_INFINITE = re.compile(r"([-+]?)\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
_BASED = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+", re.ASCII)


@dataclass(frozen=True)
class Place:
    """Where a value stands, line and column from 1, and how it is written."""

    line: int
    column: int
    written: str = ""


@dataclass
class Tree:
    """A file's value, the place of every value and key by its path, and what is wrong with the file itself."""

    value: Any = None
    values: dict[Path, Place] = field(default_factory=dict)
    keys: dict[Path, Place] = field(default_factory=dict)
    faults: list[tuple[Place, Path, str]] = field(default_factory=list)

    def place(self, path: Path) -> Place:
        """The place of the value at `path`, or of the nearest thing around it."""
        while path and path not in self.values:
            path = path[:-1]
        return self.values.get(path, Place(1, 1))

    def key(self, path: Path) -> Place:
        """The place of the key at `path`, or of the value that holds it."""
        return self.keys.get(path) or self.place(path)


def read(content: bytes) -> Tree:
    """The tree of a scene file's bytes. Where YAML itself is broken the tree holds that fault only, and no value."""
    tree = Tree()
    text = _text(content, tree)
    if text is None:
        return tree
    try:
        _Builder(tree, yaml.parse(text, Loader=yaml.SafeLoader)).build()
    except _TooDeepError as error:
        _only(tree, error.args[0], f"nested deeper than {DEPTH_AT_MOST}")
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        _only(tree, _placed(mark) if mark else Place(1, 1), _sentence(error))
    except yaml.reader.ReaderError as error:
        _only(tree, _at(text, error.position), "a character that YAML does not allow")
    return tree


def _only(tree: Tree, place: Place, message: str) -> None:
    tree.value = None
    tree.faults[:] = [(place, (), message)]


def _text(content: bytes, tree: Tree) -> str | None:
    if len(content) > BYTES_AT_MOST:
        _only(tree, Place(1, 1), f"{len(content)} bytes are more than the {BYTES_AT_MOST} a scene may have")
        return None
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = content[: error.start]
        line = before.count(b"\n") + 1
        column = len(before[before.rfind(b"\n") + 1 :].decode("utf-8", "replace")) + 1
        _only(tree, Place(line, column), f"byte 0x{content[error.start]:02x} is not UTF-8")
        return None


def _at(text: str, position: int) -> Place:
    before = text[:position]
    return Place(before.count("\n") + 1, position - before.rfind("\n"))


def _sentence(error: yaml.MarkedYAMLError) -> str:
    """What PyYAML found, in one line."""
    return "not YAML: " + " ".join(part for part in (error.context, error.problem) if part)


def _placed(mark: Any, written: str = "") -> Place:
    """The place of one of PyYAML's marks, which count from 0."""
    return Place(mark.line + 1, mark.column + 1, written)


class _TooDeepError(Exception):
    """Deeper than any scene, at this place; never leaves this file."""


class _Builder:
    """Events to a tree, one event at a time."""

    def __init__(self, tree: Tree, events: Iterator[yaml.Event]) -> None:
        self.tree = tree
        self.events = events

    def build(self) -> None:
        documents = 0
        for event in self.events:
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    self._fault(event, (), "a second document; a scene file holds one")
                    return
                self.tree.value = self._value(next(self.events), ())

    def _fault(self, event: yaml.Event, path: Path, message: str) -> None:
        self.tree.faults.append((_placed(event.start_mark), path, message))

    def _value(self, event: yaml.Event, path: Path) -> Any:
        if len(path) > DEPTH_AT_MOST:
            raise _TooDeepError(_placed(event.start_mark))
        self._refuse_references(event, path)
        written = event.value if isinstance(event, yaml.ScalarEvent) else ""
        self.tree.values[path] = _placed(event.start_mark, written)
        if isinstance(event, yaml.MappingStartEvent):
            return self._mapping(path)
        if isinstance(event, yaml.SequenceStartEvent):
            return self._list(path)
        return scalar(event.value, event.style is None) if isinstance(event, yaml.ScalarEvent) else None

    def _refuse_references(self, event: yaml.Event, path: Path) -> None:
        if isinstance(event, yaml.AliasEvent):
            self._fault(event, path, f"*{event.anchor}: aliases are not used in scenes; write the value out")
        elif anchor := getattr(event, "anchor", None):
            self._fault(event, path, f"&{anchor}: anchors are not used in scenes")
        if tag := getattr(event, "tag", None):
            self._fault(event, path, f"{tag}: tags are not used in scenes")

    def _list(self, path: Path) -> list[Any]:
        values: list[Any] = []
        while not isinstance(event := next(self.events), yaml.SequenceEndEvent):
            values.append(self._value(event, (*path, len(values))))
        return values

    def _mapping(self, path: Path) -> dict[str, Any]:
        values: dict[str, Any] = {}
        while not isinstance(event := next(self.events), yaml.MappingEndEvent):
            if not isinstance(event, yaml.ScalarEvent):
                self._value(event, (*path, "?"))
                self._fault(event, path, "a key must be a word or a number")
                self._value(next(self.events), (*path, "?"))
                continue
            self._refuse_references(event, path)
            self._entry(event, values, path)
        return values

    def _entry(self, key: yaml.ScalarEvent, values: dict[str, Any], path: Path) -> None:
        here = (*path, key.value)
        if key.value in values:
            first = self.tree.keys[here]
            self._fault(key, here, f"stands twice; the first is at line {first.line}")
            self._value(next(self.events), (*here, "?"))
            return
        self.tree.keys[here] = _placed(key.start_mark, key.value)
        values[key.value] = self._value(next(self.events), here)


def scalar(written: str, plain: bool) -> bool | int | float | str | None:
    """What a scalar means by YAML 1.2's core schema (10.3.2); quoted ones (not `plain`) are text."""
    if not plain:
        return written
    if written in _WORDS:
        return _WORDS[written]
    if len(written) > NUMBER_AT_MOST:
        return written
    if _INTEGER.fullmatch(written):
        return int(written)
    if _FLOAT.fullmatch(written):
        return float(written)
    if _BASED.fullmatch(written):
        return int(written, 0)
    if found := _INFINITE.fullmatch(written):
        return float("nan") if found[1] is None else float(found[1] + "inf")
    return written

"""The JSON header of an ISF shader, read with the author's lines.

What is met in public files and has one plain meaning is let pass: trailing commas, comments before the header, numbers
written as strings, a colour without its alpha, what ISF 1 says elsewhere. What could not be drawn as it was meant is
refused.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from installation.errors import ShaderError
from installation.parameters import nearest
from installation.picture.shading import images
from installation.picture.shading.expression import Expression, ExpressionError, parse
from installation.picture.shading.shader import IMAGES, KINDS, NUMBERS, Imported, Input, Number, Pass, Shader

BUILT_IN = ("TIME", "TIMEDELTA", "DATE", "FRAMEINDEX", "RENDERSIZE", "PASSINDEX")
"""Numbers every pass has, whose names no input may take."""

COMMENTS_AT_MOST = 32
"""How many comments may be the header."""
CHARACTERS_AT_MOST = 1 << 18
ENTRIES_AT_MOST = {"INPUTS": 512, "PASSES": 64, "IMPORTED": 16}

_NAME = re.compile(r"[A-Za-z_]\w*\Z", re.ASCII)
_OURS = re.compile(r"gl_|isf_|IMG_")
_TRAILING_COMMA = re.compile(r'("(?:[^"\\]|\\.)*"?)|,(\s*[}\]])')
_SIZE = ("WIDTH", "HEIGHT")
_TRUTHS = {"true": 1.0, "yes": 1.0, "on": 1.0, "false": 0.0, "no": 0.0, "off": 0.0}


class Header:
    """The JSON of one source, with the author's lines."""

    def __init__(self, source: str, file: str) -> None:
        self.file = file
        self.source = source
        comments = list(islice(_comments(source), COMMENTS_AT_MOST))
        if not comments:
            raise ShaderError(file, "no ISF header: the first comment must hold its JSON", 1)
        self.start, self.end = next(
            (each for each in comments if source[slice(*each)].lstrip()[:1] == "{"), comments[0]
        )
        if self.end - self.start > CHARACTERS_AT_MOST:
            raise ShaderError(
                file, f"the ISF header is longer than {CHARACTERS_AT_MOST} characters", self.line_of(None)
            )
        # Trailing commas are common in public shaders; strings are stepped over, line breaks stay.
        text = _TRAILING_COMMA.sub(lambda match: match[1] or f" {match[2]}", source[self.start : self.end])
        try:
            self.said: Any = json.loads(text, strict=False)
        except (json.JSONDecodeError, RecursionError, ValueError) as error:
            line = getattr(error, "lineno", 1) + source.count("\n", 0, self.start)
            raise ShaderError(file, f"the ISF header is not JSON: {getattr(error, 'msg', error)}", line) from error
        if not isinstance(self.said, dict):
            raise ShaderError(file, "the ISF header is not a JSON object", self.line_of(None))

    def line_of(self, value: str | None, key: str | None = None) -> int:
        """The author's line on which `value` stands in the header (after "`key`":, if given)."""
        before = rf'"{key}"\s*:\s*' if key else ""
        pattern = before + re.escape(json.dumps(value, ensure_ascii=False))
        match = re.compile(pattern).search(self.source, self.start, self.end) if value is not None else None
        return self.source.count("\n", 0, match.end() if match else self.start) + 1

    def fault(self, message: str, value: str | None = None, key: str | None = None) -> ShaderError:
        return ShaderError(self.file, message, self.line_of(value, key))

    def items(self, key: str) -> list[dict[str, Any]]:
        """The list under `key`; a fault if it is not one of objects."""
        said = self.said.get(key) or []
        if not isinstance(said, list) or not all(isinstance(each, dict) for each in said):
            raise self.fault(f"{key}: a list of objects is expected", key)
        if len(said) > ENTRIES_AT_MOST[key]:
            raise self.fault(f"{key}: {len(said)} of them, at most {ENTRIES_AT_MOST[key]} are allowed", key)
        return said

    def named(self, key: str) -> dict[str, dict[str, Any]]:
        """What is under `key` by name: an object of objects, or a list of objects with a NAME or of bare names."""
        said = self.said.get(key) or {}
        if isinstance(said, list):
            pairs = [(each.get("NAME"), each) if isinstance(each, dict) else (each, {}) for each in said]
        elif isinstance(said, dict):
            pairs = [(name, {} if each is None else each) for name, each in said.items()]
        else:
            raise self.fault(f"{key}: a list or an object is expected", key)
        found: dict[str, dict[str, Any]] = {}
        for name, each in pairs:
            if not isinstance(name, str) or not _NAME.match(name):
                raise self.fault(f"{key}: {name!r} is not a GLSL name", key)
            if not isinstance(each, dict):
                raise self.fault(f"{key}: {name}: an object is expected, got {each!r}", name)
            found[name] = each
        return found

    def input(self, said: dict[str, Any]) -> Input:
        name, kind = said.get("NAME"), said.get("TYPE")
        if not isinstance(name, str) or not _NAME.match(name):
            raise self.fault(f"INPUTS: NAME {name!r} is not a GLSL name", "INPUTS")
        if kind not in KINDS:
            hint = nearest(str(kind), KINDS)
            raise self.fault(f"INPUTS: {name}: TYPE {kind!r} is none of {', '.join(KINDS)}{hint}", name, "NAME")
        label = str(said.get("LABEL") or "")
        line = self.line_of(name, "NAME")
        if kind in IMAGES:
            return Input(name, kind, width=self.width(said, name), line=line, label=label)
        attack_ms, release_ms = (self.milliseconds(said, name, key) for key in ("ATTACK_MS", "RELEASE_MS"))
        values, labels = self.choices(said, name) if kind == "long" else ((), ())
        low, high = self.number(said, name, "MIN"), self.number(said, name, "MAX")
        if values:
            low, high = (float(min(values)) if low is None else low), (float(max(values)) if high is None else high)
        default, identity = self.default(said, name, values, labels), self.number(said, name, "IDENTITY")
        return Input(name, kind, default, low, high, None, attack_ms, release_ms, line, label, values, labels, identity)

    def choices(self, said: dict[str, Any], name: str) -> tuple[tuple[int, ...], tuple[str, ...]]:
        """VALUES and LABELS of a long, one of the other; ISF 1 counts labels without values from 0."""
        labels, values = said.get("LABELS") or [], said.get("VALUES") or []
        for key, found in (("LABELS", labels), ("VALUES", values)):
            if not isinstance(found, list):
                raise self.fault(f"INPUTS: {name}: {key} {found!r} is not a list", name, "NAME")
        numbers = [_number(each) for each in values] or [float(each) for each in range(len(labels))]
        if not all(each is not None and each.is_integer() for each in numbers):
            raise self.fault(f"INPUTS: {name}: VALUES {values!r} are not whole numbers", name, "NAME")
        whole = tuple(int(each) for each in numbers if each is not None)
        return whole, tuple(str(each) for each in [*labels, *whole[len(labels) :]])[: len(whole)]

    def default(self, said: dict[str, Any], name: str, values: tuple[int, ...], labels: tuple[str, ...]) -> Number:
        written, count = said.get("DEFAULT"), NUMBERS[said["TYPE"]]
        if written in labels:
            return float(values[labels.index(str(written))])
        default = self.number(said, name, "DEFAULT")
        if default is not None:
            return default
        return (float(values[0]) if values else 0.0) if count == 1 else (0.0,) * count

    def number(self, said: dict[str, Any], name: str, key: str) -> Number | None:
        """`key` as one float, or as many as the kind has."""
        value, count = said.get(key), NUMBERS[said["TYPE"]]
        if value is None or value == "":
            return None
        values = [_number(each) for each in (value if isinstance(value, list) else [value])]
        if count == 4 and len(values) == 3:
            values.append(1.0)
        found = [each for each in values if each is not None]
        if len(found) != count or len(values) != count:
            raise self.fault(f"INPUTS: {name}: {key} {value!r} is not {count} number{'s' * (count > 1)}", name, "NAME")
        return found[0] if count == 1 else tuple(found)

    def milliseconds(self, said: dict[str, Any], name: str, key: str) -> float | None:
        value = said.get(key)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 60_000:
            raise self.fault(f"INPUTS: {name}: {key} {value!r} is outside 0..60000", name, "NAME")
        return float(value)

    def width(self, said: dict[str, Any], name: str) -> int | None:
        value = said.get("MAX")
        if value is None or said["TYPE"] == "image":
            return None
        if isinstance(value, bool) or not isinstance(value, int | float) or not 1 <= value <= 8192:
            raise self.fault(f"INPUTS: {name}: MAX {value!r} is outside 1..8192 samples", name, "NAME")
        return int(value)

    def buffers(self) -> dict[str, dict[str, Any]]:
        """What ISF 1 says of the buffers that are kept, by name."""
        return self.named("PERSISTENT_BUFFERS")

    def stage(self, said: dict[str, Any], buffers: dict[str, dict[str, Any]]) -> Pass:
        target = said.get("TARGET") or None
        if target is not None and (not isinstance(target, str) or not _NAME.match(target)):
            raise self.fault(f"PASSES: TARGET {target!r} is not a GLSL name", "PASSES")
        if target in buffers:
            said = {"PERSISTENT": True} | buffers[target] | said
        width, height = (self.size(said, key) for key in _SIZE)
        return Pass(target, self.truth(said, "PERSISTENT"), self.truth(said, "FLOAT"), width, height)

    def truth(self, said: dict[str, Any], key: str) -> bool:
        """A JSON boolean, number or word, as they are met in public shaders."""
        return (_number(said.get(key)) or 0.0) > 0.0

    def size(self, said: dict[str, Any], key: str) -> Expression:
        value = said.get(key)
        if value is None or value == "":
            return parse(f"${key}")
        try:
            if isinstance(value, bool) or not isinstance(value, str | int | float):
                raise ExpressionError(f"{value!r} is not an expression")
            return parse(value)
        except ExpressionError as error:
            raise self.fault(f"PASSES: {key}: {error}", str(value), key) from error

    def imported(self, folder: Path | None) -> tuple[Imported, ...]:
        """The images that come with the shader."""
        found = []
        named = self.named("IMPORTED")
        most = ENTRIES_AT_MOST["IMPORTED"]
        if len(named) > most:
            raise self.fault(f"IMPORTED: {len(named)} of them, at most {most} are allowed", "IMPORTED")
        for name, said in named.items():
            path, line = said.get("PATH"), self.line_of(name)
            try:
                if folder is None or not isinstance(path, str):
                    raise images.ImageError(f"PATH {path!r} is not that of a file beside the shader")
                found.append(Imported(name, images.place(folder, path), line=line))
            except images.ImageError as error:
                raise ShaderError(self.file, f"IMPORTED: {name}: {error}", line) from error
        return tuple(found)

    def check(self, shader: Shader) -> None:
        """What holds between the parts: no name twice or taken, every `$name` a number that is there."""
        names = [*(each.name for each in shader.inputs if not each.is_image), *shader.images]
        for name in names:
            if names.count(name) > 1:
                raise self.fault(f"the name {name!r} is given twice", name)
            if name in BUILT_IN or _OURS.match(name):
                raise self.fault(f"the name {name!r} is one of ISF's or GLSL's own", name)
        known = {*_SIZE, *(each.name for each in shader.inputs if NUMBERS.get(each.kind) == 1)}
        for size in (size for each in shader.passes for size in (each.width, each.height)):
            for name in sorted(size.names - known):
                hint = nearest(name, tuple(known))
                raise self.fault(f"PASSES: {size.text!r}: no input ${name}{hint}", size.text)


def _comments(source: str) -> Iterator[tuple[int, int]]:
    """Where the inside of each comment begins and ends."""
    end = 0
    while (begin := source.find("/*", end)) >= 0 and (end := source.find("*/", begin + 2)) >= 0:
        yield begin + 2, end


def _number(said: Any) -> float | None:
    """A finite number, as such, as a truth or in words; None if it is none."""
    if isinstance(said, str):
        word = said.strip().lower()
        try:
            said = _TRUTHS[word] if word in _TRUTHS else float(word)
        except ValueError:
            return None
    if not isinstance(said, int | float):
        return None
    try:
        number = float(said)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None

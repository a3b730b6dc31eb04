"""ISF 2.0 shaders: what the JSON header of a source says (github.com/mrRay/ISF_Spec).

Supported: all nine input types; PASSES with TARGET, PERSISTENT, FLOAT, WIDTH and HEIGHT. Refused with a sentence, so
that nothing is silently drawn wrong: IMPORTED images, the PERSISTENT_BUFFERS of ISF 1, and a vertex shader (`.vs`)
beside the fragment shader.

On top of the format, an input that bears a reserved name (`heard.HEARD`, `textures.TRAILS`) is filled with what is
heard, and may carry two keys other hosts ignore: ATTACK_MS and RELEASE_MS, the times of its envelope.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from installation.errors import ShaderError
from installation.parameters import nearest
from installation.picture.expression import Expression, ExpressionError, parse

Kind = str
NUMBERS: dict[Kind, int] = {"event": 1, "bool": 1, "long": 1, "float": 1, "point2D": 2, "color": 4}
"""Kinds of input that are numbers, and how many."""
IMAGES = ("image", "audio", "audioFFT")
KINDS = (*NUMBERS, *IMAGES)

Number = float | tuple[float, ...]

_COMMENT = re.compile(r"/\*(.*?)\*/", re.DOTALL)
_NAME = re.compile(r"[A-Za-z_]\w*\Z")
_TRAILING_COMMA = re.compile(r'("(?:[^"\\]|\\.)*")|,(\s*[}\]])')
_SIZE = ("WIDTH", "HEIGHT")


@dataclass(frozen=True)
class Input:
    """One INPUT. `default`, `minimum`, `maximum`: a float, or a tuple for point2D and color; `width` is an audio
    input's MAX, or None; `line` is the author's line of its NAME."""

    name: str
    kind: Kind
    default: Number = 0.0
    minimum: Number | None = None
    maximum: Number | None = None
    width: int | None = None
    attack_ms: float | None = None
    release_ms: float | None = None
    line: int = 1

    @property
    def is_image(self) -> bool:
        return self.kind in IMAGES


@dataclass(frozen=True)
class Pass:
    """One full-screen draw; `target` None draws the picture itself. `width` and `height` are in pixels."""

    target: str | None = None
    persistent: bool = False
    floating: bool = False
    width: Expression = field(default_factory=lambda: parse("$WIDTH"))
    height: Expression = field(default_factory=lambda: parse("$HEIGHT"))


@dataclass(frozen=True)
class Shader:
    """A shader as its file says it; `source` is the whole file."""

    file: str
    source: str
    inputs: tuple[Input, ...]
    passes: tuple[Pass, ...]
    description: str = ""

    @property
    def images(self) -> tuple[str, ...]:
        """Every name the source may sample: image inputs, then targets."""
        targets = dict.fromkeys(each.target for each in self.passes if each.target)
        return (*(each.name for each in self.inputs if each.is_image), *targets)


def load(path: Path) -> Shader:
    """The shader in `path`, or ShaderError."""
    try:
        source = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ShaderError(path.name, f"can't be read: {error}") from error
    if path.with_suffix(".vs").is_file():
        raise ShaderError(path.name, f"a vertex shader ({path.with_suffix('.vs').name}) is not supported")
    return read(source, path.name)


def read(source: str, file: str) -> Shader:
    """The shader whose text is `source`; `file` is what errors call it."""
    header = _Header(source, file)
    inputs = tuple(header.input(each) for each in header.items("INPUTS"))
    passes = tuple(header.stage(each) for each in header.items("PASSES")) or (Pass(),)
    shader = Shader(file, source, inputs, passes, str(header.said.get("DESCRIPTION", "")))
    header.check(shader)
    return shader


class _Header:
    """The JSON of one source, with the author's lines."""

    def __init__(self, source: str, file: str) -> None:
        self.file = file
        self.source = source
        comment = _COMMENT.search(source)
        if comment is None:
            raise ShaderError(file, "no ISF header: the first comment must hold its JSON", 1)
        self.start, self.end = comment.span(1)
        # Trailing commas are common in public shaders; strings are stepped over, line breaks stay.
        text = _TRAILING_COMMA.sub(lambda match: match[1] or f" {match[2]}", comment[1])
        try:
            self.said: Any = json.loads(text)
        except (json.JSONDecodeError, RecursionError) as error:
            line = getattr(error, "lineno", 1) + source.count("\n", 0, self.start)
            raise ShaderError(file, f"the ISF header is not JSON: {getattr(error, 'msg', error)}", line) from error
        if not isinstance(self.said, dict):
            raise ShaderError(file, "the ISF header is not a JSON object", self.line_of(None))
        for key in ("IMPORTED", "PERSISTENT_BUFFERS"):
            if self.said.get(key):
                raise ShaderError(file, f"{key} is not supported", self.line_of(key))

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
        return said

    def input(self, said: dict[str, Any]) -> Input:
        name, kind = said.get("NAME"), said.get("TYPE")
        if not isinstance(name, str) or not _NAME.match(name):
            raise self.fault(f"INPUTS: NAME {name!r} is not a GLSL name", "INPUTS")
        if kind not in KINDS:
            hint = nearest(str(kind), KINDS)
            raise self.fault(f"INPUTS: {name}: TYPE {kind!r} is none of {', '.join(KINDS)}{hint}", name, "NAME")
        line = self.line_of(name, "NAME")
        if kind in IMAGES:
            return Input(name, kind, width=self.width(said, name), line=line)
        attack_ms, release_ms = (self.milliseconds(said, name, key) for key in ("ATTACK_MS", "RELEASE_MS"))
        low, high = self.number(said, name, "MIN"), self.number(said, name, "MAX")
        default = self.number(said, name, "DEFAULT")
        zero: Number = 0.0 if NUMBERS[kind] == 1 else (0.0,) * NUMBERS[kind]
        return Input(name, kind, zero if default is None else default, low, high, None, attack_ms, release_ms, line)

    def number(self, said: dict[str, Any], name: str, key: str) -> Number | None:
        """`key` as one float, or as many as the kind has."""
        value, count = said.get(key), NUMBERS[said["TYPE"]]
        if value is None:
            return None
        values = value if isinstance(value, list) else [value]
        if len(values) != count or not all(isinstance(each, int | float) for each in values):
            raise self.fault(f"INPUTS: {name}: {key} {value!r} is not {count} number{'s' * (count > 1)}", name, "NAME")
        return float(values[0]) if count == 1 else tuple(float(each) for each in values)

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

    def stage(self, said: dict[str, Any]) -> Pass:
        target = said.get("TARGET")
        if target is not None and (not isinstance(target, str) or not _NAME.match(target)):
            raise self.fault(f"PASSES: TARGET {target!r} is not a GLSL name", "PASSES")
        width, height = (self.size(said, key) for key in _SIZE)
        return Pass(target, self.truth(said, "PERSISTENT"), self.truth(said, "FLOAT"), width, height)

    def truth(self, said: dict[str, Any], key: str) -> bool:
        """A JSON boolean, number or word, as they are met in public shaders."""
        value = said.get(key, False)
        return value.strip().lower() in ("1", "true", "yes") if isinstance(value, str) else bool(value)

    def size(self, said: dict[str, Any], key: str) -> Expression:
        value = said.get(key)
        if value is None:
            return parse(f"${key}")
        try:
            if isinstance(value, bool) or not isinstance(value, str | int | float):
                raise ExpressionError(f"{value!r} is not an expression")
            return parse(value)
        except ExpressionError as error:
            raise self.fault(f"PASSES: {key}: {error}", str(value), key) from error

    def check(self, shader: Shader) -> None:
        """What holds between the parts: no name twice, every `$name` a number that is there."""
        names = [each.name for each in shader.inputs]
        targets = {each.target for each in shader.passes if each.target}
        for name in [*names, *targets]:
            if names.count(name) + (name in targets) > 1:
                raise self.fault(f"the name {name!r} is given twice", name)
        known = {*_SIZE, *(each.name for each in shader.inputs if NUMBERS.get(each.kind) == 1)}
        for size in (size for each in shader.passes for size in (each.width, each.height)):
            for name in sorted(size.names - known):
                hint = nearest(name, tuple(known))
                raise self.fault(f"PASSES: {size.text!r}: no input ${name}{hint}", size.text)

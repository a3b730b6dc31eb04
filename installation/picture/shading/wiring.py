"""What the channels of a Shadertoy shader's passes are: its channels.yaml, or what goes without saying.

    image:
      iChannel0: buffer_a
      iChannel1: {source: grain.png, filter: nearest, wrap: repeat, vflip: false}
    buffer_a:
      iChannel0: buffer_a
      iChannel1: audio

A source is a buffer, `audio` (the sound as Shadertoy gives it), `picture` (as an effect: the picture before it) or an
image file beside the shader. Without a word, a buffer's iChannel0 is itself and the others follow; the image's are the
buffers in order, or the sound where there are none.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import yaml

from installation.errors import ShaderError
from installation.parameters import nearest
from installation.picture.shading import images
from installation.picture.shading.shader import Edge, Smoothing

AUDIO, PICTURE, NOTHING = "audio", "inputImage", "nothing"
WORDS = {"audio": AUDIO, "picture": PICTURE}
REFUSED = {
    "keyboard": "a work in a room has no keyboard; turn inputs by OSC, MIDI or the panel",
    "webcam": "there is no camera",
    "mic": "the sound is `audio`",
    "music": "the sound is `audio`",
    "video": "films are not played",
    "cubemap": "cube maps are not supported",
    "volume": "volumes are not supported",
}
CHANNELS = ("iChannel0", "iChannel1", "iChannel2", "iChannel3")
SMOOTHINGS, EDGES = ("nearest", "linear", "mipmap"), ("clamp", "repeat")
IMAGES_AT_MOST = 16


@dataclass(frozen=True)
class Wire:
    """What one channel samples: a buffer, AUDIO or PICTURE, or the image file `path`."""

    source: str
    smoothing: Smoothing = "linear"
    edge: Edge = "clamp"
    path: Path | None = None
    upright: bool = True


Wires = Mapping[int, Wire]


def standard(name: str, buffers: Sequence[str]) -> Wires:
    """The channels of pass `name` of a shader with these buffers, where nothing is said of them."""
    if not buffers:
        return {0: Wire(AUDIO)}
    first = [name] if name in buffers else []
    return {n: Wire(each) for n, each in enumerate([*first, *(each for each in buffers if each != name)])}


@dataclass(frozen=True)
class Wiring:
    """The channels said of each pass, by its name and their numbers."""

    passes: Mapping[str, Wires]
    folder: Path
    images: dict[tuple[Path, bool], str] = field(default_factory=dict)

    @classmethod
    def read(cls, source: str, file: str, folder: Path, buffers: Sequence[str]) -> Wiring:
        """What `source`, the YAML or JSON of `file`, says, or ShaderError at its line."""
        try:
            node = yaml.compose(source, yaml.SafeLoader)
        except (yaml.YAMLError, RecursionError, ValueError) as error:
            mark = getattr(error, "problem_mark", None)
            words = getattr(error, "problem", None) or str(error)
            raise ShaderError(file, f"is not YAML: {words}", mark.line + 1 if mark else 1) from error
        return _Reader(file, folder, tuple(buffers)).wiring(node)


class _Reader:
    """Reads YAML nodes, so that every fault has its line."""

    def __init__(self, file: str, folder: Path, buffers: tuple[str, ...]) -> None:
        self.file, self.folder, self.buffers = file, folder, buffers
        self.images: dict[tuple[Path, bool], str] = {}

    def wiring(self, node: yaml.Node | None) -> Wiring:
        if node is None:
            return Wiring({}, self.folder)
        passes = {}
        for name, each in self.pairs(node, ("image", *self.buffers)):
            passes[name] = {CHANNELS.index(key): self.wire(value) for key, value in self.pairs(each, CHANNELS)}
        return Wiring(passes, self.folder, self.images)

    def wire(self, node: yaml.Node) -> Wire:
        if isinstance(node, yaml.ScalarNode):
            return self.source(node, {})
        said = dict(self.pairs(node, ("source", "filter", "wrap", "vflip")))
        if "source" not in said:
            raise self.fault(node, "a channel has a source")
        return self.source(said["source"], said)

    def source(self, node: yaml.Node, said: Mapping[str, yaml.Node]) -> Wire:
        word = self.word(node)
        if word in REFUSED:
            raise self.fault(node, f"{word}: {REFUSED[word]}")
        known = {**WORDS, **{each: each for each in self.buffers}}
        path = None if word in known else self.path(node, word)
        smoothing = self.choice(said, "filter", SMOOTHINGS, "mipmap" if path else "linear")
        edge = self.choice(said, "wrap", EDGES, "repeat" if path else "clamp")
        upright = self.choice(said, "vflip", ("true", "false"), "true") == "true"
        if path:
            if len(self.images) >= IMAGES_AT_MOST and (path, upright) not in self.images:
                raise self.fault(node, f"more than {IMAGES_AT_MOST} images")
            self.images.setdefault((path, upright), f"image{len(self.images)}")
        return Wire(known.get(word, ""), cast(Smoothing, smoothing), cast(Edge, edge), path, upright)

    def path(self, node: yaml.Node, word: str) -> Path:
        try:
            return images.place(self.folder, word)
        except images.ImageError as error:
            allowed = (*self.buffers, *WORDS)
            hint = nearest(word, allowed)
            raise self.fault(node, f"{error}{hint}; a source is {', '.join(allowed)} or an image file") from error

    def choice(
        self,
        said: Mapping[str, yaml.Node],
        key: str,
        allowed: tuple[str, ...],
        other: str,
    ) -> str:
        if key not in said:
            return other
        word = self.word(said[key]).lower()
        if word not in allowed:
            raise self.fault(said[key], f"{key} {word!r} is none of {', '.join(allowed)}{nearest(word, allowed)}")
        return word

    def pairs(self, node: yaml.Node, allowed: tuple[str, ...]) -> list[tuple[str, yaml.Node]]:
        """The entries of a mapping, each of the `allowed` at most once."""
        if not isinstance(node, yaml.MappingNode):
            raise self.fault(node, f"{', '.join(allowed)} are expected here, each with its value")
        seen: set[str] = set()
        for key, _ in node.value:
            word = self.word(key)
            if word not in allowed:
                raise self.fault(key, f"{word!r} is none of {', '.join(allowed)}{nearest(word, allowed)}")
            if word in seen:
                raise self.fault(key, f"{word} is given twice")
            seen.add(word)
        return [(key.value, value) for key, value in node.value]

    def word(self, node: yaml.Node) -> str:
        if not isinstance(node, yaml.ScalarNode):
            raise self.fault(node, "a word is expected here")
        return str(node.value)

    def fault(self, node: yaml.Node, message: str) -> ShaderError:
        return ShaderError(self.file, message, node.start_mark.line + 1)

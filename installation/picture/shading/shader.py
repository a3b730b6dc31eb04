"""What a shader is once it is read, in whichever format it was written: its texts, inputs, passes and images."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from installation.picture.shading.expression import Expression, parse

Kind = str
NUMBERS: dict[Kind, int] = {"event": 1, "bool": 1, "long": 1, "float": 1, "point2D": 2, "color": 4}
"""Kinds of input that are numbers, and how many."""
SHADERTOY_AUDIO = "shadertoyAudio"
"""Kind of input that is the sound as Shadertoy gives it; no ISF header can ask for it."""
KINDS = (*NUMBERS, "image", "audio", "audioFFT")
"""Kinds of input an ISF header may declare."""
IMAGES = ("image", "audio", "audioFFT", SHADERTOY_AUDIO)
"""Kinds of input that are sampled."""

Number = float | tuple[float, ...]
Role = Literal["generator", "filter", "transition"]
Smoothing = Literal["nearest", "linear", "mipmap"]
Edge = Literal["clamp", "repeat"]


@dataclass(frozen=True)
class Input:
    """One input. `default`, `minimum`, `maximum`, `identity`: a float, or a tuple for point2D and color; `width` is an
    audio input's MAX, or None; `labels` name the `values` of a long; `line` is the author's line of its NAME."""

    name: str
    kind: Kind
    default: Number = 0.0
    minimum: Number | None = None
    maximum: Number | None = None
    width: int | None = None
    attack_ms: float | None = None
    release_ms: float | None = None
    line: int = 1
    label: str = ""
    values: tuple[int, ...] = ()
    labels: tuple[str, ...] = ()
    identity: Number | None = None

    @property
    def is_image(self) -> bool:
        return self.kind in IMAGES


@dataclass(frozen=True)
class Text:
    """GLSL of one file, which errors call `file`; "" if it is not the author's but ours."""

    file: str
    source: str


@dataclass(frozen=True)
class Imported:
    """An image file a shader brings along, sampled as `name`; `upright` puts its last row at y = 0, as GL counts."""

    name: str
    path: Path
    upright: bool = True
    line: int = 1


@dataclass(frozen=True)
class Channel:
    """What a pass samples as `name`: the input, target or imported image `image`, smoothed and continued like this."""

    name: str
    image: str
    smoothing: Smoothing = "linear"
    edge: Edge = "clamp"


@dataclass(frozen=True)
class Pass:
    """One full-screen draw; `target` None draws the picture itself. `width` and `height` are in pixels, `texts` are
    numbers of the shader's texts, in order; without `channels` every image is sampled under its own name."""

    target: str | None = None
    persistent: bool = False
    floating: bool = False
    width: Expression = field(default_factory=lambda: parse("$WIDTH"))
    height: Expression = field(default_factory=lambda: parse("$HEIGHT"))
    texts: tuple[int, ...] = (0,)
    channels: tuple[Channel, ...] = ()


@dataclass(frozen=True)
class Shader:
    """A shader as its files say it. `source` is the whole of `file`; `others` are further texts, and `vertex` is the
    number of the one that is a vertex shader. `undrawn` are images nothing draws, which are black."""

    file: str
    source: str
    inputs: tuple[Input, ...]
    passes: tuple[Pass, ...]
    description: str = ""
    imported: tuple[Imported, ...] = ()
    others: tuple[Text, ...] = ()
    vertex: int | None = None
    undrawn: tuple[str, ...] = ()

    @property
    def texts(self) -> tuple[Text, ...]:
        """Every text; the compiler counts their lines under their numbers."""
        return (Text(self.file, self.source), *self.others)

    @property
    def targets(self) -> tuple[str, ...]:
        """What its passes draw in, in order."""
        return tuple(dict.fromkeys(each.target for each in self.passes if each.target))

    @property
    def images(self) -> tuple[str, ...]:
        """Every name the source may sample: image inputs, then targets, then what it brings along."""
        inputs = (each.name for each in self.inputs if each.is_image)
        return (*inputs, *self.targets, *(each.name for each in self.imported), *self.undrawn)

    @property
    def kind(self) -> Role:
        """What it is for, by ISF's convention: a filter has the image inputImage, a transition goes from startImage to
        endImage with the float progress; all else makes pictures out of nothing."""
        kinds = {each.name: each.kind for each in self.inputs}
        if (kinds.get("startImage"), kinds.get("endImage"), kinds.get("progress")) == ("image", "image", "float"):
            return "transition"
        return "filter" if kinds.get("inputImage") == "image" else "generator"

    def channels(self, index: int) -> tuple[Channel, ...]:
        """What pass `index` may sample."""
        return self.passes[index].channels or tuple(Channel(name, name) for name in self.images)

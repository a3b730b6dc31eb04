"""Shadertoy's shaders, the second door: `mainImage` in a file, or a folder of passes, as a shader like any other.

A file `X.frag` (or `.glsl`) is one pass. A folder holds image.frag and, as far as they are needed, buffer_a.frag …
buffer_d.frag and common.frag; its channels.yaml (or .json) says what each pass's iChannel0..3 are (see `wiring`).
Buffers are drawn A to D, then the image; each reads what the others drew last, as on shadertoy.com. iMouse is the input
iMouse (0..1 of the picture, y up), held while iMouseDown is on.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from installation.errors import ShaderError
from installation.picture.shading.isf import text
from installation.picture.shading.shader import SHADERTOY_AUDIO, Channel, Imported, Input, Pass, Shader, Text
from installation.picture.shading.wiring import AUDIO, NOTHING, PICTURE, Wire, Wires, Wiring, standard

SUFFIXES = (".frag", ".glsl")
BUFFERS = ("buffer_a", "buffer_b", "buffer_c", "buffer_d")
IMAGE, COMMON = "image", "common"
CHANNELS = ("channels.yaml", "channels.yml", "channels.json")
SAMPLE_RATE_HZ = 48_000.0

_INPUTS = (
    Input("iMouse", "point2D", (0.0, 0.0), (0.0, 0.0), (1.0, 1.0), label="iMouse"),
    Input("iMouseDown", "bool", 0.0, label="iMouse held"),
    Input("iSampleRate", "float", SAMPLE_RATE_HZ),
)
"""Numbers a shader may ask for that are none of ISF's built-ins."""

# The names of Shadertoy as globals, so that a shader's own of the same name hide them.
_PRELUDE = """
float iTime = TIME;
float iGlobalTime = TIME;
float iTimeDelta = TIMEDELTA;
float iFrameRate = TIMEDELTA > 0.0 ? 1.0 / TIMEDELTA : 60.0;
int iFrame = FRAMEINDEX;
vec3 iResolution = vec3(RENDERSIZE, 1.0);
vec4 iDate = vec4(DATE.x, DATE.y - 1.0, DATE.zw);
float iChannelTime[4] = float[4](TIME, TIME, TIME, TIME);
vec3 iChannelResolution[4] = vec3[4](
    vec3(textureSize(iChannel0, 0), 1.0), vec3(textureSize(iChannel1, 0), 1.0),
    vec3(textureSize(iChannel2, 0), 1.0), vec3(textureSize(iChannel3, 0), 1.0));
"""
_MOUSE = """
vec4 isf_mouse = vec4(iMouse, iMouseDown ? iMouse.x : -iMouse.x, -iMouse.y) * RENDERSIZE.xyxy;
#define iMouse isf_mouse
"""
_ENDING = """
void main() {{
    vec4 isf_light = vec4(0.0);
    mainImage(isf_light, gl_FragCoord.xy);
    gl_FragColor = {light};
}}
"""
_ENDINGS = tuple(Text("", _ENDING.format(light=light)) for light in ("isf_light", "vec4(isf_light.rgb, 1.0)"))


def is_shadertoy(path: Path) -> bool:
    """Whether `path` is written as Shadertoy's are, rather than in ISF."""
    return path.suffix.lower() in SUFFIXES or path.is_dir()


def files(path: Path) -> tuple[Path, ...]:
    """The files that `path` is written in, the image's first."""
    folder = _folder(path)
    if folder is None:
        return (path,)
    parts = [_part(folder, name) for name in (IMAGE, *BUFFERS, COMMON)]
    said = _said(folder)
    return tuple(each for each in (*parts, said) if each is not None)


def load(path: Path) -> Shader:
    """The shader in `path`, a file or a folder, or ShaderError."""
    folder = _folder(path)
    if folder is None:
        return shader({IMAGE: Text(path.name, text(path))}, Wiring({}, path.parent))
    if _part(folder, IMAGE) is None:
        raise ShaderError(path.name, f"no shader: a folder holds {IMAGE}{SUFFIXES[0]} and its buffers")
    texts = {}
    for name in (IMAGE, *BUFFERS, COMMON):
        part = _part(folder, name)
        if part is not None:
            texts[name] = Text(f"{folder.name}/{part.name}", text(part))
    said = _said(folder)
    if said is None:
        return shader(texts, Wiring({}, folder))
    name = f"{folder.name}/{said.name}"
    return shader(texts, Wiring.read(text(said), name, folder, tuple(each for each in BUFFERS if each in texts)))


def shader(texts: Mapping[str, Text], wiring: Wiring) -> Shader:
    """The shader whose passes are written in `texts`, by name, with what `wiring` says of their channels."""
    buffers = tuple(name for name in BUFFERS if name in texts)
    order = (IMAGE, *buffers, *([COMMON] if COMMON in texts else []))
    for name in (*buffers, IMAGE):
        if not any("mainImage" in texts[each].source for each in (name, COMMON) if each in texts):
            raise ShaderError(texts[name].file, "there is no void mainImage(out vec4 colour, in vec2 at)", 1)
    wires = {name: {**standard(name, buffers), **wiring.passes.get(name, {})} for name in (*buffers, IMAGE)}
    used = {wire.source for each in wires.values() for wire in each.values()}
    inputs = _inputs([text.source for text in texts.values()], used)
    mouse = _MOUSE if any(each.name == "iMouse" for each in inputs) else ""
    return Shader(
        file=texts[IMAGE].file,
        source=texts[IMAGE].source,
        inputs=inputs,
        passes=tuple(_pass(name, order, wires[name], wiring) for name in (*buffers, IMAGE)),
        imported=tuple(Imported(name, path, upright) for (path, upright), name in wiring.images.items()),
        others=(*(texts[name] for name in order[1:]), Text("", _PRELUDE + mouse), *_ENDINGS),
        undrawn=(NOTHING,),
    )


def _pass(name: str, order: tuple[str, ...], wires: Wires, wiring: Wiring) -> Pass:
    """Pass `name` of a shader whose texts are those of `order`, then the prelude and the two endings."""
    prelude, buffer = len(order), name != IMAGE
    common = [order.index(COMMON)] if COMMON in order else []
    return Pass(
        target=name if buffer else None,
        persistent=buffer,
        floating=buffer,
        texts=(prelude, *common, order.index(name), prelude + (1 if buffer else 2)),
        channels=tuple(_channel(number, wires.get(number), wiring) for number in range(4)),
    )


def _channel(number: int, wire: Wire | None, wiring: Wiring) -> Channel:
    name = f"iChannel{number}"
    if wire is None:
        return Channel(name, NOTHING)
    image = wiring.images[wire.path, wire.upright] if wire.path else wire.source
    return Channel(name, image, wire.smoothing, wire.edge)


def _inputs(sources: Sequence[str], used: set[str]) -> tuple[Input, ...]:
    """What has to be given to it: what its channels and its sources ask for."""
    asked = [each for each in _INPUTS if any(re.search(rf"\b{each.name}\b", source) for source in sources)]
    if any(each.name == "iMouse" for each in asked):
        asked = [each for each in _INPUTS if each in asked or each.name == "iMouseDown"]
    sound = [Input(AUDIO, SHADERTOY_AUDIO)] if AUDIO in used else []
    picture = [Input(PICTURE, "image")] if PICTURE in used else []
    return (*picture, *sound, *asked)


def _folder(path: Path) -> Path | None:
    """The folder that holds the passes, or None for a single file; a folder's image.frag stands for its folder."""
    if path.is_dir():
        return path
    beside = (*(_part(path.parent, each) for each in (*BUFFERS, COMMON)), _said(path.parent))
    return path.parent if path.stem == IMAGE and any(beside) else None


def _part(folder: Path, name: str) -> Path | None:
    return next((path for suffix in SUFFIXES if (path := folder / (name + suffix)).is_file()), None)


def _said(folder: Path) -> Path | None:
    return next((path for name in CHANNELS if (path := folder / name).is_file()), None)

"""ISF 2.0 shaders, and those of ISF 1 (github.com/mrRay/ISF_Spec): a header, GLSL, perhaps a vertex shader beside it.

On top of the format, an input that bears a reserved name (`heard.HEARD`, `textures.RESERVED`) is filled with what is
heard, and may carry two keys other hosts ignore: ATTACK_MS and RELEASE_MS, the times of its envelope.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from installation.errors import ShaderError
from installation.picture.shading.header import Header
from installation.picture.shading.shader import IMAGES as IMAGES
from installation.picture.shading.shader import KINDS as KINDS
from installation.picture.shading.shader import NUMBERS as NUMBERS
from installation.picture.shading.shader import Input as Input
from installation.picture.shading.shader import Number as Number
from installation.picture.shading.shader import Pass as Pass
from installation.picture.shading.shader import Shader as Shader
from installation.picture.shading.shader import Text

BYTES_AT_MOST = 1 << 20


def load(path: Path) -> Shader:
    """The shader in `path`, with the vertex shader (`.vs`) beside it if there is one, or ShaderError."""
    source = text(path)
    beside = path.with_suffix(".vs")
    vertex = Text(beside.name, text(beside)) if beside.is_file() else None
    return read(source, path.name, path.parent, vertex)


def read(source: str, file: str, folder: Path | None = None, vertex: Text | None = None) -> Shader:
    """The shader whose text is `source`; `file` is what errors call it, `folder` where its images are sought."""
    source = source.removeprefix("\ufeff")
    header = Header(source, file)
    inputs = tuple(header.input(each) for each in header.items("INPUTS"))
    buffers = header.buffers()
    passes = tuple(header.stage(each, buffers) for each in header.items("PASSES")) or (Pass(),)
    shader = Shader(
        file,
        source,
        inputs,
        passes,
        str(header.said.get("DESCRIPTION", "")),
        header.imported(folder),
        (vertex,) if vertex else (),
        1 if vertex else None,
    )
    shader = replace(shader, undrawn=tuple(name for name in buffers if name not in shader.targets))
    header.check(shader)
    return shader


def text(path: Path) -> str:
    """What is written in `path`, its lines ending in line feeds; old shaders are not always UTF-8."""
    try:
        if path.stat().st_size > BYTES_AT_MOST:
            raise ShaderError(path.name, f"{path.stat().st_size} bytes, at most {BYTES_AT_MOST} are allowed")
        written = path.read_bytes()
    except OSError as error:
        raise ShaderError(path.name, f"can't be read: {error}") from error
    if b"\0" in written:
        raise ShaderError(path.name, "can't be read: it is no text")
    try:
        found = written.decode("utf-8-sig")
    except UnicodeDecodeError:
        found = written.decode("latin-1")
    return found.replace("\r\n", "\n").replace("\r", "\n")

"""A shader from a file or folder, whichever format it is written in."""

from __future__ import annotations

from pathlib import Path

from installation.picture.admission import safe
from installation.picture.shading import isf, shadertoy
from installation.picture.shading.isf import Shader


def load(path: Path) -> Shader:
    """The shader in `path`, an ISF file, a Shadertoy file or folder, or the safe picture, or ShaderError."""
    if path == safe.PATH:
        return safe.shader()
    return shadertoy.load(path) if shadertoy.is_shadertoy(path) else isf.load(path)


def files(path: Path) -> tuple[Path, ...]:
    """The files `path` is written in, as far as is known before they are read."""
    if path == safe.PATH:
        return ()
    if shadertoy.is_shadertoy(path):
        return shadertoy.files(path)
    beside = path.with_suffix(".vs")
    return (path, beside) if beside.is_file() else (path,)

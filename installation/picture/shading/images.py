"""Image files that shaders bring along: read by Pillow, bounded, never from elsewhere in the machine."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

import numpy as np
import numpy.typing as npt

from installation.errors import ShaderError

BYTES_AT_MOST = 64 << 20
SIDE_AT_MOST = 8192
FORMATS = ("PNG", "JPEG", "GIF", "TIFF", "BMP", "WEBP", "TGA")
"""What is decoded, as Pillow calls it: no format that runs another program (EPS) is among them."""


class ImageError(ValueError):
    """An image that can't be had."""


def place(folder: Path, written: str) -> Path:
    """The file that `written`, relative to a shader in `folder`, names: in that folder's parent or below, and there;
    or ImageError."""
    parts = PurePosixPath(written.replace("\\", "/"))
    if "\0" in written or not written.strip():
        raise ImageError(f"{written!r} is no path")
    if parts.is_absolute() or Path(written).is_absolute() or parts.parts[0].endswith(":"):
        raise ImageError(f"{written!r}: a path relative to the shader is expected")
    here = folder.resolve()
    path = (here / parts).resolve()
    if not path.is_relative_to(here.parent):
        raise ImageError(f"{written!r} leads out of the folder that the shader's own lies in")
    if not path.is_file():
        raise ImageError(f"{written!r}: no such file")
    if path.stat().st_size > BYTES_AT_MOST:
        raise ImageError(f"{written!r} has {path.stat().st_size} bytes, at most {BYTES_AT_MOST} are allowed")
    return path


def read(path: Path, upright: bool = True) -> npt.NDArray[np.uint8]:
    """The image in `path`, (height, width, 4), its last row first if `upright`; ImageError."""
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(path, formats=FORMATS) as image:
            if max(image.size) > SIDE_AT_MOST:
                width, height = image.size
                raise ImageError(f"{path.name} has {width}x{height} pixels, at most {SIDE_AT_MOST} a side are allowed")
            pixels = np.asarray(image.convert("RGBA"))
    except (UnidentifiedImageError, Image.DecompressionBombError, OSError, SyntaxError, ValueError, EOFError) as error:
        if isinstance(error, ImageError):
            raise
        raise ImageError(f"{path.name} can't be read as an image ({', '.join(FORMATS)}): {error}") from error
    return np.ascontiguousarray(pixels[::-1] if upright else pixels)


def read_for(file: str, path: Path, upright: bool, line: int) -> npt.NDArray[np.uint8]:
    """`read`, its error being one of the shader in `file`, at `line`."""
    try:
        return read(path, upright)
    except ImageError as error:
        raise ShaderError(file, f"imported image: {error}", line) from error

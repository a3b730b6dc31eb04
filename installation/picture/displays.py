"""The displays there are, as SDL knows them: number, name, place and size."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from installation.errors import InstallationError
from installation.parameters import nearest


@dataclass(frozen=True)
class Display:
    """One of them. `left` and `top` are its place on the desktop, in px like its size."""

    number: int
    name: str
    left: int
    top: int
    width: int
    height: int


class _Rectangle(ctypes.Structure):
    _fields_ = (("x", ctypes.c_int), ("y", ctypes.c_int), ("w", ctypes.c_int), ("h", ctypes.c_int))


def listed(pygame: Any) -> tuple[Display, ...]:
    """All of them; `pygame`'s display module is open. Where SDL can't be asked itself they have no names, and are taken
    to stand side by side."""
    sizes = pygame.display.get_desktop_sizes()
    sdl = _sdl()
    found, left = [], 0
    for number, (width, height) in enumerate(sizes):
        bounds, name = _Rectangle(left, 0, width, height), b""
        if sdl is not None:
            sdl.SDL_GetDisplayBounds(number, ctypes.byref(bounds))
            name = sdl.SDL_GetDisplayName(number) or b""
        found.append(Display(number, name.decode("utf-8", "replace"), bounds.x, bounds.y, bounds.w, bounds.h))
        left += width
    return tuple(found)


def choose(displays: tuple[Display, ...], wanted: int | str) -> Display:
    """The one that is meant, by its number, its name or the beginning of that; InstallationError if it isn't there."""
    for each in displays:
        if wanted == each.number or (isinstance(wanted, str) and each.name.lower() == wanted.lower()):
            return each
    for each in displays:
        if isinstance(wanted, str) and wanted and each.name.lower().startswith(wanted.lower()):
            return each
    names = [each.name or str(each.number) for each in displays]
    hint = nearest(str(wanted), tuple(names))
    raise InstallationError(f"no display {wanted!r}{hint}; there are {', '.join(names) or 'none'}")


def _sdl() -> Any:
    """The SDL that pygame has loaded, if it can be found."""
    try:
        mapped = Path("/proc/self/maps").read_text("utf-8")
    except OSError:
        return None
    files = (line.split(maxsplit=5)[-1] for line in mapped.splitlines() if "libSDL2-2" in line)
    file = next(files, None)
    if file is None:
        return None
    sdl = ctypes.CDLL(file)
    sdl.SDL_GetDisplayName.restype = ctypes.c_char_p
    return sdl

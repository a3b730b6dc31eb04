"""The displays there are, as SDL and X know them: number, name, place and size."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from typing import Any

from installation.errors import InstallationError
from installation.parameters import nearest
from installation.picture.wall.randr import monitors


@dataclass(frozen=True)
class Display:
    """One of them. `left` and `top` are its place on the desktop, in px like its size. `name` is its socket's where
    that is known, as HDMI-1; `model` what the display calls itself, which two of a kind have in common."""

    number: int
    name: str
    left: int
    top: int
    width: int
    height: int
    model: str = ""

    @property
    def place(self) -> tuple[int, int, int, int]:
        """Left, top, width, height in px of the desktop."""
        return self.left, self.top, self.width, self.height


class _Rectangle(ctypes.Structure):
    _fields_ = (("x", ctypes.c_int), ("y", ctypes.c_int), ("w", ctypes.c_int), ("h", ctypes.c_int))


def listed(pygame: Any) -> tuple[Display, ...]:
    """All of them; `pygame`'s display module is open. Where SDL can't be asked itself they have no names, and are taken
    to stand side by side."""
    sockets = {each[1:]: each.name for each in monitors() or ()} if pygame.display.get_driver() == "x11" else {}
    sdl = _sdl(pygame)
    found, left = [], 0
    for number, (width, height) in enumerate(pygame.display.get_desktop_sizes()):
        bounds, model = _Rectangle(left, 0, width, height), ""
        if sdl is not None:
            sdl.SDL_GetDisplayBounds(number, ctypes.byref(bounds))
            model = (sdl.SDL_GetDisplayName(number) or b"").decode("utf-8", "replace")
        place = (bounds.x, bounds.y, bounds.w, bounds.h)
        found.append(Display(number, sockets.get(place, model), *place, model))
        left += width
    return tuple(found)


def choose(displays: tuple[Display, ...], wanted: int | str) -> Display:
    """The one that is meant: by its number, its name, or the beginning of either name; InstallationError if it isn't
    there."""
    there = found(displays, wanted)
    if there:
        return there
    names = [each.name or str(each.number) for each in displays]
    hint = nearest(str(wanted), tuple(names))
    raise InstallationError(f"no display {wanted!r}{hint}; there are {', '.join(names) or 'none'}")


def found(displays: tuple[Display, ...], wanted: int | str) -> Display | None:
    """The one that is meant, if it is there."""
    if isinstance(wanted, int):
        return next((each for each in displays if each.number == wanted), None)
    meant = wanted.lower()
    named = (each for each in displays if meant in (each.name.lower(), each.model.lower()))
    begun = (each for each in displays if meant and _begins(each, meant))
    return next(named, None) or next(begun, None)


def _begins(display: Display, meant: str) -> bool:
    return display.name.lower().startswith(meant) or display.model.lower().startswith(meant)


def _sdl(pygame: Any) -> Any:
    """The SDL that pygame has loaded, if it can be found."""
    for file in (pygame.display.__file__, "SDL2.dll"):
        try:
            sdl = ctypes.CDLL(file)
            sdl.SDL_GetDisplayName.restype = ctypes.c_char_p
        except (OSError, AttributeError):
            continue
        return sdl
    return None

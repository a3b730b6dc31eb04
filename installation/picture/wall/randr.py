"""What X calls its outputs and where they lie, asked of the server itself (RandR 1.5): SDL looks once, when it is
opened, and hears nothing of what is plugged or unplugged afterwards."""

from __future__ import annotations

import ctypes
import os
from typing import Any, NamedTuple


class Monitor(NamedTuple):
    """An output that is lit: its name, as HDMI-1, and its part of the screen in px."""

    name: str
    left: int
    top: int
    width: int
    height: int


class _Monitor(ctypes.Structure):
    """XRRMonitorInfo (X11/extensions/Xrandr.h)."""

    _fields_ = (
        ("name", ctypes.c_ulong),
        *((name, ctypes.c_int) for name in ("primary", "automatic", "outputs", "left", "top", "width", "height")),
        *((name, ctypes.c_int) for name in ("width_mm", "height_mm")),
        ("identities", ctypes.c_void_p),
    )


def monitors() -> tuple[Monitor, ...] | None:
    """The outputs of $DISPLAY that are lit, or None where nobody knows: there is no X, or one without RandR 1.5."""
    if not os.environ.get("DISPLAY"):
        return None
    try:
        x, randr = _libraries()
    except (OSError, AttributeError):
        return None
    server = x.XOpenDisplay(None)
    if not server:
        return None
    try:
        return _asked(x, randr, server) if _speaks(randr, server) else None
    finally:
        x.XCloseDisplay(server)


class _Error(ctypes.Structure):
    """XErrorEvent (X11/Xlib.h)."""

    _fields_ = (
        ("type", ctypes.c_int),
        ("server", ctypes.c_void_p),
        ("resource", ctypes.c_ulong),
        ("serial", ctypes.c_ulong),
        *((name, ctypes.c_ubyte) for name in ("error", "request", "minor")),
    )


_Handler = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.POINTER(_Error))
_kept: list[Any] = []


def forgive() -> None:
    """Let a question about an output that has gone be no more than a question without an answer. SDL asks such a one
    when it closes a window there, and errors of X end a process on the spot; all others still do."""
    if _kept:
        return
    try:
        x, _ = _libraries()
    except (OSError, AttributeError):
        return
    server = x.XOpenDisplay(None)
    if not server:
        return
    codes = [ctypes.c_int() for _ in range(3)]
    there = x.XQueryExtension(server, b"RANDR", *(ctypes.byref(code) for code in codes))
    x.XCloseDisplay(server)
    if there:
        _kept.extend((_sparing(codes[0].value), x))
        _kept.append(x.XSetErrorHandler(_kept[0]))


def _sparing(request: int) -> Any:
    """A handler of X's errors that lets those of `request` pass."""

    def handle(server: int, error: Any) -> int:
        if error.contents.request == request or len(_kept) < 3 or not _kept[2]:
            return 0
        return int(_kept[2](server, error))

    return _Handler(handle)


def _libraries() -> tuple[Any, Any]:
    """libX11 and libXrandr, with what their functions take and give."""
    x, randr = ctypes.CDLL("libX11.so.6"), ctypes.CDLL("libXrandr.so.2")
    pointer, window, whole = ctypes.c_void_p, ctypes.c_ulong, ctypes.c_int
    for function, gives, takes in (
        (x.XOpenDisplay, pointer, (ctypes.c_char_p,)),
        (x.XCloseDisplay, whole, (pointer,)),
        (x.XDefaultRootWindow, window, (pointer,)),
        (x.XGetAtomName, pointer, (pointer, window)),
        (x.XFree, whole, (pointer,)),
        (x.XQueryExtension, whole, (pointer, ctypes.c_char_p, pointer, pointer, pointer)),
        (x.XSetErrorHandler, _Handler, (_Handler,)),
        (randr.XRRQueryExtension, whole, (pointer, pointer, pointer)),
        (randr.XRRQueryVersion, whole, (pointer, pointer, pointer)),
        (randr.XRRGetMonitors, ctypes.POINTER(_Monitor), (pointer, window, whole, pointer)),
        (randr.XRRFreeMonitors, None, (pointer,)),
    ):
        function.restype, function.argtypes = gives, takes
    return x, randr


def _speaks(randr: Any, server: int) -> bool:
    """Whether the server knows what is asked here; to one that does not it is an error that ends the process."""
    first, second = ctypes.c_int(), ctypes.c_int()
    if not randr.XRRQueryExtension(server, ctypes.byref(first), ctypes.byref(second)):
        return False
    known = randr.XRRQueryVersion(server, ctypes.byref(first), ctypes.byref(second))
    return bool(known) and (first.value, second.value) >= (1, 5)


def _asked(x: Any, randr: Any, server: int) -> tuple[Monitor, ...] | None:
    count = ctypes.c_int()
    found = randr.XRRGetMonitors(server, x.XDefaultRootWindow(server), 1, ctypes.byref(count))
    if not found:
        return None
    lit = tuple(
        Monitor(_name(x, server, each.name), each.left, each.top, each.width, each.height)
        for each in found[: count.value]
    )
    randr.XRRFreeMonitors(found)
    return lit


def _name(x: Any, server: int, atom: int) -> str:
    pointer = x.XGetAtomName(server, atom)
    name = ctypes.string_at(pointer).decode("utf-8", "replace") if pointer else ""
    if pointer:
        x.XFree(pointer)
    return name

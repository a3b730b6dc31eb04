"""A real X server with two outputs and no hardware: Xorg's dummy driver. What is on them can be read, and either can be
unplugged. For tests only."""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

RGB = npt.NDArray[np.uint8]
SIZE = (320, 240)
NAMES = ("DUMMY0", "DUMMY1")
CONFIG = """
Section "ServerFlags"
  Option "AutoAddDevices" "false"
  Option "AutoEnableDevices" "false"
  Option "BlankTime" "0"
EndSection
Section "Device"
  Identifier "card"
  Driver "dummy"
  VideoRam 64000
EndSection
Section "Monitor"
  Identifier "monitor"
  HorizSync 5-1000
  VertRefresh 5-200
  Modeline "320x240" 12.0 320 400 480 640 240 250 260 312
EndSection
Section "Screen"
  Identifier "screen"
  Device "card"
  Monitor "monitor"
  DefaultDepth 24
  SubSection "Display"
    Depth 24
    Modes "320x240"
    Virtual 640 240
  EndSubSection
EndSection
"""


class _Image(ctypes.Structure):
    """The beginning of XImage (X11/Xlib.h)."""

    _fields_ = (
        *((name, ctypes.c_int) for name in ("width", "height", "xoffset", "format")),
        ("data", ctypes.c_void_p),
        *((name, ctypes.c_int) for name in ("byte_order", "bitmap_unit", "bitmap_bit_order", "bitmap_pad")),
        *((name, ctypes.c_int) for name in ("depth", "bytes_per_line", "bits_per_pixel")),
    )


@dataclass
class Screens:
    """The two outputs, side by side on `display`, NAMES from left to right, each of SIZE."""

    display: str

    def plug(self) -> None:
        """Light the second output, right of the first."""
        self._xrandr("--output", NAMES[1], "--mode", "320x240", "--pos", f"{SIZE[0]}x0")
        self._xrandr()  # which has the server look whether it is connected

    def unplug(self) -> None:
        """Put the second out."""
        self._xrandr("--output", NAMES[1], "--off")

    def seen(self, number: int) -> RGB:
        """What stands on an output, from 0: (height, width, 3), row 0 on top."""
        x = ctypes.CDLL("libX11.so.6")
        x.XOpenDisplay.restype = x.XGetImage.restype = ctypes.c_void_p
        x.XDefaultRootWindow.restype = ctypes.c_ulong
        server = ctypes.c_void_p(x.XOpenDisplay(self.display.encode()))
        root = ctypes.c_ulong(x.XDefaultRootWindow(server))
        image = x.XGetImage(server, root, number * SIZE[0], 0, *SIZE, ctypes.c_ulong(2**32 - 1), 2)
        held = ctypes.cast(image, ctypes.POINTER(_Image)).contents
        raw = ctypes.string_at(held.data, held.bytes_per_line * held.height)
        x.XCloseDisplay(server)
        return np.frombuffer(raw, np.uint8).reshape(held.height, -1, 4)[:, : held.width, 2::-1].copy()

    def until(self, number: int, wanted: RGB | Callable[[RGB], bool], seconds: float = 20.0) -> RGB:
        """What stands on an output once it is as `wanted`, or after so many seconds."""
        until_s = time.monotonic() + seconds
        while True:
            seen = self.seen(number)
            there = wanted(seen) if callable(wanted) else np.array_equal(seen, wanted)
            if there or time.monotonic() > until_s:
                return seen
            time.sleep(0.1)

    def _xrandr(self, *words: str) -> None:
        subprocess.run(["xrandr", *words], env=os.environ | {"DISPLAY": self.display}, check=True, capture_output=True)


def why_not() -> str | None:
    """Why there can be no such server here, or None."""
    missing = [name for name in ("Xorg", "xrandr") if shutil.which(name) is None]
    if missing:
        return f"{' and '.join(missing)} not installed: `make setup-test` does"
    drivers = Path("/usr/lib/xorg/modules/drivers")
    return None if (drivers / "dummy_drv.so").exists() else "Xorg's dummy driver is not installed"


@contextmanager
def two_outputs(folder: Path) -> Iterator[Screens]:
    """The server, on a free display of its own; what it writes goes to `folder`."""
    config, log = folder / "xorg.conf", folder / "xorg.log"
    config.write_text(CONFIG, "utf-8")
    read, write = os.pipe()
    order = ["Xorg", "-displayfd", str(write), "-config", str(config), "-logfile", str(log), "-noreset"]
    order += ["-novtswitch", "-sharevts", "-nolisten", "tcp"]
    quiet = subprocess.DEVNULL
    server = subprocess.Popen(order, pass_fds=(write,), stdin=quiet, stdout=quiet, stderr=quiet)
    os.close(write)
    try:
        with os.fdopen(read) as said:
            number = said.readline().strip()
        if not number:
            raise RuntimeError(f"Xorg did not start:\n{log.read_text('utf-8', 'replace')[-2000:]}")
        screens = Screens(f":{number}")
        screens._xrandr("--addmode", NAMES[1], "320x240")
        screens.plug()
        yield screens
    finally:
        server.terminate()
        server.wait(10.0)

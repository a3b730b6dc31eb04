"""How far picture and sound lie apart, as an ear and an eye have it: a click out of the sink, a flash on the screen.

    python -m bench.sync [--clicks 60] [--turned 50] [--fps 60]

The calibration scene runs as it is shipped: the whole show, a private PulseAudio for its card, an Xvfb for its display.
A recording of the sink says when each click came out of it; a process that reads the pixel in the middle of the screen
a thousand times a second says when each flash was seen. Then /picture/av_offset_ms is turned, by OSC, and all is
measured again: the flash is to come so much later.

The sink renders a block at a time, at the moment its first sample is due: a sample's own time is that of the line
through the chunks that came soonest. `card` is how much later than PortAudio said a click came out, so `picture` is the
flash against what the show could know. A frame shows a click that falls between it and the one before: an offset of 0
to 1 frame, half of one in the mean, is perfect.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import ctypes
import json
import multiprocessing
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from bench.show import conductor_of
from installation.control.osc import message
from tests.pulse import RATE_HZ, PrivatePulse, Recording, private_pulse

SCENE = Path(__file__).resolve().parent.parent / "scenes" / "calibrate" / "calibration.yaml"
SIZE = (640, 360)
SETTLE_S = 10.0
WAIT_S = 0.001
"""Between two looks at the screen."""
BRIGHT = 128
LOUD = 0.1
NEAR_S = 0.45
"""A flash belongs to a click that is no farther away."""

Floats = npt.NDArray[np.float64]


def scene(port: int, fps: int) -> str:
    """The calibration scene, on a port that is free and the card of the bench."""
    text = SCENE.read_text("utf-8")
    for ours, bench in (
        ("shader: calibration.fs", f"shader: {SCENE.parent / 'calibration.fs'}"),
        ("port: 9000", f"port: {port}"),
        ("fps: 60", f"fps: {fps}"),
    ):
        assert text.count(ours) == 1, f"{SCENE} lacks {ours!r}"
        text = text.replace(ours, bench)
    return text


def free_port() -> int:
    """A UDP port nobody has now."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as held:
        held.bind(("127.0.0.1", 0))
        return int(held.getsockname()[1])


@contextlib.contextmanager
def screen(size: tuple[int, int]) -> Iterator[str]:
    """A display of `size` px nobody sees, as DISPLAY; a window as large fills it."""
    read, write = os.pipe()
    order = ["Xvfb", "-displayfd", str(write), "-screen", "0", f"{size[0]}x{size[1]}x24"]
    order += ["+extension", "GLX", "-nolisten", "tcp"]
    server = subprocess.Popen(order, pass_fds=(write,), stderr=subprocess.DEVNULL)
    os.close(write)
    before = os.environ.get("DISPLAY")
    try:
        with os.fdopen(read) as said:
            os.environ["DISPLAY"] = f":{int(said.readline())}"
        yield os.environ["DISPLAY"]
    finally:
        os.environ.pop("DISPLAY") if before is None else os.environ.__setitem__("DISPLAY", before)
        server.kill()  # one that still waits for its first client does not hear a plain word
        server.wait()


def watch(connection: Connection, display: str, place: tuple[int, int]) -> None:
    """A process: looks at the pixel at `place` until told to stop, then sends when it became bright, (flashes, 2): the
    last look it was not, the first it was, monotonic; and how many looks there were a second."""
    x11 = ctypes.CDLL("libX11.so.6")
    x11.XOpenDisplay.restype = x11.XGetImage.restype = ctypes.c_void_p
    x11.XOpenDisplay.argtypes = [ctypes.c_char_p]
    x11.XDefaultRootWindow.restype = ctypes.c_ulong
    x11.XDefaultRootWindow.argtypes = x11.XDestroyImage.argtypes = [ctypes.c_void_p]
    x11.XGetImage.argtypes = [ctypes.c_void_p, ctypes.c_ulong, *[ctypes.c_int] * 2, *[ctypes.c_uint] * 2]
    x11.XGetImage.argtypes += [ctypes.c_ulong, ctypes.c_int]
    x11.XGetPixel.restype = ctypes.c_ulong
    x11.XGetPixel.argtypes = [ctypes.c_void_p, ctypes.c_int, ctypes.c_int]
    opened = x11.XOpenDisplay(display.encode())
    root = x11.XDefaultRootWindow(opened)
    flashes: list[tuple[float, float]] = []
    dark_s, was_bright, looks, began_s = time.monotonic(), True, 0, time.monotonic()
    while not connection.poll():
        asked_s = time.monotonic()
        image = x11.XGetImage(opened, root, *place, 1, 1, 0xFFFFFFFF, 2)
        seen_s = time.monotonic()
        bright = (x11.XGetPixel(image, 0, 0) >> 8 & 0xFF) > BRIGHT
        x11.XDestroyImage(image)
        if bright and not was_bright:
            flashes.append((dark_s, seen_s))
        if not bright:
            dark_s = asked_s
        was_bright, looks = bright, looks + 1
        time.sleep(WAIT_S)
    connection.send((flashes, looks / (time.monotonic() - began_s)))


@contextlib.contextmanager
def eye(display: str) -> Iterator[Connection]:
    """A process that watches the middle of `display` until something is sent to it."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=watch, args=(theirs, display, (SIZE[0] // 2, SIZE[1] // 2)), daemon=True)
    process.start()
    try:
        yield ours
    finally:
        process.kill()
        process.join()


@dataclass
class Bench:
    """One run: clicks with the offset at 0, then as many with it turned."""

    folder: Path
    clicks: int
    turned_ms: float
    fps: int
    turned_s: float = 0.0
    claimed: dict[int, float] = field(default_factory=dict)
    """When PortAudio said that each whole second of the ring would leave the DAC, monotonic."""

    async def run(self, pulse: PrivatePulse) -> Recording:
        """Play, turn, play, stop."""
        port = free_port()
        self.report = self.folder / "report.json"
        conductor = conductor_of(self.folder, {"calibration": scene(port, self.fps)}, self.report, headless=False)
        recording = pulse.record()
        playing = asyncio.ensure_future(conductor.run())
        noting = asyncio.ensure_future(self._note(conductor))
        await asyncio.sleep(SETTLE_S + self.clicks)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.sendto(message("/picture/av_offset_ms", self.turned_ms), ("127.0.0.1", port))
        self.turned_s = time.monotonic()
        await asyncio.sleep(1.0 + self.clicks)
        noting.cancel()
        conductor.stop()
        await playing
        return recording

    async def _note(self, conductor: Any) -> None:
        while True:
            await asyncio.sleep(0.02)
            ring = conductor.ring
            if ring is not None and ring.taken:
                second = ring.taken // RATE_HZ
                if second not in self.claimed and ring.taken - second * RATE_HZ < RATE_HZ // 4:
                    self.claimed[second] = ring.dac_time_s(second * RATE_HZ)


def onsets(heard: npt.NDArray[np.float32]) -> npt.NDArray[np.int64]:
    """The first sample of each click in a recording (samples, 2)."""
    loud = np.flatnonzero(np.abs(heard[:, 0]) > LOUD)
    return loud[np.diff(loud, prepend=-RATE_HZ) > RATE_HZ // 2]


def nearest(times_s: Floats, to_s: Floats) -> Floats:
    """For each of `to_s` the nearest of `times_s`, nan where none is near."""
    if not len(times_s):
        return np.full(len(to_s), np.nan)
    found = times_s[np.abs(times_s[None, :] - to_s[:, None]).argmin(axis=1)]
    return np.where(np.abs(found - to_s) < NEAR_S, found, np.nan)


def spread(apart_s: Floats, fps: int) -> dict[str, float]:
    """Median and jitter in ms, the median in frames, and the share within a frame; `unseen` are clicks without a
    flash."""
    apart_ms = 1000.0 * apart_s[np.isfinite(apart_s)]
    counts = {"count": len(apart_ms), "unseen": len(apart_s) - len(apart_ms)}
    if not len(apart_ms):
        return {**counts}
    p5, median, p95 = np.percentile(apart_ms, [5, 50, 95]).tolist()
    figures = {"median_ms": median, "p5_ms": p5, "p95_ms": p95, "sd_ms": float(apart_ms.std())}
    figures |= {"median_frames": median * fps / 1000.0, "within_a_frame": np.mean(np.abs(apart_ms) <= 1000.0 / fps)}
    return counts | {key: round(float(each), 2) for key, each in figures.items()}


def measure(clicks: int, turned_ms: float, fps: int) -> dict[str, Any]:
    """One run's figures."""
    with tempfile.TemporaryDirectory() as folder, private_pulse() as pulse, screen(SIZE) as display:
        bench = Bench(Path(folder), clicks, turned_ms, fps)
        with eye(display) as watching:
            recording = asyncio.run(bench.run(pulse))
            watching.send("enough")
            found, looks_hz = watching.recv()
        heard = recording.stop()
        report = json.loads(bench.report.read_text("utf-8"))
    flashes = np.array(found, np.float64).reshape(-1, 2)
    seen_s = flashes.mean(axis=1)
    out_s = np.array([recording.due_s(int(sample)) for sample in onsets(heard)])
    claimed_s = nearest(np.array(sorted(bench.claimed.values())), out_s)
    plain = (out_s > bench.turned_s - clicks) & (out_s < bench.turned_s - 0.5)
    turned = out_s > bench.turned_s + 1.0
    offset_s = nearest(seen_s, out_s) - out_s
    picture_s = nearest(seen_s, out_s) - claimed_s
    moved_ms = 1000.0 * float(np.nanmedian(offset_s[turned]) - np.nanmedian(offset_s[plain]))
    return {
        "load": round(os.getloadavg()[0], 1),
        "offset": spread(offset_s[plain], fps),
        "turned": {"by_ms": turned_ms, "moved_ms": round(moved_ms, 2)},
        "offset_beyond_turn": spread(offset_s[turned] - turned_ms / 1000.0, fps),
        "picture": spread(picture_s[plain], fps),
        "card": spread(out_s[plain] - claimed_s[plain], fps),
        "looks_hz": round(looks_hz),
        "look_ms": round(1000.0 * float(np.median(flashes[:, 1] - flashes[:, 0])), 2),
        "card_latency_ms": report["sound"]["card_latency_ms"],
        "missed_samples": report["sound"]["missed_samples"],
        "stage": {key: report["picture"][key] for key in ("frames", "frame_ms", "late_ms", "window", "renderer")},
        "all_ms": [round(1000.0 * each, 1) if np.isfinite(each) else None for each in offset_s[plain].tolist()],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clicks", type=int, default=60)
    parser.add_argument("--turned", type=float, default=50.0, help="ms the picture is put off by in the second half")
    parser.add_argument("--fps", type=int, default=60)
    arguments = parser.parse_args()
    if shutil.which("Xvfb") is None:
        parser.error("Xvfb is missing: `make setup-test` installs it")
    print(json.dumps(measure(arguments.clicks, arguments.turned, arguments.fps), indent=2))


if __name__ == "__main__":
    main()

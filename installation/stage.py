"""The stage: the process that owns the window and every GL object. Composition only; what is drawn is a `Scenery`."""

from __future__ import annotations

import os
import time
import traceback
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np

from installation.commands import Set, Stop
from installation.errors import InstallationError
from installation.link import Link, follow_parent
from installation.picture.canvas import Canvas
from installation.picture.pace import FrameTimes, Pace
from installation.picture.scenery import Scenery
from installation.picture.uniforms import FeatureMapping
from installation.picture.window import Window
from installation.probe import Probe
from installation.ring import Ring
from installation.track import Track
from installation.urgency import take_slice

DISPLAY_FOUND = 77
"""Exit code of a stage that drew unseen and found a display."""
NICE, SLICE_S = 5, 0.003
"""Frames may wait a little for whoever makes the sound."""
REFRESH_FRAMES = 8
"""Every so many frames the shader's file is looked at."""


@dataclass(frozen=True)
class Show:
    """Draw the shader in this file from now on, with these mappings. A broken one changes nothing but is said."""

    shader: str
    mappings: tuple[FeatureMapping, ...] = ()


@dataclass(frozen=True)
class StageSetup:
    """What a stage is started with. `size` is the picture's (width, height) px; a window scales it. `values` are
    parameters by address; `ring` and `track` are names of shared memory."""

    ring: str
    track: str
    shader: str
    latent_dim: int
    size: tuple[int, int] = (640, 360)
    fps: float = 30.0
    headless: bool = False
    fullscreen: bool = False
    display: int = 0
    title: str = "installation"
    mappings: tuple[FeatureMapping, ...] = ()
    values: dict[str, float] = field(default_factory=dict)


def main(connection: Connection, setup: StageSetup) -> None:
    """The process: until told to stop, or until the conductor is gone."""
    follow_parent()
    os.nice(NICE)
    take_slice(SLICE_S)
    link = Link(connection, "stage")
    try:
        with ExitStack() as opened:
            ring = opened.enter_context(Ring.attach(setup.ring))
            track = opened.enter_context(Track.attach(setup.track))
            window, canvas = opened.enter_context(_surface(setup, link))
            Stage(link, setup, ring, track, window, canvas).run()
    except InstallationError as error:
        link.say(str(error))
        raise SystemExit(1) from error
    except Exception:
        link.say(traceback.format_exc())
        raise SystemExit(2) from None


@contextmanager
def _surface(setup: StageSetup, link: Link) -> Iterator[tuple[Window | None, Canvas]]:
    """A window and the canvas in it, or without a display a canvas alone."""
    with ExitStack() as opened:
        if not setup.headless:
            try:
                window = opened.enter_context(Window(setup.size, setup.title, setup.fullscreen, setup.display))
                canvas = opened.enter_context(Canvas(setup.size, "window"))
            except InstallationError as error:
                opened.close()
                link.say(f"{error}; drawing unseen")
            else:
                yield window, canvas
                return
        yield None, opened.enter_context(Canvas(setup.size))


class Stage:
    """One show's picture: commands in, moments in, frames out, on the monotonic clock."""

    def __init__(
        self, link: Link, setup: StageSetup, ring: Ring, track: Track, window: Window | None, canvas: Canvas
    ) -> None:
        self._link = link
        self._ring = ring
        self._track = track
        self._window = window
        self._canvas = canvas
        self._scenery = Scenery(canvas, setup.latent_dim, setup.values)
        self._times = FrameTimes(np.random.default_rng(0))
        self._pace = Pace(setup.fps, time.monotonic())
        self._next_moment = max(0, track.count - self._scenery.moments_wanted)
        self._heard_sample, self._heard_s = 0, 0.0
        unseen = window is None and not setup.headless and ("DISPLAY" in os.environ or "WAYLAND_DISPLAY" in os.environ)
        self._probe = Probe(("devices", "--display"), time.monotonic()) if unseen else None
        self._show(setup.shader, setup.mappings)

    def run(self) -> None:
        """Draw until stopped."""
        self._link.pulse(time.monotonic(), 0, self.figures, at_once=True)
        while not self._link.stopped:
            for command in self._link.drain():
                self._obey(command)
            if self._times.count % REFRESH_FRAMES == 0:
                self._refresh()
            begun_s = time.monotonic()
            self._frame(begun_s + self._pace.period_s)
            now_s = time.monotonic()
            self._times.push((now_s - begun_s) * 1000.0)
            self._link.pulse(now_s, self._times.count, self.figures)
            if self._probe and self._probe.found(now_s):
                self._link.say("a display is there: starting the stage again to open a window")
                raise SystemExit(DISPLAY_FOUND)
            time.sleep(self._pace.wait_s(time.monotonic()))
        if self._probe:
            self._probe.close()
        self._link.pulse(time.monotonic(), self._times.count, self.figures, at_once=True)

    def figures(self) -> dict[str, Any]:
        """The stage's part of the run's report."""
        return {
            "frames": self._times.count,
            "frame_ms": self._times.figures(),
            "renderer": self._canvas.renderer,
            "window": self._window is not None,
        }

    def _obey(self, command: Any) -> None:
        match command:
            case Set(address, value) if address.startswith("/picture/") or address == "/master/blackout":
                self._scenery.set(address, value)
            case Show(shader, mappings):
                self._show(shader, mappings)
            case _:
                pass  # Stop is the link's; the rest is not for the stage

    def _frame(self, seen_s: float) -> None:
        """Draw and show what is heard at `seen_s`, when the frame will be seen."""
        self._next_moment, moments = self._track.since(self._next_moment, seen_s)
        if len(moments):
            self._heard_sample, self._heard_s = int(moments[-1]["sample"]), float(moments[-1]["time_s"])
        count = self._scenery.samples_wanted
        late = int((seen_s - self._heard_s) * self._ring.sample_rate_hz)
        end = min(self._heard_sample + late, self._ring.written)
        self._scenery.draw(seen_s, moments, self._ring.tap(end, count), datetime.now())
        if self._window is None:
            self._canvas.finish()
            return
        self._canvas.present(self._window.size)
        self._window.flip()
        if self._window.stop_asked:
            self._link.send(Stop())
            self._window.stop_asked = False

    def _show(self, shader: str, mappings: tuple[FeatureMapping, ...]) -> None:
        try:
            self._scenery.show(Path(shader), mappings)
        except InstallationError as error:
            self._link.say(str(error))
            if self._canvas.shader is None:
                self._scenery.watch(Path(shader), mappings)

    def _refresh(self) -> None:
        try:
            self._scenery.refresh()
        except InstallationError as error:
            self._link.say(str(error))

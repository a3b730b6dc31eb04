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

from installation.commands import Atlas, Record, Set, Stop
from installation.errors import InstallationError
from installation.hanging import Hanging
from installation.link import Link, follow_parent
from installation.picture.canvas import Canvas
from installation.picture.films.camera import Camera
from installation.picture.films.filming import Wanted
from installation.picture.heard import STALE_S
from installation.picture.scenery import Drawing, Scenery
from installation.picture.wall.output import Output
from installation.picture.wall.pace import FrameTimes, Pace
from installation.picture.wall.projection import Projection
from installation.picture.wall.resolution import Resolution
from installation.picture.wall.sharing import Shared, opened
from installation.picture.wall.window import Window
from installation.probe import Probe
from installation.ring import Ring
from installation.track import Track
from installation.urgency import take_slice

DISPLAY_FOUND = 77
"""Exit code of a stage that drew unseen and found a display."""
PICTURE_DIED = 78
"""Exit code of a stage whose picture stays dead whatever it draws."""
NICE, SLICE_S = 5, 0.003
"""Frames may wait a little for whoever makes the sound."""


@dataclass(frozen=True)
class Show:
    """Draw this from now on. What is broken changes nothing but is said."""

    drawing: Drawing


@dataclass(frozen=True)
class Still:
    """Write the next frame to this file, a .png."""

    path: str


@dataclass(frozen=True)
class StageSetup:
    """What a stage is started with. `size` is the picture's (width, height) px; a window scales it. `values` are
    parameters by address; `ring` and `track` are names of shared memory."""

    ring: str
    track: str
    drawing: Drawing
    latent_dim: int
    size: tuple[int, int] = (640, 360)
    fps: float = 30.0
    headless: bool = False
    fullscreen: bool = False
    outputs: tuple[Output, ...] = ()
    output_numbers: tuple[int, ...] = ()
    """The displays the picture is put on, and their numbers in the scene; none is a window."""
    share: tuple[str, ...] = ()
    """How it is given to other programs."""
    process: str = "stage"
    """What it is called in the log."""
    title: str = "installation"
    name: str = "show"
    """What the names of films begin with."""
    values: dict[str, float] = field(default_factory=dict)
    display_latency_s: float = 0.0
    least_resolution: float = 1.0
    state: Path | None = None
    """Where evidence against shaders is kept."""
    films: Path = Path("films")
    """The folder or file.mp4 films are written to."""
    films_at_once: bool = False


def main(connection: Connection, setup: StageSetup) -> None:
    """The process: until told to stop, or until the conductor is gone."""
    follow_parent()
    os.nice(NICE)
    take_slice(SLICE_S)
    link = Link(connection, setup.process)
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
                over = tuple(each.display for each in setup.outputs)
                window = opened.enter_context(Window(setup.size, setup.title, setup.fullscreen, over))
                canvas = opened.enter_context(Canvas(setup.size, "window"))
                for sentence in window.missing:
                    link.say(f"{sentence}; its output is not shown")
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
        self._link, self._setup, self._window, self._canvas = link, setup, window, canvas
        self._ring, self._track = ring, track
        self._scenery = Scenery(canvas, setup.latent_dim, setup.values, ring.sample_rate_hz)
        self._costs, self._lateness = (FrameTimes(np.random.default_rng(seed)) for seed in range(2))
        self._pace = Pace(setup.fps, time.monotonic())
        self._resolution = Resolution(setup.size, setup.least_resolution, self._pace.period_s)
        self._next_moment = max(0, track.count - self._scenery.moments_wanted)
        self._heard_sample, self._heard_s, self._drawn_s, self._rms = 0, 0.0, 0.0, 0.0
        unseen = window is None and not setup.headless and ("DISPLAY" in os.environ or "WAYLAND_DISPLAY" in os.environ)
        self._probe = Probe(("devices", "--display", *self._wanted_display()), time.monotonic()) if unseen else None
        self._projection = Projection(canvas, window, setup.outputs, setup.output_numbers, self._shared())
        self._hanging = Hanging(self._scenery, canvas, setup.state, link.say)
        self._hanging.want(setup.drawing, time.monotonic())
        self._camera = Camera(canvas.context, ring)
        if setup.films_at_once:
            self._film(Record())

    def _wanted_display(self) -> tuple[str, ...]:
        return tuple(str(each.display) for each in self._setup.outputs)

    def _shared(self) -> list[Shared]:
        """The ways the picture is given to other programs, those that can be opened."""
        setup, found = self._setup, []
        for way in dict.fromkeys(setup.share):
            try:
                found.append(opened(way, self._canvas.context, setup.title, setup.size, setup.fps))
            except InstallationError as error:
                self._link.say(f"{error}; not shared")
        return found

    def run(self) -> None:
        """Draw until stopped."""
        self._link.pulse(time.monotonic(), 0, self.figures, at_once=True)
        while not self._link.stopped:
            time.sleep(self._pace.begin_s(time.monotonic()))
            for command in self._link.drain():
                self._obey(command)
            self._look(time.monotonic())
            begun_s = time.monotonic()
            self._draw(self._pace.due_s)
            self._canvas.finish()
            self._count(time.monotonic() - begun_s)
            self._present()
            self._link.pulse(time.monotonic(), self._costs.count, self.figures)
        self._close()

    def _close(self) -> None:
        if self._probe:
            self._probe.close()
        self._hanging.close()
        self._projection.release()
        for sentence in self._camera.close():
            self._link.say(sentence)
        self._link.pulse(time.monotonic(), self._costs.count, self.figures, at_once=True)

    def _end(self, code: int) -> None:
        """End the process, so that another begins: nothing that is drawn is to blame."""
        self._close()
        raise SystemExit(code)

    def figures(self) -> dict[str, Any]:
        """The stage's part of the run's report."""
        return {
            "frames": self._costs.count,
            "frame_ms": self._costs.figures(),
            "late_ms": self._lateness.figures(),
            "resolution": self._resolution.scale,
            "renderer": self._canvas.renderer,
            "window": self._window is not None,
            **self._hanging.figures(),
            "film": self._camera.figures(),
        }

    def _obey(self, command: Any) -> None:
        match command:
            case Set(address, value) if address.startswith("/picture/") or address == "/master/blackout":
                self._scenery.set(address, value)
            case Show(drawing):
                self._hanging.want(drawing, time.monotonic())
            case Record():
                self._film(command)
            case Still(path):
                self._photograph(Path(path))
            case Atlas():
                self._scenery.textures.take(command)
            case _:
                pass  # Stop is the link's; the rest is not for the stage

    def _look(self, now_s: float) -> None:
        """What is looked at now and then: a display that has come, shaders that are new, a picture that is dead."""
        if self._probe and self._probe.found(now_s):
            self._link.say("a display is there: starting the stage again to open a window")
            self._end(DISPLAY_FOUND)
        if changed := self._projection.changed(now_s):
            self._link.say(f"{changed}: starting the stage again to open its window anew")
            self._end(DISPLAY_FOUND)
        silent = now_s - self._heard_s > STALE_S
        self._hanging.look(now_s, 0.0 if silent else self._rms)
        for sentence in (*self._camera.poll(now_s), *self._projection.sentences()):
            self._link.say(sentence)
        if self._hanging.restart_wanted:
            self._end(PICTURE_DIED)

    def _draw(self, due_s: float) -> None:
        """Draw what is heard when the frame due at `due_s` will be seen."""
        offset_s = self._scenery.values.get("/picture/av_offset_ms", 0.0) / 1000.0
        heard_s = due_s + self._setup.display_latency_s - offset_s
        self._next_moment, moments = self._track.since(self._next_moment, heard_s)
        if len(moments):
            self._heard_sample, self._heard_s = int(moments[-1]["sample"]), float(moments[-1]["time_s"])
            self._rms = float(moments[-1]["features"][0])
        late = int((heard_s - self._heard_s) * self._ring.sample_rate_hz)
        end = min(self._heard_sample + late, self._ring.written)
        sound = self._ring.tap(end, self._scenery.samples_wanted)
        self._scenery.draw(heard_s, moments, sound, datetime.now())
        self._drawn_s = heard_s

    def _count(self, cost_s: float) -> None:
        """A frame took so long to draw: the next is begun in time, and if it can't be, made of fewer pixels."""
        self._costs.push(1000.0 * cost_s)
        self._pace.drawn(cost_s)
        size = self._resolution.push(cost_s, time.monotonic())
        if size is not None:
            self._scenery.resize(size)

    def _present(self) -> None:
        """Show the frame when it is due."""
        time.sleep(self._pace.wait_s(time.monotonic()))
        asked_s = time.monotonic()
        self._projection.present(self._scenery.values)
        if self._window is not None and self._window.stop_asked:
            self._link.send(Stop())
            self._window.stop_asked = False
        late_s = self._pace.shown(asked_s, time.monotonic())
        self._camera.shoot(self._canvas.seen, self._drawn_s)
        self._lateness.push(1000.0 * max(0.0, late_s))

    def _film(self, command: Record) -> None:
        """Film from now on, for so long or until told; 0 seconds end it."""
        if command.seconds == 0.0:
            self._camera.cut()
            return
        setup = self._setup
        until_s = None if command.seconds is None else time.monotonic() + command.seconds
        try:
            self._camera.roll(Wanted(setup.films, setup.name, setup.size, setup.fps), until_s)
        except InstallationError as error:
            self._link.say(str(error))

    def _photograph(self, path: Path) -> None:
        try:
            self._camera.still(path)
        except InstallationError as error:
            self._link.say(str(error))

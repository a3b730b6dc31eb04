"""The stage as a process of its own, on a real ring and track: it draws, obeys, survives what is broken, and ends."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from installation import stage
from installation.commands import Pulse, Recall, Said, Set, Stop
from installation.errors import InstallationError
from installation.picture.canvas import Canvas, Step
from installation.picture.finishing import Finish
from installation.picture.frame import Frame
from installation.picture.scenery import Drawing
from installation.picture.shading import isf
from installation.picture.uniforms import FeatureMapping
from installation.picture.wall.window import Window
from installation.ring import Ring
from installation.track import MOMENT, Track

pytestmark = [pytest.mark.gl, pytest.mark.alone]

SPAWN = multiprocessing.get_context("spawn")
GOOD = """/*{"INPUTS": [{"NAME": "rms", "TYPE": "float"}, {"NAME": "wave", "TYPE": "audio"}]}*/
void main() { gl_FragColor = vec4(rms, IMG_THIS_PIXEL(wave).r, 0.0, 1.0); }
"""


@dataclass
class Show:
    """A stage started for a test, and what it said."""

    process: BaseProcess
    pipe: Connection
    pulses: list[Pulse] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    others: list[Any] = field(default_factory=list)

    def until(self, reached: Callable[[], bool], patience_s: float = 20.0) -> None:
        """Listen until `reached`."""
        end_s = time.monotonic() + patience_s
        while not reached():
            assert time.monotonic() < end_s, f"not reached; said {self.said}, {len(self.pulses)} pulses"
            if self.pipe.poll(0.05):
                match message := self.pipe.recv():
                    case Pulse():
                        self.pulses.append(message)
                    case Said():
                        self.said.append(message.sentence)
                    case _:
                        self.others.append(message)

    @property
    def frames(self) -> int:
        return self.pulses[-1].progress if self.pulses else 0

    def draw(self, count: int) -> None:
        """Until `count` more frames are known to be drawn."""
        goal = self.frames + count
        self.until(lambda: self.frames >= goal)

    def ended(self, patience_s: float = 8.0) -> int | None:
        self.process.join(patience_s)
        return self.process.exitcode


@pytest.fixture
def shared() -> Iterator[tuple[Ring, Track]]:
    with Ring.create(48_000, 2, 48_000) as ring, Track.create() as track:
        ring.write(np.full((4800, 2), 0.25, np.float32))
        for index in range(50):
            moment = np.zeros((), MOMENT)
            moment["time_s"], moment["sample"] = time.monotonic() + index * 0.01, index * 100
            moment["features"], moment["latent_dim"], moment["steps"] = 0.5, 16, 64
            track.push(moment)
        yield ring, track


@pytest.fixture
def setup(shared: tuple[Ring, Track], tmp_path: Path) -> stage.StageSetup:
    path = tmp_path / "good.fs"
    path.write_text(GOOD)
    ring, track = shared
    return stage.StageSetup(
        ring=ring.name,
        track=track.name,
        drawing=Drawing.of(path),
        latent_dim=16,
        size=(64, 36),
        fps=60.0,
        headless=True,
    )


@pytest.fixture
def started() -> Iterator[Callable[[stage.StageSetup], Show]]:
    shows: list[Show] = []

    def start(setup: stage.StageSetup) -> Show:
        here, there = SPAWN.Pipe()
        process = SPAWN.Process(target=stage.main, args=(there, setup))
        process.start()
        there.close()
        shows.append(Show(process, here))
        return shows[-1]

    yield start
    for show in shows:
        if show.process.is_alive():
            show.process.kill()
        show.process.join(5.0)
        show.pipe.close()


def test_it_draws_at_its_pace_says_how_it_fares_and_stops_when_told(
    setup: stage.StageSetup, started: Callable[[stage.StageSetup], Show]
) -> None:
    show = started(setup)
    show.draw(1)
    begun_s, first = time.monotonic(), show.frames
    show.until(lambda: time.monotonic() > begun_s + 1.5)
    rate = (show.frames - first) / (time.monotonic() - begun_s)
    assert 15.0 < rate < 70.0, "60 asked for; a busy machine may give fewer, never more"
    figures = show.pulses[-1].figures
    assert figures["frames"] == show.frames
    assert 0.0 < figures["frame_ms"]["p50"] <= figures["frame_ms"]["p99"] <= figures["frame_ms"]["max"]
    assert isinstance(figures["renderer"], str) and figures["renderer"]
    assert figures["window"] is False
    assert show.said == []
    show.pipe.send(Stop())
    assert show.ended() == 0


def test_it_ends_when_its_pipe_closes(setup: stage.StageSetup, started: Callable[[stage.StageSetup], Show]) -> None:
    show = started(setup)
    show.draw(3)
    show.pipe.close()
    assert show.ended() == 0


def test_what_is_broken_is_said_once_and_the_last_good_one_stays(
    setup: stage.StageSetup, started: Callable[[stage.StageSetup], Show], tmp_path: Path
) -> None:
    show = started(setup)
    show.draw(3)
    path = Path(setup.drawing.source.shader)
    path.write_text(GOOD.replace("rms,", "loudness,"))
    show.until(lambda: bool(show.said))
    show.draw(30)
    assert len(show.said) == 1
    assert show.said[0].startswith("good.fs:2: ") and "loudness" in show.said[0]
    show.pipe.send(stage.Show(Drawing.of(tmp_path / "missing.fs")))
    show.until(lambda: len(show.said) == 2)
    show.pipe.send(stage.Show(Drawing.of(Path(setup.drawing.source.shader), (FeatureMapping("rsm", "rms"),))))
    show.until(lambda: len(show.said) == 3)
    for command in (Set("/picture/hue", 0.3), Set("/master/blackout", 1.0), Set("/voice/gain", 3.0), Recall("x")):
        show.pipe.send(command)
    show.draw(10)
    assert len(show.said) == 3
    show.pipe.send(Stop())
    assert show.ended() == 0


def test_a_show_that_begins_broken_waits_for_the_file_to_be_mended(
    setup: stage.StageSetup, started: Callable[[stage.StageSetup], Show]
) -> None:
    path = Path(setup.drawing.source.shader)
    path.write_text("/*{}*/ nonsense")
    show = started(setup)
    show.draw(20)
    assert len(show.said) == 1
    path.write_text("/*{}*/ other nonsense, so it was read again")
    show.until(lambda: len(show.said) == 2)
    path.write_text(GOOD)
    show.draw(40)
    path.write_text("/*{}*/ broken again, so it was good before")
    show.until(lambda: len(show.said) == 3)


def test_without_its_shared_memory_it_says_so_and_ends(
    setup: stage.StageSetup, started: Callable[[stage.StageSetup], Show]
) -> None:
    show = started(replace(setup, ring="nosuchring"))
    show.until(lambda: bool(show.said))
    assert "nosuchring" in show.said[0]
    assert show.ended() == 2


def test_without_a_display_it_says_why_and_draws_unseen(
    setup: stage.StageSetup, started: Callable[[stage.StageSetup], Show], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "SDL_VIDEODRIVER"):
        monkeypatch.delenv(name, raising=False)
    show = started(replace(setup, headless=False))
    show.draw(5)
    assert len(show.said) == 1
    assert "no window" in show.said[0] and "unseen" in show.said[0]
    assert show.pulses[-1].figures["window"] is False


@pytest.fixture
def x_display() -> Iterator[str]:
    """An X server of its own."""
    if shutil.which("Xvfb") is None:
        pytest.skip("Xvfb is not installed")
    read, write = os.pipe()
    order = ["Xvfb", "-displayfd", str(write), "-screen", "0", "320x240x24", "+extension", "GLX", "-nolisten", "tcp"]
    quiet = subprocess.DEVNULL
    with subprocess.Popen(order, pass_fds=(write,), stdout=quiet, stderr=quiet) as server:
        os.close(write)
        with os.fdopen(read) as said:
            number = said.readline().strip()
        yield f":{number}"
        server.terminate()


def look_through_a_window() -> None:
    """In a process of its own: Xlib ends the whole process when a GLX window is opened after an EGL context."""
    with Window((200, 100), "a window") as window, Canvas((100, 100), "window") as canvas:
        assert window.size == (200, 100)
        shader = isf.read("/*{}*/void main() { gl_FragColor = vec4(isf_FragNormCoord.y, 0.2, 1.0, 1.0); }", "x.fs")
        program = canvas.compile(shader)
        canvas.draw([Step(program, Frame())], Finish(guard=False))
        program.release()
        canvas.present(window.size)
        shown = canvas.presented(window.size)
        assert shown[:, :50].max() == 0 and shown[:, 150:].max() == 0, "black beside a picture of other proportions"
        np.testing.assert_array_equal(shown[:, 50:150], canvas.read())
        assert canvas.read()[0, 0, 0] > 250 > 5 > canvas.read()[-1, 0, 0], "upright"
        window.flip()
        assert not window.stop_asked
        pygame = window._pygame
        pygame.event.post(pygame.event.Event(pygame.KEYDOWN, key=pygame.K_ESCAPE))
        window.flip()
        assert window.stop_asked


def test_a_window_opens_shows_what_is_drawn_and_asks_to_stop_when_closed(
    x_display: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DISPLAY", x_display)
    monkeypatch.delenv("SDL_VIDEODRIVER", raising=False)
    process = SPAWN.Process(target=look_through_a_window)
    process.start()
    process.join(20.0)
    assert process.exitcode == 0


def test_the_stage_opens_its_window(
    setup: stage.StageSetup,
    started: Callable[[stage.StageSetup], Show],
    x_display: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DISPLAY", x_display)
    monkeypatch.delenv("SDL_VIDEODRIVER", raising=False)
    show = started(replace(setup, headless=False, fullscreen=True))
    show.draw(5)
    assert show.pulses[-1].figures["window"] is True
    assert show.said == []
    show.pipe.send(Stop())
    assert show.ended() == 0


def test_a_driver_without_opengl_is_refused_with_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    with pytest.raises(InstallationError, match=r"no window: .*OpenGL"), Window((64, 64), "never"):
        pass

"""What hangs on the wall: tried before it is seen, watched while it is, and never nothing."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from installation.hanging import Hanging
from installation.picture.admission import safe
from installation.picture.canvas import Canvas
from installation.picture.scenery import Drawing, Scenery
from installation.track import MOMENT

pytestmark = [pytest.mark.gl, pytest.mark.alone]

NOTHING = np.zeros(0, MOMENT)
LOUD = 0.1


class Wall:
    """A canvas, what hangs on it, what is said, and a clock of its own that the trials' processes do not wait for."""

    def __init__(self, canvas: Canvas, state: Path | None = None) -> None:
        self.canvas, self.said = canvas, list[str]()
        self.scenery = Scenery(canvas, 16, {"/picture/flash_guard": 0.0})
        self.hanging = Hanging(self.scenery, canvas, state, self.said.append)
        self.now_s = 1000.0

    def want(self, path: Path) -> None:
        self.hanging.want(Drawing.of(path), self.now_s)

    def pass_by(self, seconds: float, rms: float = 0.0, step_s: float = 0.25) -> None:
        """So long, as the stage sees it."""
        for _ in range(max(1, round(seconds / step_s))):
            self.now_s += step_s
            self.hanging.look(self.now_s, rms)
            self.scenery.draw(self.now_s, NOTHING)

    def until(self, shown: str = "", said: int = 0, patience_s: float = 30.0) -> None:
        """Until this shader hangs, or so many sentences are said."""
        end_s = time.monotonic() + patience_s
        while (shown and self.shown != shown) or len(self.said) < said:
            assert time.monotonic() < end_s, (self.shown, self.said)
            time.sleep(0.02)
            self.pass_by(0.02, step_s=0.02)

    @property
    def shown(self) -> str:
        return str(self.hanging.figures()["shader"])

    @property
    def value(self) -> int:
        return int(np.median(self.canvas.read()))


@pytest.fixture
def canvas() -> Iterator[Canvas]:
    with Canvas((32, 18)) as canvas:
        yield canvas


@pytest.fixture
def wall(canvas: Canvas) -> Iterator[Wall]:
    wall = Wall(canvas)
    yield wall
    wall.hanging.close()
    wall.scenery.close()


def shader(folder: Path, name: str, light: str) -> Path:
    path = folder / name
    path.write_text(f"/*{{}}*/void main() {{ gl_FragColor = vec4(vec3({light}), 1.0); }}")
    return path


def test_the_first_hangs_at_once_and_the_next_when_it_was_tried(wall: Wall, tmp_path: Path) -> None:
    wall.want(shader(tmp_path, "one.fs", "0.2 + 0.0 * TIME"))
    wall.pass_by(0.1)
    assert (wall.shown, wall.value) == ("one.fs", 51)
    wall.want(shader(tmp_path, "two.fs", "0.4"))
    wall.pass_by(0.1)
    assert (wall.shown, wall.value) == ("one.fs", 51), "it is being tried"
    wall.until(shown="two.fs")
    wall.pass_by(0.1)
    assert (wall.value, wall.said) == (102, [])


def test_what_fails_its_trial_is_not_seen_and_held_with_the_evidence(canvas: Canvas, tmp_path: Path) -> None:
    wall = Wall(canvas, tmp_path / "state")
    wall.want(shader(tmp_path, "one.fs", "0.2"))
    lost = shader(tmp_path, "lost.fs", "sqrt(-1.0 - TIME)")
    wall.want(lost)
    wall.until(said=1)
    assert (wall.shown, wall.value) == ("one.fs", 51)
    assert "lost.fs" in wall.said[0] and "10 min" in wall.said[0]
    wall.want(lost)
    assert len(wall.said) == 2 and "quarantine" in wall.said[1]
    wall.hanging.close()
    assert any("sqrt(-1.0" in path.read_text() for path in (tmp_path / "state").rglob("*") if path.is_file())
    wall.scenery.close()


def test_a_file_that_changes_is_drawn_when_it_was_tried_and_keeps_what_it_drew(wall: Wall, tmp_path: Path) -> None:
    path = tmp_path / "sum.fs"
    text = """/*{{"PASSES": [{{"TARGET": "sum", "PERSISTENT": true, "FLOAT": true}}, {{}}]}}*/
    void main() {{
        vec4 before = FRAMEINDEX == 0 ? vec4(0.0) : IMG_THIS_PIXEL(sum);
        gl_FragColor = PASSINDEX == 0 ? before + 0.001 : vec4({}, fract(before.g), 1.0, 1.0);
    }}"""
    path.write_text(text.format("0.0"))
    wall.want(path)
    wall.pass_by(5.0, step_s=0.1)
    before = wall.canvas.read()[0, 0]
    path.write_text(text.format("nonsense"))
    wall.until(said=1)
    assert wall.said[0].startswith("sum.fs:4: ")
    path.write_text(text.format("1.0"))
    end_s = time.monotonic() + 30.0
    while wall.canvas.read()[0, 0, 0] < 255 and time.monotonic() < end_s:
        time.sleep(0.02)
        wall.pass_by(0.02, step_s=0.02)
    after = wall.canvas.read()[0, 0]
    assert after[0] == 255 and after[1] >= before[1], "what it had drawn is still there"


def test_where_nothing_good_is_there_the_safe_picture_hangs(wall: Wall, tmp_path: Path) -> None:
    broken = tmp_path / "broken.fs"
    broken.write_text("/*{}*/ nonsense")
    wall.want(broken)
    wall.pass_by(0.5)
    assert wall.shown == safe.PATH.name
    assert len(wall.said) == 1
    shader(tmp_path, "broken.fs", "0.2")
    wall.until(shown="broken.fs")


@pytest.mark.parametrize("address", ["/picture/brightness", "/picture/ceiling"])
@pytest.mark.parametrize("dims", ["", '"INPUTS": [{"NAME": "brightness", "TYPE": "float", "MIN": 0, "MAX": 1}]'])
def test_a_picture_that_is_turned_down_is_not_dead(wall: Wall, tmp_path: Path, address: str, dims: str) -> None:
    """Whether the show dims it or the shader does so by itself."""
    path = tmp_path / "moves.fs"
    light = "brightness" if dims else "1.0"
    body = f"gl_FragColor = vec4(vec3({light} * (0.5 + 0.5 * sin(TIME))), 1.0);"
    path.write_text(f"/*{{{dims}}}*/void main() {{ {body} }}")
    wall.want(path)
    wall.scenery.set(address, 0.1)
    wall.pass_by(200.0, LOUD)
    assert wall.said == [] and wall.shown == "moves.fs"


def test_a_picture_that_stays_black_while_there_is_sound_is_replaced(wall: Wall, tmp_path: Path) -> None:
    wall.want(shader(tmp_path, "black.fs", "0.0"))
    wall.pass_by(300.0, rms=0.0)
    assert wall.said == [], "in silence it may be black"
    wall.pass_by(30.0, LOUD)
    assert len(wall.said) == 1 and "black" in wall.said[0]
    wall.pass_by(120.0, LOUD)
    assert wall.shown == safe.PATH.name
    assert not wall.hanging.restart_wanted

"""Several outputs: a picture on two real outputs of an X server, by one window or by a process each; and what a scene
may say of them."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.synchronize import Event
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from installation import setups
from installation.errors import InstallationError, SceneError
from installation.picture.canvas import Canvas, Step
from installation.picture.finishing import Finish
from installation.picture.frame import Frame
from installation.picture.shading import isf
from installation.picture.wall import displays
from installation.picture.wall.displays import Display
from installation.picture.wall.lookout import LOOK_S, Lookout
from installation.picture.wall.output import Output
from installation.picture.wall.projection import Projection
from installation.picture.wall.randr import Monitor
from installation.picture.wall.window import Window, all_displays, display_there
from installation.scene import Scene
from installation.schema import read
from tests import xorg

pytestmark = pytest.mark.alone

SPAWN = multiprocessing.get_context("spawn")
SIZE = (640, 240)
"""The picture's: as much as both outputs together."""
SHADER = """/*{}*/
void main() {
    vec2 at = floor(gl_FragCoord.xy / 20.0);
    gl_FragColor = vec4(at.x / 31.0, at.y / 11.0, mod(at.x + at.y, 2.0), 1.0);
}"""
LEFT, RIGHT = (0.0, 0.0, 0.5, 1.0), (0.5, 0.0, 0.5, 1.0)
RGB = npt.NDArray[np.uint8]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[xorg.Screens]:
    reason = xorg.why_not()
    if reason:
        pytest.skip(reason)
    with xorg.two_outputs(tmp_path_factory.mktemp("xorg")) as screens:
        yield screens


@pytest.fixture
def screens(server: xorg.Screens, monkeypatch: pytest.MonkeyPatch) -> xorg.Screens:
    monkeypatch.setenv("DISPLAY", server.display)
    for name in ("SDL_VIDEODRIVER", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    server.plug()
    return server


@pytest.fixture(scope="module")
def picture() -> RGB:
    """What is shown, whole."""
    with Canvas(SIZE) as canvas:
        _draw(canvas)
        return canvas.read()


def _draw(canvas: Canvas) -> None:
    program = canvas.compile(isf.read(SHADER, "tiles.fs"))
    canvas.draw([Step(program, Frame())], Finish(guard=False))
    program.release()


def project(outputs: tuple[Output, ...], values: dict[str, float], end: Event) -> None:
    """A process that shows the picture on its outputs until `end`."""
    numbers = tuple(range(1, 1 + len(outputs)))
    with Window(SIZE, "wall", over=tuple(each.display for each in outputs)) as window, Canvas(SIZE, "window") as canvas:
        _draw(canvas)
        projection = Projection(canvas, window, outputs, numbers)
        while not end.wait(0.02):
            projection.present(values)
        projection.release()


@contextmanager
def shown(*processes: tuple[Output, ...], values: dict[str, float] | None = None) -> Iterator[None]:
    """A process for each of these groups of outputs."""
    end = SPAWN.Event()
    started = [SPAWN.Process(target=project, args=(outputs, values or {}, end)) for outputs in processes]
    for process in started:
        process.start()
    try:
        yield
    finally:
        end.set()
        for process in started:
            process.join(10.0)
            process.kill()
    assert [process.exitcode for process in started] == [0] * len(started)


@pytest.mark.gl
def test_displays_have_the_names_and_places_x_gives_them(screens: xorg.Screens) -> None:
    left, right = all_displays()
    assert (left.name, *left.place) == ("DUMMY0", 0, 0, *xorg.SIZE)
    assert (right.name, *right.place) == ("DUMMY1", xorg.SIZE[0], 0, *xorg.SIZE)
    assert display_there() and display_there("dummy1") and display_there(1)
    assert not display_there(2) and not display_there("HDMI-1")
    screens.unplug()
    assert [each.name for each in all_displays()] == ["DUMMY0"]
    assert not display_there("DUMMY1")


@pytest.mark.gl
def test_one_window_spans_two_outputs_each_with_its_half(screens: xorg.Screens, picture: RGB) -> None:
    with shown((Output("DUMMY1", LEFT, rotate=180), Output("DUMMY0", RIGHT, flip="vertical"))):
        wanted = np.rot90(picture[:, :320], 2)
        np.testing.assert_array_equal(screens.until(1, wanted), wanted)
        np.testing.assert_array_equal(screens.seen(0), picture[::-1, 320:])


@pytest.mark.gl
def test_a_process_for_each_output_fills_its_display(screens: xorg.Screens, picture: RGB) -> None:
    with shown((Output(0, LEFT),), (Output(1, RIGHT),)):
        np.testing.assert_array_equal(screens.until(0, picture[:, :320]), picture[:, :320])
        np.testing.assert_array_equal(screens.until(1, picture[:, 320:]), picture[:, 320:])


def _box(left: float, top: float, right: float, bottom: float) -> tuple[tuple[float, float], ...]:
    """The corners of a part of an output, in its px."""
    width, height = xorg.SIZE
    x, y = (left / width, right / width), (top / height, bottom / height)
    return ((x[0], y[0]), (x[1], y[0]), (x[1], y[1]), (x[0], y[1]))


@pytest.mark.gl
def test_a_quarter_turn_lies_on_the_wall_where_its_corners_are_put(screens: xorg.Screens, picture: RGB) -> None:
    wanted = np.zeros((240, 320, 3), np.uint8)
    wanted[30:210, 40:280] = np.rot90(picture[:, :180], -1)
    with shown((Output(1, (0.0, 0.0, 0.28125, 1.0), 90, corners=_box(40, 30, 280, 210)),)):
        np.testing.assert_array_equal(screens.until(1, wanted), wanted)


@pytest.mark.gl
def test_corners_are_moved_by_their_parameters(screens: xorg.Screens, picture: RGB) -> None:
    """The left side goes a quarter to the right: what was 320 px wide is 240."""
    values = {f"/picture/output/1/corner/{corner}/x": 0.25 for corner in (1, 4)}
    source = (np.arange(80, 320) + 0.5 - 80) * 320 / 240
    inside = np.abs((source + 10) % 20 - 10) > 2  # away from where tiles meet
    with shown((Output(0, LEFT),), values=values):
        seen = screens.until(0, lambda seen: bool(seen.any() and not seen[:, :79].any()))
    assert seen[:, :80].max() == 0
    wanted = picture[:, source.astype(int)]
    assert np.abs(seen[:, 80:][:, inside].astype(int) - wanted[:, inside].astype(int)).max() <= 2


@pytest.mark.gl
def test_a_window_over_two_displays_shows_on_the_one_that_is_there(screens: xorg.Screens, picture: RGB) -> None:
    screens.unplug()
    with shown((Output("DUMMY0", LEFT), Output("DUMMY1", RIGHT))):
        np.testing.assert_array_equal(screens.until(0, picture[:, :320]), picture[:, :320])


@pytest.mark.gl
def test_a_window_can_be_closed_when_its_display_has_gone(screens: xorg.Screens, picture: RGB) -> None:
    """What SDL then asks of the output is an error of X, and those end a process on the spot."""
    with shown((Output(1, RIGHT),)):
        np.testing.assert_array_equal(screens.until(1, picture[:, 320:]), picture[:, 320:])
        screens.unplug()


@pytest.mark.gl
def test_a_display_that_is_unplugged_is_missed_and_seen_when_it_is_back(screens: xorg.Screens) -> None:
    left, right = all_displays()
    lookouts = {"left": Lookout([left.place], False), "both": Lookout([left.place, right.place], False)}
    assert [each.changed(0.0) for each in lookouts.values()] == [None, None]
    screens.unplug()
    assert [each.changed(LOOK_S) for each in lookouts.values()] == [None, "display DUMMY1 is gone"]
    waits = Lookout([left.place], True)
    assert waits.changed(0.0) is None
    screens.plug()
    assert waits.changed(LOOK_S - 0.1) is None, "not before it is time to look"
    assert waits.changed(LOOK_S) == "display DUMMY1 has come"


WALL = Monitor("HDMI-1", 0, 0, 1920, 1080)


def test_a_lookout_notices_what_concerns_its_window_only() -> None:
    other = Monitor("HDMI-2", 1920, 0, 1280, 720)
    cases: list[tuple[tuple[Monitor, ...] | None, str | None]] = [
        ((WALL, other), None),
        ((WALL,), None),
        ((WALL, other._replace(width=640)), None),
        (None, None),
        ((other,), "display HDMI-1 is gone"),
        ((), "display HDMI-1 is gone"),
        ((WALL._replace(width=1280, height=720),), "display HDMI-1 is now 1280 x 720 at 0, 0"),
        ((WALL._replace(left=640), other), "display HDMI-1 is now 1920 x 1080 at 640, 0"),
    ]
    for lit, sentence in cases:
        said = iter([(WALL, other), lit])
        lookout = Lookout([WALL[1:]], False, lambda said=said: next(said))  # type: ignore[misc]
        assert lookout.changed(10.0) is None
        assert lookout.changed(10.0 + LOOK_S) == sentence


def test_nothing_is_missed_where_nobody_knows_what_is_lit() -> None:
    lookout = Lookout([WALL[1:]], True, lambda: None)
    assert [lookout.changed(each * LOOK_S) for each in range(4)] == [None] * 4


THERE = (
    Display(0, "eDP-1", 0, 0, 1920, 1080, 'Panel 14"'),
    Display(1, "HDMI-1", 1920, 0, 1280, 720, "Acme X1"),
    Display(2, "HDMI-2", 3200, 0, 1280, 720, "Acme X1"),
)


@pytest.mark.parametrize(
    ("wanted", "number"), [(0, 0), (2, 2), ("hdmi-2", 2), ("HDMI-1", 1), ("HDMI", 1), ("acme", 1), ("Panel", 0)]
)
def test_a_display_is_chosen_by_number_by_name_or_by_its_beginning(wanted: int | str, number: int) -> None:
    assert displays.choose(THERE, wanted).number == number


@pytest.mark.parametrize("wanted", [3, -1, "HDMI-3", "", "1"])
def test_a_display_that_is_not_there_is_refused_with_those_that_are(wanted: int | str) -> None:
    with pytest.raises(InstallationError, match=r"no display .*there are eDP-1, HDMI-1, HDMI-2"):
        displays.choose(THERE, wanted)


def test_without_any_display_that_is_said() -> None:
    with pytest.raises(InstallationError, match=r"no display 0; there are none"):
        displays.choose((), 0)


def scene(picture: str) -> Scene:
    return read(f"name: wall\npicture:\n  {picture}\n".encode(), Path("wall.yaml"))


def test_a_scene_says_what_each_output_shows() -> None:
    written = "{display: HDMI-1, crop: [0, 0, 0.5, 1], rotate: 90, flip: horizontal, gamma: 1.2}"
    pinned = "{display: 1, corners: [[0, 0], [1, 0.1], [0.9, 1], [0, 0.8]]}"
    first, second = (each[0] for each in setups.outputs_of(scene(f"outputs: [{written}, {pinned}]")))
    assert first == (1, Output("HDMI-1", LEFT, 90, "horizontal", None, 1.2))
    assert second == (2, Output(1, corners=((0.0, 0.0), (1.0, 0.1), (0.9, 1.0), (0.0, 0.8))))


def test_outputs_are_spanned_by_one_stage_or_have_one_each() -> None:
    three = "outputs: [{display: 0}, {display: 1}, {display: HDMI-3}]"
    assert [len(each) for each in setups.outputs_of(scene(three))] == [1, 1, 1]
    assert [len(each) for each in setups.outputs_of(scene(f"span: true\n  {three}"))] == [3]
    assert setups.outputs_of(scene("width: 640")) == ((),)


@pytest.mark.parametrize(
    ("output", "sentence"),
    [
        ("crop: [0.5, 0, 0.6, 1]", "not .left, top, width, height. of a part"),
        ("crop: [0, 0, 0, 1]", "not .left, top, width, height. of a part"),
        ("rotate: 45", "45 is not allowed; allowed are 0, 90, 180, 270"),
        ("flip: both", "allowed are none, horizontal, vertical"),
        ("gamma: 9", r"9 is outside 0.2..5"),
        ("display: -1", r"-1 is outside 0..63"),
        ("display: true", "got true or false, allowed is a display's number"),
        ("corners: [[0, 0], [1, 1], [1, 0], [0, 1]]", "corners cross over"),
        ("corners: [[0, 0], [1, 0], [0.2, 0.2], [0, 1]]", "corners cross over"),
        ("corners: [[0, 0], [0.5, 0], [1, 0], [0, 1]]", "three lie on one line"),
        ("corners: [[0, 0], [0, 1], [1, 1], [1, 0]]", "anticlockwise"),
        ("corners: [[0, 0], [3, 0], [1, 1], [0, 1]]", r"3 is outside -1..2"),
        ("corners: [[0, 0], [.nan, 0], [1, 1], [0, 1]]", "finite"),
    ],
)
def test_an_output_that_makes_no_sense_is_refused_at_its_line(output: str, sentence: str) -> None:
    with pytest.raises(SceneError, match=rf"wall.yaml:3:\d+: picture.outputs.0.*{sentence}"):
        scene(f"outputs: [{{{output}}}]")


def test_two_outputs_on_one_display_are_refused() -> None:
    with pytest.raises(SceneError, match="outputs 1 and 2 are on the same display, 'hdmi-1'"):
        scene("outputs: [{display: HDMI-1}, {display: hdmi-1}]")


def test_every_corner_of_every_output_is_a_knob_a_controller_may_turn() -> None:
    midi = "midi: [{device: pads, controls: {cc 1: /picture/output/2/corner/3/x}}]"
    text = f"name: wall\npicture: {{outputs: [{{display: 0}}, {{display: 1}}]}}\n{midi}\n"
    made = read(text.encode(), Path("wall.yaml"))
    declared = setups.scene_parameters(made, setups.scene_models(made))
    knobs = [address for address in declared if address.startswith("/picture/output/")]
    assert len(knobs) == 2 * 4 * 2 and "/picture/output/2/corner/3/x" in knobs
    with pytest.raises(SceneError, match="no such parameter"):
        read(text.replace("output/2", "output/3").encode(), Path("wall.yaml"))

"""The flash guard, drawn for real and judged by who knows nothing of it: no strobe gets past, and what is calm passes
bit for bit."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from installation import preview
from installation.analysis.features import Analyser
from installation.picture.canvas import Canvas, Step
from installation.picture.finishing import Finish
from installation.picture.flashes import judged
from installation.picture.flashguard import FlashGuard
from installation.picture.frame import Frame
from installation.picture.scenery import Drawing, Scenery
from installation.picture.shading import isf
from installation.track import Moments
from tests.strobes import COLOURS, SHAPES, Strobe

pytestmark = pytest.mark.gl

SIZE = (96, 54)
SHADERS = Path(__file__).resolve().parent.parent / "shaders"
GREY = isf.read(
    '/*{"INPUTS": [{"NAME": "v", "TYPE": "float"}]}*/\nvoid main() { gl_FragColor = vec4(vec3(v), 1.0); }', "g.fs"
)


def times(seconds: float, fps: float = 30.0) -> npt.NDArray[np.float64]:
    return np.arange(int(seconds * fps)) / fps


def shown(
    light: Callable[[float], float], times_s: npt.NDArray[np.float64], guard: bool = True
) -> npt.NDArray[np.uint8]:
    """The picture's middle at `times_s`, where `light` (display-encoded) is wanted."""
    values = []
    with Canvas(SIZE) as canvas:
        program, last_s = canvas.compile(GREY), times_s[0]
        for now_s in times_s:
            canvas.draw([Step(program, Frame(values={"v": light(now_s)}))], Finish(guard=guard, delta_s=now_s - last_s))
            values.append(canvas.read()[27, 48, 0])
            last_s = now_s
        program.release()
    return np.array(values)


def square(hz: float) -> Callable[[float], float]:
    return lambda now_s: 1.0 if (now_s * hz + 1e-6) % 1.0 < 0.5 else 0.0


# No strobe gets past


@pytest.mark.parametrize("shape", SHAPES)
def test_no_strobe_gets_past(shape: str) -> None:
    """The rates are such that four flashes fit into a second many times over."""
    times_s = times(2.0)
    assert judged(Strobe(SHAPES[shape], hz=6.0).film(SIZE, times_s), times_s).allowed


@pytest.mark.parametrize("colours", COLOURS)
def test_no_colours_get_past(colours: str) -> None:
    times_s = times(2.0)
    strobe = Strobe(SHAPES["whole"], hz=7.5, colours=colours)
    assert judged(strobe.film((48, 27), times_s), times_s).allowed
    assert not judged(strobe.film((48, 27), times_s, guard=False), times_s).allowed


@pytest.mark.parametrize("fps", [25.0, 60.0, 144.0])
@pytest.mark.parametrize(("hz", "duty"), [(3.3, 0.1), (4.0, 0.5), (11.9, 0.8)])
def test_no_rate_gets_past(fps: float, hz: float, duty: float) -> None:
    times_s = times(1.8, fps)
    assert judged(Strobe(SHAPES["halves in turn"], hz, duty).film((48, 27), times_s), times_s).allowed


def test_none_gets_past_frames_that_come_when_they_can() -> None:
    times_s = np.cumsum(np.random.default_rng(4).uniform(0.004, 0.11, 80))
    assert judged(Strobe(SHAPES["quarters in turn"], 5.1, 0.3).film(SIZE, times_s), times_s).allowed


def test_a_blackout_that_is_switched_to_and_fro_is_a_strobe_too() -> None:
    times_s = times(2.0)
    gains = [float(int(now_s * 10.0) % 2) for now_s in times_s]
    strobe = Strobe("return vec3(uv, 0.5);")
    assert judged(strobe.film(SIZE, times_s, gains=gains), times_s).allowed
    assert not judged(strobe.film(SIZE, times_s, guard=False, gains=gains), times_s).allowed


def test_other_shaders_and_sizes_do_not_let_it_past() -> None:
    """Each frame another shader, and another size now and then."""
    black, white = Strobe("return vec3(0.0);").shader, Strobe("return vec3(1.0);").shader
    times_s, film = times(2.5), []
    with Canvas(SIZE) as canvas:
        programs = [canvas.compile(black), canvas.compile(white)]
        for index in range(len(times_s)):
            if index % 20 == 19:
                canvas.resize((SIZE[0] + index, SIZE[1]))
                for each in programs:
                    each.resize(canvas.size)
            canvas.draw([Step(programs[index // 2 % 2], Frame())], Finish(delta_s=1 / 30))
            film.append(canvas.read()[:, : SIZE[0]])
        for each in programs:
            each.release()
    assert judged(film, times_s).allowed


@pytest.mark.parametrize("after", ["vec3(1.0, 0.0, 0.0)", "vec3(0.0, 1.0, 1.0)"])
@pytest.mark.parametrize("before", ["vec3(0.0)", "vec3(1.0, 0.0, 0.0)"])
@pytest.mark.parametrize("fps", [30.0, 60.0])
def test_what_is_held_does_not_flash_red_by_itself(before: str, after: str, fps: float) -> None:
    """Six changes between red and rose, and then one colour that stays, towards which a held picture goes."""
    strobe = Strobe(
        f"""float frame = TIME * {fps:.1f} - 2.0 * {fps:.1f} + 0.5;
        if (frame < 0.0) return {before};
        if (frame >= 6.0) return {after};
        return mod(floor(frame), 2.0) < 1.0 ? vec3(1.0, 0.0, 0.0) : vec3(1.0, 0.737, 0.737);"""
    )
    times_s = times(5.0, fps)
    assert judged(strobe.film((48, 27), times_s), times_s).allowed


@pytest.mark.long
def test_no_strobe_gets_past_whatever_it_is() -> None:
    """Shapes, colours, rates, duties, frame rates and sizes by chance."""
    rng = np.random.default_rng(8)
    for _ in range(150):
        strobe = Strobe(
            SHAPES[rng.choice(list(SHAPES))],
            float(np.exp(rng.uniform(0.0, np.log(30.0)))),
            float(rng.uniform(0.08, 0.92)),
            str(rng.choice(list(COLOURS))),
        )
        fps = float(rng.choice([25.0, 30.0, 50.0, 60.0, 144.0]))
        times_s = times(3.5, fps) if rng.random() < 0.7 else np.cumsum(rng.uniform(0.2, 1.8, int(3.5 * fps)) / fps)
        size = ((96, 54), (160, 90), (144, 108), (320, 180))[rng.integers(4)]
        assert judged(strobe.film(size, times_s), times_s).allowed, (strobe, fps, size)


# What is calm passes


@pytest.mark.parametrize(
    "light",
    [
        square(2.0),
        square(2.3),
        lambda now_s: 0.5 + 0.5 * np.sin(now_s * 2 * np.pi * 2.3),
        lambda now_s: 1.0 if now_s > 1.0 else 0.0,
        lambda now_s: now_s / 4.0,
        lambda now_s: 1.0 - 0.95 * abs(np.sin(now_s * 3.0)),
        lambda now_s: 0.5 + 0.03 * float(int(now_s * 30.0) % 2),
        lambda now_s: 0.91 + 0.09 * float(int(now_s * 30.0) % 2),
    ],
    ids=["two flashes a second", "138 beats a minute", "a sine", "a cut", "a fade", "breath", "a shimmer", "in whites"],
)
def test_what_is_calm_passes_as_it_is(light: Callable[[float], float]) -> None:
    times_s = times(3.0)
    np.testing.assert_array_equal(shown(light, times_s), shown(light, times_s, guard=False))


def test_a_small_part_may_do_as_it_likes() -> None:
    """A tenth of a ninth."""
    strobe, times_s = (
        Strobe("return max(abs(uv.x - 0.3), abs(uv.y - 0.6)) < 0.05 ? pick(on(0.0)) : vec3(0.2);"),
        times(2.0),
    )
    for guarded, free in zip(list(strobe.film(SIZE, times_s)), strobe.film(SIZE, times_s, guard=False), strict=True):
        np.testing.assert_array_equal(guarded, free)


@pytest.fixture(scope="module")
def played() -> Moments:
    """What is heard of the sound that previews play: two beats and four notes a second."""
    analyser = Analyser(preview.RATE_HZ, preview.CHANNELS)
    return preview.moments(analyser.push(preview.sounding(0, 5 * preview.RATE_HZ)))


@pytest.mark.parametrize("path", sorted(SHADERS.glob("*.fs")), ids=lambda path: path.stem)
def test_shaders_we_ship_pass_as_they_are(path: Path, played: Moments) -> None:
    films: list[list[npt.NDArray[np.uint8]]] = []
    for guard in (0.0, 1.0):
        with Canvas(SIZE) as canvas:
            scenery, number = Scenery(canvas, preview.LATENT_DIM, {"/picture/flash_guard": guard}), 0
            scenery.show(Drawing.of(path))
            films.append([])
            for now_s in times(4.0):
                until = int(np.searchsorted(played["time_s"], now_s, side="right"))
                scenery.draw(float(now_s), played[number:until])
                films[-1].append(canvas.read())
                number = until
            scenery.close()
    np.testing.assert_array_equal(films[0], films[1])


# How it holds


def test_a_strobe_that_is_held_stands_still_and_nears_its_mean() -> None:
    seen = (shown(square(8.0), times(10.0))[-90:] / 255.0) ** 2.2
    assert np.abs(np.diff(seen)).max() < 0.01
    assert 0.15 < seen.min() < seen.max() < 0.85


def test_the_canvas_says_whether_it_is_held_and_not_with_the_guard_off() -> None:
    with Canvas(SIZE) as canvas:
        program, said = canvas.compile(GREY), []
        for index in range(90):
            values, guard = {"v": float(index // 2 % 2)}, index < 60
            canvas.draw([Step(program, Frame(values=values))], Finish(guard=guard, delta_s=1 / 30))
            said.append(canvas.holding)
        program.release()
    assert not any(said[:10]) and all(said[40:60]) and not any(said[60:])


def test_it_lets_go_once_what_is_wanted_is_calm() -> None:
    def light(now_s: float) -> float:
        return square(8.0)(now_s) if now_s < 2.0 else 0.4

    times_s = times(6.0)
    seen, free = shown(light, times_s), shown(light, times_s, guard=False)
    assert seen[75] != free[75]
    np.testing.assert_array_equal(seen[-30:], free[-30:])


def test_it_still_holds_after_a_minute_of_strobe() -> None:
    """And its 16-bit clock turned over more than three times."""
    seen = shown(square(6.0), times(60.0, 24.0))[-480:]
    assert np.abs(np.diff(seen.astype(int))).max() <= 4


def test_time_that_stands_still_moves_nothing_that_is_held() -> None:
    with Canvas(SIZE) as canvas:
        program, seen = canvas.compile(GREY), []
        for index in range(60):
            values = {"v": float(index // 2 % 2)}
            canvas.draw([Step(program, Frame(values=values))], Finish(delta_s=1 / 30 if index < 30 else 0.0))
            seen.append(int(canvas.read()[27, 48, 0]))
        program.release()
    assert np.ptp(seen[30:]) <= 1


def test_without_it_a_strobe_is_what_it_was() -> None:
    times_s = times(1.0)
    assert set(shown(square(6.0), times_s, guard=False)) == {0, 255}


def test_the_thumbnail_is_the_picture_upright() -> None:
    body = "void main() { gl_FragColor = vec4(vec3(isf_FragNormCoord.y > 0.5 ? 1.0 : 0.0), 1.0); }"
    with Canvas(SIZE) as canvas:
        program = canvas.compile(isf.read(f"/*{{}}*/\n{body}", "half.fs"))
        canvas.draw([Step(program, Frame())], Finish())
        small = canvas.thumbnail()
        program.release()
    assert small.shape == (45, 75)
    assert small[:20].min() > 0.99
    assert small[25:].max() < 0.01


def test_nothing_is_held_at_first() -> None:
    with Canvas(SIZE) as canvas:
        guard = FlashGuard(canvas.context, SIZE)
        assert guard.held == 0.0
        guard.release()

"""Pictures fetched late are the pictures that were drawn, right way up; films and stills of a show that goes on."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from installation.errors import RenderError
from installation.picture.canvas import Canvas
from installation.picture.films.camera import STILLS_AT_ONCE, Camera
from installation.picture.films.filming import Wanted
from installation.picture.films.readback import BUFFERS, Readback
from installation.picture.films.slots import upright
from installation.ring import Ring

pytestmark = [pytest.mark.gl, pytest.mark.alone]

SIZE = (20, 12)
RATE_HZ, FPS = 48_000, 25.0
FRAME = int(RATE_HZ / FPS)


@pytest.fixture(scope="module")
def canvas() -> Iterator[Canvas]:
    with Canvas(SIZE) as opened:
        yield opened


def pictures(count: int, size: tuple[int, int] = SIZE) -> list[np.ndarray]:
    """Pictures of noise, (height, width, 4), row 0 at the bottom."""
    values = np.random.default_rng(1).integers(0, 256, (count, size[1], size[0], 4), np.uint8)
    values[..., 3] = 255
    return list(values)


def texture(canvas: Canvas, pixels: np.ndarray) -> Any:
    made = canvas.context.texture((pixels.shape[1], pixels.shape[0]), 4)
    made.repeat_x = made.repeat_y = False
    made.write(np.ascontiguousarray(pixels))
    return made


def taken(readback: Readback) -> np.ndarray:
    into = np.empty((readback.size[1], readback.size[0], 4), np.uint8)
    readback.take(into)
    return upright(into)


def test_each_picture_comes_two_later_with_its_position_as_it_was_drawn(canvas: Canvas) -> None:
    readback = Readback(canvas.context, SIZE)
    drawn = pictures(12)
    came = []
    for number, pixels in enumerate(drawn):
        made = texture(canvas, pixels)
        readback.ask(made, number * FRAME)
        made.write(np.zeros_like(pixels))  # drawn over at once: what was asked for is what was there
        if readback.ready is not None:
            assert readback.ready == (number - BUFFERS + 1) * FRAME
            came.append(taken(readback))
        made.release()
    while readback.pending is not None:
        assert readback.pending == len(came) * FRAME
        came.append(taken(readback))
    assert len(came) == len(drawn)
    for each, pixels in zip(came, drawn, strict=True):
        np.testing.assert_array_equal(each, upright(pixels))
    readback.release()


def test_what_is_not_taken_is_forgotten_oldest_first(canvas: Canvas) -> None:
    readback = Readback(canvas.context, SIZE)
    drawn = [texture(canvas, pixels) for pixels in pictures(7)]
    for number, each in enumerate(drawn):
        readback.ask(each, number)
    assert readback.ready == 7 - BUFFERS
    readback.skip()
    assert readback.pending == 7 - BUFFERS + 1 and readback.ready is None
    np.testing.assert_array_equal(taken(readback), upright(pictures(7)[5]))
    for made in (*drawn, readback):
        made.release()


def test_a_picture_of_another_size_is_scaled(canvas: Canvas) -> None:
    """Four quarters, at twice the size and at half of it, are four quarters."""
    quarters = np.zeros((12, 20, 4), np.uint8)
    quarters[:6, :10, 0], quarters[:6, 10:, 1], quarters[6:, :10, 2], quarters[6:, 10:, :] = 255, 255, 255, 255
    made = texture(canvas, quarters)
    for width, height in ((40, 24), (10, 6)):
        readback = Readback(canvas.context, (width, height))
        readback.ask(made, 0)
        found = taken(readback)[..., :3]
        corners = [found[row, column].tolist() for row in (0, -1) for column in (0, -1)]
        assert corners == [[0, 0, 255], [255, 255, 255], [255, 0, 0], [0, 255, 0]]
        readback.release()
    made.release()


def test_what_is_seen_is_read_as_the_canvas_reads_it(canvas: Canvas) -> None:
    canvas.seen.write(np.ascontiguousarray(pictures(1)[0]))
    readback = Readback(canvas.context, SIZE)
    readback.ask(canvas.seen, 0)
    np.testing.assert_array_equal(taken(readback)[..., :3], canvas.read())
    readback.release()


# The camera -------------------------------------------------------------------------------------------------------


class Set:
    """A show of a white flash and a click each second, its camera, and what that said."""

    def __init__(self, canvas: Canvas, ring: Ring) -> None:
        self._canvas, self._ring = canvas, ring
        self.camera = Camera(canvas.context, ring)
        self.said: list[str] = []
        self.number = 0

    def frames(self, count: int, pause_s: float = 0.005) -> None:
        for _ in range(count):
            position, loud = self.number * FRAME, self.number % int(FPS) < 2
            self._canvas.seen.write(np.full((SIZE[1], SIZE[0], 4), 255 * loud, np.uint8))
            block = np.zeros((FRAME, 2), np.float32)
            block[:40] = 0.9 * (self.number % int(FPS) == 0)
            self._ring.write(block)
            self.camera.shoot(self._canvas.seen, position / RATE_HZ)
            self._ring.take(np.empty_like(block))
            self._ring.stamp(position, position / RATE_HZ)
            self.said += self.camera.poll(position / RATE_HZ)
            self.number += 1
            time.sleep(pause_s)
            self.until(self._keeps_up)

    def _keeps_up(self) -> bool:
        """Whether the encoder has room: frames come faster here than in a show."""
        filming = self.camera._filming
        return filming is None or filming.over or filming._slots.free() is not None

    def until(self, happened: Any) -> None:
        end_s = time.monotonic() + 20.0
        while not happened():
            assert time.monotonic() < end_s, self.said
            time.sleep(0.01)
            self.said += self.camera.poll(self.number / FPS)


@pytest.fixture
def show(canvas: Canvas) -> Iterator[Set]:
    with Ring.create(RATE_HZ * 6, 2, RATE_HZ) as ring:
        made = Set(canvas, ring)
        made.frames(10)  # the show is on before anybody thinks of filming it
        yield made
        made.camera.close()


def onsets_s(path: Path) -> tuple[list[float], list[float], int]:
    """When a film flashes and clicks, and how many frames it has."""
    import av

    with av.open(str(path)) as film:
        light = [(float(each.time), each.to_ndarray(format="gray").mean() > 128) for each in film.decode(video=0)]
    with av.open(str(path)) as film:
        sound = np.concatenate([each.to_ndarray()[0] for each in film.decode(audio=0)])
    loud = np.flatnonzero(np.abs(sound) > 0.3)
    clicks = loud[np.diff(loud, prepend=-RATE_HZ) > RATE_HZ / 2]
    flashes = [time_s for index, (time_s, lit) in enumerate(light) if lit and index and not light[index - 1][1]]
    return flashes, (clicks / RATE_HZ).tolist(), len(light)


def test_a_show_is_filmed_in_step_through_the_late_fetching_and_goes_on_meanwhile(show: Set, tmp_path: Path) -> None:
    show.camera.roll(Wanted(tmp_path, "night piece", SIZE, FPS))
    assert show.camera.rolling
    show.until(lambda: show.camera._filming and not show.camera._filming._named)
    show.frames(80)
    show.camera.cut()
    assert not show.camera.rolling
    show.frames(2)
    show.until(lambda: not show.camera._films())
    (path,) = tmp_path.iterdir()
    assert path.name.startswith("night-piece-") and show.said[-1].endswith(str(path))
    flashes, clicks, frames = onsets_s(path)
    assert frames == 80 == show.camera.figures()["frames"] and len(flashes) == len(clicks) == 3
    np.testing.assert_allclose(flashes, clicks, atol=0.5 / FPS)
    assert show.camera.figures() == {"frames": 80, "seconds": 80 / FPS, "dropped": 0, "filming": ""}


def test_filming_for_so_long_ends_by_itself_and_one_film_may_follow_another(show: Set, tmp_path: Path) -> None:
    show.camera.roll(Wanted(tmp_path / "a.mp4", "", SIZE, FPS), until_s=show.number / FPS + 1.0)
    show.until(lambda: show.camera._filming and not show.camera._filming._named)
    show.frames(20)
    show.camera.roll(Wanted(tmp_path / "b.mp4", "", SIZE, FPS), until_s=show.number / FPS + 0.5)
    show.frames(5)
    assert show.camera.rolling
    show.frames(15)
    assert not show.camera.rolling
    show.said += show.camera.close()
    assert onsets_s(tmp_path / "a.mp4")[2] == 20
    assert [each for each in show.said if "a.mp4" in each][-1].startswith("filmed 0.8 s")


def test_a_still_is_the_frame_that_was_asked_for(show: Set, tmp_path: Path) -> None:
    from PIL import Image

    show.number = 24  # the next two: dark, white
    show.camera.still(tmp_path / "stills" / "dark.png")
    show.frames(1)
    show.camera.still(tmp_path / "stills" / "white.png")
    show.frames(4)
    show.until(lambda: len(show.said) == 2)
    assert sorted(show.said) == [f"taken: {tmp_path / 'stills' / name}.png" for name in ("dark", "white")]
    for name, level in (("dark", 0), ("white", 255)):
        with Image.open(tmp_path / "stills" / f"{name}.png") as image:
            assert image.size == SIZE and (np.asarray(image) == level).all()
    assert len(list((tmp_path / "stills").iterdir())) == 2


def test_what_can_not_be_kept_is_said_and_the_show_goes_on(show: Set, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    show.camera.still(tmp_path / "file" / "a.png")
    for number in range(STILLS_AT_ONCE - 1):
        show.camera.still(tmp_path / f"{number}.png")
    with pytest.raises(RenderError, match="are still being written"):
        show.camera.still(tmp_path / "more.png")
    show.frames(4)
    show.until(lambda: len(show.said) == STILLS_AT_ONCE)
    assert sum("can't be written" in each for each in show.said) == 1
    show.camera.roll(Wanted(tmp_path / "a.mp4", "", SIZE, FPS))
    show.until(lambda: show.camera._filming and not show.camera._filming._named)
    show.frames(5)
    assert show.camera._filming is not None
    show.camera._filming._process.kill()
    show.until(lambda: any("the encoder died" in each for each in show.said))
    assert not show.camera.rolling
    show.frames(5)
    show.camera.roll(Wanted(tmp_path / "a.mp4", "", SIZE, FPS))
    assert show.camera.rolling


def test_a_still_asked_for_at_the_last_moment_is_written_or_said(show: Set, tmp_path: Path) -> None:
    show.camera.still(tmp_path / "last.png")
    show.frames(1)
    show.camera.still(tmp_path / "too late.png")
    assert sorted(show.camera.close()) == [
        f"{tmp_path / 'too late.png'}: no frame was drawn any more",
        f"taken: {tmp_path / 'last.png'}",
    ]
    assert (tmp_path / "last.png").exists()

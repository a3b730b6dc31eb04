"""A show that is filmed: what is seen and heard at one moment is at one moment of the film, whatever happens to it."""

from __future__ import annotations

import contextlib
import itertools
import json
import math
import os
import signal
import subprocess
import sys
import time
from contextlib import closing
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from installation.errors import RenderError
from installation.picture.films import slots as slots_module
from installation.picture.films.encoder import Encoder, Order, even, free_path
from installation.picture.films.film import LIVE, SOUND_HZ, Film
from installation.picture.films.filming import Filming, Wanted, heard
from installation.picture.films.reel import AHEAD_S, PATIENCE_S, YIELD, Reel
from installation.picture.films.slots import MOST, Slots
from installation.ring import Ring

pytestmark = pytest.mark.alone

SIZE = (64, 36)
FPS, RATE_HZ = 25.0, 48_000
FRAME = int(RATE_HZ / FPS)
DEADLINE_S = 20.0


# What a reel makes of positions -----------------------------------------------------------------------------------


class Sheet:
    """A film on paper: the brightness of each frame, and every sample."""

    def __init__(self) -> None:
        self.frames: list[int] = []
        self.blocks: list[np.ndarray] = []

    def write_frame(self, pixels: np.ndarray) -> None:
        self.frames.append(int(pixels[0, 0, 0]))

    def repeat(self, count: int) -> None:
        assert count >= 0
        self.frames.extend(self.frames[-1:] * count)

    def write_sound(self, block: np.ndarray) -> None:
        self.blocks.append(block)


def grey(level: int) -> np.ndarray:
    return np.full((2, 2, 3), level, np.uint8)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.floats(0.0, 3.0), min_size=1, max_size=60),
    st.floats(10.0, 75.0),
    st.sampled_from((44_100, 48_000)),
    st.integers(0, 1 << 40),
)
def test_every_picture_lies_on_the_frame_nearest_to_where_it_was_seen(
    gaps: list[float], fps: float, rate_hz: int, start: int
) -> None:
    """Whatever the gaps between them, in frames: near its own moment, or dropped because another lies there."""
    sheet = Sheet()
    reel = Reel(sheet, start, fps, rate_hz, 1 << 30)
    places = np.concatenate([[0.0], np.cumsum(gaps)])
    positions = [start + round(place * rate_hz / fps) for place in places]
    for level, position in enumerate(positions):
        reel.picture(grey(level), position)
    with Ring.create(64, 1, rate_hz) as ring:
        reel.finish(ring)
    assert reel.frames == len(sheet.frames)
    begun = [number for number, level in enumerate(sheet.frames) if number == 0 or sheet.frames[number - 1] != level]
    assert sheet.frames == sorted(sheet.frames)
    assert len(begun) == len(positions) - reel.dropped
    for number in begun:
        place = (positions[sheet.frames[number]] - start) * fps / rate_hz
        assert abs(place - number) <= 0.5 + YIELD + 1e-6
    taken = {*begun, *(number - 1 for number in begun), *(number + 1 for number in begun)}
    for level in set(range(len(positions))) - set(sheet.frames):
        assert round((positions[level] - start) * fps / rate_hz) in taken


def test_where_two_clocks_slide_past_each_other_one_frame_is_repeated_or_dropped() -> None:
    """A display a thousandth faster or slower than the film, with a jitter of a fiftieth of a frame, for 2000 frames:
    two pictures more or fewer than frames. By rounding alone it would be dozens."""
    for ratio in (1.001, 0.999):
        jitter = np.random.default_rng(1).uniform(-0.02, 0.02, 2000)
        sheet = Sheet()
        reel = Reel(sheet, 0, 60.0, RATE_HZ, 1 << 30)
        for index in range(2000):
            reel.picture(grey(index % 251), max(0, round((index * ratio + jitter[index]) * RATE_HZ / 60.0)))
        assert reel.repeated + reel.dropped <= 3


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(1, 3000), min_size=1, max_size=30), st.integers(1, 2), st.integers(0, 500))
def test_the_sound_of_a_reel_is_the_ring_sample_for_sample(moves: list[int], channels: int, before: int) -> None:
    """Whatever the blocks it comes in; up to the end of the last picture's frame."""
    sheet, rng = Sheet(), np.random.default_rng(2)
    with Ring.create(8192, channels, RATE_HZ) as ring:
        advance(ring, rng.uniform(-1.0, 1.0, (before, channels)).astype(np.float32))
        reel = Reel(sheet, before, FPS, RATE_HZ, 1 << 30)
        whole = []
        for move in moves:
            reel.picture(grey(0), ring.taken)
            whole.append(rng.uniform(-1.0, 1.0, (move, channels)).astype(np.float32))
            advance(ring, whole[-1])
            reel.follow(ring)
        reel.finish(ring)
        assert reel.lost == 0
    sound = np.concatenate(sheet.blocks)
    assert len(sound) == min(sum(moves), round(len(sheet.frames) * RATE_HZ / FPS))
    np.testing.assert_array_equal(sound, np.concatenate(whole)[: len(sound)])


def test_what_the_ring_holds_no_more_is_silence_and_counted() -> None:
    sheet = Sheet()
    with Ring.create(1024, 1, RATE_HZ) as ring:
        reel = Reel(sheet, 0, FPS, RATE_HZ, 1 << 30)
        reel.picture(grey(0), 3000)
        for _ in range(3):
            advance(ring, np.full((1000, 1), 0.5, np.float32))
        reel.follow(ring)
    assert reel.lost == 3000 - 1024
    sound = np.concatenate(sheet.blocks)
    assert len(sound) == 3000 and not sound[:1976].any() and (sound[1976:] == 0.5).all()


def test_a_picture_that_stands_is_repeated_as_the_sound_goes_on_and_the_end_is_common() -> None:
    sheet = Sheet()
    with Ring.create(RATE_HZ * 4, 1, RATE_HZ) as ring:
        reel = Reel(sheet, 0, FPS, RATE_HZ, 1 << 30)
        reel.picture(grey(7), 0)
        advance(ring, np.zeros((RATE_HZ * 3, 1), np.float32))
        reel.follow(ring)
        reel.stand(ring.taken)
        assert len(sheet.frames) == (3.0 - PATIENCE_S) * FPS
        reel.picture(grey(9), FRAME)  # two seconds late
        assert reel.dropped == 1
        reel.finish(ring)
    seconds = 3.0 - AHEAD_S
    assert sheet.frames == [7] * math.ceil(seconds * FPS)
    assert sum(map(len, sheet.blocks)) == len(sheet.frames) * FRAME


# A show, and the film of it ---------------------------------------------------------------------------------------


def advance(ring: Ring, sound: np.ndarray) -> None:
    """The card takes and plays `sound`."""
    ring.write(sound)
    ring.take(np.empty_like(sound))
    ring.stamp(ring.taken, ring.taken / ring.sample_rate_hz)


def clicks(start: int, count: int, rate_hz: int, channels: int) -> np.ndarray:
    """A click of 1 ms at every whole second."""
    loud = (np.arange(start, start + count) % rate_hz) < rate_hz // 1000
    return np.repeat(np.where(loud, 0.9, 0.0)[:, None], channels, axis=1).astype(np.float32)


def flash(position: int, rate_hz: int, fps: float, size: tuple[int, int] = SIZE) -> np.ndarray:
    """A picture that is white for two frames from every whole second on."""
    white = position % rate_hz < 2 * rate_hz / fps
    return np.full((size[1], size[0], 3), 255 if white else 0, np.uint8)


def until(happened: Any) -> None:
    end_s = time.monotonic() + DEADLINE_S
    while not happened():
        assert time.monotonic() < end_s, "did not happen"
        time.sleep(0.01)


def begin(wanted: Wanted, ring: Ring) -> Filming:
    """Filming, with its encoder ready."""
    filming = Filming(wanted, ring.name)
    until(lambda: filming.poll() or filming.over or not filming._named)
    return filming


def wanted(into: Path, **more: Any) -> Wanted:
    return replace(Wanted(into, "a scene", SIZE, FPS), **more)


def over(filming: Filming, said: list[str]) -> bool:
    """Whether it is over; what it said meanwhile goes to `said`."""
    said.extend(filming.poll())
    return filming.over


def give(filming: Filming, pixels: np.ndarray, position: int) -> list[str]:
    """Hand a picture over, waiting for a slot, unless it is over; what was said meanwhile."""
    said: list[str] = []
    until(lambda: over(filming, said) or filming.frame(pixels, position))
    return said


def play(ring: Ring, filming: Filming, frames: int, speed: float = 8.0) -> None:
    """So many frames of the show, this much faster than it is heard; none is left out."""
    size, fps, rate_hz = filming.wanted.size, filming.wanted.fps, ring.sample_rate_hz
    first = round(ring.taken * fps / rate_hz)
    for index in range(first, first + frames):
        position = round(index * rate_hz / fps)
        give(filming, flash(position, rate_hz, fps, size), position)
        count = round((index + 1) * rate_hz / fps) - ring.taken
        advance(ring, clicks(ring.taken, count, rate_hz, ring.channels))
        time.sleep(1.0 / fps / speed)


def ended(filming: Filming) -> list[str]:
    """End it, and what it said."""
    said = filming.close()
    assert filming.over and filming._process.returncode == 0, said
    return said


def seen(path: Path) -> tuple[list[float], list[float]]:
    """When each frame of a film is seen, and how bright it is, 0..255."""
    import av

    with av.open(str(path)) as film:
        frames = [(float(each.time), float(each.to_ndarray(format="gray").mean())) for each in film.decode(video=0)]
    return [time_s for time_s, _ in frames], [light for _, light in frames]


def frames_until_broken(path: Path) -> int:
    """How many frames can be seen of a film whose last fragment is broken off."""
    import av

    count = 0
    with av.open(str(path)) as film, contextlib.suppress(av.error.InvalidDataError):
        for _ in film.decode(video=0):
            count += 1
    return count


def heard_in(path: Path) -> tuple[np.ndarray, int]:
    """The samples of a film's first channel from its time 0 on, and their rate."""
    import av

    with av.open(str(path)) as film:
        blocks = [(float(each.time), each.to_ndarray()[0]) for each in film.decode(audio=0)]
        rate_hz = film.streams.audio[0].rate
    assert blocks[0][0] == 0.0
    for (start_s, block), (next_s, _) in itertools.pairwise(blocks):
        assert next_s - start_s == pytest.approx(len(block) / rate_hz, abs=1e-4)
    return np.concatenate([block for _, block in blocks]), rate_hz


def rises(levels: np.ndarray, threshold: float) -> list[int]:
    loud = np.concatenate([[False], np.asarray(levels) > threshold])
    return np.flatnonzero(loud[1:] & ~loud[:-1]).tolist()


def onsets_s(path: Path) -> tuple[list[float], list[float]]:
    """When a film flashes, and when it clicks."""
    times_s, light = seen(path)
    sound, rate_hz = heard_in(path)
    flashes = [times_s[index] for index in rises(np.array(light), 128.0)]
    clicked = [index / rate_hz for index in rises(np.abs(sound), 0.4)]
    apart = [time_s for index, time_s in enumerate(clicked) if index == 0 or time_s - clicked[index - 1] > 0.1]
    return flashes, apart


def jittered(seconds: float, rate_hz: int, fps: float) -> list[tuple[int, int]]:
    """(position seen, position when it is handed over) of a bad display: jitter, gaps, and hold-ups of a third of a
    second after which many come at once; but each flash is seen when it should be."""
    rng = np.random.default_rng(3)
    coming, latest = [], 0
    for index in range(round(seconds * fps)):
        of_second = index % round(fps)
        if of_second > 1 and rng.random() < 0.1:
            continue
        place = index if of_second == 0 else max(0.0, index + rng.uniform(-0.3, 0.3))
        late = rng.uniform(0.0, 0.33 * fps if rng.random() < 0.1 else 1.0)
        latest = max(latest, round((place + late) * rate_hz / fps))
        coming.append((round(place * rate_hz / fps), latest))
    return coming


@pytest.mark.parametrize(("rate_hz", "channels"), [(48_000, 2), (44_100, 1)])
def test_click_and_flash_are_at_the_same_moment_over_twenty_seconds(
    tmp_path: Path, rate_hz: int, channels: int
) -> None:
    """Frames jittered by a third of one, late, left out; sound in other blocks; four times as fast as it is heard."""
    seconds = 20.0 if channels == 2 else 5.0
    coming = jittered(seconds, rate_hz, FPS)
    with Ring.create(rate_hz * 6, channels, rate_hz) as ring:
        filming = begin(wanted(tmp_path), ring)
        while ring.taken < seconds * rate_hz or coming:
            advance(ring, clicks(ring.taken, 1024, rate_hz, channels))
            while coming and coming[0][1] <= ring.taken:
                position = coming.pop(0)[0]
                give(filming, flash(position, rate_hz, FPS), position)
            time.sleep(1024 / rate_hz / 4.0)
        said = ended(filming)
        figures = filming.figures()
    (path,) = tmp_path.glob("*.mp4")
    assert said[-1] == f"filmed {figures['seconds']:.1f} s: {path}"
    flashes, clicked = onsets_s(path)
    clicked = clicked[: int(seconds)]  # the late frames have kept it going for a moment
    assert len(flashes) == int(seconds)
    np.testing.assert_allclose(flashes, clicked, atol=0.5 / FPS)
    np.testing.assert_allclose(clicked, np.arange(int(seconds)), atol=1.5 / rate_hz)
    times_s, _ = seen(path)
    np.testing.assert_allclose(times_s, np.arange(len(times_s)) / FPS, atol=1e-4)
    assert (figures["lost"], figures["frames"]) == (0, len(times_s))


def test_the_sound_of_a_film_lies_sample_for_sample_where_it_was_heard(tmp_path: Path) -> None:
    """Noise, found again by correlation: no delay of the codec, none of the place in the ring where filming began."""
    rng = np.random.default_rng(4)
    noise = np.repeat(np.convolve(rng.normal(0.0, 0.2, RATE_HZ * 2), np.ones(4) / 4.0, "same")[:, None], 2, axis=1)
    with Ring.create(RATE_HZ * 6, 2, RATE_HZ) as ring:
        advance(ring, noise[:12_345].astype(np.float32))
        filming = begin(wanted(tmp_path / "noise.mp4"), ring)
        filming.frame(flash(1, RATE_HZ, FPS), 12_345)
        advance(ring, noise[12_345:].astype(np.float32))
        time.sleep(0.3)
        ended(filming)
    sound, _ = heard_in(tmp_path / "noise.mp4")
    span = slice(10_000, 10_000 + 16_384)
    spectrum = np.fft.rfft(sound[span]) * np.conj(np.fft.rfft(noise[12_345:, 0][span]))
    assert int(np.argmax(np.fft.irfft(spectrum))) == 0


def test_colours_and_sides_are_as_they_were_given_and_odd_sizes_made_even(tmp_path: Path) -> None:
    import av

    size = (63, 35)
    picture = np.zeros((35, 63, 3), np.uint8)
    picture[:17, :31], picture[:17, 31:], picture[17:, :31] = (230, 20, 30), (0, 220, 40), (20, 30, 200)
    with Ring.create(RATE_HZ * 6, 2, RATE_HZ) as ring:
        filming = begin(wanted(tmp_path / "colours.mp4", size=size), ring)
        for index in range(10):
            filming.frame(picture, index * FRAME)
        advance(ring, np.zeros((10 * FRAME, 2), np.float32))
        ended(filming)
    with av.open(str(tmp_path / "colours.mp4")) as film:
        assert film.streams.video[0].codec_context.colorspace == 1
        frames = [each.to_ndarray(format="rgb24") for each in film.decode(video=0)]
    assert frames[0].shape == (36, 64, 3) and len(frames) == 10
    for row, column in ((8, 15), (8, 47), (26, 15), (26, 47)):
        np.testing.assert_allclose(frames[5][row, column].astype(int), picture[row, column], atol=8)


def test_a_picture_of_an_odd_size_is_made_even() -> None:
    pixels = np.random.default_rng(5).integers(0, 256, (4, 6, 4), np.uint8)
    assert even(pixels[:3, :5]).shape == (4, 6, 4) and even(pixels).shape == (4, 6, 4)


def test_a_file_follows_another_without_a_gap(tmp_path: Path) -> None:
    """Files of two seconds: every sample and every frame is in one of them, once."""
    with Ring.create(RATE_HZ * 6, 2, RATE_HZ) as ring:
        filming = begin(wanted(tmp_path / "show.mp4", longest_s=2.0), ring)
        play(ring, filming, int(5 * FPS))
        ended(filming)
        assert filming.figures()["seconds"] == pytest.approx(5.0, abs=1e-6)
    names = ["show.mp4", "show-2.mp4", "show-3.mp4"]
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(names)
    for name, length_s in zip(names, (2, 2, 1), strict=True):
        flashes, clicked = onsets_s(tmp_path / name)
        assert len(seen(tmp_path / name)[0]) == length_s * FPS
        np.testing.assert_allclose(clicked, np.arange(length_s), atol=1.5 / RATE_HZ)
        np.testing.assert_allclose(flashes, np.arange(length_s), atol=1e-4)


# What may happen to it --------------------------------------------------------------------------------------------


def test_what_was_filmed_when_the_encoder_was_killed_can_be_seen_and_is_said(tmp_path: Path) -> None:
    with Ring.create(RATE_HZ * 6, 2, RATE_HZ) as ring:
        filming = begin(wanted(tmp_path / "show.mp4"), ring)
        play(ring, filming, int(12 * FPS))
        until(lambda: filming.poll() or filming.figures()["frames"] > 11 * FPS)
        filming._process.kill()
        filming._process.wait()
        said = filming.poll()
        assert said == [
            f"filming ended: the encoder died (signal SIGKILL); what was filmed is kept in {tmp_path / 'show.mp4'}"
        ]
        assert not filming.frame(flash(0, RATE_HZ, FPS), 0)  # the show goes on
        assert filming.close() == []
    flashes, clicked = onsets_s(tmp_path / "show.mp4")
    assert len(flashes) >= 8 and flashes == pytest.approx(clicked[: len(flashes)], abs=0.5 / FPS)


def test_whoever_films_may_be_killed_and_the_film_is_whole(tmp_path: Path) -> None:
    """The encoder's input ends with its parent; what it has it writes to the end, and leaves no shared memory."""
    program = f"""
import time
from pathlib import Path
from tests.test_filming import *
with Ring.create(RATE_HZ * 6, 2, RATE_HZ) as ring:
    filming = begin(wanted(Path({str(tmp_path / "show.mp4")!r})), ring)
    play(ring, filming, 50)
    print(filming._process.pid, filming._slots.name, flush=True)
    time.sleep(60)
"""
    child = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    pid, name = child.stdout.readline().split()
    child.kill()
    child.wait()
    child.stdout.close()
    until(lambda: not Path(f"/proc/{pid}").exists())
    times_s, _ = seen(tmp_path / "show.mp4")
    assert len(times_s) == 50
    assert not Path(f"/dev/shm/{name.lstrip('/')}").exists()


def test_a_disk_that_is_full_is_said_and_what_was_filmed_is_kept(tmp_path: Path) -> None:
    """As full as a limit on the size of its files makes it."""
    resource = pytest.importorskip("resource")
    rng = np.random.default_rng(6)
    size = (320, 180)
    said: list[str] = []
    with Ring.create(RATE_HZ * 6, 2, RATE_HZ) as ring:
        filming = begin(wanted(tmp_path / "show.mp4", size=size), ring)
        resource.prlimit(filming._process.pid, resource.RLIMIT_FSIZE, (3_000_000, 3_000_000))
        for index in range(200):
            noise = rng.integers(0, 256, (size[1], size[0], 3), np.uint8)
            said += give(filming, noise, index * FRAME)
            advance(ring, np.zeros((FRAME, 2), np.float32))
            if filming.over:
                break
        assert filming.over
        assert not filming.frame(np.zeros((size[1], size[0], 3), np.uint8), 0)
    assert any("can't be filmed any further" in each and "kept" in each for each in said), said
    assert frames_until_broken(tmp_path / "show.mp4") >= FPS


def test_filming_ends_before_the_disk_is_full(tmp_path: Path) -> None:
    with Ring.create(RATE_HZ * 6, 2, RATE_HZ) as ring:
        filming = Filming(wanted(tmp_path / "show.mp4", floor_bytes=1e18), ring.name)
        said: list[str] = []
        until(lambda: over(filming, said))
    assert len(said) == 1 and "are to stay so; filming ends" in said[0]
    assert list(tmp_path.iterdir()) == []


def test_a_file_taken_away_makes_way_for_the_next(tmp_path: Path) -> None:
    said: list[str] = []
    with Ring.create(RATE_HZ * 6, 2, RATE_HZ) as ring:
        filming = begin(wanted(tmp_path / "show.mp4"), ring)
        play(ring, filming, 25)
        until(lambda: over(filming, said) or (tmp_path / "show.mp4").exists())
        (tmp_path / "show.mp4").unlink()
        until(lambda: over(filming, said) or any("is gone" in each for each in said))
        play(ring, filming, 25)
        said += ended(filming)
    assert len(seen(tmp_path / "show.mp4")[0]) >= 24


def test_an_encoder_that_is_behind_costs_pictures_and_never_a_wait(tmp_path: Path) -> None:
    """The encoder stopped in its tracks: as many pictures as there are slots are taken, the others counted."""
    with Ring.create(RATE_HZ * 6, 2, RATE_HZ) as ring:
        filming = begin(wanted(tmp_path / "show.mp4"), ring)
        os.kill(filming._process.pid, signal.SIGSTOP)
        picture, longest_s = flash(0, RATE_HZ, FPS), 0.0
        for index in range(100):
            begun_s = time.perf_counter()
            filming.frame(picture, index * FRAME)
            filming.poll()
            longest_s = max(longest_s, time.perf_counter() - begun_s)
            advance(ring, np.zeros((FRAME, 2), np.float32))
        assert filming.figures()["dropped"] == 100 - MOST
        assert longest_s < 0.1
        os.kill(filming._process.pid, signal.SIGCONT)
        give(filming, picture, 99 * FRAME)
        ended(filming)
        assert filming.figures()["lost"] == 0
    assert len(seen(tmp_path / "show.mp4")[0]) == 100  # for what was left out stands what was before


def test_a_film_ends_where_it_was_told_to_however_far_behind_the_encoder_is(tmp_path: Path) -> None:
    """Stopped in its tracks with ten pictures to come, told to end, and woken three seconds of sound later."""
    with Ring.create(RATE_HZ * 6, 2, RATE_HZ) as ring:
        filming = begin(wanted(tmp_path / "show.mp4"), ring)
        play(ring, filming, 10)
        until(lambda: filming.poll() or filming.figures()["frames"] >= 9)
        os.kill(filming._process.pid, signal.SIGSTOP)
        play(ring, filming, 10)
        filming.stop()
        advance(ring, np.zeros((RATE_HZ * 3, 2), np.float32))
        os.kill(filming._process.pid, signal.SIGCONT)
        ended(filming)
    sound, rate_hz = heard_in(tmp_path / "show.mp4")
    assert len(seen(tmp_path / "show.mp4")[0]) == 20
    assert len(sound) / rate_hz == pytest.approx(20 / FPS, abs=2048 / rate_hz)


def test_where_nothing_can_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with Ring.create(RATE_HZ * 6, 2, RATE_HZ) as ring:
        filming = begin(wanted(tmp_path / "file" / "folder"), ring)
        filming.frame(flash(0, RATE_HZ, FPS), 0)
        said: list[str] = []
        until(lambda: over(filming, said))
    assert len(said) == 1 and "can't be filmed any further" in said[0] and str(tmp_path / "file") in said[0]
    filming = Filming(wanted(tmp_path), "no such ring")
    until(lambda: over(filming, said))
    assert "can't be filmed" in said[-1] and "no such ring" in said[-1]


def test_no_room_in_shared_memory_is_said_before_it_is_used(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(slots_module, "SHARED", tmp_path)
    with pytest.raises(RenderError, match="don't fit in what is free"):
        Slots.create((1 << 20, 1 << 20))


# The parts --------------------------------------------------------------------------------------------------------


def test_slots_give_back_what_was_put_in_in_order_and_say_when_they_are_full() -> None:
    with closing(Slots.create((5, 3))) as slots:
        slots_there = Slots.attach(slots.name)
        for index in range(slots.count):
            slot = slots.free()
            assert slot is not None and slot.shape == (3, 5, 4) and slot.dtype == np.uint8
            slot[:] = index
            slots.put(1 << 40 | index)
        assert slots.free() is None
        for index in range(slots.count):
            found = slots_there.next()
            assert found is not None
            assert (found[0] == index).all() and found[1] == 1 << 40 | index
            slots_there.got()
            assert slots.free() is not None
        assert slots_there.next() is None
        del slot, found
        slots_there.close()
        slots.remove()


def test_what_is_heard_at_a_moment_is_what_the_card_plays_then() -> None:
    with Ring.create(1000, 1, 1000) as ring:
        assert heard(ring, 5.0) == 0
        ring.write(np.zeros((600, 1), np.float32))
        ring.take(np.zeros((100, 1), np.float32))
        ring.stamp(0, 100.0)
        for position in (0, 77, 599):
            assert heard(ring, ring.dac_time_s(position)) == position
        assert heard(ring, 99.0) == 0 and heard(ring, 1e6) == 600


def test_a_name_is_free_and_says_what_and_when(tmp_path: Path) -> None:
    now = datetime(2031, 2, 3, 4, 5, 6)
    paths = [free_path(tmp_path / "films", "über/../drift", now) for _ in range(3)]
    assert [path.name for path in paths] == [f"über-drift-20310203-040506{end}.mp4" for end in ("", "-2", "-3")]
    assert {path.parent for path in paths} == {tmp_path / "films"}
    assert [free_path(tmp_path / "a.mp4", "", now).name for _ in range(2)] == ["a.mp4", "a-2.mp4"]
    assert free_path(tmp_path, "...", now).name == "film-20310203-040506.mp4"


def test_when_the_card_opens_at_another_rate_another_file_begins(tmp_path: Path) -> None:
    said: list[dict[str, Any]] = []
    with Ring.create(RATE_HZ, 2, RATE_HZ) as ring, closing(Slots.create(SIZE)) as slots:
        order = Order(slots.name, ring.name, str(tmp_path / "a.mp4"), "", FPS, 100.0, 0.0)
        encoder = Encoder(order, slots, ring, said.append, lambda: datetime(2031, 2, 3))
        for index in range(20):
            if index == 10:
                ring.sample_rate_hz = 44_100
            slot = slots.free()
            assert slot is not None
            slot[:] = 0
            slots.put(ring.taken)
            del slot
            advance(ring, np.zeros((int(ring.sample_rate_hz / FPS), 2), np.float32))
            encoder.step()
        encoder.finish()
        slots.remove()
    assert [heard_in(tmp_path / name)[1] for name in ("a.mp4", "a-2.mp4")] == [48_000, 44_100]
    assert encoder.figures()["seconds"] == pytest.approx(20 / FPS)
    assert len(said) == 4 and json.dumps(said)


@pytest.mark.parametrize("rate_hz", [31_250, 192_000])
def test_sound_at_a_rate_the_codec_does_not_have_is_resampled_in_step(tmp_path: Path, rate_hz: int) -> None:
    assert rate_hz not in SOUND_HZ
    film = Film(tmp_path / "a.mp4", SIZE, FPS, rate_hz, 2, LIVE)
    for index in range(75):
        film.write_frame(flash(round(index * rate_hz / FPS), rate_hz, FPS))
    film.write_sound(clicks(0, rate_hz * 3, rate_hz, 2))
    film.close()
    flashes, clicked = onsets_s(tmp_path / "a.mp4")
    assert flashes == pytest.approx([0.0, 1.0, 2.0]) and clicked == pytest.approx([0.0, 1.0, 2.0], abs=1e-3)
    assert math.isclose(len(heard_in(tmp_path / "a.mp4")[0]) / 48_000, 3.0, abs_tol=0.05)

"""The judge of flashes, against films whose flashes can be counted by hand."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from installation.picture.flashes import AREA, Sight, judged, shares

SIZE = (18, 48)
FPS = 60.0
WHITE, BLACK = (255, 255, 255), (0, 0, 0)


def film(colour: Callable[[float], tuple[int, int, int]], seconds: float = 2.0, share: float = 1.0) -> Sight:
    """What the judge says of a picture whose left `share` is `colour` at each time, and the rest black."""
    times_s = np.arange(int(seconds * FPS)) / FPS
    frames = []
    for now_s in times_s:
        frame = np.zeros((*SIZE, 3), np.uint8)
        frame[:, : round(SIZE[1] * share)] = colour(now_s)
        frames.append(frame)
    return judged(frames, times_s)


def strobe(
    hz: float, one: tuple[int, int, int] = WHITE, other: tuple[int, int, int] = BLACK
) -> Callable[[float], tuple[int, int, int]]:
    return lambda now_s: one if (now_s * hz + 1e-6) % 1.0 < 0.5 else other


def grey(value: int) -> tuple[int, int, int]:
    return (value, value, value)


def test_three_flashes_a_second_are_allowed_and_four_are_not() -> None:
    assert film(strobe(3.0)).allowed
    assert film(strobe(3.0)).general_flashes == 3
    assert not film(strobe(4.0)).allowed
    assert film(strobe(4.0)).general == 1.0


@pytest.mark.parametrize(
    ("dark", "light", "counts"),
    [
        (0, 88, False),  # luminances 0 and .098
        (0, 92, True),  # 0 and .107
        (180, 192, False),  # .456 and .527
        (220, 255, True),  # .716 and 1
        (231, 255, True),  # .799 and 1
        (232, 255, False),  # .807 and 1
    ],
)
def test_a_flash_is_a_tenth_of_luminance_whose_darker_end_is_below_eight_tenths(
    dark: int, light: int, counts: bool
) -> None:
    assert film(strobe(10.0, grey(dark), grey(light))).allowed is not counts


def test_red_is_counted_apart() -> None:
    red, dim, grey_as_light = (255, 0, 0), (230, 0, 0), (127, 127, 127)
    for other in (dim, grey_as_light, BLACK, (0, 0, 255)):
        assert film(strobe(5.0, red, other)).red == 1.0
    assert film(strobe(5.0, red, dim)).general == 0.0
    assert film(strobe(5.0, (0, 0, 255), BLACK)).allowed  # blue gives no luminance, and is no red
    assert film(strobe(5.0, (255, 150, 120), (240, 145, 115))).allowed  # pink: no saturated red


def test_a_change_counts_once_however_slowly_it_comes() -> None:
    assert film(lambda now_s: grey(int(127 + 127 * np.sin(now_s * 2 * np.pi * 5.0)))).general == 1.0
    assert film(lambda now_s: grey(int(255 * min(1.0, now_s / 2.0)))) == Sight()
    assert film(lambda now_s: BLACK if now_s < 1.0 else WHITE) == Sight()


def test_up_to_a_quarter_of_a_block_may_flash() -> None:
    assert film(strobe(10.0), share=4 / 48).allowed
    assert not film(strobe(10.0), share=5 / 48).allowed


def test_flashes_of_many_parts_in_turn_add_up() -> None:
    """Left and right of the same block flash by turns, each twice a second: four in all."""
    times_s = np.arange(int(2 * FPS)) / FPS
    frames = np.zeros((len(times_s), *SIZE, 3), np.uint8)
    phase = (times_s * 2.0 + 1e-6) % 1.0
    frames[phase < 0.2, :, :24] = 255
    frames[(phase > 0.5) & (phase < 0.7), :, 24:] = 255
    seen = judged(frames, times_s)
    assert (seen.general, seen.general_flashes) == (0.0, 4)
    assert not seen.allowed
    alone = frames.copy()
    alone[:, :, 24:] = 0
    assert judged(alone, times_s).general_flashes == 2


def test_half_as_many_frames_of_the_same_strobe_flash_as_often() -> None:
    for hz in (2.0, 3.0, 5.0):
        times_s = np.arange(0.0, 2.0, 1 / 30)
        frames = [np.full((*SIZE, 3), strobe(hz)(now_s)[0], np.uint8) for now_s in times_s]
        assert judged(frames, times_s) == film(strobe(hz), seconds=2.0)


def test_shares_of_blocks_are_means() -> None:
    mask = np.random.default_rng(3).random((20, 30)) < AREA
    found = shares(mask, (7, 11))
    for row, column in ((0, 0), (5, 9), (13, 19)):
        assert found[row, column] == pytest.approx(mask[row : row + 7, column : column + 11].mean())
    assert found.shape == (14, 20)

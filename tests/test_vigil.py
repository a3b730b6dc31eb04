"""The vigil: black and frozen pictures are noticed while there is sound, said once, and never where they are right."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from installation.picture.vigil import PATIENCE_S, SAID_AFTER_S, STEPS, Remark, Vigil

SHAPE = (9, 16)
BLACK = np.zeros(SHAPE, np.float32)
GREY = np.full(SHAPE, 0.3, np.float32)


def living(seed: int = 0) -> Iterator[np.ndarray]:
    """A picture that moves, as little as one cell of a float."""
    rng, picture = np.random.default_rng(seed), GREY.copy()
    while True:
        picture = picture.copy()
        picture[rng.integers(9), rng.integers(16)] = rng.uniform(0.1, 0.9)
        yield picture


def watch(vigil: Vigil, picture: np.ndarray, seconds: int, light: bool = True, begun_s: int = 0) -> list[Remark]:
    """What is said while `picture` is seen for so long, looked at once a second."""
    said = [vigil.push(picture, float(begun_s + second), light) for second in range(seconds)]
    return [remark for remark in said if remark is not None]


@pytest.mark.parametrize(
    ("picture", "name"), [(BLACK, "black"), (GREY, "frozen"), (np.zeros(SHAPE, np.uint8), "black")]
)
def test_a_dead_picture_is_said_once_and_then_advised_about_step_by_step(picture: np.ndarray, name: str) -> None:
    vigil = Vigil()
    said = watch(vigil, picture, 600)
    assert [remark.advice for remark in said] == [None, *STEPS]
    assert all(name in remark.sentence for remark in said)
    assert vigil.figures()[name] == 1
    early = watch(Vigil(), picture, int(SAID_AFTER_S) - 1)
    assert early == []


@pytest.mark.parametrize("dead", [BLACK, GREY])
def test_when_it_is_over_that_is_said_and_the_next_time_counts_anew(dead: np.ndarray) -> None:
    vigil, alive = Vigil(), living()
    assert len(watch(vigil, dead, 30)) == 1
    over = vigil.push(next(alive), 30.0, True)
    assert over is not None and over.advice is None and "no longer" in over.sentence
    assert all(vigil.push(next(alive), 31.0 + second, True) is None for second in range(100))
    assert len(watch(vigil, dead, 30, begun_s=200)) == 1


@settings(max_examples=20)
@given(st.integers(0, 2**32 - 1))
def test_a_living_picture_is_never_spoken_of(seed: int) -> None:
    vigil = Vigil()
    pictures = zip(range(120), living(seed), strict=False)
    assert all(vigil.push(picture, float(second), True) is None for second, picture in pictures)


def test_silence_blackout_and_pictures_that_are_meant_to_stand_still_are_right() -> None:
    assert watch(Vigil(), BLACK, 3600, light=False) == []
    assert watch(Vigil(), GREY, 3600, light=False) == []
    vigil = Vigil()
    assert all(vigil.push(GREY, float(second), True, moves=False) is None for second in range(3600))
    assert any(vigil.push(BLACK, 3600.0 + second, True, moves=False) for second in range(60))


@settings(max_examples=30)
@given(st.lists(st.booleans(), min_size=200, max_size=200))
def test_only_time_with_sound_counts_and_it_adds_up_over_pauses(sound: list[bool]) -> None:
    vigil, heard_s = Vigil(), 0.0
    for second, light in enumerate(sound):
        remark = vigil.push(BLACK, float(second), light)
        before_s, heard_s = heard_s, heard_s + (1.0 if light and second else 0.0)
        assert (remark is not None and remark.advice is None) == (before_s < SAID_AFTER_S <= heard_s)


def test_a_gap_in_which_nothing_was_looked_at_does_not_count() -> None:
    vigil = Vigil()
    assert vigil.push(BLACK, 0.0, True) is None
    assert vigil.push(BLACK, 10.0 * PATIENCE_S, True) is None


def test_one_bright_star_is_a_picture_and_one_dim_level_of_noise_is_none() -> None:
    star = BLACK.copy()
    star[4, 8] = 0.5
    assert "frozen" in watch(Vigil(), star, 30)[0].sentence
    rng = np.random.default_rng(1)
    vigil = Vigil()
    said = [vigil.push(rng.integers(0, 2, SHAPE).astype(np.uint8), float(second), True) for second in range(30)]
    assert [remark.sentence.split()[4] for remark in said if remark] == ["black"]


def test_what_is_no_number_is_dark_and_a_picture_of_another_size_has_moved() -> None:
    nothing = np.full(SHAPE, np.nan, np.float32)
    assert "black" in watch(Vigil(), nothing, 30)[0].sentence
    vigil = Vigil()
    sizes = [np.full((9 + second % 2, 16), 0.3) for second in range(60)]
    assert all(vigil.push(picture, float(second), True) is None for second, picture in enumerate(sizes))

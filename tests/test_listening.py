"""Phrases of what is heard, with latents that are their own positions."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from installation.sound.listening import INTERVAL_S, Listening, next_begin, rounded

Floats = npt.NDArray[np.float32]

STEPS, STEP_S = 24, 0.05
LOUD, SILENT = -20.0, -80.0


def levels(*stretches: tuple[int, float]) -> Floats:
    return np.concatenate([np.full(count, level, np.float32) for count, level in stretches])


def heard(levels_db: Floats, blocks: tuple[int, ...] = (), steps: int = STEPS) -> list[tuple[int, Floats]]:
    """Every phrase with the number of latents that had come by then."""
    listening, at, found = Listening(steps, 1, STEP_S), 0, []
    state = listening.start()
    positions = np.arange(len(levels_db), dtype=np.float32)[:, None]
    for count in blocks or (1,) * len(levels_db):
        phrases, state = listening.push(positions[at : at + count], levels_db[at : at + count], state)
        at += count
        found += [(at, phrase) for phrase in phrases]
    return found


def test_a_phrase_begins_with_the_sound_and_is_as_long_as_a_trajectory() -> None:
    found = heard(levels((17, SILENT), (STEPS, LOUD), (40, SILENT)))
    assert len(found) == 1
    when, phrase = found[0]
    assert when == 17 + STEPS
    assert (phrase[:, 0] == np.arange(17, 17 + STEPS)).all()


def test_silence_and_what_is_below_the_gate_are_no_phrase() -> None:
    assert heard(levels((200, SILENT))) == heard(levels((200, -46.0))) == []
    assert len(heard(levels((30, -44.0)))) == 1


def test_what_ends_sooner_glides_to_where_it_began() -> None:
    """No step of the glide is larger than half as much again as a straight line's: it is a smooth one."""
    (_, phrase), *more = heard(levels((5, SILENT), (14, LOUD), (60, SILENT)))
    assert not more and phrase.shape == (STEPS, 1)
    assert (phrase[:14, 0] == np.arange(5, 19)).all()
    assert phrase[-1, 0] == 5.0
    fall = -np.diff(phrase[13:, 0])
    assert (fall >= 0.0).all() and fall.max() <= 1.5 * 13.0 / (STEPS - 14) + 1e-5


@pytest.mark.parametrize(("count", "phrases"), [(STEPS // 3 - 1, 0), (STEPS // 3, 1)])
def test_less_than_a_third_is_none(count: int, phrases: int) -> None:
    assert len(heard(levels((5, SILENT), (count, LOUD), (60, SILENT)))) == phrases


def test_a_breath_does_not_end_a_phrase_and_a_pause_does() -> None:
    breath = heard(levels((10, LOUD), (5, SILENT), (30, LOUD)))
    assert (breath[0][1][:, 0] == np.arange(STEPS)).all()
    pause = heard(levels((10, LOUD), (8, SILENT), (30, LOUD)))
    assert pause[0][1][9, 0] == 9.0 and pause[0][1][-1, 0] == 0.0


def test_a_long_sound_gives_overlapping_phrases_no_oftener_than_it_may() -> None:
    """With trajectories longer than the interval the hop decides: every half of one, each begins in the one before."""
    found = heard(levels((700, LOUD)), steps=200)
    assert [when for when, _ in found] == [200, 300, 400, 500, 600, 700]
    assert [phrase[0, 0] for _, phrase in found] == [0.0, 100.0, 200.0, 300.0, 400.0, 500.0]


def test_within_a_long_sound_phrases_begin_at_onsets() -> None:
    """A stroke at 90 in a sound that never stops: the second phrase begins with it."""
    line = levels((80, LOUD), (10, -30.0), (330, LOUD))
    found = heard(line, steps=200)
    assert found[1][1][0, 0] == 90.0


@settings(max_examples=80, deadline=None)
@given(
    st.lists(st.tuples(st.integers(1, 60), st.sampled_from([LOUD, -30.0, -48.0, SILENT])), min_size=1, max_size=20),
    st.lists(st.integers(0, 40), min_size=1, max_size=20),
)
def test_any_blocks_give_the_same_phrases_and_never_too_often(
    stretches: list[tuple[int, float]], blocks: list[int]
) -> None:
    line = levels(*stretches)
    sizes = [*blocks, len(line)]
    cuts = np.minimum(np.cumsum(sizes), len(line))
    counts = tuple(np.diff(np.concatenate([[0], cuts])).tolist())
    each, together = heard(line), heard(line, counts)
    assert len(each) == len(together)
    assert all((one == other).all() for (_, one), (_, other) in zip(each, together, strict=True))
    assert all(phrase.shape == (STEPS, 1) and np.isfinite(phrase).all() for _, phrase in each)
    times = [when for when, _ in each]
    assert all(after - before >= INTERVAL_S / STEP_S for before, after in pairwise(times))


def test_the_next_phrase_begins_later_than_this_one_and_before_its_end() -> None:
    for steps in range(2, 60):
        for place in range(steps):
            onsets = np.arange(steps) == place
            assert 1 <= next_begin(onsets) < steps


def test_a_whole_phrase_is_left_as_it_is() -> None:
    phrase = np.random.default_rng(1).standard_normal((STEPS, 3)).astype(np.float32)
    assert (rounded(phrase, STEPS) == phrase).all()


@pytest.mark.parametrize(("more", "phrases"), [(190, 1), (210, 2)])
def test_what_was_given_already_is_no_phrase_by_itself(more: int, phrases: int) -> None:
    """A sound that goes on after its first phrase: the rest counts if a third of a trajectory of it is new."""
    assert len(heard(levels((600 + more, LOUD), (60, SILENT)), steps=600)) == phrases

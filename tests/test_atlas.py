"""The map of a search: who is on it, what it says of each, how it goes on through broods, resets and restarts."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest

from installation.commands import Atlas
from installation.evolution.atlas import LIVES, ON_THE_MAP, Survey
from installation.evolution.breeding import Breeder, resume
from installation.evolution.embedding.mfcc import Mfcc
from installation.evolution.evaluation import Local
from installation.evolution.individual import Individual
from installation.evolution.layout import STEP
from installation.evolution.search import Search
from installation.evolution.store import open_store
from tests.synthesis import RATE_HZ
from tests.test_breeding import SPACE, STEPS, breeder, header_of, lived, local, search


def places(atlas: Atlas) -> dict[int, tuple[float, float]]:
    return {each: (x, y) for each, (x, y) in zip(atlas.identities.tolist(), atlas.places.tolist(), strict=True)}


def farthest(before: Atlas, after: Atlas) -> float:
    """How far one moved that is on both; there must be some."""
    was, now = places(before), places(after)
    return max(float(np.hypot(now[each][0] - was[each][0], now[each][1] - was[each][1])) for each in was.keys() & now)


@pytest.fixture
def subject() -> Breeder:
    """A breeder that has bred for a while, its map drawn all along."""
    subject = breeder(3)
    while subject.search.generation < 6:
        subject.generation()
        subject.atlas()
    return subject


def test_it_shows_all_that_live_and_all_that_are_remembered_each_once(subject: Breeder) -> None:
    atlas, alive = subject.atlas(), {each.identity for each in subject.search.container}
    assert len(alive) == subject.search.container_size
    assert set(subject.search.archive.identities) - alive
    assert sorted(atlas.identities.tolist()) == sorted(alive | set(subject.search.archive.identities))
    assert dict(zip(atlas.identities.tolist(), atlas.alive.tolist(), strict=True)) == {
        each: each in alive for each in atlas.identities.tolist()
    }
    assert np.linalg.norm(atlas.places, axis=1).max() <= 1.0
    for shares in (atlas.sparseness, atlas.age):
        assert shares.min() >= 0.0
        assert shares.max() < 1.0
    assert {each.dtype.name for each in (atlas.places, atlas.origins, atlas.sparseness, atlas.age)} == {"float32"}


def test_age_sparseness_and_parents_are_what_the_search_says(subject: Breeder) -> None:
    atlas, found = subject.atlas(), subject.search
    where, columns = places(atlas), atlas.identities.tolist()
    orphans = 0
    for each, now in zip(found.container, found.sparseness, strict=True):
        column = columns.index(each.identity)
        generations = found.generation - each.generation
        assert atlas.age[column] == pytest.approx(generations / (generations + 10))
        assert atlas.sparseness[column] == pytest.approx(now / (now + found.mean_sparseness))
        known = [parent for parent in each.parents if parent in where]
        if known:
            assert tuple(atlas.origins[column].tolist()) == where[known[0]]
        orphans += not each.parents
        if not each.parents:
            assert tuple(atlas.origins[column].tolist()) == where[each.identity]
    assert 0 < orphans < len(found.container)


def test_a_parent_that_leaves_is_pointed_to_where_it_was() -> None:
    survey, subject = Survey(), search(container=4)
    points = np.random.default_rng(1).normal(size=(6, 8)).astype(np.float32)

    def individual(identity: int, parents: tuple[int, ...] = ()) -> Individual:
        return Individual(identity, 0, parents, np.zeros((STEPS, 4), np.float32), points[identity], 1.0)

    family = [individual(1), individual(2), individual(3, (1, 2)), individual(4)]
    subject.held.hold(family, [1.0] * 4)
    before = survey.atlas(subject)
    assert tuple(before.origins[2].tolist()) == places(before)[1]
    subject.held.hold(family[1:3], [1.0] * 2)
    moved_to_second = survey.atlas(subject)
    child = moved_to_second.identities.tolist().index(3)
    assert tuple(moved_to_second.origins[child].tolist()) == places(moved_to_second)[2]
    subject.held.hold(family[2:], [1.0] * 2)
    after = survey.atlas(subject)
    np.testing.assert_array_equal(after.origins[after.identities.tolist().index(3)], places(moved_to_second)[2])


def test_from_one_generation_to_the_next_the_known_keep_their_columns_and_move_a_little(subject: Breeder) -> None:
    before = subject.atlas()
    for _ in range(8):
        subject.generation()
        after = subject.atlas()
        assert farthest(before, after) <= STEP + 1e-6
        common = min(len(before.identities), len(after.identities))
        stayed = np.isin(before.identities[:common], after.identities)
        np.testing.assert_array_equal(before.identities[:common][stayed], after.identities[:common][stayed])
        before = after


def test_a_reset_and_an_empty_archive_leave_the_rest_where_it_was(subject: Breeder) -> None:
    before = subject.atlas()
    subject.reset()
    after = subject.atlas()
    assert not after.alive.any()
    assert sorted(after.identities.tolist()) == sorted(subject.search.archive.identities)
    assert farthest(before, after) <= STEP + 1e-6
    while subject.search.founding:
        subject.generation()
    subject.forget()
    emptied = subject.atlas()
    assert emptied.alive.all()
    assert len(emptied.identities) == len(subject.search.container)


def test_a_search_that_knows_nobody_has_an_empty_map() -> None:
    subject = search()
    atlas = Survey().atlas(subject)
    assert atlas.identities.shape == (0,)
    assert atlas.places.shape == atlas.origins.shape == (0, 2)


def test_another_embedding_moves_nobody_far(subject: Breeder) -> None:
    before = subject.atlas()
    embedding = Mfcc(RATE_HZ)
    ears = local(3)
    subject.switch(Local(ears.decode, embedding, SPACE, threads=1), "mfcc", embedding.calibration)
    after = subject.atlas()
    assert after.identities.tolist()
    assert farthest(before, after) <= STEP + 1e-6


def test_the_map_draws_no_chance_of_the_search() -> None:
    alone, mapped = breeder(5), breeder(5)
    for _ in range(4):
        mapped.atlas()
        assert lived(alone, 2) == lived(mapped, 2)


def test_from_the_store_the_same_are_known_and_with_the_last_map_nothing_jumps(tmp_path: Path) -> None:
    with open_store(tmp_path / "s.db", header_of(3)) as store:
        first = breeder(3, store)
        while first.search.generation < 6:
            first.generation()
        before = first.atlas()
    with open_store(tmp_path / "s.db", header_of(3)) as store:
        again = search(3)
        assert resume(again, store)
        second = Breeder(again, local(3), store)
        second.survey.hold(before)
        after = second.atlas()
    np.testing.assert_array_equal(after.identities, before.identities)
    np.testing.assert_array_equal(after.alive, before.alive)
    np.testing.assert_array_equal(after.age, before.age)
    np.testing.assert_allclose(after.sparseness, before.sparseness, rtol=1e-6)
    assert (before.age[~before.alive] > 0).any()
    assert farthest(before, after) <= STEP + 1e-6


def crowd(count: int, container: int) -> Search:
    """A search that remembers `count` and has `container` living, identities from 1, none evaluated."""
    subject = search(container=max(2, container))
    subject.archive.capacity = count
    points = np.random.default_rng(0).normal(size=(count + container, 124)).astype(np.float32)
    subject.archive.memory.add(np.arange(1, count + 1), points[:count])
    latents = np.zeros((STEPS, 4), np.float32)
    living = [Individual(count + 1 + n, 0, (), latents, points[count + n], 1.0) for n in range(container)]
    subject.held.hold(living, np.linspace(1.0, 2.0, container))
    return subject


def test_of_too_many_the_living_and_the_youngest_are_on_the_map_and_it_is_small_to_send() -> None:
    atlas = Survey().atlas(crowd(1500, 50))
    assert sorted(atlas.identities.tolist()) == list(range(1551 - ON_THE_MAP, 1551))
    assert atlas.alive.sum() == 50
    assert len(pickle.dumps(atlas)) < 64 * 1024
    sparsest = Survey().atlas(crowd(20, 1100))
    assert sorted(sparsest.identities.tolist()) == list(range(1121 - ON_THE_MAP, 1121))


def test_lives_are_forgotten_before_they_are_too_many() -> None:
    survey, point = Survey(), np.zeros(4, np.float32)
    for number in range(1, 3 * LIVES, 500):
        survey.meet(Individual(each, 0, (), point[None], point, 1.0) for each in range(number, number + 500))
    assert len(survey._lives) <= LIVES

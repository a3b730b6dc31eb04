"""Laws of the archive: who is remembered, how the threshold tunes itself, who is forgotten."""

from __future__ import annotations

import numpy as np

from installation.evolution.archive import AT_ONCE, FALL, PATIENCE, RISE, Archive
from installation.evolution.individual import Individual


def born(identity: int, place: float, sparseness: float) -> Individual:
    point = np.array([place, 0.0], np.float32)
    return Individual(identity, 1, (), np.zeros((2, 1), np.float32), point, sparseness)


def started(capacity: int = 10, threshold: float = 1.0) -> Archive:
    archive = Archive(capacity)
    archive.start(threshold)
    return archive


def test_it_remembers_what_is_beyond_the_threshold_only() -> None:
    archive = started()
    new = archive.consider([born(1, 0, 0.9), born(2, 1, 1.1), born(3, 2, 1.0)])
    assert [each.identity for each in new] == [each.identity for each in archive.members] == [2]


def test_before_the_first_threshold_and_without_room_nothing_is_remembered() -> None:
    assert Archive(10).consider([born(1, 0, 9.0)]) == []
    assert started(0).consider([born(1, 0, 9.0)]) == []


def test_the_first_threshold_stays() -> None:
    archive = started(threshold=1.0)
    archive.start(5.0)
    assert archive.threshold == 1.0


def test_too_many_at_once_raise_the_threshold() -> None:
    archive = started()
    archive.consider([born(n, n, 2.0) for n in range(AT_ONCE)])
    assert archive.threshold == 1.0
    archive.consider([born(n, n, 2.0) for n in range(10, 11 + AT_ONCE)])
    assert archive.threshold == RISE


def test_a_long_quiet_lowers_it_again_and_again_until_something_passes() -> None:
    archive = started()
    for _ in range(2 * PATIENCE):
        assert archive.consider([born(1, 0, 0.92)]) == []
    assert archive.threshold == FALL * FALL
    assert len(archive.consider([born(2, 0, 0.92)])) == 1 and archive.quiet == 0


def test_when_full_it_forgets_the_most_crowded_and_keeps_far_corners() -> None:
    archive = started(capacity=3)
    archive.consider([born(1, 0.0, 2.0), born(2, 10.0, 2.0), born(3, 10.1, 2.0), born(4, -20.0, 2.0)])
    assert [each.identity for each in archive.members] == [1, 3, 4]


def test_it_never_grows_beyond_its_capacity_and_stays_in_order() -> None:
    archive, rng = started(capacity=7, threshold=0.1), np.random.default_rng(0)
    for n in range(60):
        archive.consider([born(2 * n + k, rng.standard_normal(), 1e9) for k in range(2)])
        identities = [each.identity for each in archive.members]
        assert len(identities) <= 7 and identities == sorted(identities)


def test_nobody_is_a_neighbour_twice() -> None:
    archive = started()
    archive.consider([born(1, 0, 2.0), born(2, 1, 2.0)])
    assert [each.identity for each in archive.without([2, 99])] == [1]

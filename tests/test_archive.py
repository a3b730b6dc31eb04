"""Laws of the archive: who is remembered, how the threshold tunes itself, who is forgotten."""

from __future__ import annotations

import numpy as np
import pytest

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
    assert [each.identity for each in new] == archive.identities == [2]


def test_before_the_first_threshold_and_without_room_nothing_is_remembered() -> None:
    assert Archive(10).consider([born(1, 0, 9.0)]) == []
    assert started(0).consider([born(1, 0, 9.0)]) == []


def test_a_threshold_of_nothing_is_none() -> None:
    archive = started(threshold=0.0)
    assert archive.threshold is None
    archive.start(2.0)
    assert archive.threshold == 2.0


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
    assert archive.identities == [1, 3, 4]


def test_it_never_grows_beyond_its_capacity_and_stays_in_order() -> None:
    archive, rng = started(capacity=7, threshold=0.1), np.random.default_rng(0)
    for n in range(60):
        archive.consider([born(2 * n + k, rng.standard_normal(), 1e9) for k in range(2)])
        assert len(archive) <= 7 and archive.identities == sorted(archive.identities)


def test_who_is_forgotten_is_whom_a_search_through_all_pairs_would_forget() -> None:
    archive, rng = started(capacity=12, threshold=0.1), np.random.default_rng(1)
    held: dict[int, np.ndarray] = {}
    for n in range(80):
        new = [born(3 * n + k, rng.standard_normal(), 1e9) for k in range(3)]
        archive.consider(new)
        held |= {each.identity: each.embedding.astype(np.float64) for each in new}
        while len(held) > 12:
            pairs = {(a, b): np.linalg.norm(held[a] - held[b]) for a in held for b in held if a < b}
            del held[min(min(pairs, key=lambda pair: (pairs[pair], pair)))]
        assert archive.identities == sorted(held)


def test_what_came_and_went_since_it_was_last_taken_note_of_is_the_difference() -> None:
    archive, rng = started(capacity=9, threshold=0.1), np.random.default_rng(2)
    noted: set[int] = set()
    for n in range(60):
        archive.consider([born(2 * n + k, rng.standard_normal(), 1e9) for k in range(2)])
        if n % 7 == 0:
            noted = (noted | archive.came) - archive.went
            assert noted == set(archive.identities)
            archive.came.clear()
            archive.went.clear()
    archive.clear()
    assert (noted | archive.came) - archive.went == set() and len(archive) == 0


def test_restored_it_forgets_the_same_members_as_one_that_was_never_put_away() -> None:
    whole, rng = started(capacity=10, threshold=0.1), np.random.default_rng(3)
    broods = [[born(3 * n + k, rng.standard_normal(), 1e9) for k in range(3)] for n in range(40)]
    for brood in broods[:20]:
        whole.consider(brood)
    again = started(capacity=10)
    again.restore(np.array(whole.identities, np.int64), whole.memory.points.copy())
    again.threshold, again.quiet = whole.threshold, whole.quiet
    for brood in broods[20:]:
        for archive in (whole, again):
            archive.consider(brood)
        assert whole.identities == again.identities and whole.threshold == again.threshold


def test_an_archive_too_large_to_know_who_is_crowded_forgets_its_oldest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("installation.evolution.archive.CROWDED_AT_MOST", 2)
    archive = started(capacity=3)
    archive.consider([born(1, 0.0, 2.0), born(2, 10.0, 2.0), born(3, 10.1, 2.0), born(4, -20.0, 2.0)])
    assert archive.identities == [2, 3, 4]


def test_nobody_is_a_neighbour_twice() -> None:
    archive = started()
    archive.consider([born(1, 0, 2.0), born(2, 1, 2.0)])
    point = np.array([[5.0, 0.0]], np.float32)
    assert archive.nearest(point, 4, []).tolist() == [[4.0, 5.0]]
    assert archive.nearest(point, 4, [2, 99]).tolist() == [[5.0]]

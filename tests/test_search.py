"""Laws of ask and tell, on an embedding that is the genotype itself: without sound, thousands of births are cheap."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from installation.evolution.archive import Archive
from installation.evolution.genotype import Space
from installation.evolution.search import FOUNDERS_AT_ONCE, Search
from installation.evolution.sparseness import sparseness
from installation.evolution.steering import Steering

SPACE = Space(np.zeros(3, np.float32), np.ones(3, np.float32))


def search(seed: int = 0, container: int = 12, brood: int = 7, archive: int = 20, **turned: object) -> Search:
    steering = replace(Steering(neighbours=4), **turned)  # type: ignore[arg-type]
    return Search(container, brood, np.random.default_rng(seed), SPACE, 5, steering=steering, archive=Archive(archive))


def heard(latents: np.ndarray) -> np.ndarray:
    return latents.reshape(len(latents), -1)


def live(subject: Search, generations: int, refused: float = 0.0) -> list[list[int]]:
    born = []
    for _ in range(generations):
        latents = subject.ask()
        accepted = heard(latents)[:, 0] > (-9 if refused == 0 else np.quantile(heard(latents)[:, 0], refused))
        born.append([each.identity for each in subject.tell(heard(latents), accepted)])
    return born


def remembered(subject: Search) -> dict[int, np.ndarray]:
    return dict(zip(subject.archive.identities, subject.archive.memory.points.copy(), strict=True))


def picture(subject: Search) -> str:
    rows = [[each.identity, each.parents, each.latents.tolist(), each.sparseness] for each in subject.container]
    return json.dumps([subject.state(), rows, subject.archive.identities])


def test_the_first_container_is_filled_in_small_broods_and_then_broods_are_children() -> None:
    subject = search(container=12, brood=30)
    sizes = []
    while subject.founding:
        latents = subject.ask()
        sizes.append(len(latents))
        assert len(subject.tell(heard(latents), np.ones(len(latents), bool))) == len(latents)
    assert sizes == [FOUNDERS_AT_ONCE, 4] and len(subject.container) == 12
    assert all(each.parents == () for each in subject.container)
    assert len(subject.ask()) == 30


def test_survivors_are_the_sparsest_of_container_and_brood_against_the_archive_too() -> None:
    subject = search()
    live(subject, 12)
    assert len(subject.archive)
    before, latents = list(subject.container), subject.ask()
    identities = [each.identity for each in before] + list(subject.asked.identities)  # type: ignore[union-attr]
    points = np.vstack([np.stack([each.embedding for each in before]), heard(latents)])
    others = np.isin(subject.archive.memory.identities, identities, invert=True)
    measured = sparseness(points, 4, subject.archive.memory.points[others])
    subject.tell(heard(latents), np.ones(len(latents), bool))
    expected = sorted(np.array(identities)[np.argsort(-measured)[:12]].tolist())
    assert [each.identity for each in subject.container] == expected
    assert subject.mean_sparseness == pytest.approx(np.sort(measured)[-12:].mean())


def test_what_comes_back_are_those_of_the_brood_that_live_now() -> None:
    subject = search()
    live(subject, 3)
    known = {each.identity for each in subject.container}
    for _ in range(10):
        latents = subject.ask()
        born = {each.identity for each in subject.tell(heard(latents), np.ones(len(latents), bool))}
        now = {each.identity for each in subject.container}
        assert born == now - known
        known = now


def test_identities_are_unique_and_grow_and_parents_lived_before_their_children() -> None:
    subject, seen = search(), []
    for born in live(subject, 30):
        assert all(identity > max(seen, default=0) for identity in born)
        seen += born
    for each in subject.container:
        assert all(parent < each.identity for parent in each.parents) and len(each.parents) in (0, 2)


def test_without_crossover_a_child_has_one_parent_and_with_it_or_a_line_to_a_partner_two() -> None:
    for chance, operator, kinds in ((0.0, "step", {1}), (1.0, "step", {2}), (0.0, "iso-line", {2})):
        subject = search(crossover=chance, operator=operator)
        live(subject, 2)
        subject.ask()
        assert {len(set(parents)) for parents in subject.asked.parents} == kinds  # type: ignore[union-attr]


def test_without_crossover_and_mutation_children_are_their_parents() -> None:
    subject = search(crossover=0.0, mutation_rate=0.0)
    live(subject, 2)
    pool = {each.latents.tobytes() for each in subject.container}
    assert {each.tobytes() for each in subject.ask()} <= pool


def test_steering_is_heard_by_the_next_brood() -> None:
    subject = search(crossover=0.0, mutation_rate=1.0)
    live(subject, 3)
    subject.steering = replace(subject.steering, mutation_rate=0.0)
    assert {each.tobytes() for each in subject.ask()} <= {each.latents.tobytes() for each in subject.container}


def test_the_refused_never_live_and_are_evaluated_all_the_same() -> None:
    subject = search()
    while subject.founding:
        latents = subject.ask()
        subject.tell(heard(latents), np.ones(len(latents), bool))
    before, count = [each.identity for each in subject.container], subject.evaluations
    latents = subject.ask()
    assert subject.tell(heard(latents) * np.nan, np.zeros(len(latents), bool)) == ()
    assert [each.identity for each in subject.container] == before and subject.evaluations == count + len(latents)
    assert np.isfinite(subject.mean_sparseness)


def test_a_model_that_is_mostly_refused_breeds_with_what_there_is() -> None:
    subject = search(container=40)
    live(subject, 120, refused=0.9)
    assert not subject.founding and len(subject.container) == 40


def test_a_model_that_is_always_refused_never_breeds_and_never_fails() -> None:
    subject = search()
    for _ in range(40):
        latents = subject.ask()
        assert subject.tell(np.zeros((len(latents), 4), np.float32), np.zeros(len(latents), bool)) == ()
    assert subject.founding and subject.mean_sparseness == 0.0


def test_the_same_seed_lives_the_same_life_and_another_does_not() -> None:
    lives = [search(seed) for seed in (3, 3, 4)]
    for each in lives:
        live(each, 15)
    assert picture(lives[0]) == picture(lives[1]) != picture(lives[2])


@pytest.mark.parametrize("stop", [1, 2, 6, 19])
def test_a_search_that_stops_and_resumes_is_bit_for_bit_one_that_does_not(stop: int) -> None:
    whole, first, second = search(1), search(1), search(99)
    live(whole, 30, refused=0.2)
    live(first, stop, refused=0.2)
    state = json.loads(json.dumps(first.state()))
    second.restore(state, reversed(first.container), remembered(first))
    live(second, 30 - stop, refused=0.2)
    assert picture(second) == picture(whole)


def test_novelty_grows_and_the_container_spreads() -> None:
    subject = search(container=40, brood=30, archive=200)
    live(subject, 6)
    first = subject.mean_sparseness
    live(subject, 60)
    assert subject.mean_sparseness > 1.5 * first
    assert len({each.latents.tobytes() for each in subject.container}) == 40


def test_reset_founds_anew_but_numbers_and_archive_go_on() -> None:
    subject = search()
    live(subject, 12)
    highest, known = max(each.identity for each in subject.container), len(subject.archive)
    subject.reset()
    assert subject.founding and subject.trajectories() == ()
    live(subject, 1)
    assert min(each.identity for each in subject.container) > highest
    assert len(subject.archive) >= known


def test_a_smaller_or_larger_container_is_reached_after_a_restore() -> None:
    grown = search()
    live(grown, 5)
    for size in (6, 20):
        subject = search(container=size)
        subject.restore(grown.state(), grown.container, remembered(grown))
        live(subject, 6)
        assert len(subject.container) == size


def test_wrong_sizes_are_refused_with_what_is_allowed() -> None:
    with pytest.raises(ValueError, match="container 1"):
        search(container=1)
    with pytest.raises(ValueError, match="allowed are random, normal, dataset"):
        Search(5, 5, np.random.default_rng(0), SPACE, 5, init="walk")
    subject = search()
    with pytest.raises(ValueError, match="asked for 0"):
        subject.tell(np.zeros((2, 2), np.float32), np.ones(2, bool))
    subject.ask()
    with pytest.raises(ValueError, match="told 2 embeddings"):
        subject.tell(np.zeros((2, 2), np.float32), np.ones(2, bool))

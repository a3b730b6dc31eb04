"""Settings of a run, and that what can be steered has the names the search knows."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from installation import parameters
from installation.evolution.archive import Archive
from installation.evolution.breeding import new_search, steering_of
from installation.evolution.embedding import EMBEDDINGS
from installation.evolution.genotype import Space
from installation.evolution.operators import CROSSOVERS, MIXED, MUTATIONS
from installation.evolution.selection import SELECTIONS
from installation.evolution.settings import Settings
from installation.evolution.sparseness import sparseness

SPACE = Space(np.zeros(3, np.float32), np.ones(3, np.float32))


def test_names_that_can_be_steered_are_those_there_are() -> None:
    assert set(parameters.OPERATORS) == {*MUTATIONS, MIXED} and set(parameters.RECOMBINATIONS) == set(CROSSOVERS)
    assert set(parameters.SELECTIONS) == set(SELECTIONS) and set(parameters.EMBEDDINGS) == set(EMBEDDINGS)


def test_settings_survive_json_and_what_an_older_run_did_not_know_has_its_default() -> None:
    settings = replace(Settings(), container=7, adapt=True, init="dataset", excerpts="ab")
    assert Settings.of(json.loads(json.dumps(settings.as_dict()))) == settings
    assert Settings.of({"container": 7, "unheard_of": 1}) == replace(Settings(), container=7)


def test_every_fault_is_told_at_once() -> None:
    wrong = replace(Settings(), container=1, mutation="walk", rate=2.0)
    assert [each.split(":")[0] for each in wrong.faults()] == ["mutation", "container", "rate"]
    assert Settings().differences(wrong) == [
        "container is 50, wanted 1", "mutation is mixed, wanted walk", "rate is 0.4, wanted 2.0",
    ]  # fmt: skip


def test_without_crossover_nobody_has_two_parents_and_with_it_everybody() -> None:
    assert steering_of(replace(Settings(), crossover="none")).crossover == 0.0
    assert steering_of(Settings()).crossover == 1.0


def _live(settings: Settings, generations: int) -> list[float]:
    """Mean sparseness after each generation, on an embedding that is the genotype."""
    search = new_search(SPACE, settings, founders_at_once=settings.container)
    for _ in range(generations + 1):
        latents = search.ask()
        search.tell(latents.reshape(len(latents), -1), np.ones(len(latents), bool))
    assert search.generation == generations
    return search.history


SMALL = replace(Settings(), container=20, brood=12, steps=4, neighbours=6, archive=40)


def test_an_adapting_sigma_grows_while_children_come_in_and_shrinks_while_they_do_not() -> None:
    for chance, law in ((1.0, lambda reach: reach > 2), (0.0, lambda reach: 0.125 <= reach < 0.8)):
        search = new_search(SPACE, replace(SMALL, adapt=True), founders_at_once=20)
        for _ in range(30):
            latents = search.ask()
            points = latents.reshape(len(latents), -1) * (1.5**search.generation if chance else 1.0)
            search.tell(points, np.full(len(latents), bool(chance) or search.founding))
        assert law(search.reach)


@pytest.mark.parametrize("components", [2, 5])
def test_through_components_the_search_spreads_and_goes_on_bit_for_bit(components: int) -> None:
    settings = replace(SMALL, components=components, refit=3)
    whole = new_search(SPACE, settings, founders_at_once=20)
    first, second = (new_search(SPACE, settings, founders_at_once=20) for _ in range(2))

    def live(search, count: int) -> None:  # type: ignore[no-untyped-def]
        for _ in range(count):
            latents = search.ask()
            search.tell(latents.reshape(len(latents), -1), np.ones(len(latents), bool))

    live(whole, 20)
    live(first, 8)
    assert whole.lens.pca is not None and whole.lens.pca.components == components
    archive = dict(zip(first.archive.identities, first.archive.memory.points.copy(), strict=True))
    second.restore(json.loads(json.dumps(first.state())), first.container, archive, history=first.history)
    live(second, 12)
    assert second.state() == whole.state() and second.history == whole.history
    assert whole.history[-1] > whole.history[1]  # the founders are measured before there are components


def test_the_first_threshold_is_in_the_unit_of_the_components() -> None:
    search = new_search(SPACE, replace(SMALL, components=2), founders_at_once=20)
    for _ in range(4):
        latents = search.ask()
        search.tell(latents.reshape(len(latents), -1), np.ones(len(latents), bool))
        if search.generation == 0:
            points = search.lens.see(np.stack([each.embedding for each in search.container]))
            assert search.archive.threshold == pytest.approx(sparseness(points, 6).mean()) == search.history[0]
    assert len(search.archive) > 0


def test_farthest_reproduces_the_published_rise_and_nearest_the_spread() -> None:
    """Both curves rise by their own measure; only nearest leaves its container spread."""
    ends = {}
    for name in ("nearest", "farthest"):
        search = new_search(SPACE, replace(SMALL, selection=name, rate=0.3), founders_at_once=20)
        for _ in range(80):
            latents = search.ask()
            search.tell(latents.reshape(len(latents), -1), np.ones(len(latents), bool))
        points = np.stack([each.embedding for each in search.container])
        apart = np.linalg.norm(points[:, None] - points[None], axis=2) + np.diag(np.full(20, np.inf))
        ends[name] = apart.min(axis=1).mean()
        assert search.history[-1] > 1.3 * search.history[0]
    assert ends["nearest"] > 1.5 * ends["farthest"]


def test_an_archive_given_empty_is_the_archive_it_has() -> None:
    search = new_search(SPACE, SMALL)
    assert isinstance(search.archive, Archive) and search.archive.capacity == 40

"""The bench of the paper's experiments: what it asks of `evolve` is allowed, and its ratios are by hand."""

from __future__ import annotations

import argparse
from dataclasses import fields, replace
from pathlib import Path

import pytest

from bench.paper import BASES, EXPERIMENTS, PUBLISHED, Run, acceptance, runs_of
from installation.__main__ import command_line
from installation.errors import StoreError
from installation.evolution.settings import Settings
from tests.runs import STEPS, run

GIVEN = argparse.Namespace(out=Path("paper"), model="bronze", generations=7, first_seed=0, seeds=2)


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_every_run_is_one_the_command_line_takes(name: str) -> None:
    runs = runs_of(name, GIVEN)
    assert len({each.path for each in runs}) == len(runs) == 2 * len(EXPERIMENTS[name].runs)
    for each in runs:
        taken = command_line().parse_args(each.command()[3:])
        names = set(PUBLISHED) - {"init", "quality", "embedding"}
        asked = {key: getattr(taken, key) for key in names}
        assert replace(Settings(), **asked).faults() == []
        assert {key: type(asked[key])(each.options[key]) for key in names} == asked
        assert taken.generations == (500 if name == "level" else 7) and taken.seed == each.seed


@pytest.mark.parametrize("base", BASES.values())
def test_no_experiment_leans_on_a_default(base: dict[str, str]) -> None:
    """All but what is off in every run, or given to each: a default that changes must change no published run."""
    free = {"steps", "seed", "adapt", "components", "refit", "excerpts"}
    assert set(base) == {field.name for field in fields(Settings)} - free


def made(path: Path, generations: int) -> Run:
    options = {"container": "12", "brood": "8", "neighbours": "4", "mutation": "step", "quality": "on"}
    return Run(path, "sines", options, 0, generations)


def test_a_run_is_whole_when_its_last_generation_is_there_and_goes_on_if_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bench.paper.STEPS", STEPS)
    wanted = made(tmp_path / "r.sqlite", 4)
    assert not wanted.whole() and "--resume" not in wanted.command()
    run(wanted.path, 3, mutation="step")
    assert not wanted.whole() and "--resume" in wanted.command()
    assert replace(wanted, generations=3).whole()


def test_a_run_of_other_settings_is_refused_and_not_taken_for_this_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bench.paper.STEPS", STEPS)
    run(tmp_path / "r.sqlite", 3, mutation="mixed", quality=False)
    with pytest.raises(StoreError, match="mutation is mixed, wanted step; quality is False, wanted on"):
        made(tmp_path / "r.sqlite", 3).whole()


def ended(selection: str, start: tuple[float, float], end: tuple[float, float]) -> dict[str, object]:
    names = ("vendi", "nearest_neighbour")
    return {"selection": selection, "start": dict(zip(names, start, strict=True)), **dict(zip(names, end, strict=True))}


def test_acceptance_is_of_means_over_seeds() -> None:
    runs = [
        ended("nearest", (2.0, 1.0), (4.0, 0.5)),
        ended("nearest", (4.0, 1.0), (8.0, 1.0)),
        ended("farthest", (3.0, 1.0), (1.5, 0.1)),
    ]
    found = acceptance(runs)
    assert found is not None
    assert found["nearest_end_over_start"] == pytest.approx({"vendi": 2.0, "nearest_neighbour": 0.75})
    assert found["nearest_over_farthest"] == pytest.approx({"vendi": 4.0, "nearest_neighbour": 7.5})
    assert list(found["reached"].values()) == [True, False, True, True]


def test_without_one_of_the_two_there_is_nothing_to_accept() -> None:
    assert acceptance([ended("nearest", (2.0, 1.0), (4.0, 0.5))]) is None

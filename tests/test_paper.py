"""The bench of the paper's experiments: what it asks of `evolve` is allowed, and its ratios are by hand."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import pytest

from bench.paper import EXPERIMENTS, acceptance, runs_of
from installation.__main__ import command_line
from installation.evolution.settings import Settings
from tests.runs import run

GIVEN = argparse.Namespace(out=Path("paper"), model="bronze", generations=7, seeds=2)


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_every_run_is_one_the_command_line_takes(name: str) -> None:
    runs = runs_of(name, GIVEN)
    assert len({each.path for each in runs}) == len(runs) == 2 * len(EXPERIMENTS[name].runs)
    for each in runs:
        taken = command_line().parse_args(each.command()[3:])
        known = {key: getattr(taken, key) for key in ("container", "brood", "rate", "mutation", "selection", "archive")}
        asked = {key: value for key, value in known.items() if value is not None}
        assert set(asked) == set(each.options) - {"init"} and replace(Settings(), **asked).faults() == []
        assert taken.generations == (500 if name == "level" else 7) and taken.seed == each.seed


def test_a_run_is_whole_when_its_last_generation_is_there_and_goes_on_if_not(tmp_path: Path) -> None:
    made = replace(runs_of("selection", GIVEN)[0], path=tmp_path / "r.sqlite", generations=4)
    assert not made.whole() and "--resume" not in made.command()
    run(made.path, 3)
    assert not made.whole() and "--resume" in made.command()
    assert replace(made, generations=3).whole()


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

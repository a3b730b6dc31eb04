"""Runs side by side: one judge, one scale, and groups that differ in more than chance."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest

from installation.errors import InstallationError, ModelError
from installation.evolution.compare import Comparison, compare, labels, names
from installation.evolution.examination import examine
from installation.evolution.overlay import write_comparison
from installation.evolution.store import Store, read_store
from tests.runs import audience, run


@pytest.fixture(scope="module")
def stores(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Store]]:
    folder = tmp_path_factory.mktemp("runs")
    for selection in ("nearest", "farthest"):
        for seed in (0, 1):
            run(folder / f"{selection}-{seed}.sqlite", 5 + seed, selection=selection, seed=seed)
    with ExitStack() as opened:
        yield [opened.enter_context(read_store(path)) for path in sorted(folder.glob("*.sqlite"))]


@pytest.fixture(scope="module")
def compared(stores: list[Store]) -> Comparison:
    return compare(stores, audience(), moments=3)


def test_it_says_exactly_what_is_asked_of_each_run(compared: Comparison) -> None:
    told = json.loads(json.dumps(compared.as_dict()))
    assert list(told) == ["runs"] and set(told["runs"]) == {"farthest-0", "farthest-1", "nearest-0", "nearest-1"}
    for name, figures in told["runs"].items():
        selection, seed = name.split("-")
        assert set(figures) == {
            "selection", "sparseness", "vendi", "nearest_neighbour", "coverage", "embedding", "heldout_embedding",
            "start", "settings",
        }  # fmt: skip
        assert figures["selection"] == selection and figures["settings"]["seed"] == int(seed)
        assert len(figures["sparseness"]) == 5 + int(seed)
        assert (figures["embedding"], figures["heldout_embedding"]) == ("texture", "mfcc")
        assert set(figures["start"]) == {"sparseness", "vendi", "nearest_neighbour", "coverage"}


def test_runs_of_one_seed_start_alike_and_selection_parts_them(compared: Comparison) -> None:
    told = compared.as_dict()["runs"]
    for measure in ("vendi", "nearest_neighbour", "coverage"):
        assert told["nearest-0"]["start"][measure] == pytest.approx(told["farthest-0"]["start"][measure])
    assert told["nearest-0"]["vendi"] != told["farthest-0"]["vendi"]


def test_its_figures_are_those_of_the_run_s_own_report(stores: list[Store], compared: Comparison) -> None:
    run = compared.runs[2]
    alone = examine(run.chronicle, audience(), names=())
    assert alone.scale == pytest.approx(compared.scale)
    assert (alone.spread[0], alone.spread[-1]) == (run.spread[0], run.spread[-1])


def test_two_moments_are_enough_for_the_figures(stores: list[Store], compared: Comparison) -> None:
    assert compare(stores, audience()).as_dict() == compared.as_dict()


def test_runs_that_differ_in_their_seed_only_are_one_group(compared: Comparison) -> None:
    groups = compared.groups()
    assert {label: [run.name for run in runs] for label, runs in groups.items()} == {
        "selection farthest": ["farthest-0", "farthest-1"],
        "selection nearest": ["nearest-0", "nearest-1"],
    }


def test_the_judge_is_one_that_none_of_them_used(stores: list[Store], tmp_path: Path) -> None:
    run(tmp_path / "other.sqlite", 2, embedding="mfcc")
    with read_store(tmp_path / "other.sqlite") as other:
        with pytest.raises(ModelError, match="none is left to judge by"):
            compare([stores[0], other], audience())
        assert compare([other], audience()).held_out == "texture"
        assert compare([stores[0], other], audience(), "mfcc").held_out == "mfcc"


def test_runs_of_two_models_are_refused_and_both_named(stores: list[Store], tmp_path: Path) -> None:
    run(tmp_path / "other.sqlite", 2, model="bells")
    with read_store(tmp_path / "other.sqlite") as other, pytest.raises(InstallationError, match=r"sines.*bells"):
        compare([stores[0], other], audience())
    with pytest.raises(InstallationError, match="no runs"):
        compare([], audience())


def test_every_run_has_a_name_of_its_own() -> None:
    paths = [Path("a/run.sqlite"), Path("b/run.sqlite"), Path("b/other.sqlite"), Path("c/b/run.sqlite")]
    assert names(paths) == ["run", "b/run", "other", "b/run 2"]


def test_labels_name_what_differs_and_nothing_else() -> None:
    settings = [{"brood": 30, "rate": 0.1, "gate": True}, {"brood": 30, "rate": 0.25, "gate": False}]
    assert labels(settings) == ["rate 0.1, gate on", "rate 0.25, gate off"]
    assert labels([{"brood": 30}]) == ["all runs"] and labels([{}, {"brood": 30}]) == ["brood unknown", "brood 30"]


def test_the_page_shows_every_run_and_needs_nothing_else(compared: Comparison, tmp_path: Path) -> None:
    figures = write_comparison(compared, tmp_path / "page", "Which <selection>?")
    page = (tmp_path / "page" / "index.html").read_text("utf-8")
    assert json.loads((tmp_path / "page" / "compare.json").read_text("utf-8")) == figures
    named = re.findall(r'src="([^"]+)"', page)
    assert sorted(named) == ["sparseness.png", "spread.png"] and all(
        (tmp_path / "page" / each).is_file() for each in named
    )
    assert all(run.name in page for run in compared.runs) and "Which &lt;selection&gt;?" in page and "http" not in page
    ends = [np.mean([run.spread[-1].vendi for run in runs]) for runs in compared.groups().values()]
    assert all(f"→ {end:.2f}" in page for end in ends)

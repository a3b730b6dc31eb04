"""`report`, `compare` and `study` as a person runs them, on runs of the default model small enough for a test."""

from __future__ import annotations

import json
import shutil
import wave
from pathlib import Path
from typing import Any

import pytest

from installation.__main__ import main
from installation.evolution.store import read_store
from installation.evolution.study import write_study
from installation.instrument import REFERENCE_SEED, open_instrument
from installation.model import MODELS
from tests.test_study import listener

SMALL = ("--container", "9", "--brood", "5", "--neighbours", "4", "--steps", "6", "--generations", "4")


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("runs")
    paths = folder / "near.sqlite", folder / "far.sqlite"
    for path, name in zip(paths, ("nearest", "farthest"), strict=True):
        assert main(["evolve", "--out", str(path), *SMALL, "--selection", name]) == 0
    return paths


def test_a_report_is_a_page_with_its_figures_plots_and_sounds(
    runs: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["report", str(runs[0]), "--out", str(tmp_path), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert json.loads((tmp_path / "report.json").read_text()) == told
    page = (tmp_path / "index.html").read_text()
    sounds = sorted((tmp_path / "sounds").glob("*.wav"))
    assert len(sounds) == 9 and all(f"sounds/{path.name}" in page for path in sounds)
    with wave.open(str(sounds[0])) as file:
        assert (file.getframerate(), file.getnframes()) == (48_000, 6 * 2048)
    assert {"sparseness.png", "spread.png", "rejected.png", "credit.png", "map.png"} <= {
        path.name for path in tmp_path.iterdir()
    }


def test_a_comparison_prints_what_programs_are_promised(
    runs: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["compare", *map(str, runs), "--json", "--out", str(tmp_path)]) == 0
    told = json.loads(capsys.readouterr().out)["runs"]
    assert list(told) == ["near", "far"] and (tmp_path / "index.html").is_file()
    for name, selection in (("near", "nearest"), ("far", "farthest")):
        run = told[name]
        assert run["selection"] == selection and len(run["sparseness"]) == 4
        assert run["embedding"] == "texture" and run["heldout_embedding"] == "mfcc"
        assert 1.0 <= run["vendi"] <= 9.0 and run["nearest_neighbour"] > 0 and 0.0 <= run["coverage"] <= 1.0
    assert told["near"]["start"]["vendi"] == told["far"]["start"]["vendi"]  # the same seed, the same founders
    assert main(["compare", str(runs[0]), "--heldout", "rave"]) == 0
    assert "by rave" in capsys.readouterr().out


def test_a_study_is_written_and_what_listeners_answered_read_back(
    runs: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--triplets", "6", "--ratings", "3", "--repeats", "1"]
    assert main(["study", str(runs[0]), "--out", str(tmp_path / "study.html"), *words]) == 0
    instrument = open_instrument("bronze", "cpu", 1)
    audience = {name: instrument.calibrated(name, 6, REFERENCE_SEED) for name in ("texture", "mfcc", "rave")}
    with read_store(runs[0]) as store:
        study = write_study(
            store, tmp_path / "same.html", instrument.decode, 48_000, audience, triplets=6, ratings=3, repeats=1
        )
    assert (tmp_path / "same.html").read_bytes() == (tmp_path / "study.html").read_bytes()
    answers: list[Any] = [listener(study, n, lambda a, left, right: left, lambda clip: 4) for n in range(3)]
    files = [tmp_path / f"{number}.json" for number in range(3)]
    for path, each in zip(files, answers, strict=True):
        path.write_text(json.dumps(each))
    (tmp_path / "letter.json").write_text("dear me")
    capsys.readouterr()
    given = [*map(str, files), str(tmp_path / "letter.json")]
    results = tmp_path / "results.html"
    assert main(["study", str(runs[0]), "--answers", *given, "--json", "--out", str(results)]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["listeners"] == 3 and len(told["refused"]) == 1 and "letter.json" in told["refused"][0]
    assert {fit["embedding"] for fit in told["fits"]} == {"texture", "mfcc", "rave"} and results.is_file()


def test_what_can_not_be_is_said(runs: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = tmp_path / "other"
    shutil.copytree(MODELS / "bronze", other)
    with (other / "decoder.onnx").open("ab") as file:
        file.write(b"\0")
    for words, said in (
        (["report", str(tmp_path / "none"), "--out", str(tmp_path)], "none: no such file"),
        (["report", str(runs[0]), "--out", str(tmp_path), "--model", str(other)], "name the right one with --model"),
        (["study", str(runs[0])], "name --out to write a study, or --answers to read some"),
        (
            ["study", str(runs[0]), "--out", str(tmp_path / "s.html"), "--triplets", "0"],
            "triplets: 0 is outside 1..200",
        ),
    ):
        assert main(words) == 1
        assert said in capsys.readouterr().err

"""`installation evolve` as a person runs it, on the default model, with broods small enough for a test."""

from __future__ import annotations

import json
import signal
import sqlite3
import subprocess
import sys
import time
import wave
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from installation.__main__ import main
from installation.evolution.operators import MIXED, MUTATIONS
from installation.evolution.selection import SELECTIONS
from installation.evolution.settings import Settings
from installation.evolution.store import open_store, read_header, read_store
from installation.evolve import Order
from installation.evolve import evolve as run_evolution
from installation.instrument import open_instrument

SMALL = ("--container", "8", "--brood", "5", "--neighbours", "4", "--steps", "4", "--archive", "20")


def evolve(out: Path, *words: str) -> int:
    return main(["evolve", "--out", str(out), *SMALL, *words])


def contents(path: Path) -> dict[str, list[Any]]:
    """Everything a store holds."""
    with sqlite3.connect(path) as connection:
        tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        found = {name: connection.execute(f"SELECT * FROM {name} ORDER BY 1").fetchall() for name in tables}
    connection.close()
    return found


def test_a_run_is_what_its_seed_and_settings_say_and_holds_every_generation(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, seed in (("a", "3"), ("b", "3"), ("c", "4")):
        assert evolve(tmp_path / name, "--generations", "5", "--seed", seed, "--json") == 0
    told = [json.loads(part + "}") for part in capsys.readouterr().out.split("\n}\n")[:3]]
    assert [each["generations"] for each in told] == [5] * 3 and told[0]["evaluations"] == 8 + 5 * 5
    assert contents(tmp_path / "a") == contents(tmp_path / "b") != contents(tmp_path / "c")
    with read_store(tmp_path / "a") as store:
        pasts = store.generations()
        assert [past.generation.number for past in pasts] == list(range(6))
        assert pasts[-1].generation.mean == pytest.approx(told[0]["mean_sparseness"])
        held = Settings.of(store.header.settings or {})
        assert (held.container, held.brood, held.neighbours, held.seed) == (8, 5, 4, 3)
        assert all(past.generation.born == sum(
            life.entered == past.generation.number for life in store.lives()
        ) for past in pasts[1:])  # fmt: skip


def test_it_is_lvns_raves_first_experiment_unless_told_otherwise() -> None:
    usual = Settings()
    assert (usual.container, usual.brood, usual.neighbours, usual.steps) == (50, 30, 30, 64)
    assert (usual.init, usual.crossover, usual.selection) == ("random", "one-point", "nearest")
    assert usual.faults() == []


@pytest.mark.parametrize("sign", [signal.SIGTERM, pytest.param(signal.SIGINT, marks=pytest.mark.long)])
def test_told_to_stop_it_stops_soon_and_goes_on_as_if_it_had_not(tmp_path: Path, sign: signal.Signals) -> None:
    whole, part = tmp_path / "whole.sqlite", tmp_path / "part.sqlite"
    words = ["--generations", "40", "--mutation", "mixed", "--adapt", "--components", "3", "--refit", "4"]
    assert evolve(whole, *words) == 0
    command = [sys.executable, "-m", "installation", "evolve", "--out", str(part), *SMALL, *words]
    running = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    until_s = time.monotonic() + 30
    while not (part.is_file() and _generations(part) >= 3):
        assert running.poll() is None and time.monotonic() < until_s
        time.sleep(0.01)
    running.send_signal(sign)
    _, said = running.communicate(timeout=10)
    assert running.returncode == 130 and "go on with --resume" in said
    assert 3 <= _generations(part) < 40
    assert main(["evolve", "--out", str(part), "--generations", "40", "--resume"]) == 0
    assert contents(part) == contents(whole)


def _generations(path: Path) -> int:
    try:
        with sqlite3.connect(path) as connection:
            (found,) = connection.execute("SELECT max(number) FROM generations").fetchone()
        return -1 if found is None else int(found)
    except sqlite3.OperationalError:
        return -1


def test_killed_again_and_again_it_loses_at_most_the_brood_in_flight(tmp_path: Path) -> None:
    whole, part = tmp_path / "whole.sqlite", tmp_path / "part.sqlite"
    assert evolve(whole, "--generations", "15") == 0
    rng, reached, kills = np.random.default_rng(0), -1, 0
    while _generations(part) < 15:
        resumed = ["--resume"] if read_header(part) is not None else []
        words = [*SMALL, "--generations", "15", *resumed]
        running = subprocess.Popen(
            [sys.executable, "-m", "installation", "evolve", "--out", str(part), *words], stderr=subprocess.DEVNULL
        )
        until_s = time.monotonic() + 20
        while _generations(part) <= reached and running.poll() is None:
            assert time.monotonic() < until_s
            time.sleep(0.005)
        time.sleep(rng.uniform(0, 0.08))
        kills += running.poll() is None
        running.kill()
        assert running.wait() in (0, -signal.SIGKILL)
        assert _generations(part) >= reached
        reached = _generations(part)
    assert kills >= 2 and contents(part) == contents(whole)


def test_founders_from_sound_files_are_what_the_encoder_makes_of_them(tmp_path: Path) -> None:
    folder = tmp_path / "sounds"
    folder.mkdir()
    tone = (0.3 * np.sin(2 * np.pi * 330 * np.arange(44_100 * 2) / 44_100) * 32767).astype("<i2")
    with wave.open(str(folder / "tone.wav"), "wb") as file:
        file.setparams((2, 2, 44_100, 0, "NONE", ""))
        file.writeframes(np.repeat(tone, 2).tobytes())
    assert evolve(tmp_path / "run", "--generations", "2", "--init", "dataset", str(folder)) == 0
    with read_store(tmp_path / "run") as store:
        excerpts = store.excerpts()
        founders = [life.individual.latents for life in store.lives() if life.individual.generation == 0]
    assert excerpts is not None and excerpts.shape == (2 * 48_000 // 2048, 8)
    instrument = open_instrument("bronze", "cpu", 1)
    low, high = instrument.space.low, instrument.space.high
    windows = np.clip(np.lib.stride_tricks.sliding_window_view(excerpts, 4, axis=0).transpose(0, 2, 1), low, high)
    assert len(founders) == 8 and all((windows == each).all(axis=(1, 2)).any() for each in founders)
    settled = excerpts[10:30]
    assert np.abs(np.diff(settled, axis=0)).max() < 0.2 * np.ptp(excerpts)  # a steady tone stays where it is
    (folder / "tone.wav").unlink()
    assert main(["evolve", "--out", str(tmp_path / "run"), "--generations", "3", "--resume"]) == 0


@pytest.mark.parametrize("word", [*(f"--mutation={name}" for name in (*MUTATIONS, MIXED)), *(
    f"--selection={name}" for name in SELECTIONS), "--crossover=uniform", "--crossover=none", "--quality=off",
    "--init=normal", "--init=dataset", "--embedding=mfcc", "--embedding=rave"])  # fmt: skip
def test_every_choice_breeds(tmp_path: Path, word: str) -> None:
    name, value = word.split("=")
    assert evolve(tmp_path / "run", name, value, "--generations", "2", "--rate", "0.5") == 0
    with read_store(tmp_path / "run") as store:
        assert len(store.generations()) == 3 and len(store.container()) == 8
        expected = Settings.of(store.header.settings or {})
        found = {"quality": "on" if expected.quality else "off"}.get(name[2:], getattr(expected, name[2:]))
        assert found == value


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--container", "1"], "container: 1 is outside 2"),
        (["--rate", "1.5", "--sigma", "9"], "sigma: 9.0 is outside 0..3"),
        (["--init", "walk"], "--init walk: allowed are random, normal, dataset"),
        (["--init", "normal", "x.wav"], "one path may follow dataset"),
        (["--init", "dataset", "/nowhere"], "/nowhere: no such file or folder"),
        (["--generations", "0"], "--generations 0"),
        (["--model", "bronzo"], "did you mean bronze?"),
        (["--resume"], "there is no run to resume"),
    ],
)
def test_what_can_not_be_is_said_and_nothing_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], words: list[str], said: str
) -> None:
    assert evolve(tmp_path / "run", *words) == 1
    assert said in capsys.readouterr().err and not (tmp_path / "run").exists()


def test_a_run_is_neither_written_over_nor_gone_on_with_as_another(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert evolve(tmp_path / "run", "--generations", "2") == 0
    before = contents(tmp_path / "run")
    assert evolve(tmp_path / "run", "--generations", "2") == 1
    assert "go on with --resume" in capsys.readouterr().err
    assert evolve(tmp_path / "run", "--generations", "4", "--resume", "--sigma", "0.25") == 1
    assert "sigma is 1.5, wanted 0.25" in capsys.readouterr().err
    (tmp_path / "file").write_text("a letter")
    assert main(["evolve", "--out", str(tmp_path / "file"), "--resume"]) == 1
    assert contents(tmp_path / "run") == before and (tmp_path / "file").read_text() == "a letter"


@pytest.mark.long
def test_on_a_cluster_it_finds_what_it_finds_here(tmp_path: Path) -> None:
    assert evolve(tmp_path / "here", "--generations", "4", "--brood", "12") == 0
    command = [sys.executable, "-m", "installation", "evolve", "--out", str(tmp_path / "there"), *SMALL]
    subprocess.run([*command, "--generations", "4", "--brood", "12", "--cluster", "local"], check=True, timeout=120)
    assert contents(tmp_path / "there") == contents(tmp_path / "here")


def test_a_large_archive_lies_in_files_beside_the_store_and_is_gone_on_with(tmp_path: Path) -> None:
    words = ["--archive", "200000", "--rate", "0.5"]
    assert evolve(tmp_path / "run.sqlite", "--generations", "6", *words) == 0
    assert (tmp_path / "run.sqlite.neighbours" / "memory.points").is_file()
    assert main(["evolve", "--out", str(tmp_path / "run.sqlite"), "--generations", "12", "--resume"]) == 0
    assert evolve(tmp_path / "whole.sqlite", "--generations", "12", "--archive", "100000", "--rate", "0.5") == 0
    again = tmp_path / "run.sqlite"
    before = contents(again)["individuals"]
    again.unlink()  # but not what lies beside it: a new run is not measured against the one before
    assert evolve(again, "--generations", "12", *words) == 0 and contents(again)["individuals"] == before
    large, exact = contents(tmp_path / "run.sqlite"), contents(tmp_path / "whole.sqlite")
    assert large["individuals"] == exact["individuals"] and large["generations"] == exact["generations"]


def test_an_empty_file_is_no_run_to_go_on_with_and_may_be_begun_in(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "run").touch()
    assert main(["evolve", "--out", str(tmp_path / "run"), "--resume"]) == 1
    assert "begin one without --resume" in capsys.readouterr().err
    assert evolve(tmp_path / "run", "--generations", "1") == 0


def test_stopped_before_the_first_brood_it_goes_on_as_if_it_had_not(tmp_path: Path) -> None:
    order = Order(None, tmp_path / "part", 3, "cpu", {"container": 6, "brood": 4, "steps": 4, "neighbours": 3})
    told = run_evolution(order, lambda: False)
    assert not told["whole"] and told["evaluations"] == 0
    run_evolution(replace(order, given={}, resume=True))
    run_evolution(replace(order, out=tmp_path / "whole"))
    assert contents(tmp_path / "part") == contents(tmp_path / "whole")


def test_what_a_resumed_run_comes_to_is_what_the_whole_comes_to(tmp_path: Path) -> None:
    wild = {"container": 8, "brood": 6, "steps": 4, "neighbours": 4, "sigma": 3.0, "rate": 1.0, "mutation": "step"}
    order = Order(None, tmp_path / "whole", 24, "cpu", wild)
    whole = run_evolution(order)
    run_evolution(replace(order, out=tmp_path / "part", generations=20))
    part = run_evolution(replace(order, out=tmp_path / "part", given={}, resume=True))
    told = ("generations", "evaluations", "mean_sparseness", "rejected", "diagnosis", "operators")
    assert {name: whole[name] for name in told} == {name: part[name] for name in told}
    assert sum(whole["rejected"].values()) > 20


def test_two_processes_do_not_write_one_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert evolve(tmp_path / "run", "--generations", "1") == 0
    with read_store(tmp_path / "run") as held, open_store(tmp_path / "run", held.header):
        assert main(["evolve", "--out", str(tmp_path / "run"), "--resume", "--generations", "2"]) == 1
    assert "another process is writing it" in capsys.readouterr().err
    assert main(["evolve", "--out", str(tmp_path / "run"), "--resume", "--generations", "2"]) == 0


def test_what_holds_no_sound_is_passed_over_and_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "sounds"
    folder.mkdir()
    (folder / "cover.png").write_bytes(b"not a sound")
    assert evolve(tmp_path / "none", "--init", "dataset", str(folder)) == 1
    assert "cover.png: holds no sound" in capsys.readouterr().err
    with wave.open(str(folder / "noise.wav"), "wb") as file:
        file.setparams((1, 2, 48_000, 0, "NONE", ""))
        noise = np.random.default_rng(0).normal(0, 3000, 48_000)
        file.writeframes(noise.astype("<i2").tobytes())
    assert evolve(tmp_path / "run", "--generations", "1", "--init", "dataset", str(folder)) == 0
    assert "passed over" in capsys.readouterr().err

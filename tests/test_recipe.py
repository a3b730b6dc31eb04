"""The settings of a training, what is checked before it begins, and how its commands are run and stopped."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from installation.errors import ModelError
from installation.training import acids, checks, course, curves, database, recipe, sounds
from installation.training.checks import Prospect
from installation.training.course import Course
from installation.training.pace import Pace, clock
from installation.training.pieces import CHUNK
from installation.training.recipe import ACIDS, RATIOS, SIZES, Recipe

Environment = Callable[[str], Path]
"""Makes a training environment whose interpreter is a program with that body; its folder."""

FAKE = """#!{python}
import json, os, pathlib, signal, sys, time
words = sys.argv[1:]
where = pathlib.Path({where!r})
with (where / "calls").open("a") as calls:
    calls.write(json.dumps(words) + "\\n")
{body}
"""


@pytest.fixture
def environment(tmp_path: Path) -> Environment:
    """A training environment whose interpreter is a program of the test."""

    def make(body: str) -> Path:
        program = tmp_path / "environment" / "bin" / "python"
        program.parent.mkdir(parents=True, exist_ok=True)
        program.write_text(FAKE.format(python=sys.executable, where=str(tmp_path), body=body), "utf-8")
        program.chmod(0o755)
        return tmp_path / "environment"

    return make


@pytest.mark.parametrize("ratio", RATIOS)
def test_a_ratio_is_its_strides_times_the_bands(ratio: int) -> None:
    strides = 1
    for each in RATIOS[ratio]:
        strides *= each
    assert strides * recipe.BANDS == ratio
    said = Recipe(ratio=ratio).overrides()
    if ratio != 2048:
        assert f"RATIOS=[{','.join(map(str, RATIOS[ratio]))}]" in said
        assert next(each for each in said if each.startswith("DILATIONS")).count("[1,3") == len(RATIOS[ratio])


def test_the_usual_recipe_says_what_it_always_said() -> None:
    """Those who call acids-rave by hand with it, and models trained before, count on it."""
    assert Recipe().overrides() == (
        "CAPACITY=32", "blocks.EncoderV2.capacity=16", "LATENT_SIZE=16", "SAMPLING_RATE=48000",
        "PHASE_1_DURATION=30000", "BetaWarmupCallback.target_value=0.003", "core.AudioDistanceV1.log_epsilon=0.01",
        "core.MultiScaleSTFT.scales=[2048,512,128]", "RAVE.valid_signal_crop=False",
    )  # fmt: skip
    assert "cc.Conv1d.bias=True" in SIZES["default"].overrides()


def test_all_that_is_wrong_with_a_recipe_is_said_at_once() -> None:
    with pytest.raises(ModelError, match=r"batch: 0 .*\n.*samples: 5000 is no multiple.*\n.*too few.*\n.*phase-1: 7"):
        Recipe(batch=0, samples=5000, phase_1_steps=7, steps=6)
    with pytest.raises(ModelError, match="ratio: 1000 is none of 2048, 1024, 512, 256"):
        Recipe(ratio=1000)


def test_validations_are_never_nearer_than_an_epoch() -> None:
    def every(batches: int) -> int:
        words = recipe.train_arguments(Recipe(every_steps=500), "x", Path("d/b"), Path("r"), None, batches)
        return int(next(each for each in words if each.startswith("--val_every")).partition("=")[2])

    assert every(20) == 500 and every(900) == 900


def test_the_composed_commands_are_let_through_and_broken_ones_are_not() -> None:
    made = Recipe()
    acids.check(recipe.preprocess_arguments(made, Path("in"), Path("data/db"))[1:])
    acids.check(recipe.train_arguments(made, "x", Path("db"), Path("runs"), None)[1:])
    for refused in (["generate"], ["export_onnx"], ["export"], [], ["preprocess", "--lazy"],
                    ["preprocess", "--output_path=db"], ["preprocess", "--output_path", "db"],
                    ["train", "--lazy=True"]):  # fmt: skip
        with pytest.raises(SystemExit, match="acids: "):
            acids.check(refused)


def test_a_command_with_a_refusal_ends_before_anything_is_imported() -> None:
    words = [sys.executable, "-m", ACIDS, "generate"]
    done = subprocess.run(words, capture_output=True, text=True, cwd=recipe.ROOT)
    assert done.returncode == 1 and "acids: 'generate' is not run; allowed are preprocess, train" in done.stderr


def test_progress_is_told_and_all_else_is_kept(environment: Environment, tmp_path: Path) -> None:
    body = """print("loading"); print(json.dumps({"step": 100, "loss": 2.0})); print(os.environ["TRAIN_REPORT"])"""
    log = tmp_path / "log"
    made = Recipe(report_steps=7)
    assert list(recipe.run([ACIDS, "train"], made, log, environment(body))) == [{"step": 100.0, "loss": 2.0}]
    assert log.read_text("utf-8") == "loading\n7\n"


def test_a_failure_says_its_last_words(environment: Environment, tmp_path: Path) -> None:
    body = """print("RuntimeError: no"); sys.exit(3)"""
    with pytest.raises(ModelError, match=r"^RuntimeError: no\nacids-rave's train ended with code 3; its last words"):
        list(recipe.run([ACIDS, "train"], Recipe(), tmp_path / "log", environment(body)))


STOPPABLE = """
asked = []
signal.signal(signal.SIGINT, lambda *_: asked.append(1))
print(json.dumps({"step": 1}), flush=True)
while not asked or {stubborn}:
    time.sleep(0.01)
print(json.dumps({"step": 2}), flush=True)
"""


SIGNALLED = """
import os, pathlib, signal, sys
from installation.training import recipe
environment, log = map(pathlib.Path, sys.argv[1:3])
number, times = map(int, sys.argv[3:])
for each in (signal.SIGTERM, signal.SIGHUP):
    signal.signal(each, signal.SIG_DFL)
signal.signal(signal.SIGINT, signal.default_int_handler)
steps = []
try:
    for progress in recipe.run([recipe.ACIDS, "train"], recipe.Recipe(), log, environment):
        steps.append(progress["step"])
        for _ in range(times if len(steps) == 1 else 0):
            os.kill(os.getpid(), number)
except KeyboardInterrupt:
    print("killed")
print(steps, signal.getsignal(signal.SIGTERM) == signal.SIG_DFL)
"""


def signalled(environment: Path, log: Path, number: int, times: int) -> list[str]:
    """What a process says that runs a training and is sent a signal after its first step. One of its own: it must hear
    signals, also where the tests run in the background, and this one is full of other libraries' threads."""
    words = [sys.executable, "-c", SIGNALLED, str(environment), str(log), str(number), str(times)]
    done = subprocess.run(words, capture_output=True, text=True, cwd=recipe.ROOT, timeout=60, check=True)
    return done.stdout.splitlines()


@pytest.mark.parametrize("kind", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_training_asked_to_end_ends_after_its_step(environment: Environment, tmp_path: Path, kind: int) -> None:
    stoppable = environment(STOPPABLE.replace("{stubborn}", "False"))
    assert signalled(stoppable, tmp_path / "log", kind, 1) == ["[1.0, 2.0] True"]


def test_asked_twice_it_is_killed(environment: Environment, tmp_path: Path) -> None:
    stubborn = environment(STOPPABLE.replace("{stubborn}", "True"))
    assert signalled(stubborn, tmp_path / "log", signal.SIGINT, 2) == ["killed", "[1.0] True"]


def test_nothing_is_left_running_when_the_reader_fails(environment: Environment, tmp_path: Path) -> None:
    body = """
(where / "pid").write_text(str(os.getpid()))
print(json.dumps({"step": 1}), flush=True)
time.sleep(60)
"""
    with pytest.raises(ZeroDivisionError):
        for _ in recipe.run([ACIDS, "train"], Recipe(), tmp_path / "log", environment(body)):
            raise ZeroDivisionError
    process = int((tmp_path / "pid").read_text())
    for _ in range(200):
        if not Path(f"/proc/{process}").exists():
            break
        time.sleep(0.01)
    assert not Path(f"/proc/{process}").exists()


# checks ---------------------------------------------------------------------------------------------------------


def test_missing_and_short_sound_is_refused(tmp_path: Path) -> None:
    said = list(checks.sound(Recipe(), tmp_path / "nowhere"))
    assert any("no such folder" in each for each in said)
    (tmp_path / "song.mp3").write_bytes(b"x")
    assert any("no .wav in it; there are .mp3; `models prepare" in each for each in checks.sound(Recipe(), tmp_path))
    sounds.write(tmp_path / "short.wav", np.zeros(1000, np.float32), 48_000)
    assert any("no file in it is as long as 5.5 s" in each for each in checks.sound(Recipe(), tmp_path))
    sounds.write(tmp_path / "long.wav", np.zeros(CHUNK + 1, np.float32), 48_000)
    assert not any("wav" in each or "long" in each for each in checks.sound(Recipe(), tmp_path))


def test_a_database_too_small_or_of_another_rate_is_refused(tmp_path: Path) -> None:
    found = database.Database(tmp_path, 44_100, 3)
    said = list(checks.data(Recipe(batch=8), found))
    assert len(said) == 2 and "--sample-rate 44100" in said[0] and "at least 53 s of sound" in said[1]
    assert not list(checks.data(Recipe(batch=2, sample_rate_hz=44_100), replace(found, chunks=4)))


@pytest.mark.parametrize("chunks", [1, 2, 57])
def test_a_databases_chunks_are_read_from_what_acids_rave_writes(tmp_path: Path, chunks: int) -> None:
    """It writes the start of the last chunk as its length."""
    seconds = CHUNK / 48_000 * (chunks - 1)
    (tmp_path / "metadata.yaml").write_text(f"channels: 1\nlazy: false\nn_seconds: {seconds}\nsr: 48000\n", "utf-8")
    assert database.load(tmp_path) == database.Database(tmp_path, 48_000, chunks)


def test_disk_and_card_are_refused_with_what_to_do(tmp_path: Path) -> None:
    small, huge = Prospect(5_000_000), Prospect(10**13)
    assert not list(checks.machine(Recipe(), small, 12, tmp_path))
    assert "make room, or --keep fewer than 12" in next(checks.machine(Recipe(), huge, 12, tmp_path))
    v2 = replace(SIZES["v2"], gpu=0)
    assert "no graphics card" in next(checks.machine(v2, small, 1, tmp_path))
    card = Prospect(1, "a card", 1, int(8e9), int(8e9))
    (said,) = checks.machine(v2, card, 1, tmp_path)
    assert "8.0 of 8.0 GB free" in said and "about 12.7 GB" in said
    fitting = int(re.findall(r"--batch (\d+)", said)[0])
    assert 1 <= fitting < 8 and not list(checks.machine(replace(v2, batch=fitting), card, 1, tmp_path))


def test_a_checkpoints_size_follows_the_weights() -> None:
    assert Prospect(58_716_756).checkpoint_bytes == 12 * 58_716_756
    few, many = (checks.disk_bytes(Recipe(), Prospect(1_000), keep) for keep in (3, 10**6))
    assert few == 6 * 12_000 and many == (18 + 3) * 12_000


# database -------------------------------------------------------------------------------------------------------


def test_a_database_is_made_once_and_anew_for_other_sound(
    environment: Environment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = """
out = pathlib.Path(next(each for each in words if each.startswith("--output_path")).partition("=")[2])
out.mkdir()
if (where / "break").exists():
    sys.exit(1)
(out / "metadata.yaml").write_text("n_seconds: 50.0\\nsr: 48000\\n")
"""
    monkeypatch.setattr(recipe, "python", lambda _: environment(body) / "bin" / "python")
    sound, folder = tmp_path / "sound", tmp_path / "data" / "x"
    sound.mkdir()
    sounds.write(sound / "a.wav", np.zeros(10, np.float32), 48_000)

    def calls() -> int:
        database.ensure(Recipe(), sound, folder, tmp_path / "log")
        return len((tmp_path / "calls").read_text().splitlines())

    assert (calls(), calls()) == (1, 1)
    sounds.write(sound / "b.wav", np.zeros(20, np.float32), 48_000)
    (tmp_path / "break").touch()
    with pytest.raises(ModelError, match="preprocess ended with code 1"):
        calls()
    assert database.load(folder).chunks == 10
    (tmp_path / "break").unlink()
    assert (calls(), calls()) == (3, 3)
    assert [path.name for path in folder.parent.iterdir()] == ["x"]


# what is seen of it ---------------------------------------------------------------------------------------------


def test_time_left_knows_the_second_phase_is_slower() -> None:
    pace = Pace(Recipe(phase_1_steps=100, steps=200))
    assert pace.left_s() is None
    for step in range(0, 51, 10):
        pace.push(step, 0.1 * step)
    assert pace.left_s() == pytest.approx(0.1 * 50 + 0.25 * 100)
    for step in range(60, 151, 10):
        pace.push(step, 0.1 * min(step, 100) + 0.4 * max(0, step - 100))
    assert pace.left_s() == pytest.approx(0.4 * 50)
    assert [pace.phase(step) for step in (0, 99, 100)] == [1, 1, 2]
    resumed = Pace(Recipe(phase_1_steps=100, steps=200))
    resumed.push(150, 1000.0)
    resumed.push(160, 1004.0)
    assert resumed.left_s() == pytest.approx(0.4 * 40)
    assert (clock(7.4), clock(3727.0)) == ("0:07", "1:02:07")


def test_losses_survive_a_resumption_and_a_line_cut_short(tmp_path: Path) -> None:
    ledger = curves.Ledger(tmp_path / "losses")
    ledger.begin(0)
    for step in (100, 200, 300):
        ledger.add({"step": float(step), "loss": 1.0 / step})
    with ledger.path.open("a") as file:
        file.write('{"step": 40')
    ledger.begin(200)
    ledger.add({"step": 250.0, "loss": 1.0})
    assert [each["step"] for each in ledger.read()] == [100.0, 200.0, 250.0]


def test_curves_are_drawn_of_whatever_there_is(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    kept = [{"step": 100.0 * n, "fullband_spectral_distance": 9.0 / n, "loss_dis": 0.0} for n in range(1, 40)]
    curves.draw(tmp_path / "one.png", "x", kept, 2_000)
    curves.draw(tmp_path / "none.png", "x", [{"step": 1.0}], 2_000)
    assert (tmp_path / "one.png").stat().st_size > 5_000 and not (tmp_path / "none.png").exists()
    assert curves.smooth([1.0] * 20 + [100.0] + [1.0] * 40) == [1.0] * 61


def test_a_resumed_run_keeps_what_lies_in_its_config() -> None:
    began = Recipe(capacity=24, seed=5)
    assert course.settled(SIZES["v2"], {"steps": 40_000}, began) == replace(began, steps=40_000)
    with pytest.raises(ModelError, match=r"capacity: 32 is not 24.*\n.*ratio: 512 is not 2048.*\n.*allowed to change"):
        course.settled(SIZES["default"], {"capacity": 32, "ratio": 512, "steps": 9}, began)
    assert course.settled(SIZES["small"], {"batch": 4}, None) == replace(SIZES["small"], batch=4)


def test_how_a_run_was_begun_is_remembered(tmp_path: Path) -> None:
    asked = Course(Recipe(ratio=512, steps=40_000), "x", tmp_path / "sound", tmp_path, tmp_path / "held")
    course._remember(asked)
    known = course.remembered("x", tmp_path)
    assert known["recipe"] == asked.recipe and known["held"] == str(tmp_path / "held")
    (tmp_path / "x.json").write_text(json.dumps({"recipe": {"shape": 1}}), "utf-8")
    with pytest.raises(ModelError, match="not what `models train` wrote"):
        course.remembered("x", tmp_path)


def test_old_checkpoints_go_and_the_others_stay(tmp_path: Path) -> None:
    folders = [tmp_path / f"version_{number}" / "checkpoints" for number in range(2)]
    names = [(0, "epoch_100"), (0, "best"), (0, "epoch_200"), (0, "last"), (1, "epoch_100"), (1, "epoch-epoch=0003")]
    for age, (number, name) in enumerate(names):
        folders[number].mkdir(parents=True, exist_ok=True)
        path = folders[number] / f"{name}.ckpt"
        path.write_bytes(b"")
        os.utime(path, (1e9 + age, 1e9 + age))
    course.prune(tmp_path, 2)
    left = sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.ckpt"))
    assert "version_0/checkpoints/epoch_100.ckpt" not in left and len(left) == len(names) - 1


def test_half_a_checkpoint_is_passed_over(tmp_path: Path) -> None:
    import zipfile

    with zipfile.ZipFile(tmp_path / "whole.ckpt", "w") as archive:
        archive.writestr("x", "y" * 1000)
    (tmp_path / "half.ckpt").write_bytes((tmp_path / "whole.ckpt").read_bytes()[:500])
    os.utime(tmp_path / "half.ckpt", (2e9, 2e9))
    assert recipe.newest_checkpoint(tmp_path).name == "whole.ckpt"


def test_a_name_is_one_runs_name(tmp_path: Path) -> None:
    for name in ("x_0a1b", "x_y_0a1b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "config.gin").write_text("")
    assert recipe.newest_run("x", tmp_path).name == "x_0a1b"
    assert recipe.newest_run("x_y", tmp_path).name == "x_y_0a1b"

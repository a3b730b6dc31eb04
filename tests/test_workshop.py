"""`models train` and `models export` as a person gives them, as far as that goes without acids-rave."""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pytest

from installation import model
from installation.errors import ModelError
from installation.sound.files import read_channels
from installation.training import course, export_command, glimpse, manifest, sounds, train_command
from installation.training.adoption import adopt
from installation.training.command import add_models_commands
from installation.training.course import Course, Seen
from installation.training.curves import Ledger
from installation.training.recipe import SIZES, Recipe
from tests.test_dataset import RATE_HZ, noise, prepare


def parse(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    add_models_commands(parser.add_subparsers(), reader=read_channels)
    return parser.parse_args(["models", *words])


@pytest.fixture
def prepared(tmp_path: Path) -> Path:
    raw = tmp_path / "raw"
    raw.mkdir()
    sounds.write(raw / "a.wav", noise(40.0, 1), RATE_HZ)
    prepare(raw, tmp_path / "set")
    return tmp_path / "set"


def test_prepared_sound_brings_its_rate_and_what_is_held_out(prepared: Path, tmp_path: Path) -> None:
    asked = train_command._course(parse("train", "x", "--sound", str(prepared), "--out", str(tmp_path / "runs")))
    assert (asked.sound, asked.held) == (prepared / "train", prepared / "held")
    assert asked.recipe == Recipe(biases=True, sample_rate_hz=RATE_HZ)
    plain = train_command._course(parse("train", "x", "--sound", str(tmp_path), "--out", "runs", "--size", "v2"))
    assert plain.held is None and plain.recipe == SIZES["v2"]


def test_every_setting_reaches_the_recipe(tmp_path: Path) -> None:
    numbers = {
        "steps": 50, "phase-1": 40, "batch": 3, "samples": 65536, "capacity": 8, "latents": 4, "sample-rate": 44100,
        "seed": 6, "threads": 2, "gpu": 1, "every": 7, "report": 5, "ratio": 512,
    }  # fmt: skip
    words = [word for name, number in numbers.items() for word in (f"--{name}", str(number))] + ["--no-biases"]
    asked = train_command._course(parse("train", "x", "--sound", str(tmp_path), "--out", "runs", *words))
    assert asked.recipe == Recipe(
        steps=50, phase_1_steps=40, batch=3, samples=65536, capacity=8, latent_dim=4, sample_rate_hz=44100, seed=6,
        threads=2, gpu=1, every_steps=7, report_steps=5, ratio=512, biases=False,
    )  # fmt: skip


def test_a_resumed_run_needs_no_more_than_its_name(prepared: Path, tmp_path: Path) -> None:
    began = Course(Recipe(capacity=8), "x", prepared / "train", tmp_path, prepared / "held")
    course._remember(began)
    asked = train_command._course(parse("train", "x", "--out", str(tmp_path), "--resume", "--steps", "50000"))
    assert (asked.sound, asked.held, asked.resume) == (began.sound, began.held, True)
    assert asked.recipe == Recipe(capacity=8, steps=50_000)
    with pytest.raises(ModelError, match="--sound FOLDER is needed"):
        train_command._course(parse("train", "y", "--out", str(tmp_path), "--resume"))


def test_a_trained_name_is_not_trained_over(tmp_path: Path) -> None:
    folder = tmp_path / "x_0a" / "version_0" / "checkpoints"
    folder.mkdir(parents=True)
    (tmp_path / "x_0a" / "config.gin").write_text("")
    np.savez(folder / "last.npz", a=np.zeros(3))
    (folder / "last.npz").rename(folder / "last.ckpt")
    asked = Course(Recipe(), "x", tmp_path, tmp_path)
    with pytest.raises(ModelError, match="x has been trained already; --resume goes on"):
        course.follow(asked, lambda told: None)
    with pytest.raises(ModelError, match="'a b' is no name"):
        course.follow(Course(Recipe(), "a b", tmp_path, tmp_path), lambda told: None)


def test_the_losses_are_drawn_when_a_checkpoint_comes_and_what_fails_is_only_logged(tmp_path: Path) -> None:
    """The drawing is the real one, of a checkpoint that no exporter can read."""
    pytest.importorskip("matplotlib")
    folder = tmp_path / "x_0a" / "version_0" / "checkpoints"
    folder.mkdir(parents=True)
    (tmp_path / "x_0a" / "config.gin").write_text("")
    sounds.write(tmp_path / "a.wav", noise(1.0, 1), RATE_HZ)
    ledger = Ledger(tmp_path / "x.losses.jsonl")
    for step in (100.0, 200.0):
        ledger.add({"step": step, "fullband_spectral_distance": 3.0})
    seen = Seen(Course(Recipe(), "x", tmp_path, tmp_path, held=tmp_path))
    seen.look(100)
    assert not (tmp_path / "x-seen").exists()
    (folder / "epoch_100.ckpt").write_bytes(b"half")
    seen.end(200, wait=True)
    assert (tmp_path / "x-seen" / "losses.png").is_file()
    assert "glimpse: " in (tmp_path / "x.log").read_text("utf-8")
    assert not list((tmp_path / "x-seen").glob("step-*.png"))


def test_a_glimpse_without_held_out_sound_draws_the_losses_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("matplotlib")
    monkeypatch.setattr("os.nice", lambda by: 0)
    Ledger(tmp_path / "l").add({"step": 100.0, "validation": 3.0})
    words = f"run --checkpoint c --name x --step 100 --out {tmp_path / 'o'} --losses {tmp_path / 'l'} --phase-1 5"
    glimpse.main(words.split())
    assert [path.name for path in (tmp_path / "o").iterdir()] == ["losses.png"]


# export ---------------------------------------------------------------------------------------------------------


class Shape:
    sample_rate_hz, ratio, latent_dim, channels = 16_000, 512, 4, 1


@pytest.fixture
def models(tmp_path: Path) -> tuple[Path, Path]:
    """A model and another to take its place."""
    for name in ("old", "new"):
        (tmp_path / f"{name}.onnx").write_text(name)
        adopt(tmp_path / f"{name}.onnx", "x", Shape(), tmp_path / name)
    (tmp_path / "old" / "x" / "mine.txt").write_text("mine")
    return tmp_path / "new" / "x", tmp_path / "old" / "x"


def test_a_new_model_takes_the_old_ones_place_and_leaves_what_is_mine(models: tuple[Path, Path]) -> None:
    made, out = models
    export_command.exchange(made, out)
    assert sorted(path.name for path in out.iterdir()) == ["card.yaml", "mine.txt", "new.onnx"]
    model.load(str(out)).verify()


def test_a_model_that_can_not_be_exchanged_stays(models: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    made, out = models
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    rename = Path.rename

    def breaks(self: Path, target: Path) -> Path:
        if self == made:
            raise KeyboardInterrupt
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", breaks)
    with pytest.raises(KeyboardInterrupt):
        export_command.exchange(made, out)
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before


def test_what_is_no_model_is_not_replaced(models: tuple[Path, Path]) -> None:
    made, out = models
    (out / "card.yaml").unlink()
    with pytest.raises(ModelError, match="something that is no model"):
        export_command.exchange(made, out)
    assert (out / "mine.txt").is_file()


def test_an_export_knows_the_sound_of_its_run(prepared: Path, tmp_path: Path) -> None:
    course._remember(Course(Recipe(), "x", prepared / "train", tmp_path, prepared / "held"))
    run = str(tmp_path / "x_0a")
    found = export_command._sounds(parse("export", run, "--out", "m"), course.remembered("x", tmp_path))
    assert found == (prepared / "train", prepared / "held")
    by_hand = parse("export", run, "--out", "m", "--sound", str(prepared))
    assert export_command._sounds(by_hand, {}) == found
    with pytest.raises(ModelError, match=r"--sound FOLDER is needed.*\n--held FOLDER is needed"):
        export_command._sounds(parse("export", run, "--out", "m"), {})


def test_a_users_card_says_how_it_was_trained_and_claims_no_licence(prepared: Path, tmp_path: Path) -> None:
    course._remember(Course(Recipe(capacity=9, seed=4), "x", prepared / "train", tmp_path))
    said = export_command._training(None, course.remembered("x", tmp_path))
    assert said["seed"] == 4 and "capacity 9" in said["notes"] and "model of set" in said["sentence"]
    assert "CC0" not in said["licence"] and str(tmp_path) not in str(said)


def test_what_is_no_run_is_not_exported(tmp_path: Path) -> None:
    arguments = parse("export", str(tmp_path), "--out", str(tmp_path / "m"))
    with pytest.raises(ModelError, match=r"no run: there is no config\.gin in it"):
        arguments.run(arguments)


def test_a_prepared_folder_is_told_from_a_plain_one(prepared: Path, tmp_path: Path) -> None:
    assert manifest.prepared(prepared) is not None and manifest.prepared(tmp_path) is None

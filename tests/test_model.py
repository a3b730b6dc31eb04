"""Cards: what is read from one, what is refused, and that the shipped ones tell the truth."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from installation import model
from installation.errors import ModelError
from installation.sound.decoder import open_decoder
from installation.training import card, evaluation, recipe
from installation.training.command import add_models_commands
from installation.training.evaluation import Figures
from installation.training.recipe import Recipe
from installation.training.reconstruction import Reconstruction

CARD: dict[str, Any] = {
    "name": "small",
    "sample_rate_hz": 48_000,
    "ratio": 2_400,
    "latent_dim": 2,
    "latents": {"mean": [0.0, 0.5], "deviation": [1.0, 2.0], "low": [-2.0, -4.0], "high": [2.0, 4.0]},
}


def put(folder: Path, card: dict[str, Any]) -> Path:
    folder.mkdir(parents=True)
    (folder / model.CARD).write_text(yaml.safe_dump(card), "utf-8")
    return folder


def test_a_card_is_read_as_it_is_written(tmp_path: Path) -> None:
    put(tmp_path / "small", CARD)
    found = model.load("small", tmp_path)
    assert model.names(tmp_path) == ("small",)
    assert (found.name, found.sample_rate_hz, found.ratio, found.latent_dim, found.channels) == (
        "small",
        48_000,
        2_400,
        2,
        1,
    )
    assert found.step_s == 0.05
    assert found.decoder == tmp_path / "small" / "decoder.onnx"
    np.testing.assert_array_equal(found.high, np.array([2.0, 4.0], np.float32))
    assert found.excerpts().shape == (0, 2)


def test_a_model_is_found_by_name_by_path_and_beside_a_file(tmp_path: Path) -> None:
    put(tmp_path / "shelf" / "small", CARD)
    folder = tmp_path / "shelf"
    assert model.find("small", folder) == model.find(str(folder / "small"), tmp_path)
    assert model.find("small", tmp_path, beside=folder) == folder / "small"
    with pytest.raises(ModelError, match=r"no model 'smal' .*small"):
        model.find("smal", folder)


@pytest.mark.parametrize("without", ["name", "ratio", "latents"])
def test_a_card_that_lacks_something_is_refused(without: str, tmp_path: Path) -> None:
    put(tmp_path / "small", {key: value for key, value in CARD.items() if key != without})
    with pytest.raises(ModelError, match=f"card.yaml: not a model card: .*{without}"):
        model.load("small", tmp_path)


def test_files_that_changed_or_went_are_all_named(tmp_path: Path) -> None:
    folder = put(tmp_path / "small", {**CARD, "files": {"a": "0" * 64, "b": "0" * 64, "c": "0" * 64}})
    (folder / "a").write_bytes(b"other")
    (folder / "c").write_bytes(b"")
    with pytest.raises(ModelError) as caught:
        model.load("small", tmp_path).verify()
    assert str(caught.value).count("SHA-256 is") == 2
    assert "b: missing" in str(caught.value)
    empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert empty in str(caught.value)


@pytest.mark.parametrize("name", model.names())
def test_shipped_models_are_what_their_cards_say(name: str) -> None:
    """Every file is there and unchanged, every file in the folder is named, and the decoder agrees with the card."""
    shipped = model.load(name)
    shipped.verify()
    there = {path.name for path in shipped.folder.iterdir()} - {model.CARD}
    assert there == set(shipped.files)
    decoder = open_decoder(shipped.decoder, "cpu")
    stated = (decoder.sample_rate_hz, decoder.ratio, decoder.latent_dim, decoder.channels)
    assert stated == (shipped.sample_rate_hz, shipped.ratio, shipped.latent_dim, shipped.channels)
    assert sum(path.stat().st_size for path in shipped.folder.iterdir()) < 24 * 2**20


@pytest.mark.parametrize("name", model.names())
def test_shipped_excerpts_lie_where_the_card_says(name: str) -> None:
    shipped = model.load(name)
    excerpts = shipped.excerpts()
    assert excerpts.shape[1] == shipped.latent_dim
    assert len(excerpts) * shipped.step_s == pytest.approx(180.0, abs=1.0)
    inside = (excerpts >= shipped.low) & (excerpts <= shipped.high)
    assert inside.mean() > 0.95
    deviations = excerpts.std(0)
    np.testing.assert_allclose(deviations, shipped.deviation, rtol=0.35)
    assert shipped.deviation[0] >= 0.98 * shipped.deviation.max()


@pytest.mark.parametrize("name", model.names())
def test_shipped_models_sound_like_what_they_are_given(name: str) -> None:
    """Reconstructed on time, the sound of their own excerpts encodes to nearly the same latents again: a model that
    was exported wrongly, or late by another number of samples, does not."""
    shipped = model.load(name)
    both = Reconstruction(shipped.folder)
    sound = both.decode(shipped.excerpts()[:128])
    again = both(sound)
    assert again.shape == sound.shape
    near = evaluation.mel_correlation(sound, again, both.sample_rate_hz)
    late = evaluation.mel_correlation(sound[4096:], again[:-4096], both.sample_rate_hz)
    assert near > 0.75
    assert near > late


def test_a_card_for_people_says_what_the_one_for_programs_says(tmp_path: Path) -> None:
    judged = card.Judged(60.0, Figures(4.0, 0.91, 0.62, 800), Figures(40.0, 0.1, 0.0, 800))
    told = {"sample_rate_hz": 48_000, "ratio": 2048, "latent_dim": 2, "channels": 1, "latency_samples": 960}
    told |= {"steps": 1234, "largest_difference": {"decoder.onnx": 1e-8}}
    training = {"sentence": "A test.", "commands": ["installation models train x"], "notes": "None."}
    made = card.compose(tmp_path / "x", told, dict(CARD["latents"]), judged, training)
    text = card.readme(made, ["held-out-1.png"])
    for said in (
        "0.910",
        "62 %",
        "(here 10.0)",
        "800 pitched",
        "20.0 ms (960 samples) after",
        "    installation models train x",
        "A test.",
    ):
        assert said in text
    assert made["held_out"]["trained"]["mel_correlation"] == 0.91
    assert made["training"]["steps"] == 1234


def test_written_cards_load_and_verify(tmp_path: Path) -> None:
    folder = tmp_path / "small"
    folder.mkdir()
    whole = {**CARD, "channels": 1, "decoder": "decoder.onnx", "encoder": "encoder.onnx", "torchscript": "small.ts"}
    figures = Figures(4.0, 0.9, 0.6, 8)
    held = {"seconds": 1.0, "trained": vars(figures), "untrained": vars(figures)}
    whole |= {"latency_samples": 0, "training": {}, "held_out": held, "licence": card.LICENCE}
    for name in ("decoder.onnx", "encoder.onnx", "small.ts", "latents.npy", "held-out-1.png"):
        (folder / name).write_bytes(name.encode())
    card.write(folder, whole, ["held-out-1.png"])
    model.load("small", tmp_path).verify()
    (folder / "small.ts").write_bytes(b"something else")
    with pytest.raises(ModelError, match=r"small\.ts: SHA-256"):
        model.load("small", tmp_path).verify()


def test_training_takes_its_settings_from_the_recipe() -> None:
    made = Recipe(capacity=24, phase_1_steps=500, steps=700, batch=3, scales=(64, 32))
    arguments = recipe.train_arguments(made, "x", Path("db"), Path("runs"), None)
    for said in ("--override=CAPACITY=24", "--override=PHASE_1_DURATION=500", "--max_steps=700", "--batch=3",
                 "--override=core.MultiScaleSTFT.scales=[64,32]", "--config=v2", "--config=causal"):  # fmt: skip
        assert said in arguments
    resumed = recipe.train_arguments(made, "x", Path("db"), Path("runs"), Path("a.ckpt"))
    assert "--ckpt=a.ckpt" in resumed
    assert not any(each.startswith(("--override", "--config")) for each in resumed)


def test_the_newest_run_and_checkpoint_are_resumed(tmp_path: Path) -> None:
    import os

    with pytest.raises(ModelError, match="no run of 'x' to resume"):
        recipe.newest_run("x", tmp_path)
    for age, name in enumerate(("x_new", "x_old", "y_newest")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "config.gin").write_text("")
        os.utime(tmp_path / name, (1e9 - age, 1e9 - age))
    assert recipe.newest_run("x", tmp_path).name == "x_new"
    with pytest.raises(ModelError, match="no checkpoint"):
        recipe.newest_checkpoint(tmp_path / "x_new")


def test_progress_is_told_from_other_lines() -> None:
    line = json.dumps({"step": 300, "fullband_spectral_distance": 2.5})
    assert recipe.progress_of(line) == {"step": 300.0, "fullband_spectral_distance": 2.5}
    assert recipe.progress_of("Restored all states") is None


def test_a_missing_training_environment_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="`make train-env` makes one"):
        recipe.python(tmp_path)


def run(*arguments: str) -> int:
    parser = argparse.ArgumentParser()
    add_models_commands(parser.add_subparsers(), open_decoder)
    parsed = parser.parse_args(["models", *arguments])
    return int(parsed.run(parsed))


def test_models_are_listed_and_described(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("list") == 0
    listed = capsys.readouterr().out
    assert all(name in listed for name in model.names())
    decoder = model.load(model.names()[0]).decoder
    assert run("info", str(decoder)) == 0
    assert "times as fast as they sound" in capsys.readouterr().out


def test_training_sound_is_synthesised(tmp_path: Path) -> None:
    assert run("synthesise", "--out", str(tmp_path), "--minutes", "0.02", "--seed", "5") == 0
    assert [path.name for path in tmp_path.iterdir()] == ["bronze-5-000.wav"]

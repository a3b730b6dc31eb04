"""From sound files to a model that plays, with acids-rave itself: minutes, and `make train-env` first."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from installation import model
from installation.sound.decoder import open_decoder
from installation.sound.encoder import encode_whole, open_encoder
from installation.sound.files import SoundWriter
from installation.training import families, recipe
from installation.training.curves import Ledger

pytestmark = pytest.mark.training

PROGRAM = """
import argparse, sys
from installation.sound.files import read_channels
from installation.training.command import add_models_commands
parser = argparse.ArgumentParser()
add_models_commands(parser.add_subparsers(), reader=read_channels)
arguments = parser.parse_args(["models", *sys.argv[1:]])
sys.exit(arguments.run(arguments))
"""
RATE_HZ, RATIO, LATENTS = 16_000, 512, 4
TINY = (
    f"--size small --capacity 4 --latents {LATENTS} --ratio {RATIO} --samples 32768 --batch 2 --every 20 --report 10"
).split()


def start(*words: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", PROGRAM, *map(str, words)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(command, cwd=recipe.ROOT, env=environment, text=True, stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT)  # fmt: skip


def run(*words: object) -> str:
    process = start(*words)
    said, _ = process.communicate(timeout=600)
    assert process.returncode == 0, said
    return said


@pytest.fixture(scope="module")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sound in two formats, prepared; trained until it is stopped, and on to the end."""
    folder = tmp_path_factory.mktemp("workshop")
    (folder / "raw").mkdir()
    for number, name in enumerate(("a.flac", "b.mp3")):
        sound = families.FAMILIES["wire"](60.0, 32_000, np.random.default_rng(number))
        with SoundWriter(folder / "raw" / name, 32_000, 1) as file:
            file.write(sound[:, None])
    run("prepare", folder / "raw", "--out", folder / "set", "--rate", RATE_HZ, "--held", 0.1)
    words = ["train", "tiny", "--sound", folder / "set", "--out", folder / "runs", *TINY]
    process = start(*words, "--steps", 10_000, "--phase-1", 40)
    ledger = Ledger(folder / "runs" / "tiny.losses.jsonl")
    while process.poll() is None and len(ledger.read()) < 3:
        time.sleep(0.1)
    process.send_signal(signal.SIGTERM)
    said, _ = process.communicate(timeout=120)
    assert process.returncode == 130, said
    assert "which is kept; go on with --resume" in said
    run("train", "tiny", "--out", folder / "runs", "--resume", "--steps", 100)
    return folder


def test_a_stopped_training_goes_on_where_it_stopped(workshop: Path) -> None:
    found = recipe.newest_run("tiny", workshop / "runs")
    assert sorted(path.name for path in found.glob("version_*")) == ["version_0", "version_1"]
    for version in found.glob("version_*"):
        assert (version / "checkpoints" / "last.ckpt").is_file()
        assert list(version.glob("events.out.tfevents.*")), "nothing for TensorBoard"
    steps = [each["step"] for each in Ledger(workshop / "runs" / "tiny.losses.jsonl").read()]
    assert steps == [10.0 * number for number in range(1, 11)]
    assert not list((workshop / "runs").rglob("*.part"))


def test_what_it_learns_is_drawn_as_it_goes(workshop: Path) -> None:
    seen = workshop / "runs" / "tiny-seen"
    assert (seen / "losses.png").is_file() and list(seen.glob("step-*.png"))
    assert "loss_dis" in Ledger(workshop / "runs" / "tiny.losses.jsonl").read()[-1]


@pytest.fixture(scope="module")
def exported(workshop: Path) -> Path:
    run("export", recipe.newest_run("tiny", workshop / "runs"), "--out", workshop / "models" / "tiny")
    return workshop / "models"


def test_it_is_exported_and_plays(exported: Path) -> None:
    found = model.load("tiny", exported)
    found.verify()
    assert (found.sample_rate_hz, found.ratio, found.latent_dim) == (RATE_HZ, RATIO, LATENTS)
    assert (found.folder / "tiny.ts").is_file() and found.card["training"]["steps"] == 100
    decoder = open_decoder(found.decoder, "cpu")
    latents = np.random.default_rng(1).normal(size=(1, 9, LATENTS)).astype(np.float32)
    whole, _ = decoder.decode(latents, decoder.start())
    state, parts = decoder.start(), []
    for part in np.split(latents, [1, 4], axis=1):
        sound, state = decoder.decode(part, state)
        parts.append(sound)
    assert whole.shape == (1, 9 * RATIO, 1) and np.abs(whole).max() > 0.0
    np.testing.assert_allclose(np.concatenate(parts, 1), whole, atol=1e-5)


def test_a_run_begins_from_it(workshop: Path, exported: Path) -> None:
    words = ["train", "heir", "--from", exported / "tiny", "--sound", workshop / "set", "--out", workshop / "runs"]
    said = run(*words, *TINY, "--steps", 20, "--phase-1", 20)
    assert "heir_" in said
    assert recipe.newest_checkpoint(recipe.newest_run("heir", workshop / "runs")).name == "last.ckpt"


def test_without_a_script_no_file_is_one(workshop: Path, exported: Path) -> None:
    run("export", recipe.newest_run("tiny", workshop / "runs"), "--out", exported / "tiny", "--no-ts")
    found = model.load("tiny", exported)
    found.verify()
    assert not list(found.folder.glob("*.ts"))


def test_it_hears(exported: Path) -> None:
    found = model.load("tiny", exported)
    sound = families.FAMILIES["wire"](1.0, RATE_HZ, np.random.default_rng(5))
    latents = encode_whole(sound, found.ratio, open_encoder(found.encoder, "cpu"))
    assert latents.shape[1] == LATENTS and np.isfinite(latents).all()

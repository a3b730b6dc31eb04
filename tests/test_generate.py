"""`generate`: as long as asked, the same from the same seed, on time with its walk, safe, and it says how."""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml

from installation import generate as subject
from installation.errors import InstallationError, ModelError, RenderError
from installation.generate import Order, add_generate_command, generate
from installation.model import Model, load
from installation.sound.files import read_channels
from installation.sound.guard import CEILING_DB
from installation.sound.player import Turn
from installation.sound.rave_torch import torchscript_prior
from installation.sound.walks import Given
from tests import small_torchscript
from tests.parts import Floats, SineDecoder, walk

RATE_HZ = 48_000
FADE = 960


def command(*words: str) -> int:
    parser = argparse.ArgumentParser()
    add_generate_command(parser.add_subparsers())
    arguments = parser.parse_args(["generate", *words])
    return int(arguments.run(arguments))


def model(latency: int = 0) -> Model:
    """What `SineDecoder` would have for a card."""
    ones = np.ones(2, np.float32)
    card = {"latency_samples": latency}
    return Model("sine", Path(), Path(), RATE_HZ, 2048, 2, 1, 0 * ones, ones, -2 * ones, 2 * ones, {}, card)


def order(latency: int = 0, **changes: Any) -> Order:
    usual = Order(model(latency), 1.0, "smooth", 1.0, 1.0, 0, Turn.none(2), 1, 0.0, False)
    return replace(usual, **changes)


def made(what: Order, path: Floats, seed: int = 0) -> Floats:
    return np.concatenate(list(generate(what, Given(path), np.random.default_rng(seed), SineDecoder())))


@pytest.mark.parametrize("latency", [0, 1696, 5000])
def test_it_is_what_the_decoder_makes_of_the_walk_less_its_latency(latency: int) -> None:
    path = 0.5 * np.tanh(walk(60, 2))
    got = made(order(latency), path)
    decoder = SineDecoder()
    expected = decoder.decode(path[None], decoder.start())[0][0, latency : latency + RATE_HZ]
    assert got.shape == (RATE_HZ, 1)
    inside = slice(FADE, RATE_HZ - FADE)
    assert np.abs(got - expected)[inside].max() < 0.02  # the guard's DC filter
    assert np.abs(got[[0, -1]]).max() < 1e-3


def test_pieces_of_any_size_are_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    path, wide = walk(60, 2), order(1696, channels=2, width=0.4)
    whole = made(wide, path)
    monkeypatch.setattr(subject, "PIECE_STEPS", 5)
    assert np.array_equal(whole, made(wide, path))


def test_two_sides_are_alike_without_width_and_part_with_it() -> None:
    path = 0.3 * np.tanh(walk(60, 2))
    narrow, wide = made(order(channels=2), path), made(order(channels=2, width=0.5), path)
    assert np.array_equal(narrow[:, 0], narrow[:, 1])
    assert np.abs(wide[:, 0] - wide[:, 1]).max() > 0.05


def test_only_a_wild_one_leaves_the_range() -> None:
    """The first latent is pitch: 4 octaves up, where the range ends at 2."""
    path = np.full((60, 2), [4.0, 0.0], np.float32)

    def pitch_hz(sound: Floats) -> float:
        spectrum = np.abs(np.fft.rfft(sound[RATE_HZ // 2 :, 0] * np.hanning(RATE_HZ // 2)))
        return 2.0 * float(spectrum.argmax())

    assert pitch_hz(made(order(wild=True), path)) == pytest.approx(220.0 * 16, abs=4)
    assert pitch_hz(made(order(), path)) == pytest.approx(220.0 * 4, abs=4)


@pytest.mark.parametrize("kind", ["random", "smooth", "prior"])
@pytest.mark.parametrize(("ending", "channels"), [("wav", 1), ("flac", 2)])
def test_a_seed_makes_the_same_file_and_another_another(tmp_path: Path, kind: str, ending: str, channels: int) -> None:
    files = [tmp_path / f"{name}.{ending}" for name in "abc"]
    for file, seed in zip(files, (7, 7, 8), strict=True):
        words = ("--seconds", "1.5", "--walk", kind, "--seed", str(seed), "--channels", str(channels))
        assert command(*words, "--out", str(file)) == 0
    one, again, other = (file.read_bytes() for file in files)
    assert one == again != other
    sound = read_channels(files[0], RATE_HZ)
    assert sound.shape == (72_000, channels)
    assert 1e-3 < np.abs(sound).max() <= 10.0 ** (CEILING_DB / 20.0) + 1e-4


def test_hotter_is_further_from_the_mean(tmp_path: Path) -> None:
    """As latents: what is generated cold is nearly what the mean sounds like."""
    bronze = load("bronze")
    paths = [subject.WALKS["smooth"](order(model=bronze, temperature=t), np.random.default_rng(1))[0] for t in (0.1, 1)]
    cold, warm = (each.go(500) for each in paths)
    assert np.allclose(warm - bronze.mean, 10.0 * (cold - bronze.mean), rtol=1e-3, atol=1e-4)


def test_what_it_prints_makes_it_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command("--seconds", "1", "--json", "--bias", "0=1", "2=-1", "--out", str(tmp_path / "a.wav")) == 0
    told = json.loads(capsys.readouterr().out)
    words = ("--seed", str(told["seed"]), "--bias", "0=1", "2=-1", "--seconds", "1")
    assert command(*words, "--out", str(tmp_path / "b.wav")) == 0
    assert f"seed {told['seed']}" in capsys.readouterr().out
    assert (tmp_path / "a.wav").read_bytes() == (tmp_path / "b.wav").read_bytes()


def test_turned_latents_are_heard(tmp_path: Path) -> None:
    for name, words in (("a", ()), ("b", ("--scale", *(f"{n}=0" for n in range(8))))):
        assert command("--seconds", "1", "--seed", "1", *words, "--out", str(tmp_path / f"{name}.wav")) == 0
    plain, still = (read_channels(tmp_path / f"{name}.wav", RATE_HZ) for name in "ab")
    assert np.abs(plain - still).max() > 0.01


def test_a_picture_is_drawn(tmp_path: Path) -> None:
    from PIL import Image

    assert command("--seconds", "1", "--out", str(tmp_path / "a.wav"), "--plot", str(tmp_path / "a.png")) == 0
    with Image.open(tmp_path / "a.png") as picture:
        assert picture.width > 500 and len(picture.convert("RGB").getcolors(1 << 20) or ()) > 50


def test_an_interrupted_one_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.wav").write_text("mine")

    def interrupted(*given: Any) -> Any:
        yield np.zeros((100, 1), np.float32)
        raise KeyboardInterrupt

    monkeypatch.setattr(subject, "generate", interrupted)
    with pytest.raises(KeyboardInterrupt):
        command("--out", str(tmp_path / "a.wav"))
    assert [each.name for each in tmp_path.iterdir()] == ["a.wav"] and (tmp_path / "a.wav").read_text() == "mine"


def scripted(folder: Path, module: torch.nn.Module) -> Model:
    """The folder of a model that is a TorchScript file alone."""
    folder.mkdir()
    small_torchscript.save(module, folder / "small.ts")
    latents = {"mean": [0.0] * 3, "deviation": [1.0] * 3, "low": [-3.0] * 3, "high": [3.0] * 3}
    card = {"name": "small", "sample_rate_hz": 8_000, "ratio": 16, "latent_dim": 3, "decoder": "small.ts"}
    (folder / "card.yaml").write_text(yaml.safe_dump({**card, "latents": latents}))
    return load(str(folder))


WEIGHT = 0.3 * torch.randn(16, 3, 2, generator=torch.Generator().manual_seed(1))


def test_a_models_own_prior_is_used_where_there_is_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    small = scripted(tmp_path / "small", small_torchscript.Prior(WEIGHT, 16, 8_000, 4))
    asked = order(model=small, walk="prior", temperature=0.7)
    path, words = subject.WALKS["prior"](asked, np.random.default_rng(3))
    seed = int(np.random.default_rng(3).integers(1 << 31))
    expected = torchscript_prior(small.decoder, "cpu")(asked.steps, 0.7, seed)
    assert words == "the model's own prior" and np.array_equal(path.go(asked.steps), expected)
    assert command("--model", str(tmp_path / "small"), "--walk", "prior", "--out", str(tmp_path / "a.wav")) == 0
    assert "the model's own prior" in capsys.readouterr().out


def test_without_prior_or_excerpts_it_says_both(tmp_path: Path) -> None:
    scripted(tmp_path / "small", small_torchscript.WithoutPrior(WEIGHT, 16, 8_000, 4))
    with pytest.raises(ModelError, match=r"has no prior.*no encoded excerpts"):
        command("--model", str(tmp_path / "small"), "--walk", "prior", "--out", str(tmp_path / "a.wav"))
    assert not (tmp_path / "a.wav").exists()


@pytest.mark.parametrize(
    ("words", "error", "sentence"),
    [
        (("--out", "x.ogg"), RenderError, "can't write '.ogg'"),
        (("--out", "x.wav", "--bias", "8=1"), InstallationError, "bronze: no latent 8; it has 0 to 7"),
        (("--out", "x.wav", "--model", "bronce"), ModelError, "bronze"),
        (("--out", "x.wav", "--seed", "-1"), InstallationError, "allowed are 0 and more"),
    ],
)
def test_what_can_not_be_is_said(words: tuple[str, ...], error: type[Exception], sentence: str) -> None:
    with pytest.raises(error, match=sentence):
        command(*words)


@pytest.mark.parametrize(
    "words", [("--seconds", "0"), ("--temperature", "-1"), ("--bias", "1"), ("--bias", "x=1"), ("--scale", "0=nan")]
)
def test_no_number_is_no_number(words: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        command("--out", "x.wav", *words)
    assert words[-1] in capsys.readouterr().err

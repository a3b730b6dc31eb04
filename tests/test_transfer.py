"""`transfer`: through a codec that changes nothing it is the recording; through a model, what is like it; bad files
are said and the others go on."""

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

from installation.errors import ModelError, RenderError
from installation.model import load
from installation.sound.decoder import open_decoder
from installation.sound.files import SoundWriter, read_channels
from installation.sound.loudness import gated_level_db
from installation.sound.player import Turn
from installation.sound.rate import RateChanger
from installation.sound.transfer import Bearings, Transfer, Transferred, Wishes
from installation.transfer import add_transfer_command, planned
from tests import small_torchscript
from tests.parts import Floats

RATE_HZ = 48_000
RATIO = 64
ONES = np.ones(RATIO, np.float32)
BEARINGS = Bearings(0.0 * ONES, ONES, -ONES, ONES, -20.0, 0)
PLAIN = Wishes(Turn.none(RATIO))


class Delay:
    """A codec that changes nothing: latents are the samples themselves; it plays `late` samples late, at `gain`."""

    sample_rate_hz, ratio, latent_dim, channels = RATE_HZ, RATIO, RATIO, 1

    def __init__(self, late: int = 0, gain: float = 1.0) -> None:
        self._late, self._gain = late, np.float32(gain)

    def start(self, batch: int = 1) -> Any:
        return np.zeros((batch, self._late), np.float32)

    def decode(self, latents: Floats, state: Any) -> tuple[Floats, Any]:
        line = np.concatenate([state, latents.reshape(len(latents), -1) * self._gain], axis=1)
        count = latents.shape[1] * RATIO
        return line[:, :count, None], line[:, count:]


def encode(sound: Floats) -> Floats:
    return sound[:, : sound.shape[1] // RATIO * RATIO].reshape(len(sound), -1, RATIO)


def strokes(seed: int, channels: int = 1, count: int = 100_000) -> Floats:
    """Noises that die away, above the guard's DC filter."""
    rng = np.random.default_rng(seed)
    sound = np.zeros((count, channels))
    for begin in np.cumsum(rng.integers(4_000, 20_000, 50)):
        left = np.arange(max(0, count - begin)) / RATE_HZ
        sound[begin:] += (0.1 * np.exp(-left / 0.1))[:, None] * rng.standard_normal((len(left), channels))
    return np.diff(sound, axis=0, prepend=0.0).astype(np.float32)


def transferred(sound: Floats, decoder: Delay | None = None, latency: int | None = 0, **wishes: Any) -> Transferred:
    bearings = replace(BEARINGS, latency=latency)
    return Transfer(encode, decoder or Delay(), bearings, replace(PLAIN, **wishes))(sound)


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("count", [50, 1_000, 100_000, 100_001])
@pytest.mark.parametrize(("late", "gain"), [(0, 1.0), (1696, 0.05), (100, 8.0)])
def test_through_a_codec_that_changes_nothing_it_is_the_recording(
    channels: int, count: int, late: int, gain: float
) -> None:
    sound = strokes(1, channels, count)
    made = transferred(sound, Delay(late, gain), late)
    assert made.sound.shape == sound.shape and made.latency == late
    assert np.abs(made.sound - sound).max() < 0.01 * max(1e-9, float(np.abs(sound).max()))


def test_an_unknown_latency_is_found() -> None:
    sound = strokes(2)
    made = transferred(sound, Delay(3_000), None)
    assert made.latency == pytest.approx(3_000, abs=48)
    assert transferred(sound, Delay(0), None).latency <= 48


@pytest.mark.parametrize("level_db", [-25.0, -40.0])
def test_the_model_hears_the_level_it_was_trained_at_and_it_comes_back_at_its_own(level_db: float) -> None:
    sound, bearings = 0.01 * strokes(3), replace(BEARINGS, level_db=level_db)
    heard = Transfer(encode, Delay(), bearings, replace(PLAIN, loudness=False))(sound).sound
    assert gated_level_db(heard, RATE_HZ) == pytest.approx(level_db, abs=0.3)
    made = Transfer(encode, Delay(), bearings, PLAIN)(sound).sound
    assert gated_level_db(made, RATE_HZ) == pytest.approx(gated_level_db(sound, RATE_HZ), abs=0.1)


def test_a_mix_of_nothing_is_the_recording_and_a_half_has_equal_power() -> None:
    sound = strokes(4)
    inverted = replace(Turn.none(RATIO), scale=-ONES)
    dry = transferred(sound, mix=0.0, turn=inverted)
    assert np.abs(dry.sound - sound).max() < 1e-2 * np.abs(sound).max()
    both = transferred(sound, mix=0.5)
    assert np.abs(both.sound - np.sqrt(2.0) * sound).max() < 2e-2 * np.abs(sound).max()


def test_latents_are_turned_and_tamed() -> None:
    """A codec's latents are samples: scaled to half they are half as loud, and tamed ones stay within the range."""
    sound = strokes(5)
    plain = transferred(sound, loudness=False).sound
    half = transferred(sound, loudness=False, turn=replace(Turn.none(RATIO), scale=0.5 * ONES)).sound
    assert np.allclose(half, 0.5 * plain, atol=1e-3)
    narrow = replace(BEARINGS, low=-0.1 * ONES, high=0.1 * ONES)
    tame = Transfer(encode, Delay(), narrow, replace(PLAIN, loudness=False, tame=1.0))(sound).sound
    assert np.abs(tame).max() < 0.13 < np.abs(plain).max()


def test_channels_are_played_apart_unless_they_are_mixed() -> None:
    one, other = strokes(6), strokes(7)
    both = np.concatenate([one, other], axis=1)
    assert np.abs(transferred(both).sound - both).max() < 1e-3
    mixed = transferred(both, mono=True).sound
    assert mixed.shape == one.shape and np.abs(mixed - 0.5 * (one + other)).max() < 1e-3


def test_silence_stays_silence_whatever_the_model_makes_of_it() -> None:
    class Humming(Delay):
        def decode(self, latents: Floats, state: Any) -> tuple[Floats, Any]:
            sound, state = super().decode(latents, state)
            return sound + np.float32(0.1), state

    assert not transferred(np.zeros((5_000, 2), np.float32), Humming()).sound.any()


def test_noise_is_taken_out_before_and_after_and_it_is_said_when_there_is_none() -> None:
    sound = strokes(8)
    made = transferred(sound, before=lambda given: 0.5 * given, after=lambda given: None)
    assert np.array_equal(made.original, 0.5 * sound) and not made.noise_found
    assert transferred(sound, after=lambda given: given).noise_found


# ---- files


def write(path: Path, sound: Floats, rate_hz: int = RATE_HZ) -> Path:
    with SoundWriter(path, rate_hz, sound.shape[1]) as writer:
        writer.write(sound)
    return path


@pytest.fixture(scope="module")
def bells() -> Floats:
    """Sound of bronze's own family: what it makes of an excerpt, (samples, 1)."""
    bronze = load("bronze")
    decoder = open_decoder(bronze.decoder, "cpu")
    return decoder.decode(bronze.excerpts()[None, 100:220], decoder.start())[0][0]


def command(*words: Any) -> int:
    parser = argparse.ArgumentParser()
    add_transfer_command(parser.add_subparsers())
    arguments = parser.parse_args(["transfer", *map(str, words)])
    return int(arguments.run(arguments))


@pytest.mark.parametrize(("rate_hz", "ending"), [(48_000, "wav"), (44_100, "flac"), (48_000, "mp3")])
def test_a_sound_of_the_models_family_comes_through(
    tmp_path: Path, bells: Floats, rate_hz: int, ending: str, capsys: pytest.CaptureFixture[str]
) -> None:
    changer = RateChanger(RATE_HZ, rate_hz, 2)
    sound, _ = changer.change(np.repeat(bells, 2, axis=1), changer.start())
    source = write(tmp_path / f"in.{ending}", sound, rate_hz)
    assert command(source, "--out", tmp_path / "out.wav", "--report", "--json") == 0
    (told,) = json.loads(capsys.readouterr().out)
    assert told["loudness_correlation"] > 0.9 and told["pitch_agreement"] > 0.9 and told["pitched"] > 100
    assert told["mel_correlation"] > 0.7 and told["latency_samples"] == 1696
    given, made = read_channels(source, 48_000), read_channels(tmp_path / "out.wav", 48_000)
    assert made.shape == given.shape
    assert gated_level_db(made, 48_000) == pytest.approx(gated_level_db(given, 48_000), abs=0.5)


def test_a_bad_file_is_said_and_the_others_go_on(
    tmp_path: Path, bells: Floats, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "in"
    (folder / "deep").mkdir(parents=True)
    (folder / "a.wav").write_text("dear me")
    write(folder / "deep" / "b.flac", bells[:48_000])
    assert command(folder, tmp_path / "none.wav", "--out", tmp_path / "out", "--format", "flac") == 1
    said = capsys.readouterr()
    assert "a.wav: can't be read" in said.err and "none.wav: no such file" in said.err
    assert [each.name for each in (tmp_path / "out").rglob("*.*")] == ["b.flac"]
    assert "deep/b.flac" in said.out and read_channels(tmp_path / "out/deep/b.flac", RATE_HZ).shape == (48_000, 1)


def test_pictures_are_drawn_beside_the_files(tmp_path: Path, bells: Floats) -> None:
    from PIL import Image

    sources = [write(tmp_path / name, bells[:count]) for name, count in (("a.wav", 60_000), ("short.wav", 300))]
    assert command(*sources, "--out", tmp_path / "out", "--plot") == 0
    for name in ("a.png", "short.png"):
        with Image.open(tmp_path / "out" / name) as picture:
            assert picture.height > 500


def test_no_two_go_to_one_place_and_none_where_a_recording_lies(tmp_path: Path) -> None:
    names = ("a.wav", "a.flac", "b/a.wav", "a.mp3")
    for name in names:
        (tmp_path / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "in" / name).touch()
    faults: list[str] = []
    jobs = planned([tmp_path / "in", tmp_path / "in/a.wav"], tmp_path / "out", ".wav", faults.append)
    targets = [job.target for job in jobs]
    assert len(set(targets)) == len(targets) == 5 and not faults
    assert tmp_path / "out/a.wav" in targets and tmp_path / "out/b/a.wav" in targets
    with pytest.raises(RenderError, match="not written over"):
        planned([tmp_path / "in"], tmp_path / "in", ".wav", faults.append)
    with pytest.raises(RenderError, match="one file can't take what comes of 4"):
        planned([tmp_path / "in"], tmp_path / "x.wav", ".wav", faults.append)
    with pytest.raises(RenderError, match=r"can't write '.ogg'"):
        planned([tmp_path / "in/a.wav"], tmp_path / "x.ogg", ".wav", faults.append)


def test_a_model_that_does_not_hear_is_refused(tmp_path: Path) -> None:
    card = yaml.safe_load((load("bronze").folder / "card.yaml").read_text("utf-8"))
    (tmp_path / "deaf").mkdir()
    (tmp_path / "deaf" / "card.yaml").write_text(yaml.safe_dump(card))
    with pytest.raises(ModelError, match="has no encoder"):
        command(tmp_path / "x.wav", "--model", tmp_path / "deaf", "--out", tmp_path / "out")


def test_with_noise_reduction_the_noise_goes(tmp_path: Path, bells: Floats) -> None:
    """Bells with a second of noise before them: what is made of the noise alone is softer."""
    noise = (0.003 * np.random.default_rng(0).standard_normal((RATE_HZ + len(bells), 1))).astype(np.float32)
    noise[RATE_HZ:] += bells
    source = write(tmp_path / "in.wav", noise)
    powers = []
    for name, words in (("plain", ()), ("clean", ("--denoise", "both"))):
        assert command(source, *words, "--out", tmp_path / f"{name}.wav") == 0
        made = read_channels(tmp_path / f"{name}.wav", RATE_HZ)
        powers.append(float(np.mean(made[4_800 : RATE_HZ - 4_800] ** 2)) / float(np.mean(made[RATE_HZ:] ** 2)))
    assert powers[1] < 0.3 * powers[0]


def test_a_model_that_is_one_torchscript_file_of_unknown_latency_will_do(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its one latent is the mean of 16 samples, each sample of its sound the latent: 8 kHz, a click stays in place."""
    weight = torch.cat([torch.zeros(16, 1, 1), torch.ones(16, 1, 1)], 2)
    small_torchscript.save(small_torchscript.Encoding(weight, 16, 8_000, 4), tmp_path / "small.ts")
    latents = {"mean": [0.0], "deviation": [1.0], "low": [-3.0], "high": [3.0]}
    card = {"name": "small", "sample_rate_hz": 8_000, "ratio": 16, "latent_dim": 1, "decoder": "small.ts"}
    (tmp_path / "card.yaml").write_text(yaml.safe_dump({**card, "latents": latents}))
    sound = np.zeros((16_000, 2), np.float32)
    for begin in (3_000, 7_500, 12_000):
        sound[begin : begin + 400] = 0.3 * np.sin(np.arange(400) * 0.05)[:, None]
    source = write(tmp_path / "in.wav", sound, 8_000)
    assert command(source, "--model", tmp_path, "--out", tmp_path / "out.wav", "--report", "--json") == 0
    (told,) = json.loads(capsys.readouterr().out)
    assert told["latency_samples"] <= 16 and told["loudness_correlation"] > 0.9
    made = read_channels(tmp_path / "out.wav", 8_000)
    assert made.shape == sound.shape and float(np.corrcoef(made[:, 0], sound[:, 0])[0, 1]) > 0.8

"""A folder of any sound prepared: what comes out, what is held back, and what an interruption leaves."""

from __future__ import annotations

import argparse
import itertools
import json
import os
import shutil
import warnings
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from installation.errors import ModelError
from installation.sound.files import SoundWriter, read_channels
from installation.training import dataset, expectations, homogeneity, manifest, pieces, prepare_command, sounds, survey
from installation.training.pieces import CHUNK, Making
from installation.training.recipe import Recipe
from installation.training.treatment import Treatment, treat
from installation.training.variation import Variation

RATE_HZ = 16_000
TREATMENT = Treatment(RATE_HZ)


def noise(seconds: float, seed: int, rate_hz: int = RATE_HZ) -> np.ndarray:
    return (0.1 * np.random.default_rng(seed).standard_normal(int(seconds * rate_hz))).astype(np.float32)


def tone(seconds: float, hz: float, rate_hz: int = RATE_HZ) -> np.ndarray:
    return (0.4 * np.sin(2.0 * np.pi * hz * np.arange(int(seconds * rate_hz)) / rate_hz)).astype(np.float32)


def store(path: Path, sound: np.ndarray, rate_hz: int, channels: int = 1) -> None:
    with SoundWriter(path, rate_hz, channels) as file:
        file.write(np.stack([sound] * channels, 1))


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    """Three formats at three rates, a twin, a broken file, a silent one, and a text."""
    folder = tmp_path / "raw"
    (folder / "deep").mkdir(parents=True)
    store(folder / "a.wav", noise(12.0, 1, 44_100), 44_100, 2)
    store(folder / "deep" / "b.flac", tone(9.0, 330.0), RATE_HZ)
    store(folder / "c.mp3", noise(10.0, 3, 32_000), 32_000)
    store(folder / "silent.wav", np.zeros(RATE_HZ, np.float32), RATE_HZ)
    shutil.copyfile(folder / "a.wav", folder / "a copy.wav")
    (folder / "broken.flac").write_bytes(b"fLaC" + bytes(50))
    (folder / "notes.txt").write_text("not sound")
    (folder / ".hidden.wav").write_bytes(b"x")
    return folder


def prepare(
    raw: Path, out: Path, treatment: Treatment = TREATMENT, making: Making | None = None, reader: Any = None
) -> Any:
    quiet = lambda stage: nullcontext(lambda name: None)  # noqa: E731
    return prepare_command.prepare(raw, out, treatment, making or Making(), reader or read_channels, quiet)


def pieces_in(folder: Path) -> list[np.ndarray]:
    return [sounds.read(path, RATE_HZ) for path in sorted(folder.glob("*.wav"))]


def test_everything_that_is_sound_is_there_once(raw: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    made, found = prepare(raw, out)
    assert [each.path for each in made.used] == ["a copy.wav", "c.mp3", "deep/b.flac"]
    assert found.copies == {"a.wav": "a copy.wav"}
    assert found.troubles.keys() == {"broken.flac", "silent.wav"} and found.not_sound == 1
    assert found.hours_in * 3600.0 == pytest.approx(31.0, abs=0.1)
    lengths = [len(piece) for piece in pieces_in(out / "train")]
    assert all(length % CHUNK == 0 for length in lengths) and sum(lengths) > 0
    assert sum(map(len, pieces_in(out / "held"))) / RATE_HZ == pytest.approx(0.05 * 31.0, abs=0.05)
    assert "a.wav: the same file as a copy.wav" in "\n".join(survey.named(found))


def test_what_was_done_is_not_done_again_and_what_changed_is(raw: Path, tmp_path: Path) -> None:
    out, read = tmp_path / "out", []

    def reader(path: Path, rate_hz: int) -> np.ndarray:
        read.append(path.name)
        return read_channels(path, rate_hz)

    def anew(treatment: Treatment = TREATMENT) -> set[str]:
        read.clear()
        prepare(raw, out, treatment, reader=reader)
        return set(read)

    assert {"a.wav", "b.flac", "c.mp3"} <= anew()
    assert anew() == set()
    os.utime(raw / "c.mp3", (1e9, 1e9))
    assert anew() == set()
    store(raw / "c.mp3", noise(11.0, 9, 32_000), 32_000)
    assert anew() == {"c.mp3"}
    before = {path.name for path in (out / "sources").iterdir()}
    (raw / "deep" / "b.flac").unlink()
    assert anew() == set()
    assert len(before - {path.name for path in (out / "sources").iterdir()}) == 1
    assert "a.wav" in anew(replace(TREATMENT, silence_db=None))


@pytest.mark.parametrize("after", range(1, 6))
def test_an_interrupted_preparation_goes_on_to_the_same_end(raw: Path, tmp_path: Path, after: int) -> None:
    """The reader is stopped as by Ctrl-C at its nth file; then it is begun again."""
    whole, halved, calls = tmp_path / "whole", tmp_path / "halved", itertools.count(1)
    prepare(raw, whole)

    def reader(path: Path, rate_hz: int) -> np.ndarray:
        if next(calls) == 2 * after:
            raise KeyboardInterrupt
        return read_channels(path, rate_hz)

    with pytest.raises(KeyboardInterrupt):
        prepare(raw, halved, reader=reader)
    if manifest.load(halved) is not None:
        with pytest.raises(ModelError, match=r"interrupted; `models prepare .*raw --out .*halved` goes on"):
            manifest.prepared(halved)
    prepare(raw, halved)
    for folder in ("train", "held", "sources"):
        files = sorted((whole / folder).iterdir())
        assert [path.name for path in files] == [path.name for path in sorted((halved / folder).iterdir())]
        assert all(path.read_bytes() == (halved / folder / path.name).read_bytes() for path in files)


def test_nothing_held_out_is_learnt(tmp_path: Path) -> None:
    """Each file a tone of its own: with many files whole ones are held out, in copies either."""
    raw, out = tmp_path / "raw", tmp_path / "out"
    raw.mkdir()
    pitches = [200.0 + 150.0 * number for number in range(24)]
    for hz in pitches:
        sounds.write(raw / f"{hz:.0f}.wav", tone(4.0, hz), RATE_HZ)
    made, _ = prepare(raw, out, making=Making(0.1, 1, Variation(6.0)))
    chosen = pieces.whole_files(made, Making(0.1, 1))
    assert len(chosen) == 3

    def there(folder: str) -> set[float]:
        power = np.sum([np.square(np.abs(np.fft.rfft(each, 16_000 * 200))) for each in pieces_in(out / folder)], 0)
        return {hz for hz in pitches if power[int(hz * 200)] > 1e-3 * np.max(power)}

    held = {float(path.removesuffix(".wav")) for path in chosen}
    assert there("held") == held
    assert there("train") == set(pitches) - held


def test_copies_make_it_as_many_times_longer_and_a_seed_names_them(raw: Path, tmp_path: Path) -> None:
    making = Making(0.0, 2, Variation(3.0, pitch_semitones=1.0), -70.0, seed=4)
    prepare(raw, tmp_path / "one", making=making)
    prepare(raw, tmp_path / "two", making=making)
    prepare(raw, tmp_path / "other", making=replace(making, seed=5))
    one, two, other = (np.concatenate(pieces_in(tmp_path / name / "train")) for name in ("one", "two", "other"))
    np.testing.assert_array_equal(one, two)
    assert len(one) != len(other) or not np.array_equal(one, other)
    assert len(one) / RATE_HZ == pytest.approx(3 * 31.0, abs=CHUNK / RATE_HZ + 0.5)
    assert not pieces_in(tmp_path / "one" / "held")


@pytest.mark.parametrize("lengths", [[100], [300_000], [1_000_000, 2_000_000, 5], [CHUNK] * 3])
def test_pieces_joined_are_the_parts_joined(lengths: list[int]) -> None:
    parts = [noise(length / RATE_HZ, seed)[:length] for seed, length in enumerate(lengths)]
    made = np.concatenate(list(pieces.cut(iter(parts), 4 * CHUNK)))
    whole = np.concatenate(parts)
    assert len(made) == (len(whole) // CHUNK * CHUNK or len(whole))
    assert np.mean(made == whole[: len(made)]) > 0.98 or len(made) < 2_000


def test_channels_are_chosen() -> None:
    stereo = np.stack([tone(2.0, 300.0), 0.5 * tone(2.0, 900.0)], 1)
    plain = Treatment(RATE_HZ, normalise="none", silence_db=None)
    for channels, expected in (("left", stereo[:, 0]), ("right", stereo[:, 1]), ("mix", stereo.mean(1))):
        made, _ = treat(stereo, replace(plain, channels=channels))
        np.testing.assert_allclose(made, expected, atol=1e-3)
    assert len(treat(stereo, replace(plain, channels="each"))[0]) == pytest.approx(2 * len(stereo), abs=400)


def test_one_kind_of_sound_is_homogeneous_and_two_are_not() -> None:
    alike = [segment for seed in range(3) for segment in homogeneity.segments(noise(30.0, seed), RATE_HZ)]
    other = homogeneity.segments(tone(60.0, 220.0), RATE_HZ)
    assert homogeneity.homogeneity(alike) > 0.95
    assert homogeneity.homogeneity([*alike, *other]) < 0.3
    assert homogeneity.homogeneity(alike[:1]) == 1.0
    assert homogeneity.strangest([*alike, other[0]]) == len(alike)
    assert homogeneity.repeats(alike) == []
    again = homogeneity.segments(np.float32(0.98) * noise(30.0, 1), RATE_HZ)
    assert homogeneity.repeats([*alike, *again]) == [(2, 6), (3, 7)]


def test_expectations_follow_the_figures(raw: Path, tmp_path: Path) -> None:
    _, found = prepare(raw, tmp_path / "out")
    said = " ".join(expectations.expectations(found, Recipe()))
    assert "will learn it by heart" in said and "several kinds" in said
    better = replace(found, hours_in=3.0, silence=0.0, homogeneity=0.95, narrow={}, clipped={}, loudness_spread_db=1.0)
    said = " ".join(expectations.expectations(better, Recipe()))
    assert "one kind of sound" in said and "a good amount" in said
    assert "clipped" not in said and "dull" not in said and "loudness" not in said
    worse = replace(better, clipped={"x": 0.1}, narrow={"x": 7_000.0}, loudness_spread_db=9.0, silence=0.6)
    said = " ".join(expectations.expectations(worse, Recipe()))
    assert "clipped" in said and "as dull" in said and "--normalise loudness" in said and "--keep-silence" in said


def run(*words: str) -> int:
    parser = argparse.ArgumentParser()
    prepare_command.add_prepare_command(parser.add_subparsers(), read_channels)
    parsed = parser.parse_args(["prepare", *words])
    return int(parsed.run(parsed))


def test_the_command_reports_and_draws(raw: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("matplotlib")
    out = tmp_path / "out"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert run(str(raw), "--out", str(out), "--rate", str(RATE_HZ), "--pictures", "2") == 0
    shown = capsys.readouterr().out
    told = json.loads((out / "report.json").read_text("utf-8"))
    assert told["files"] == 3 and told["pictures"] == ["excerpt-1.png", "excerpt-2.png"]
    assert all((out / name).stat().st_size > 10_000 for name in told["pictures"])
    report = (out / "report.md").read_text("utf-8")
    for sentence in told["expected"]:
        assert sentence in shown and sentence in report
    assert manifest.prepared(out) is not None


def test_what_can_not_be_prepared_is_said(raw: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no such folder"):
        prepare(tmp_path / "nowhere", tmp_path / "out")
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(ModelError, match="nothing in it"):
        prepare(empty, tmp_path / "out")
    (empty / "broken.wav").write_bytes(b"RIFF")
    with pytest.raises(ModelError, match=r"no sound in it that can be used:\n  broken\.wav: can't be read"):
        prepare(empty, tmp_path / "out")
    prepare(raw, tmp_path / "other")
    with pytest.raises(ModelError, match=r"prepared from .*raw, not from .*empty"):
        prepare(empty, tmp_path / "other")
    with pytest.raises(ModelError, match=r"channels: 'both' .*normalise: 'max' .*rate: 5 Hz"):
        Treatment(5, "both", "max")
    with pytest.raises(ModelError, match=r"held: 0\.9 is outside"):
        Making(0.9)
    (tmp_path / "other" / "manifest.json").write_text("[]")
    with pytest.raises(ModelError, match="not a manifest"):
        manifest.load(tmp_path / "other")


def test_a_file_that_goes_on_in_the_prepared_folder_is_no_source(raw: Path) -> None:
    """OUT may lie inside FOLDER: what is written there is not read again."""
    prepare(raw, raw / "out")
    made, _ = prepare(raw, raw / "out")
    assert not any(each.path.startswith("out/") for each in made.sources)
    assert all(not dataset.not_sound([each])[1] for each in made.used)


def test_the_end_of_each_of_a_few_files_is_held_out_and_not_learnt(tmp_path: Path) -> None:
    """A file whose last tenth is another tone."""
    raw, out = tmp_path / "raw", tmp_path / "out"
    raw.mkdir()
    sounds.write(raw / "a.wav", np.concatenate([tone(90.0, 400.0), tone(10.0, 2_000.0)]), RATE_HZ)
    prepare(raw, out, making=Making(0.1, 1, Variation(0.0)))
    for folder, hz, other in (("train", 400, 2_000), ("held", 2_000, 400)):
        sound = np.concatenate(pieces_in(out / folder))
        power = np.square(np.abs(np.fft.rfft(sound[: RATE_HZ * 9], RATE_HZ * 10)))
        end = np.square(np.abs(np.fft.rfft(sound[-RATE_HZ * 9 :], RATE_HZ * 10)))
        assert power[hz * 10] + end[hz * 10] > 1e4 * (power[other * 10] + end[other * 10])


def test_a_change_half_done_is_not_taken_for_prepared(raw: Path, tmp_path: Path) -> None:
    """A source was treated anew, and then it was stopped: the pieces are those of before."""
    out = tmp_path / "out"
    prepare(raw, out)
    store(raw / "a copy.wav", noise(8.0, 7), RATE_HZ)
    store(raw / "c.mp3", noise(8.0, 8, 32_000), 32_000)

    def reader(path: Path, rate_hz: int) -> np.ndarray:
        if path.name == "c.mp3":
            raise KeyboardInterrupt
        return read_channels(path, rate_hz)

    with pytest.raises(KeyboardInterrupt):
        prepare(raw, out, reader=reader)
    with pytest.raises(ModelError, match="was interrupted"):
        manifest.prepared(out)

"""Families of training sound: a seed names a recording, and it is what the family's docstrings say."""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pytest

from installation.errors import ModelError
from installation.training import breath, evaluation, families, room, sounds, wire
from installation.training.synthesis import add_synthesise_command

RATE_HZ = 48_000
FAMILIES = list(families.FAMILIES)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_seed_names_a_recording(family: str) -> None:
    one, again, other = (next(families.excerpts(family, 0.1, RATE_HZ, seed)) for seed in (3, 3, 4))
    np.testing.assert_array_equal(one, again)
    assert not np.array_equal(one, other)


@pytest.mark.parametrize("family", FAMILIES)
def test_longer_sets_begin_with_the_shorter_ones(family: str) -> None:
    """Every minute has a generator of its own, so more minutes do not change the first."""
    first = next(families.excerpts(family, 1.0, 16_000, 1))
    np.testing.assert_array_equal(next(families.excerpts(family, 3.0, 16_000, 1)), first)


@pytest.mark.parametrize("family", FAMILIES)
def test_level_length_and_floor(family: str) -> None:
    sound = families.FAMILIES[family](6.0, RATE_HZ, np.random.default_rng(2))
    assert sound.shape == (6 * RATE_HZ,)
    assert sound.dtype == np.float32
    peak_db = 20.0 * np.log10(np.abs(sound).max())
    assert peak_db == pytest.approx(room.PEAK_DB, abs=0.1)
    quietest = min(np.sqrt(np.mean(part**2)) for part in np.split(sound, 600))
    assert 20.0 * np.log10(quietest) > room.FLOOR_DB - 1.5


def test_nothing_but_the_floor_is_recorded_of_silence() -> None:
    floor = room.record(np.zeros(RATE_HZ, np.float32), RATE_HZ, RATE_HZ, np.random.default_rng(1))
    assert 10.0 * np.log10(np.mean(floor**2)) == pytest.approx(room.FLOOR_DB, abs=0.1)


def test_an_unknown_family_is_refused_with_those_there_are() -> None:
    with pytest.raises(ModelError, match="no family 'brass'; there are bronze, breath, wire"):
        next(families.excerpts("brass", 1.0, RATE_HZ, 1))


def test_a_breath_sings_the_pitches_of_its_scale() -> None:
    """Away from glides, the pitch heard is within the vibrato of a step of the scale; the tone sounds most of the
    time."""
    sound = breath.perform(12.0, RATE_HZ, np.random.default_rng(5))
    heard = evaluation.pitches_hz(sound, RATE_HZ)
    pitched = heard[~np.isnan(heard)]
    assert len(pitched) > 0.7 * len(heard)
    cents = np.abs(1200.0 * np.log2(pitched[:, None] / np.asarray(breath.PITCHES_HZ))).min(1)
    assert np.mean(cents < breath.VIBRATO_CENTS + 6.0) > 0.8
    assert len({int(np.argmin(np.abs(np.log2(each / np.asarray(breath.PITCHES_HZ))))) for each in pitched}) > 3


def test_a_breath_neither_begins_nor_ends_at_once() -> None:
    _, level = breath.phrases(4_000, np.random.default_rng(1))
    assert level.min() >= 0.0 and level.max() <= 1.0
    assert np.diff(level).max() * breath.CONTROL_HZ <= 1.01 / breath.ATTACK_S
    assert -np.diff(level).min() * breath.CONTROL_HZ <= 1.01 / breath.RELEASE_S
    assert np.mean(level < 1e-6) > 0.02


@pytest.mark.parametrize("pitch_hz", [wire.PITCHES_HZ[0], wire.PITCHES_HZ[-1]])
def test_a_wire_has_no_harmonic_where_it_is_plucked(pitch_hz: float) -> None:
    """Plucked in the middle there are odd harmonics only; each is at a multiple of the pitch."""
    sound = wire.pluck(pitch_hz, 0.5, 1.0, RATE_HZ, np.random.default_rng(1))
    spectrum = np.abs(np.fft.rfft(sound * np.hanning(len(sound))))
    levels = [spectrum[round(number * pitch_hz * len(sound) / RATE_HZ)] for number in range(1, 6)]
    assert max(levels[1], levels[3]) < 0.02 * min(levels[0], levels[2], levels[4])


@pytest.mark.parametrize("block", range(len(wire.BLOCKS)))
def test_wood_is_short_and_rings_at_its_lowest_mode(block: int) -> None:
    modes_hz, decay_s = wire.BLOCKS[block]
    sound = wire.knock(block, 1.0, RATE_HZ)
    assert len(sound) == int(decay_s * RATE_HZ)
    spectrum = np.abs(np.fft.rfft(sound))
    assert np.argmax(spectrum) * RATE_HZ / len(sound) == pytest.approx(modes_hz[0], abs=2.0 * RATE_HZ / len(sound))


def test_files_read_back_as_they_were_made(tmp_path: Path) -> None:
    paths = list(families.write(tmp_path / "set", "wire", 0.05, RATE_HZ, 9))
    assert [path.name for path in paths] == ["wire-9-000.wav"]
    assert len(paths) == families.files(0.05)
    expected = next(families.excerpts("wire", 0.05, RATE_HZ, 9))
    np.testing.assert_allclose(sounds.recordings(tmp_path, RATE_HZ)[0], expected, atol=0.6 / sounds.FULL_SCALE)


def test_the_command_writes_the_family_asked_for(tmp_path: Path) -> None:
    parser = argparse.ArgumentParser()
    add_synthesise_command(parser.add_subparsers())
    words = ["synthesise", "--family", "breath", "--out", str(tmp_path), "--minutes", "0.03", "--seed", "5"]
    arguments = parser.parse_args(words)
    assert arguments.run(arguments) == 0
    made = sounds.recordings(tmp_path, RATE_HZ)[0]
    np.testing.assert_allclose(made, next(families.excerpts("breath", 0.03, RATE_HZ, 5)), atol=1e-4)

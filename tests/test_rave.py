"""The model's own ear: its statistics by hand, and the default model's encoder behind it."""

from __future__ import annotations

import numpy as np
import pytest

from installation import model
from installation.errors import ModelError
from installation.evolution.embedding import Hearing
from installation.evolution.embedding.rave import Rave, statistics
from installation.sound.encoder import open_encoder


def test_statistics_are_mean_deviation_and_deviation_of_the_difference() -> None:
    latents = np.array([[[1.0, 0.0], [3.0, 0.0], [2.0, 6.0]]], np.float32)
    expected = [2.0, 2.0, np.sqrt(2 / 3), np.sqrt(8), 1.5, 3.0]
    assert np.allclose(statistics(latents), [expected], atol=1e-6)
    assert np.allclose(statistics(latents[:, :1]), [[1, 0, 0, 0, 0, 0]])


def test_a_model_without_encoder_is_refused() -> None:
    with pytest.raises(ModelError, match="rave needs the model's own encoder"):
        Rave(Hearing(48_000))


def test_a_calibration_for_another_number_of_latents_is_refused() -> None:
    hearing = Hearing(48_000, encode=lambda sounds: np.zeros((len(sounds), 4, 3), np.float32))
    assert Rave(hearing).size == 9
    with pytest.raises(ValueError, match="allowed is"):
        Rave(hearing, {"mean": [0.0] * 6, "scale": [1.0] * 6})


def test_a_dimension_that_hardly_moves_counts_for_little() -> None:
    """Two latents, one of a thousandth of the other's variety: their distances stay in proportion."""
    rng = np.random.default_rng(0)
    latents = (rng.standard_normal((40, 1, 2)) * [1.0, 0.001]).astype(np.float32).repeat(5, axis=1)
    drawn = iter([np.zeros((1, 5, 2), np.float32), latents, latents])
    subject = Rave(Hearing(48_000, encode=lambda sounds: next(drawn)))
    subject.calibrate(np.zeros((40, 20_000), np.float32))
    spread = subject.embed(np.zeros((40, 20_000), np.float32)).std(axis=0)
    assert spread[1] < 0.002 * spread[0]


def test_the_default_model_hears_its_own_sounds_alike_and_apart() -> None:
    """Two takes of the same pitch are nearer than takes of two pitches; a clip of less than a step has a point."""
    bronze = model.load("bronze")
    subject = Rave(Hearing(bronze.sample_rate_hz, encode=open_encoder(bronze.encoder, "cpu")))
    assert subject.size == 3 * bronze.latent_dim

    def tone(pitch_hz: float, seed: int) -> np.ndarray:
        time_s, rng = np.arange(48_000) / 48_000, np.random.default_rng(seed)
        partials = sum(np.sin(2 * np.pi * n * pitch_hz * time_s + rng.uniform(0, 6)) / n for n in range(1, 8))
        return np.asarray(0.1 * partials * np.exp(-2 * time_s), np.float32)

    pitches = (110.0, 260.0, 700.0, 1500.0)
    first, second = (np.stack([tone(pitch_hz, seed + n) for n, pitch_hz in enumerate(pitches)]) for seed in (0, 10))
    subject.calibrate(first)
    here, there = subject.embed(first), subject.embed(second)
    apart = np.linalg.norm(here[:, None] - there[None], axis=2)
    assert (apart.argmin(axis=1) == np.arange(4)).all()
    assert np.isfinite(subject.embed(first[:, :100])).all()

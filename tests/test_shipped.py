"""Every shipped model is what its card says: on sound it never heard, in shape, in size."""

from __future__ import annotations

import numpy as np
import pytest

from installation import model
from installation.training import evaluation, families
from installation.training.reconstruction import Reconstruction

SHIPPED = [name for name in model.names() if name in families.FAMILIES]
LARGEST_BYTES = 10_500_000
HELD_SEED = 2000
EXCERPT_S = 15


def test_each_family_has_a_model() -> None:
    assert sorted(families.FAMILIES) == SHIPPED


@pytest.mark.parametrize("name", SHIPPED)
def test_held_out_sound_is_reconstructed_as_the_card_says(name: str) -> None:
    """The beginning of the held-out set, synthesised again: as near as the whole set was, within what one excerpt
    differs from another, and far nearer than the untrained model."""
    shipped = model.load(name)
    both = Reconstruction(shipped.folder)
    sound = next(families.excerpts(name, 1.0, both.sample_rate_hz, HELD_SEED))[: EXCERPT_S * both.sample_rate_hz]
    found = evaluation.compare(sound, both(sound), both.sample_rate_hz)
    held = shipped.card["held_out"]
    assert found.spectral_distance < 1.3 * held["trained"]["spectral_distance"]
    assert found.spectral_distance < 0.3 * held["untrained"]["spectral_distance"]
    assert found.mel_correlation > held["trained"]["mel_correlation"] - 0.06
    assert found.pitch_agreement > held["trained"]["pitch_agreement"] - 0.15


@pytest.mark.parametrize("name", SHIPPED)
def test_a_model_is_a_few_megabytes(name: str) -> None:
    assert sum(path.stat().st_size for path in model.load(name).folder.iterdir()) < LARGEST_BYTES


@pytest.mark.parametrize("name", SHIPPED)
def test_the_card_gives_the_level_the_latents_were_encoded_at(name: str) -> None:
    """The training sound is what the family makes of seed 1."""
    shipped = model.load(name)
    sound = next(families.excerpts(name, 1.0, shipped.sample_rate_hz, 1))
    size = shipped.sample_rate_hz // 10
    powers = np.square(sound[: len(sound) // size * size].reshape(-1, size)).mean(1)
    sounding_db = 10.0 * np.log10(powers[powers >= powers.max() / 1000.0].mean())
    assert shipped.card["level_db"] == pytest.approx(sounding_db, abs=3.0)


def test_the_performers_model_reacts_soonest() -> None:
    """Fewest samples a latent, and least of them held back by its transposed convolutions."""
    cards = {name: model.load(name) for name in SHIPPED}
    others = [each for name, each in cards.items() if name != "wire"]
    assert cards["wire"].ratio == 512
    assert all(cards["wire"].ratio < each.ratio for each in others)
    assert all(3 * cards["wire"].card["latency_samples"] < each.card["latency_samples"] for each in others)

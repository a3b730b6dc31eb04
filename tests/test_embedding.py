"""The contract of every embedding, and what the default one hears: triplets, sweeps and invariances whose answer is
known because the sounds were made to differ in one thing only."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from installation.errors import ModelError
from installation.evolution.embedding import EMBEDDINGS, Embedding, Hearing
from installation.evolution.embedding.logmel import HOP, MELS, WINDOW, hann, log_mel, mel_weights, resample
from installation.evolution.embedding.texture import BLOCKS, SIZE, Texture
from tests import small_vggish
from tests.small_clap import write_clap
from tests.synthesis import KINDS, RATE_HZ, Recipe, sound, triplet, various

TRIPLETS = 10
Synthesised = Callable[[Recipe, int], np.ndarray]


@pytest.fixture(scope="module")
def hearing(tmp_path_factory: pytest.TempPathFactory) -> Callable[[int], Hearing]:
    """All that any embedding may need, for a rate: weights drawn at random, and an encoder whose steps are 32 ms."""
    weights = small_vggish.shared(tmp_path_factory.getbasetemp())
    write_clap(weights / "clap")
    mixed = np.random.default_rng(6).standard_normal((MELS, 8)).astype(np.float32) / 8

    def at(rate_hz: int) -> Hearing:
        def encode(sounds: np.ndarray) -> np.ndarray:
            mels = log_mel(resample(sounds, rate_hz))
            steps = mels.shape[1] // 3
            return np.tanh(mels[:, : 3 * steps].reshape(len(mels), steps, 3, MELS).mean(axis=2) @ mixed)

        return Hearing(rate_hz, "cpu", encode, weights)

    return at


@pytest.fixture(scope="module", params=EMBEDDINGS)
def embedding(request: pytest.FixtureRequest, hearing: Callable[[int], Hearing]) -> Embedding:
    made = EMBEDDINGS[request.param](hearing(RATE_HZ), None)
    made.calibrate(various(30, np.random.default_rng(0)))
    return made


@pytest.fixture(scope="module")
def texture() -> Texture:
    made = Texture(RATE_HZ)
    made.calibrate(various(60, np.random.default_rng(100)))
    return made


def distance(embedding: Embedding, first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Between rows of `first` and `second` (count, samples)."""
    return np.linalg.norm(embedding.embed(first) - embedding.embed(second), axis=1)


# ---- the contract, for every entry of EMBEDDINGS


def test_points_are_float32_finite_and_of_the_size_it_says(embedding: Embedding) -> None:
    points = embedding.embed(various(6, np.random.default_rng(1)))
    assert points.shape == (6, embedding.size) and points.dtype == np.float32 and np.isfinite(points).all()


def test_the_name_is_its_key(embedding: Embedding, hearing: Callable[[int], Hearing]) -> None:
    assert EMBEDDINGS[embedding.name](hearing(RATE_HZ), None).name == embedding.name


def test_points_made_with_other_weights_are_not_gone_on_with(
    embedding: Embedding, hearing: Callable[[int], Hearing]
) -> None:
    """Those without weights have nothing to be told from."""
    held = embedding.calibration
    assert ("weights" in held) == (embedding.name in ("rave", "vggish", "clap"))
    if "weights" in held:
        with pytest.raises(ModelError, match=f"{embedding.name} has weights of SHA-256"):
            EMBEDDINGS[embedding.name](hearing(RATE_HZ), held | {"weights": "00" * 32})


def test_rows_are_independent_of_their_batch(embedding: Embedding) -> None:
    sounds = various(7, np.random.default_rng(2))
    alone = np.concatenate([embedding.embed(sounds[row : row + 1]) for row in range(7)])
    assert np.allclose(embedding.embed(sounds), alone, atol=1e-4)


def test_a_calibration_survives_json_and_gives_the_same_points_bit_for_bit(
    embedding: Embedding, hearing: Callable[[int], Hearing]
) -> None:
    sounds = various(5, np.random.default_rng(3))
    again = EMBEDDINGS[embedding.name](hearing(RATE_HZ), json.loads(json.dumps(embedding.calibration)))
    assert np.array_equal(again.embed(sounds), embedding.embed(sounds))


def test_the_same_sound_has_the_same_point_whatever_chance_does(embedding: Embedding) -> None:
    sounds = various(3, np.random.default_rng(8))
    points = []
    for seed in (0, 1):
        np.random.seed(seed)  # what a library draws from the global generator must not be heard
        points.append(embedding.embed(sounds))
    assert np.array_equal(*points)


def test_sounds_that_differ_have_points_that_differ(embedding: Embedding) -> None:
    points = embedding.embed(various(6, np.random.default_rng(9)))
    apart = np.linalg.norm(points[:, None] - points[None], axis=2)[np.triu_indices(6, 1)]
    assert apart.min() > 1e-3 and apart.min() > 0.01 * apart.max()


@pytest.mark.parametrize("seconds", [0.01, 0.3, 1.0, 7.0])
def test_any_length_of_clip_has_a_point(embedding: Embedding, seconds: float) -> None:
    noise = np.random.default_rng(4).standard_normal((2, int(seconds * RATE_HZ))).astype(np.float32) * np.float32(0.1)
    assert np.isfinite(embedding.embed(noise)).all()


def test_clips_at_another_rate_have_nearly_the_same_point(
    embedding: Embedding, hearing: Callable[[int], Hearing]
) -> None:
    """The same sound, of nothing above 7.4 kHz, sampled at 16, 44.1 and 48 kHz, against how far apart sounds are."""
    sounds = various(8, np.random.default_rng(5))
    spectrum = np.fft.rfft(sounds)
    spectrum[:, int(7400 * sounds.shape[1] / RATE_HZ) :] = 0.0
    sounds = np.fft.irfft(spectrum, sounds.shape[1]).astype(np.float32)
    here = embedding.embed(sounds)
    apart = np.median([np.linalg.norm(a - b) for a in here for b in here if a is not b])
    for rate_hz in (44_100, 48_000):
        samples = sounds.shape[1] * rate_hz // RATE_HZ
        finer = np.fft.irfft(spectrum, samples) * (samples / sounds.shape[1])  # padded with zeros
        there = EMBEDDINGS[embedding.name](hearing(rate_hz), embedding.calibration).embed(finer.astype(np.float32))
        assert np.linalg.norm(here - there, axis=1).max() < 0.05 * apart


# ---- what it hears


def score(texture: Texture, kind: str) -> float:
    rng = np.random.default_rng([7, list(KINDS).index(kind)])
    anchors, likes, unlikes = map(np.stack, zip(*(triplet(kind, rng) for _ in range(TRIPLETS)), strict=True))
    right = distance(texture, anchors, likes) < distance(texture, anchors, unlikes)
    return float(right.mean())


@pytest.fixture(scope="module")
def scores(texture: Texture) -> dict[str, float]:
    """The share of triplets heard right, by kind."""
    return {kind: score(texture, kind) for kind in KINDS}


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_more_alike_is_nearer(scores: dict[str, float], kind: str) -> None:
    assert scores[kind] >= 0.9


def test_nearly_all_triplets_are_right(scores: dict[str, float]) -> None:
    assert np.mean(list(scores.values())) >= 0.97


def ranks(values: np.ndarray) -> np.ndarray:
    return np.argsort(np.argsort(values)).astype(float)


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("pitch_hz", 110 * 2 ** (np.arange(13) / 12 * 2)),
        ("slope_db", np.linspace(3, 15, 10)),
        ("decay_s", np.geomspace(0.04, 1.2, 10)),
        ("noise", np.linspace(0.01, 0.9, 10)),
        ("tremolo", np.linspace(0.0, 1.0, 10)),
        ("glide_octaves", np.linspace(0.0, 1.0, 10)),
    ],
)
def test_further_along_a_sweep_is_further_away(texture: Texture, field: str, values: np.ndarray) -> None:
    """Everything else, phases and noise too, is the same along a sweep."""
    sweep = np.stack([sound(replace(Recipe(), **{field: float(each)}), np.random.default_rng(4)) for each in values])
    away = distance(texture, sweep[:1].repeat(len(sweep), 0), sweep)
    assert np.corrcoef(ranks(away), np.arange(len(sweep)))[0, 1] >= 0.9


VARIETIES = (Recipe(), Recipe(decay_s=0.2, density_hz=3.0), Recipe(noise=0.05), Recipe(slope_db=4.0))


@pytest.mark.parametrize("recipe", VARIETIES)
def test_gain_a_time_shift_and_another_seed_are_nearer_than_a_semitone(texture: Texture, recipe: Recipe) -> None:
    rng = np.random.default_rng(11)
    recipes = [replace(recipe, pitch_hz=110 * 2 ** rng.uniform(0, 2)) for _ in range(12)]

    def heard(seed: int, recipes: list[Recipe]) -> np.ndarray:
        return np.stack([sound(each, np.random.default_rng([seed, n])) for n, each in enumerate(recipes)])

    here = heard(0, recipes)
    semitone = distance(
        texture, here, heard(0, [replace(each, pitch_hz=each.pitch_hz * 2 ** (1 / 12)) for each in recipes])
    )
    assert distance(texture, here, here * np.float32(0.3)).max() < 0.01 * semitone.min()
    shifted = distance(texture, here, heard(0, [replace(each, delay_s=0.03) for each in recipes]))
    seeded = distance(texture, here, heard(1, recipes))
    assert shifted.mean() < semitone.mean() and seeded.mean() < semitone.mean()


# ---- its parts, against formulas


def test_the_front_end_is_its_formula() -> None:
    rng = np.random.default_rng(12)
    clip = (rng.standard_normal(WINDOW + 5 * HOP + 17) * 0.1).astype(np.float32)
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(400) / 400)
    expected = []
    for start in range(0, len(clip) - 399, 160):
        magnitude = np.abs(np.fft.rfft(clip[start : start + 400] * window, 512))
        expected.append(np.log(magnitude @ mel_weights() + 0.01))
    got = log_mel(clip[None])
    assert got.shape == (1, 6, 64) and got.dtype == np.float32 and hann()[0] == 0
    assert np.allclose(got[0], expected, atol=1e-4)


def test_mel_triangles_peak_at_equal_mel_steps_and_leave_dc_out() -> None:
    weights = mel_weights()
    assert weights.shape == (257, 64) and (weights[0] == 0).all() and weights.max() <= 1
    centre_hz = 700 * np.expm1(np.linspace(*(1127 * np.log1p(np.array([125, 7500]) / 700)), 66) / 1127)[1:-1]
    assert np.abs(weights[:, 20:].argmax(axis=0) * 31.25 - centre_hz[20:]).max() <= 31.25 / 2 + 1e-6


@pytest.mark.parametrize("rate_hz", [44_100, 48_000, 32_000, 22_050, 8_000])
def test_resampling_keeps_a_sine_and_removes_what_16_khz_cannot_hold(rate_hz: int) -> None:
    time_s = np.arange(rate_hz) / rate_hz
    wave = np.sin(2 * np.pi * 1000 * time_s)
    above = np.sin(2 * np.pi * 9500 * time_s) if rate_hz > 20_000 else 0 * wave
    got = resample((wave + above)[None].astype(np.float32), rate_hz)[0]
    expected = np.sin(2 * np.pi * 1000 * np.arange(16_000) / 16_000)
    assert len(got) == 16_000
    assert np.abs(got - expected)[800:-800].max() < 0.01


def test_blocks_have_their_weight_as_expected_length(texture: Texture) -> None:
    sounds = various(60, np.random.default_rng(100))
    parts = np.split(texture.embed(sounds), np.cumsum([size for size, _ in BLOCKS])[:-1], axis=1)
    for part, (_, weight) in zip(parts, BLOCKS, strict=True):
        assert 0.7 * weight < np.sqrt((part**2).sum(axis=1).mean()) <= weight * 1.001
    assert sum(size for size, _ in BLOCKS) == SIZE == 124


def test_a_calibration_of_another_size_is_refused() -> None:
    with pytest.raises(ValueError, match="allowed is"):
        Texture(RATE_HZ, {"mean": [0.0], "scale": [1.0]})

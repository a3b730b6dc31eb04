"""CLAP through transformers, on a tiny one of the real architecture that the test writes: against its own forward."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file, save_file
from transformers import ClapFeatureExtractor, ClapModel

from installation.errors import ModelError
from installation.evolution.embedding import Hearing
from installation.evolution.embedding.clap import Clap
from tests.small_clap import write_clap

RATE_HZ = 48_000


@pytest.fixture(scope="module", params=[False, True], ids=["plain", "fusion"])
def weights(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("weights")
    write_clap(folder / "clap", fusion=request.param)
    return folder


def noise(count: int, seconds: float, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    steps = rng.standard_normal((count, int(seconds * RATE_HZ)), dtype=np.float32) * np.float32(0.1)
    return np.asarray(np.cumsum(steps, axis=1) * np.float32(0.05) + steps * rng.random((count, 1)), np.float32)


def test_points_are_the_whole_models_audio_features(weights: Path) -> None:
    sounds = noise(3, 2.0)
    clap = ClapModel.from_pretrained(weights / "clap").eval()
    extractor = ClapFeatureExtractor.from_pretrained(weights / "clap")
    given = extractor(list(sounds), sampling_rate=RATE_HZ, return_tensors="pt")
    given["is_longer"] = torch.zeros((3, 1), dtype=torch.bool)
    with torch.no_grad():
        said = clap.get_audio_features(**given)
    expected = (said if isinstance(said, torch.Tensor) else said.pooler_output).numpy()
    expected = expected / np.linalg.norm(expected, axis=1, keepdims=True)
    got = Clap(Hearing(RATE_HZ, weights=weights)).embed(sounds)
    assert got.shape == (3, 24) and np.allclose(got, expected, atol=1e-4)


def test_a_long_clip_is_heard_in_pieces(weights: Path) -> None:
    subject, sound = Clap(Hearing(RATE_HZ, weights=weights)), noise(2, 20.0)
    points = [subject._points(list(sound[:, start : start + 480_000])) for start in (0, 480_000)]
    expected = (points[0] + points[1]) / 2
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    assert np.allclose(subject.embed(sound), expected, atol=1e-5)


def test_without_weights_it_says_what_to_put_where(tmp_path: Path) -> None:
    for where in (None, tmp_path):
        with pytest.raises(ModelError, match=r"clap has no weights.*clap.config\.json is missing|None/config\.json"):
            Clap(Hearing(RATE_HZ, weights=where))


def test_a_model_that_lacks_weights_is_refused_not_filled_at_random(tmp_path: Path) -> None:
    folder = write_clap(tmp_path / "clap")
    whole = load_file(folder / "model.safetensors")
    lost = next(name for name in sorted(whole) if name.startswith("audio_projection"))
    save_file(
        {name: value for name, value in whole.items() if name != lost}, folder / "model.safetensors", {"format": "pt"}
    )
    with pytest.raises(ModelError, match=lost):
        Clap(Hearing(RATE_HZ, weights=tmp_path))


def test_what_is_no_clap_is_refused(tmp_path: Path) -> None:
    (tmp_path / "clap").mkdir()
    (tmp_path / "clap" / "config.json").write_text(json.dumps({"model_type": "clap"}))
    with pytest.raises(ModelError, match="not a CLAP model"):
        Clap(Hearing(RATE_HZ, weights=tmp_path))

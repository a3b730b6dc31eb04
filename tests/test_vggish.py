"""VGGish in torch against the same network written out in numpy, and what it does with clips and with damaged files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from installation.errors import ModelError
from installation.evolution.embedding import Hearing, vggish_weights
from installation.evolution.embedding.vggish import PATCH, SHORTEST, Network, Vggish, patches
from installation.evolution.embedding.vggish_weights import FILE, Weights
from tests import small_vggish

RATE_HZ = 16_000
HOP = PATCH * 160


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_vggish.shared(tmp_path_factory.getbasetemp())


@pytest.fixture(scope="module")
def weights(folder: Path) -> Weights:
    return vggish_weights.load(folder / "vggish")


@pytest.fixture(scope="module")
def vggish(folder: Path) -> Vggish:
    return Vggish(Hearing(RATE_HZ, "cpu", None, folder))


def noise(count: int, samples: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((count, samples), dtype=np.float32) * np.float32(0.1)


def convolved(signal: np.ndarray, kernel: np.ndarray, bias: np.ndarray) -> np.ndarray:
    """`signal` (height, width, in) with `kernel` (3, 3, in, out), at the same size, and rectified."""
    height, width, _ = signal.shape
    padded = np.pad(signal, ((1, 1), (1, 1), (0, 0)))
    made = sum(padded[y : y + height, x : x + width] @ kernel[y, x] for y in range(3) for x in range(3))
    return np.maximum(made + bias, 0)


def pooled(signal: np.ndarray) -> np.ndarray:
    height, width, channels = signal.shape
    return signal.reshape(height // 2, 2, width // 2, 2, channels).max(axis=(1, 3))


def oracle(patch: np.ndarray, weights: Weights) -> np.ndarray:
    """One patch (96, 64) to its point (128,), in TensorFlow's own order of axes."""

    def held(name: str) -> tuple[np.ndarray, np.ndarray]:
        return weights[f"vggish/{name}/weights"], weights[f"vggish/{name}/biases"]

    signal = pooled(convolved(patch[..., None], *held("conv1")))
    signal = pooled(convolved(signal, *held("conv2")))
    signal = pooled(convolved(convolved(signal, *held("conv3/conv3_1")), *held("conv3/conv3_2")))
    signal = pooled(convolved(convolved(signal, *held("conv4/conv4_1")), *held("conv4/conv4_2")))
    flat = signal.reshape(-1)
    for name in ("fc1/fc1_1", "fc1/fc1_2"):
        kernel, bias = held(name)
        flat = np.maximum(flat @ kernel + bias, 0)
    kernel, bias = held("fc2")
    return flat @ kernel + bias


def test_the_network_is_its_formula(weights: Weights) -> None:
    cut = np.random.default_rng(1).standard_normal((2, 96, 64), dtype=np.float32)
    expected = np.stack([oracle(each, weights) for each in cut])
    got = Network(weights, "cpu")(cut)
    assert got.shape == (2, 128) and got.dtype == np.float32
    assert np.abs(got - expected).max() < 1e-4
    assert (got < 0).any() and np.abs(got[0] - got[1]).max() > 0.1


def test_there_are_72_million_of_them() -> None:
    assert sum(np.prod(shape) for shape in vggish_weights.SHAPES.values()) == 72_141_184


def test_patches_follow_one_another_and_the_rest_is_left_out() -> None:
    sounds = noise(2, SHORTEST + 2 * HOP + 700)
    cut = patches(sounds)
    assert cut.shape == (2, 3, 96, 64)
    for number in range(3):
        alone = patches(sounds[:, number * HOP : number * HOP + SHORTEST])
        assert np.allclose(alone[:, 0], cut[:, number], atol=1e-4)
    assert patches(noise(1, 131_072 // 3)).shape[1] == 2


def test_a_point_is_the_mean_of_those_of_its_patches(vggish: Vggish) -> None:
    sounds = noise(2, SHORTEST + HOP)
    first, second = vggish.embed(sounds[:, :SHORTEST]), vggish.embed(sounds[:, HOP:])
    assert np.allclose(vggish.embed(sounds), (first + second) / 2, atol=1e-4)


def test_what_is_shorter_than_a_patch_is_padded_with_silence(vggish: Vggish) -> None:
    short = noise(1, 5000)
    assert np.array_equal(vggish.embed(short), vggish.embed(np.pad(short, ((0, 0), (0, SHORTEST - 5000)))))


def test_many_patches_have_the_points_of_few(vggish: Vggish) -> None:
    sounds = noise(19, SHORTEST)
    alone = np.concatenate([vggish.embed(sounds[row : row + 1]) for row in (0, 7, 8, 18)])
    assert np.allclose(vggish.embed(sounds)[[0, 7, 8, 18]], alone, atol=1e-4)


def test_it_learns_nothing_and_leaves_torch_as_it_was(vggish: Vggish) -> None:
    sounds = noise(2, SHORTEST)
    before = vggish.embed(sounds)
    vggish.calibrate(noise(3, SHORTEST, seed=1) * 5)
    assert np.array_equal(vggish.embed(sounds), before) and set(vggish.calibration) == {"weights"}
    torch.set_float32_matmul_precision("high")
    try:
        vggish.embed(sounds)
        assert torch.get_float32_matmul_precision() == "high" and torch.is_grad_enabled()
    finally:
        torch.set_float32_matmul_precision("highest")


def test_without_weights_it_says_what_to_run(tmp_path: Path) -> None:
    for where in (None, tmp_path):
        with pytest.raises(ModelError, match=r"vggish has no weights.*installation models import-vggish https://"):
            Vggish(Hearing(RATE_HZ, weights=where))


def test_weights_that_are_not_what_the_file_states_are_refused(folder: Path, tmp_path: Path) -> None:
    whole = (folder / "vggish" / FILE).read_bytes()
    (tmp_path / "vggish").mkdir()
    path = tmp_path / "vggish" / FILE
    for damaged, message in (
        (whole[:-1000] + bytes([whole[-1000] ^ 1]) + whole[-999:], "SHA-256"),
        (whole[: len(whole) // 2], "not a safetensors file"),
        (b"certainly not weights", "not a safetensors file"),
    ):
        path.write_bytes(damaged)
        with pytest.raises(ModelError, match=message):
            Vggish(Hearing(RATE_HZ, weights=tmp_path))


def test_a_device_that_is_not_there_is_refused(folder: Path) -> None:
    wrong = ["tpu"] if torch.cuda.is_available() else ["tpu", "cuda"]
    for device in wrong:
        with pytest.raises(ModelError, match="allowed"):
            Vggish(Hearing(RATE_HZ, device, None, folder))

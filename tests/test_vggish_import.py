"""Importing VGGish: what comes in is what lies there afterwards, and what is wrong in any way leaves nothing behind."""

from __future__ import annotations

import argparse
import hashlib
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from installation.errors import ModelError
from installation.evolution.embedding import vggish_weights
from installation.evolution.embedding.vggish import Network, patches
from installation.evolution.embedding.vggish_import import PUBLISHED, Golden, import_vggish
from installation.evolution.embedding.vggish_weights import FILE, SHAPES, Weights
from installation.training.command import add_models_commands
from tests import small_vggish


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Holds FILE, of random weights."""
    return small_vggish.shared(tmp_path_factory.getbasetemp()) / "vggish"


@pytest.fixture(scope="module")
def weights(folder: Path) -> Weights:
    return vggish_weights.load(folder)


def said_of_a_sine(weights: Weights) -> np.ndarray:
    sine = np.sin(2 * np.pi * 1000 * np.arange(48_000) / 16_000).astype(np.float32)
    return Network(weights, "cpu")(patches(sine[None])[0])


@pytest.mark.parametrize("kind", ["npz", "npz folder", "safetensors", "safetensors folder"])
def test_what_is_imported_is_bit_for_bit_what_was_there(
    kind: str, folder: Path, weights: Weights, tmp_path: Path
) -> None:
    source = folder / FILE if kind == "safetensors" else folder
    if kind.startswith("npz"):
        source = tmp_path / "given" / "any.npz"
        source.parent.mkdir()
        np.savez(source, **weights, **{"vggish/not_needed": np.zeros(3)})
        source = source.parent if kind == "npz folder" else source
    sha256 = import_vggish(str(source), tmp_path / "out", golden=None)
    there = vggish_weights.load(tmp_path / "out")
    assert sha256 == vggish_weights.digest(weights) and there.keys() == SHAPES.keys()
    assert all(np.array_equal(there[name], weights[name]) for name in SHAPES)
    assert [each.name for each in (tmp_path / "out").iterdir()] == [FILE]


def test_what_does_not_say_of_a_sine_what_the_published_weights_say_is_refused(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"mean of the points(?s:.*)deviation of the points(?s:.*)nothing was written"):
        import_vggish(str(folder), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_the_golden_check_allows_a_tenth_and_no_more(folder: Path, weights: Weights, tmp_path: Path) -> None:
    said = said_of_a_sine(weights)
    mean, deviation = float(said.mean()), float(said.std())
    import_vggish(str(folder), tmp_path, Golden(1.05 * mean, 0.95 * deviation))
    assert (tmp_path / FILE).is_file()
    for golden, wrong in ((Golden(1.15 * mean, deviation), "mean"), (Golden(mean, 0.88 * deviation), "deviation")):
        with pytest.raises(ModelError) as caught:
            import_vggish(str(folder), tmp_path, golden)
        assert str(caught.value).count("allowed is") == 1 and f"{wrong} of the points" in str(caught.value)
    assert Golden(-0.0333, 0.380, 0.1) == PUBLISHED


def test_all_that_is_wrong_is_said_at_once(weights: Weights, tmp_path: Path) -> None:
    given = dict(weights)
    del given["vggish/conv2/biases"], given["vggish/fc1/fc1_1/weights"]
    given["vggish/conv1/weights"] = weights["vggish/conv1/weights"].transpose(3, 2, 0, 1)
    given["vggish/fc2/biases"] = np.full(128, np.nan, np.float32)
    np.savez(tmp_path / "given.npz", **given)
    with pytest.raises(ModelError) as caught:
        import_vggish(str(tmp_path / "given.npz"), tmp_path / "out", golden=None)
    lines = str(caught.value).splitlines()
    assert len(lines) == 4 and all(line.startswith(f"{tmp_path / 'given.npz'}: vggish/") for line in lines)
    for name, fault in (
        ("conv1/weights", "(64, 1, 3, 3), allowed is (3, 3, 1, 64)"),
        ("conv2/biases", "missing, allowed is (128,)"),
        ("fc1/fc1_1/weights", "missing, allowed is (12288, 4096)"),
        ("fc2/biases", "no finite numbers"),
    ):
        assert any(name in line and fault in line for line in lines)
    assert not (tmp_path / "out").exists()


def test_a_disk_that_fills_leaves_the_weights_that_were_there(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / FILE).write_bytes(b"the old ones")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ModelError, match=r"can't be written: .*No space left"):
        import_vggish(str(folder), tmp_path, golden=None)
    assert (tmp_path / FILE).read_bytes() == b"the old ones" and len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize("source", ["nowhere", "empty", "text.txt", "broken.npz", "broken.safetensors", "http://x/1"])
def test_what_holds_no_weights_is_refused_by_name(source: str, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for name in ("text.txt", "broken.npz", "broken.safetensors"):
        (tmp_path / name).write_text("certainly not weights")
    given = source if "://" in source else str(tmp_path / source)
    with pytest.raises(ModelError, match=source):
        import_vggish(given, tmp_path / "out", golden=None)
    assert not (tmp_path / "out").exists()


def test_without_tensorflow_it_says_how_to_install_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "saved_model.pb").write_bytes(b"")
    for name in ("tensorflow", "tensorflow_hub"):
        monkeypatch.setitem(sys.modules, name, None)
    for source in (str(tmp_path), "https://tfhub.dev/google/vggish/1"):
        with pytest.raises(ModelError, match=r"pip install .*\[vggish\]"):
            import_vggish(source, tmp_path / "out", golden=None)


def commands(**more: Any) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser()
    add_models_commands(parser.add_subparsers(), importer=import_vggish, **more)
    return parser


def test_the_command_has_no_way_around_the_golden_check(folder: Path, tmp_path: Path) -> None:
    arguments = commands().parse_args(["models", "import-vggish", str(folder), "--out", str(tmp_path / "out")])
    with pytest.raises(ModelError, match="not the published weights"):
        arguments.run(arguments)
    assert not (tmp_path / "out").exists()


def test_the_command_says_what_it_wrote(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    parser = argparse.ArgumentParser()
    add_models_commands(parser.add_subparsers(), importer=lambda source, out: f"{source} {out}")
    arguments = parser.parse_args(["models", "import-vggish", "there"])
    assert arguments.run(arguments) == 0
    assert "SHA-256 there" in capsys.readouterr().out and arguments.out.parts[-2:] == ("models", "vggish")


HANDLE = "https://tfhub.dev/google/vggish/1"


@pytest.mark.tensorflow
@pytest.mark.filterwarnings("ignore")
def test_a_saved_model_says_what_its_import_says(
    weights: Weights, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By its folder and by the address it would be fetched from, were it not there already."""
    import tensorflow_hub

    from installation.evolution.embedding import Hearing
    from installation.evolution.embedding.vggish import Vggish

    saved = small_vggish.write_saved_model(tmp_path / hashlib.sha1(HANDLE.encode()).hexdigest(), weights)
    monkeypatch.setenv("TFHUB_CACHE_DIR", str(tmp_path))
    for source in (str(saved), HANDLE):
        sha256 = import_vggish(source, tmp_path / "vggish", golden=None)
        assert sha256 == vggish_weights.digest(weights)
    with pytest.raises(ModelError, match="not the published weights"):
        import_vggish(HANDLE, tmp_path / "refused")
    published = tensorflow_hub.load(str(saved))
    sounds = np.random.default_rng(3).standard_normal((3, 43_690), dtype=np.float32) * np.float32(0.1)
    expected = np.stack([published(each).numpy().mean(axis=0) for each in sounds])
    got = Vggish(Hearing(16_000, "cpu", None, tmp_path)).embed(sounds)
    assert published(sounds[0]).shape == (2, 128) and np.abs(got - expected).max() < 1e-4

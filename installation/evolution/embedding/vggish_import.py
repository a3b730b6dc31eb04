"""VGGish's published weights to our file: `installation models import-vggish HANDLE_OR_FOLDER`.

TensorFlow is only needed here, and only for what TensorFlow wrote. Nothing is written unless every variable is there in
its shape and the network says of a sine what Google's says.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt

from installation.errors import ModelError
from installation.evolution.embedding import vggish_weights
from installation.evolution.embedding.logmel import SAMPLE_RATE_HZ
from installation.evolution.embedding.vggish_weights import Weights, checked

Arrays = dict[str, npt.NDArray[np.generic]]

INSTALL = "pip install -c constraints.txt '.[vggish]'"
ALLOWED = "an https address on TensorFlow Hub, a SavedModel's folder, or a .npz or .safetensors file or its folder"


@dataclass(frozen=True)
class Golden:
    """Mean and deviation of the points of 3 s of a 1 kHz sine at full scale, and their relative tolerance."""

    mean: float = -0.0333
    deviation: float = 0.380
    tolerance: float = 0.1


PUBLISHED = Golden()
"""What the published weights say (the smoke test in AudioSet's own code)."""


def import_vggish(source: str, folder: Path, golden: Golden | None = PUBLISHED) -> str:
    """Take the weights of `source`, see ALLOWED, to `folder`; their SHA-256. ModelError with all that is wrong with
    them, and then nothing is written. Only a `golden` of None takes in weights Google did not publish."""
    weights = checked(read(source), source)
    if golden is not None:
        refuse_unlike(weights, golden, source)
    return vggish_weights.save(weights, folder)


def refuse_unlike(weights: Weights, golden: Golden, place: str) -> None:
    """ModelError if the network with `weights` doesn't say of a sine what `golden` does."""
    from installation.evolution.embedding.vggish import Network, patches

    sine = np.sin(2 * np.pi * 1000 * np.arange(3 * SAMPLE_RATE_HZ) / SAMPLE_RATE_HZ).astype(np.float32)
    said = Network(weights, "cpu")(patches(sine[None])[0])
    got = {"mean": float(said.mean()), "deviation": float(said.std())}
    faults = [
        f"{place}: {name} of the points of a 1 kHz sine is {value:.4g}, allowed is {getattr(golden, name):.4g} "
        f"± {100 * golden.tolerance:.0f} %"
        for name, value in got.items()
        if not abs(value - getattr(golden, name)) <= golden.tolerance * abs(getattr(golden, name))
    ]
    if faults:
        raise ModelError("\n".join([*faults, f"{place}: these are not the published weights; nothing was written"]))


def read(source: str) -> Arrays:
    """Every variable `source` holds, by name."""
    if "://" in source:
        return _saved_model(_fetched(source), source)
    path = Path(source).expanduser()
    if (path / "saved_model.pb").is_file():
        return _saved_model(path, source)
    files = sorted([*path.glob("*.safetensors"), *path.glob("*.npz")]) if path.is_dir() else [path]
    if len(files) != 1 or not files[0].is_file() or files[0].suffix not in (".npz", ".safetensors"):
        raise ModelError(f"{source}: {', '.join(map(str, files)) or 'nothing there'}; allowed is {ALLOWED}")
    return _npz(files[0]) if files[0].suffix == ".npz" else vggish_weights.read(files[0])[0]


def _npz(path: Path) -> Arrays:
    try:
        with np.load(path, allow_pickle=False) as file:
            return dict(file)
    except (OSError, ValueError, EOFError, BadZipFile) as error:
        raise ModelError(f"{path}: not a .npz file: {error}") from error


def _fetched(handle: str) -> Path:
    """The folder TensorFlow Hub keeps what `handle` names in, fetched if it must be."""
    if not handle.startswith("https://"):
        raise ModelError(f"{handle}: fetched by https only; allowed is {ALLOWED}")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    try:
        import tensorflow_hub
    except ImportError as error:
        raise ModelError(f"{handle}: {error}; {INSTALL}") from error
    try:
        return Path(tensorflow_hub.resolve(handle))
    except (OSError, RuntimeError, ValueError) as error:
        raise ModelError(f"{handle}: can't be fetched: {error}") from error


def _saved_model(folder: Path, place: str) -> Arrays:
    """The variables of a SavedModel, by the names they were made with, from `vggish/` on."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    try:
        import tensorflow
    except ImportError as error:
        raise ModelError(f"{place}: {error}; {INSTALL}") from error
    try:
        loaded: Any = tensorflow.saved_model.load(str(folder))
    except (OSError, RuntimeError, ValueError) as error:
        raise ModelError(f"{place}: not a SavedModel: {error}") from error
    found = tensorflow.train.TrackableView(loaded).descendants()
    variables = [each for each in found if isinstance(each, tensorflow.Variable)]
    return {_from_vggish(each.name): each.numpy() for each in variables}


def _from_vggish(name: str) -> str:
    """`scope/vggish/conv1/weights:0` → `vggish/conv1/weights`."""
    bare = name.split(":")[0]
    return bare[max(0, bare.rfind("vggish/")) :]

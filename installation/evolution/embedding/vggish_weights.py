"""VGGish's weights as a file: TensorFlow's names and layouts in safetensors, with the SHA-256 of what is in it.

Hershey et al., "CNN architectures for large-scale audio classification" (ICASSP 2017); names and shapes are those of
the published checkpoint: convolutions are (height, width, in, out), full layers (in, out).
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import numpy as np
import numpy.typing as npt

from installation.errors import ModelError

Floats = npt.NDArray[np.float32]
Weights = dict[str, Floats]

FILE = "vggish.safetensors"
COMMAND = "installation models import-vggish https://tfhub.dev/google/vggish/1"

CONVOLUTIONS = (
    ("conv1", 1, 64),
    ("conv2", 64, 128),
    ("conv3/conv3_1", 128, 256),
    ("conv3/conv3_2", 256, 256),
    ("conv4/conv4_1", 256, 512),
    ("conv4/conv4_2", 512, 512),
)
FULL = (("fc1/fc1_1", 12_288, 4096), ("fc1/fc1_2", 4096, 4096), ("fc2", 4096, 128))
SHAPES: dict[str, tuple[int, ...]] = {
    **{f"vggish/{name}/weights": (3, 3, given, made) for name, given, made in CONVOLUTIONS},
    **{f"vggish/{name}/weights": (given, made) for name, given, made in FULL},
    **{f"vggish/{name}/biases": (made,) for name, _, made in (*CONVOLUTIONS, *FULL)},
}
"""Every variable and its shape."""


def checked(found: dict[str, npt.NDArray[np.generic]], place: str) -> Weights:
    """What of `found` VGGish needs, in float32. ModelError naming everything missing, misshapen or not finite."""
    faults = [f"{place}: {name}: missing, allowed is {shape}" for name, shape in SHAPES.items() if name not in found]
    weights: Weights = {}
    for name in SHAPES.keys() & found.keys():
        if found[name].shape != SHAPES[name]:
            faults.append(f"{place}: {name}: shape {found[name].shape}, allowed is {SHAPES[name]}")
        elif not np.issubdtype(found[name].dtype, np.floating) or not np.isfinite(found[name]).all():
            faults.append(f"{place}: {name}: {found[name].dtype} with values that are no finite numbers")
        else:
            weights[name] = np.ascontiguousarray(found[name], np.float32)
    if faults:
        raise ModelError("\n".join(sorted(faults)))
    return weights


def digest(weights: Weights) -> str:
    """SHA-256 of names, shapes and little-endian values, in the order of the names, hexadecimal."""
    whole = hashlib.sha256()
    for name in sorted(weights):
        values = np.ascontiguousarray(weights[name], "<f4")
        whole.update(f"{name} {values.shape}\n".encode())
        whole.update(values.data)
    return whole.hexdigest()


def save(weights: Weights, folder: Path) -> str:
    """Write `weights` to FILE in `folder`, whole or not at all; their SHA-256, which the file states, too. ModelError
    if it can't be written."""
    sha256 = digest(weights)
    part = folder / f".{FILE}.part"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _write(weights, part, sha256)
        part.replace(folder / FILE)
    except OSError as error:
        raise ModelError(f"{folder / FILE}: can't be written: {error}") from error
    finally:
        part.unlink(missing_ok=True)
    return sha256


def _write(weights: Weights, path: Path, sha256: str) -> None:
    from safetensors import SafetensorError
    from safetensors.numpy import save_file

    try:
        save_file(weights, path, {"sha256": sha256})
    except SafetensorError as error:
        raise OSError(str(error)) from error
    with path.open("rb") as file:
        os.fsync(file.fileno())


def load(folder: Path | None) -> Weights:
    """The weights in FILE of `folder`. ModelError where there are none, saying how to get them, or where they are not
    what the file states."""
    if folder is None or not (folder / FILE).is_file():
        raise ModelError(f"embedding: vggish has no weights: {folder}/{FILE} is missing; run: {COMMAND}")
    path = folder / FILE
    found, stated = read(path)
    weights = checked(found, str(path))
    if (got := digest(weights)) != stated:
        raise ModelError(f"{path}: SHA-256 of its weights is {got}, it states {stated}; run: {COMMAND}")
    return weights


def read(path: Path) -> tuple[dict[str, npt.NDArray[np.generic]], str | None]:
    """Every array in a safetensors file, and the SHA-256 it states, or None."""
    try:
        from safetensors import SafetensorError, safe_open
    except ImportError as error:
        raise ModelError(f"{path}: {error}; pip install -c constraints.txt '.[torch]'") from error
    try:
        with safe_open(path, framework="numpy") as file:
            return {name: file.get_tensor(name) for name in file.keys()}, (file.metadata() or {}).get("sha256")  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise ModelError(f"{path}: not a safetensors file: {error}") from error

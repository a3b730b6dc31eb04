"""A VGGish of the real shapes with random weights, as the files a user may have. The published weights can't lie here.

`write_saved_model` is the only part that needs tensorflow.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from installation.evolution.embedding import vggish_weights
from installation.evolution.embedding.vggish_weights import CONVOLUTIONS, FULL, SHAPES


def weights(seed: int) -> dict[str, np.ndarray]:
    """Every variable, scaled by what comes in (He et al., 2015) so that activations keep their size, about 288 MB.
    Biases aren't 0, and a test that forgot them would see it."""
    rng = np.random.default_rng(seed)
    made = {}
    for name, shape in SHAPES.items():
        scale = np.sqrt(2.0 / np.prod(shape[:-1])) if len(shape) > 1 else 0.1
        made[name] = rng.standard_normal(shape, dtype=np.float32) * np.float32(scale)
    return made


def write_safetensors(folder: Path, made: dict[str, np.ndarray]) -> Path:
    """As the importer writes them; what `Hearing.weights` should be for `folder` is its parent."""
    vggish_weights.save(made, folder)
    return folder / vggish_weights.FILE


def shared(base: Path, seed: int = 0) -> Path:
    """A folder for `Hearing.weights` below `base`, written once."""
    folder = base / f"weights-{seed}"
    if not (folder / "vggish" / vggish_weights.FILE).is_file():
        write_safetensors(folder / "vggish", weights(seed))
    return folder


def write_saved_model(folder: Path, made: dict[str, np.ndarray]) -> Path:
    """A SavedModel with the variables' published names, whose call takes a waveform (samples,) at 16 kHz to points
    (patches, 128), as the published one does."""
    import tensorflow as tf

    module = tf.Module()
    module.held = {name: tf.Variable(value, name=name) for name, value in made.items()}

    def called(waveform: Any) -> Any:
        return _network(tf, _patches(tf, waveform), module.held)

    module.__call__ = tf.function(called, input_signature=[tf.TensorSpec([None], tf.float32)])
    tf.saved_model.save(module, str(folder))
    return folder


def _patches(tf: Any, waveform: Any) -> Any:
    """Waveform to log-mel patches (patches, 96, 64), by tensorflow's own short-time transform and mel matrix."""
    magnitude = tf.abs(tf.signal.stft(waveform, 400, 160, 512))
    mel = tf.signal.linear_to_mel_weight_matrix(64, 257, 16_000, 125.0, 7500.0)
    return tf.signal.frame(tf.math.log(magnitude @ mel + 0.01), 96, 96, axis=0)


def _network(tf: Any, patches: Any, held: Any) -> Any:
    signal = patches[..., None]
    for name, _, _ in CONVOLUTIONS:
        signal = tf.nn.conv2d(signal, held[f"vggish/{name}/weights"], 1, "SAME") + held[f"vggish/{name}/biases"]
        signal = tf.nn.relu(signal)
        if name in ("conv1", "conv2", "conv3/conv3_2", "conv4/conv4_2"):
            signal = tf.nn.max_pool2d(signal, 2, 2, "SAME")
    signal = tf.reshape(signal, (-1, 12_288))
    for name, _, _ in FULL:
        signal = signal @ held[f"vggish/{name}/weights"] + held[f"vggish/{name}/biases"]
        signal = signal if name == "fc2" else tf.nn.relu(signal)
    return signal

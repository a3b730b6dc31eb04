"""A model's folder: its card (`card.yaml`), what the card says, and whether the files are the ones it speaks of.

models/bronze/
  card.yaml       what it is: rates, latents and their ranges, recipe, figures, SHA-256 of every file
  README.md       the same for people, with pictures
  decoder.onnx    latents (batch, latent_dim, steps), state (batch, S) → sound (batch, channels, samples), next_state
  encoder.onnx    sound (batch, channels, samples), state (batch, S) → latents (batch, latent_dim, steps), next_state
  bronze.ts       the same model as a streaming TorchScript file
  latents.npy     encoded excerpts of what it was trained on, (steps, latent_dim) float16
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import yaml

from installation.errors import ModelError
from installation.parameters import nearest

Floats = npt.NDArray[np.float32]

MODELS = Path(__file__).resolve().parent.parent / "models"
CARD = "card.yaml"
LEVEL_DB = -20.0
"""The level of training sound on which the card is silent, RMS in dBFS."""


@dataclass(frozen=True)
class Model:
    """What is known of a model before it is loaded. `mean` and `deviation` (latent_dim,) describe the latents of its
    training data, `low` and `high` the recommended range; without a card they are 0, 1, -3 and 3."""

    name: str
    folder: Path
    decoder: Path
    sample_rate_hz: int
    ratio: int
    latent_dim: int
    channels: int
    mean: Floats
    deviation: Floats
    low: Floats
    high: Floats
    files: dict[str, str] = field(default_factory=dict)
    card: dict[str, Any] = field(default_factory=dict)

    @property
    def encoder(self) -> Path | None:
        """The file that holds its encoder, as far as its card tells; None if there is none."""
        named = self.folder / str(self.card.get("encoder", "encoder.onnx"))
        if named.is_file():
            return named
        return self.decoder if self.decoder.suffix == ".ts" else None

    @property
    def step_s(self) -> float:
        """Seconds of sound in one latent."""
        return self.ratio / self.sample_rate_hz

    @property
    def latency(self) -> int:
        """Samples by which its decoder's sound comes after its latents, as far as its card tells."""
        return int(self.card.get("latency_samples") or 0)

    @property
    def level_db(self) -> float:
        """RMS of its training sound where that sounds, dBFS: what it is to hear is brought to this."""
        return float(self.card.get("level_db", LEVEL_DB))

    def excerpts(self) -> Floats:
        """Encoded excerpts of the training data, (steps, latent_dim); (0, latent_dim) for a model without them."""
        path = self.folder / "latents.npy"
        if not path.is_file():
            return np.zeros((0, self.latent_dim), np.float32)
        return np.asarray(np.load(path, allow_pickle=False), np.float32)

    def verify(self) -> None:
        """Every file the card names has the SHA-256 it states, or ModelError naming all that differ."""
        wrong = []
        for name, expected in self.files.items():
            path = self.folder / name
            if not path.is_file():
                wrong.append(f"{path}: missing")
            elif (got := digest(path)) != expected:
                wrong.append(f"{path}: SHA-256 is {got}, its card says {expected}")
        if wrong:
            raise ModelError("\n".join(wrong))


def digest(path: Path) -> str:
    """SHA-256 of a file, hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def names(models: Path = MODELS) -> tuple[str, ...]:
    """The models that lie in the folder `models`."""
    return tuple(sorted(path.parent.name for path in models.glob(f"*/{CARD}")))


def find(name: str, models: Path = MODELS, beside: Path | None = None) -> Path:
    """The folder of the model `name`: a name in `models`, or a path (relative ones also tried from `beside`)."""
    folders: list[Path] = [models / name, Path(name).expanduser(), *([beside / name] if beside else [])]
    for folder in folders:
        if (folder / CARD).is_file():
            return folder
    raise ModelError(f"model: no model {name!r} in {models}{nearest(name, names(models))}")


def load(name: str, models: Path = MODELS, beside: Path | None = None) -> Model:
    """The model `name` as its card describes it; nothing heavy is imported and no weights are read."""
    folder = find(name, models, beside)
    path = folder / CARD
    try:
        card = yaml.safe_load(path.read_text("utf-8"))
        latents = card["latents"]
        return Model(
            name=str(card["name"]),
            folder=folder,
            decoder=folder / str(card.get("decoder", "decoder.onnx")),
            sample_rate_hz=int(card["sample_rate_hz"]),
            ratio=int(card["ratio"]),
            latent_dim=int(card["latent_dim"]),
            channels=int(card.get("channels", 1)),
            mean=np.asarray(latents["mean"], np.float32),
            deviation=np.asarray(latents["deviation"], np.float32),
            low=np.asarray(latents["low"], np.float32),
            high=np.asarray(latents["high"], np.float32),
            files={str(key): str(value) for key, value in (card.get("files") or {}).items()},
            card=card,
        )
    except (yaml.YAMLError, KeyError, TypeError, ValueError, OSError) as error:
        raise ModelError(f"{path}: not a model card: {error!r}") from error

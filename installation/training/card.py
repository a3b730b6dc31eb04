"""A model's card: what it is, how it was made, how good it is, and the SHA-256 of everything in its folder.

`card.yaml` is for programs (`installation/model.py` reads it), `README.md` says the same for people.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import yaml

from installation import model
from installation.training import evaluation, pictures
from installation.training.evaluation import Figures
from installation.training.reconstruction import Reconstruction

Floats = npt.NDArray[np.float32]

FRAME_S = 0.1
SOUNDING_DB = 30.0
"""A frame sounds if it is no further below the loudest one."""
RANGE = (0.01, 0.99)
"""Quantiles of the encoded training sound that bound the recommended range."""
EXCERPT_S = 60.0
EXCERPTS = 3
"""So many recordings, each so long at most, lie encoded in latents.npy."""
PICTURE_S = 12.0
PICTURES = 3
GOALS = {"spectral_distance": "at least 8 times lower", "mel_correlation": "≥ 0.9", "pitch_agreement": "≥ 60 %"}
LICENCE = (
    "Weights, sounds and the code inside the files are ours: CC0 1.0, do with them what you like. They were trained "
    "with acids-rave 2.3.1, which is CC BY-NC 4.0; none of its code is in these files: the exporter lays the weights "
    "out in operations of its own (installation/training/network.py, MIT)."
)


@dataclass(frozen=True)
class Judged:
    """Figures on held-out sound, for the model and for one of the same shape that was never trained."""

    held_s: float
    trained: Figures
    untrained: Figures


def judge(trained: Reconstruction, untrained: Reconstruction, held: list[Floats]) -> Judged:
    """Both models on every held-out recording."""
    rate_hz = trained.sample_rate_hz
    figures = [
        evaluation.average([evaluation.compare(sound, each(sound), rate_hz) for sound in held])
        for each in (trained, untrained)
    ]
    return Judged(sum(map(len, held)) / rate_hz, figures[0], figures[1])


def write_latents(folder: Path, trained: Reconstruction, heard: list[Floats]) -> dict[str, list[float]]:
    """Write latents.npy: excerpts spread over the recordings, encoded, (steps, latent_dim) float16. What the card says
    of the latents of all that was `heard`."""
    encoded = [trained.encode(sound) for sound in heard]
    most = int(EXCERPT_S * trained.sample_rate_hz / trained.ratio)
    chosen = [encoded[round(index)] for index in np.linspace(0, len(encoded) - 1, min(EXCERPTS, len(encoded)))]
    np.save(folder / "latents.npy", np.concatenate([each[:most] for each in chosen]).astype(np.float16))
    everything = np.concatenate(encoded).astype(np.float64)
    low, high = np.quantile(everything, RANGE, axis=0)
    found = {"mean": everything.mean(0), "deviation": everything.std(0), "low": low, "high": high}
    short = {name: [_short(float(each)) for each in values] for name, values in found.items()}
    return {**short, "mean": [round(each, 4) + 0.0 for each in short["mean"]]}


def _short(value: float) -> float:
    """Four digits after the point, or after the zeros if it is small: a deviation is never rounded to 0."""
    return round(value, 4) + 0.0 if abs(value) >= 0.1 else float(f"{value:.3g}")


def level_db(heard: list[Floats], sample_rate_hz: int) -> float:
    """RMS of recordings where they sound, in dB of full scale: the level at which a model expects what it encodes."""
    size = int(FRAME_S * sample_rate_hz)
    powers = np.concatenate([np.square(sound[: len(sound) // size * size], dtype=np.float64).reshape(-1, size).mean(1)
                             for sound in heard])  # fmt: skip
    sounding = powers[powers >= powers.max() * 10.0 ** (-SOUNDING_DB / 10.0)]
    return round(float(10.0 * np.log10(sounding.mean() + 1e-20)), 1)


def draw_pictures(folder: Path, trained: Reconstruction, held: list[Floats]) -> list[str]:
    """Spectrograms of the beginnings of held-out recordings; the files' names."""
    names = []
    for number, sound in enumerate(held[:PICTURES], 1):
        excerpt = sound[: int(PICTURE_S * trained.sample_rate_hz)]
        name = f"held-out-{number}.png"
        title = f"{folder.name}: sound it never heard, and what it makes of it"
        pictures.draw(folder / name, title, excerpt, trained(excerpt), trained.sample_rate_hz)
        names.append(name)
    return names


def compose(
    folder: Path, told: dict[str, Any], latents: dict[str, list[float]], judged: Judged, training: dict[str, Any],
    level: float | None = None,
) -> dict[str, Any]:  # fmt: skip
    """The card of the model in `folder`. `told` is what its export said (export.json), `training` how it was made,
    `level` the `level_db` of its training sound. A TorchScript file is spoken of if there is one."""
    name = folder.name
    script = f"{name}.ts"
    return {
        "name": name,
        **{key: told[key] for key in ("sample_rate_hz", "ratio", "latent_dim", "channels", "latency_samples")},
        "decoder": "decoder.onnx",
        "encoder": "encoder.onnx",
        **({"torchscript": script} if (folder / script).is_file() else {}),
        **({} if level is None else {"level_db": level}),
        "latents": {"order": "principal components, most variance first", **latents},
        "training": {"steps": told["steps"], **training},
        "held_out": {
            "seconds": round(judged.held_s, 1),
            "trained": _rounded(judged.trained),
            "untrained": _rounded(judged.untrained),
        },
        "largest_difference_from_torch": told["largest_difference"],
        "licence": LICENCE,
    }


def write(folder: Path, card: dict[str, Any], pictures_made: list[str]) -> None:
    """Write README.md and card.yaml, the latter with the SHA-256 of every other file that belongs to the model."""
    (folder / "README.md").write_text(readme(card, pictures_made), "utf-8")
    scripts = [card["torchscript"]] if "torchscript" in card else []
    names = [card["decoder"], card["encoder"], *scripts, "latents.npy", *pictures_made, "README.md"]
    whole = {**card, "pictures": pictures_made, "files": {name: model.digest(folder / name) for name in names}}
    text = yaml.safe_dump(whole, sort_keys=False, allow_unicode=True, width=110, default_flow_style=None)
    (folder / model.CARD).write_text(text, "utf-8")


def readme(card: dict[str, Any], pictures_made: list[str]) -> str:
    """The card for people."""
    step_ms = 1e3 * card["ratio"] / card["sample_rate_hz"]
    late_ms = 1e3 * card["latency_samples"] / card["sample_rate_hz"]
    training = card["training"]
    lines = [
        f"# {card['name']}",
        "",
        training.get("sentence", "A RAVE model."),
        "",
        f"{card['latent_dim']} latents every {step_ms:.1f} ms ({card['ratio']} samples at {card['sample_rate_hz']} Hz),"
        f" mono. Streaming, the sound comes {late_ms:.1f} ms ({card['latency_samples']} samples) after its latents.",
        "",
        *_figures(card["held_out"]),
        *(f"![{name}]({name})\n" for name in pictures_made),
        "## How it was made",
        "",
        *(f"    {command}" for command in training.get("commands", ())),
        "",
        training.get("notes", "").strip(),
        "",
        "## Files",
        "",
        *_files(card),
        "",
        "## Licence",
        "",
        card["licence"],
        "",
    ]
    return "\n".join(lines)


def _files(card: dict[str, Any]) -> list[str]:
    """What lies in the folder."""
    script = [
        f"`{card['torchscript']}` is the same model for nn~ and what else plays streaming RAVE exports: all latents,",
        "no random fill, at most 16 rows at once.",
    ] if "torchscript" in card else []  # fmt: skip
    level = [
        f"Where the training sound sounds it is at {card['level_db']:g} dB (RMS, full scale 0 dB): bring to that level",
        "what is played into the encoder.",
    ] if "level_db" in card else []  # fmt: skip
    return [
        "`decoder.onnx` and `encoder.onnx` take and give their state: zeros to begin, keep it to go back. Their",
        "weights are stored in half precision and computed with in single.",
        *script,
        "`latents.npy` holds encoded excerpts of the training sound. Latents are principal components: 0 carries most.",
        "`card.yaml` gives their mean, deviation and the recommended range (1st to 99th percentile of the training",
        "sound), and the SHA-256 of every file.",
        *level,
    ]


def _figures(held: dict[str, Any]) -> list[str]:
    """The table of held-out figures with their definitions."""
    trained, untrained = held["trained"], held["untrained"]
    ratio = untrained["spectral_distance"] / trained["spectral_distance"]
    distances = f"{trained['spectral_distance']:.2f} | {untrained['spectral_distance']:.2f}"
    correlations = f"{trained['mel_correlation']:.3f} | {untrained['mel_correlation']:.3f}"
    pitches = f"{100 * trained['pitch_agreement']:.0f} % | {100 * untrained['pitch_agreement']:.0f} %"
    return [
        f"## On {held['seconds']:.0f} s of sound it never heard",
        "",
        "| | this model | the same, untrained | goal |",
        "|---|---|---|---|",
        f"| multi-scale spectral distance | {distances} | {GOALS['spectral_distance']} (here {ratio:.1f}) |",
        f"| log-mel correlation | {correlations} | {GOALS['mel_correlation']} |",
        f"| pitch within 50 cents | {pitches} | {GOALS['pitch_agreement']} |",
        "",
        f"Distance: RAVE's own, windows {', '.join(map(str, evaluation.SCALES))}, ε {evaluation.LOG_EPSILON:g}. "
        f"Correlation: Pearson's over all bins of {evaluation.MELS} mels in dB, floor {evaluation.MEL_FLOOR_DB:g} dB "
        f"of a full-scale sine. Pitch: YIN, share of the original's {trained['pitched']} pitched frames above "
        f"{evaluation.PITCH_LEVEL_DB:g} dB. On time by the decoder's known latency. "
        "(installation/training/evaluation.py)",
        "",
    ]


def _rounded(figures: Figures) -> dict[str, float]:
    return {name: round(value, 4) if isinstance(value, float) else value for name, value in asdict(figures).items()}

"""Seconds a generation, against a plain loop that follows the public code's steps, and against what decoding and
embedding alone take. One model, one run.

    python -m bench.generation --container 500 --brood 100 --neighbours 50

The plain loop decodes and embeds container and brood anew each generation, one clip at a time, in the public code's
steps: TorchScript, resampy (extra `[bench]`, which `make bench` installs), a log-mel spectrogram in doubles, VGGish in
torch with gradients on. VGGish has random weights: its time does not depend on them.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from installation.evolution.breeding import Breeder, new_search
from installation.evolution.embedding import EMBEDDINGS, Hearing, logmel, vggish_weights
from installation.evolution.embedding.vggish import PATCH, POOLED
from installation.evolution.evaluation import Local
from installation.evolution.kept import Header
from installation.evolution.settings import Settings
from installation.evolution.store import open_store
from installation.instrument import Instrument, cores, open_instrument
from installation.model import digest
from tests import small_vggish

Floats = npt.NDArray[np.float32]
Embed = Callable[[Floats], Floats]

GOALS = {
    "vggish, times as fast as the plain loop": (12.0, "at least"),
    "vggish, share of the decode and embed bound": (0.70, "at least"),
    "texture, times as fast as the plain loop": (150.0, "at least"),
    "texture, seconds a generation": (0.5, "at most"),
}


def ours(instrument: Instrument, settings: Settings, weights: Path, generations: int, folder: Path) -> dict[str, Any]:
    """Found, then breed, with a store; seconds a generation, and the share of it that is the bound."""
    hearing = Hearing(instrument.model.sample_rate_hz, weights=weights)
    embedding = EMBEDDINGS[settings.embedding](hearing, None)
    header = Header(
        instrument.model.name, digest(instrument.model.decoder), instrument.model.latent_dim, settings.steps,
        settings.embedding, settings.seed, embedding.calibration, settings.as_dict(),
    )  # fmt: skip
    path = folder / f"{settings.embedding}.sqlite"
    with open_store(path, header, keep=None) as store, instrument.evaluator(embedding) as evaluator:
        search = new_search(instrument.space, settings, founders_at_once=settings.container)
        breeder = Breeder(search, evaluator, store)
        while search.founding:
            breeder.generation()
        took = []
        for _ in tqdm(range(generations), desc=settings.embedding, leave=False, disable=None):
            begun_s = time.perf_counter()
            breeder.generation()
            took.append(time.perf_counter() - begun_s)
        bound = [_bound(evaluator, search.ask()) for _ in range(generations)]
    return {"seconds_a_generation": float(np.median(took)), "bound_s": float(np.median(bound)), "all_s": took}


def _bound(evaluator: Local, latents: Floats) -> float:
    """Seconds to decode and embed one brood, and nothing else."""
    bare = Local(evaluator.decode, evaluator.embedding, evaluator.space, gate=False, threads=evaluator.threads)
    with bare:
        begun_s = time.perf_counter()
        bare.evaluate(latents)
        return time.perf_counter() - begun_s


def plain(instrument: Instrument, settings: Settings, weights: Path, clips: int) -> dict[str, Any]:
    """The public code's generation: its decoding and embedding of `clips` of container and brood timed one at a time
    and multiplied up to all of them, and its distances in full."""
    import torch

    torch.set_num_threads(cores())
    script = torch.jit.load(str(instrument.model.folder / str(instrument.model.card["torchscript"])))
    embed, steps = _one_at_a_time(instrument.model.sample_rate_hz, weights)
    rng = np.random.default_rng(0)
    everyone = settings.container + settings.brood
    latents = rng.uniform(-1, 1, (everyone, settings.steps, instrument.model.latent_dim)).astype(np.float32)
    points = np.zeros((everyone, 128))

    def hear(place: int) -> None:
        sound = script.decode(torch.from_numpy(latents[place].T.copy())[None])
        points[place] = embed(sound.detach().numpy()[0, 0])

    for place in range(3):
        hear(place)
    begun_s = time.perf_counter()
    for place in tqdm(range(clips), desc="plain", leave=False, disable=None):
        hear(place % everyone)
    heard_s = (time.perf_counter() - begun_s) * everyone / clips
    begun_s = time.perf_counter()
    for point in points:
        np.sort(np.linalg.norm(points - point, axis=1))[-settings.neighbours :].mean()
    return {"seconds_a_generation": heard_s + time.perf_counter() - begun_s, "clips_timed": clips, **steps}


def _one_at_a_time(sample_rate_hz: int, weights: Path) -> tuple[Embed, dict[str, str]]:
    """The public code's way from a sound to a point: resampy at its best quality (where it is installed), a log-mel
    spectrogram in doubles with the mel matrix made anew, and VGGish in torch, with gradients on."""
    import torch

    network, resampler = _torchvggish(weights), "resampy" if find_spec("resampy") else "ours"

    def embed(sound: Floats) -> Floats:
        if resampler == "resampy":
            import resampy

            heard = resampy.resample(sound, sample_rate_hz, logmel.SAMPLE_RATE_HZ)
        else:
            heard = logmel.resample(sound[None], sample_rate_hz)[0]
        logmel.mel_weights.cache_clear()
        frames = np.lib.stride_tricks.sliding_window_view(heard.astype(np.float64), logmel.WINDOW)[:: logmel.HOP]
        mels = np.log(np.abs(np.fft.rfft(frames * logmel.hann(), logmel.FFT)) @ logmel.mel_weights() + logmel.OFFSET)
        count = len(mels) // PATCH
        patches = torch.tensor(mels[: count * PATCH].reshape(count, 1, PATCH, logmel.MELS), requires_grad=True).float()
        return np.asarray(network(patches).detach().numpy().mean(axis=0))

    return embed, {"resampler": resampler}


def _torchvggish(weights: Path) -> Callable[[Any], Any]:
    """VGGish as it is usually written in torch: default layout, a ReLU after each layer, gradients on."""
    import torch

    held = vggish_weights.load(weights / "vggish")
    layers: list[Any] = []
    for name, given, made in vggish_weights.CONVOLUTIONS:
        layer = torch.nn.Conv2d(given, made, 3, padding=1)
        layer.weight.data = torch.from_numpy(held[f"vggish/{name}/weights"].transpose(3, 2, 0, 1).copy())
        layers += [layer, torch.nn.ReLU(), *([torch.nn.MaxPool2d(2)] if name in POOLED else [])]
    full: list[Any] = []
    for name, given, made in vggish_weights.FULL:
        dense = torch.nn.Linear(given, made)
        dense.weight.data = torch.from_numpy(held[f"vggish/{name}/weights"].T.copy())
        full += [dense, torch.nn.ReLU()]
    convolutions, dense_layers = torch.nn.Sequential(*layers), torch.nn.Sequential(*full[:-1])
    return lambda patches: dense_layers(convolutions(patches).permute(0, 2, 3, 1).flatten(1))


def figures(mine: dict[str, dict[str, Any]], loop: dict[str, Any]) -> dict[str, float]:
    """What GOALS speak of."""
    seconds = {name: found["seconds_a_generation"] for name, found in mine.items()}
    return {
        "vggish, times as fast as the plain loop": loop["seconds_a_generation"] / seconds["vggish"],
        "vggish, share of the decode and embed bound": mine["vggish"]["bound_s"] / seconds["vggish"],
        "texture, times as fast as the plain loop": loop["seconds_a_generation"] / seconds["texture"],
        "texture, seconds a generation": seconds["texture"],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="bronze")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--container", type=int, default=500)
    parser.add_argument("--brood", type=int, default=100)
    parser.add_argument("--neighbours", type=int, default=50)
    parser.add_argument("--generations", type=int, default=6)
    parser.add_argument("--plain-clips", type=int, default=120, help="clips the plain loop is timed on")
    given = parser.parse_args()
    instrument = open_instrument(given.model, given.device)
    usual = Settings(container=given.container, brood=given.brood, neighbours=given.neighbours)
    with tempfile.TemporaryDirectory() as made:
        weights = small_vggish.shared(Path(made))
        mine = {
            name: ours(instrument, replace(usual, embedding=name), weights, given.generations, Path(made))
            for name in ("texture", "vggish")
        }
        loop = plain(instrument, usual, weights, given.plain_clips)
    found = figures(mine, loop)
    met = {
        name: found[name] >= goal if kind == "at least" else found[name] <= goal for name, (goal, kind) in GOALS.items()
    }
    shape = {"container": given.container, "brood": given.brood, "neighbours": given.neighbours}
    print(json.dumps({
        **shape, "cores": cores(), "ours": mine, "plain": loop,
        "figures": found, "goals": {name: f"{kind} {goal:g}" for name, (goal, kind) in GOALS.items()}, "met": met,
        "load_average": os.getloadavg()[0],
    }, indent=2))  # fmt: skip


if __name__ == "__main__":
    main()

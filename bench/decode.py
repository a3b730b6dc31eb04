"""How fast each decoder makes sound: `python -m bench.decode [MODEL] [--seconds N]`, one table.

Every backend there is on this machine, on the same model, in turns, so that what else the machine does falls on all
alike: TorchScript as it comes and ONNX Runtime on one core, OpenVINO where it is installed, and on a graphics processor
TorchScript as it comes and as recorded graphs, and ONNX Runtime. A call decodes rows × latents: 1, 4 and 16 latents of
one row, as the player does, and 16 × 16, as the breeder does. Its milliseconds, median and 99th percentile, the sound
made in a second, and the share of the least time its convolutions can take here (see `roofline`).
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from bench.roofline import Layer, Machine, graphics_processor, layers_of, processor
from installation import model
from installation.errors import InstallationError
from installation.sound.decoder import Decoder, on_cuda, open_decoder

SHAPES = ((1, 1), (1, 4), (1, 16), (16, 16))
"""Rows and latents of a call."""
ROUNDS = 8
SCRIPT, ONNX = "TorchScript", "ONNX Runtime"


def backends(shipped: model.Model) -> dict[str, Callable[[], Decoder]]:
    """Name → how to open it, for all that can be had here."""
    onnx, script = shipped.folder / "decoder.onnx", shipped.folder / str(shipped.card.get("torchscript", ""))
    found: dict[str, Callable[[], Decoder]] = {}
    if script.is_file() and find_spec("torch"):
        from installation.sound.rave_torch import TorchScriptDecoder

        found[SCRIPT] = lambda: open_decoder(script, "cpu")
        if on_cuda():
            found["TorchScript on CUDA"] = lambda: TorchScriptDecoder(script, "cuda", recorded=False)
            found["CUDA graphs"] = lambda: TorchScriptDecoder(script, "cuda", recorded=True)
    if onnx.is_file():
        from installation.sound.rave_onnx import OnnxDecoder, runs_on_cuda

        found[ONNX] = lambda: open_decoder(onnx, "cpu")
        if runs_on_cuda(onnx, "auto"):
            found["ONNX Runtime on CUDA"] = lambda: OnnxDecoder(onnx, "cuda")
        if find_spec("openvino"):
            from installation.sound.rave_openvino import OpenVinoDecoder

            found["OpenVINO"] = lambda: OpenVinoDecoder(onnx, 1)
    return found


def opened(shipped: model.Model) -> dict[str, Decoder]:
    """Those that open; of the others is said why they don't."""
    found = {}
    for name, open_it in backends(shipped).items():
        try:
            found[name] = open_it()
        except (InstallationError, ImportError) as error:
            print(f"{name}: not measured: {error}", file=sys.stderr)
    return found


def calls_ms(decoder: Decoder, rows: int, latents: int, seconds: float) -> list[float]:
    """Duration of each call in ms; the first is not counted."""
    rng = np.random.default_rng(1)
    given = rng.normal(size=(rows, latents, decoder.latent_dim)).astype(np.float32)
    _, state = decoder.decode(given, decoder.start(rows))
    spent: list[float] = []
    end_s = time.perf_counter() + seconds
    while not spent or time.perf_counter() < end_s:
        begun_s = time.perf_counter()
        _, state = decoder.decode(given, state)
        spent.append(1e3 * (time.perf_counter() - begun_s))
    return spent


def measured(decoders: dict[str, Decoder], rows: int, latents: int, seconds: float) -> dict[str, list[float]]:
    """Durations of calls by backend, taken in turns."""
    spent: dict[str, list[float]] = {name: [] for name in decoders}
    for _ in range(ROUNDS):
        for name, decoder in decoders.items():
            spent[name] += calls_ms(decoder, rows, latents, seconds / ROUNDS)
    return spent


def machines(shipped: model.Model, layers: list[Layer]) -> dict[bool, Machine]:
    """The processor, and under True the graphics processor, if any, each as measured just now."""
    weight_bytes = sum(each.bytes for each in layers)
    found = {False: processor(weight_bytes)}
    if find_spec("torch") and on_cuda():
        found[True] = graphics_processor(weight_bytes)
    for cuda, machine in found.items():
        print(
            f"{'CUDA' if cuda else 'one core'}: {machine.operations_s / 1e9:.0f} GFLOP/s of float32 in a matrix "
            f"product, {machine.bytes_s / 1e9:.0f} GB/s of weights like these"
        )
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", nargs="?", default="bronze", help="a name in models/ or a model's folder")
    parser.add_argument("--seconds", type=float, default=3.0, help="for each row of the table")
    arguments = parser.parse_args()
    shipped = model.load(arguments.model, beside=Path.cwd())
    onnx = shipped.folder / "decoder.onnx"
    decoders = opened(shipped)
    print(f"{shipped.name}: one latent is {1e3 * shipped.step_s:.1f} ms of sound")
    there = machines(shipped, layers_of(onnx, 1, 1)) if onnx.is_file() else {}
    print("\n| backend | rows × latents | ms per call, median | p99 | times real time | share of the bound |")
    print("|---|---|---|---|---|---|")
    one: dict[str, float] = {}
    for rows, latents in SHAPES:
        layers = layers_of(onnx, rows, latents) if onnx.is_file() else []
        for name, spent in measured(decoders, rows, latents, arguments.seconds).items():
            median, worst = np.percentile(spent, (50, 99))
            one.setdefault(name, float(median))
            machine = there.get("CUDA" in name)
            share = f"{machine.least_ms(layers) / median:.0%}" if machine else "–"
            factor = rows * latents * 1e3 * shipped.step_s / median
            print(f"| {name} | {rows} × {latents} | {median:.2f} | {worst:.2f} | {factor:.0f} | {share} |", flush=True)
    if SCRIPT in one and ONNX in one:
        print(f"\none latent on one core: {ONNX} is {one[SCRIPT] / one[ONNX]:.1f} times as fast as {SCRIPT}")


if __name__ == "__main__":
    main()

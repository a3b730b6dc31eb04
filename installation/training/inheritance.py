"""A run of acids-rave that begins with the weights of a model our exporter wrote, instead of at random.

    python -m installation.training.inheritance MODEL --out FOLDER [--override BINDING …] [--rate R] [--what-fits]

MODEL holds encoder.onnx and decoder.onnx. Written are FOLDER/config.gin and FOLDER/inherited.ckpt, from which
`rave train --ckpt FOLDER/inherited.ckpt` goes on as from a checkpoint of its own: step 0, empty moments, the learning
rate falling from `rate` to a tenth of it over phase 1, the regularisation at its full weight from the first step.

The exporter turned the latents in a layer of its own, which is left out, so what is inherited is the very model that
was exported, both halves of its posterior, and its first reconstructions are that model's. Weight normalisation
(Salimans and Kingma, arXiv:1602.07868), undone by the exporter, is put back: w = g v / ‖v‖ with v = w, g = ‖w‖.

A model of another shape is refused. `--what-fits` inherits from one: the layers nearest to the sound, as long as their
shapes agree; the inner ones begin at random.

Runs in the training environment only.
"""

# mypy: allow-untyped-decorators

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from installation.training import acids
from installation.training.export import HALF

CONFIGS = ("configs/v2.gin", "configs/causal.gin")
RATE = 3e-4
"""Learning rate a run that inherits begins with; acids-rave's own, from random weights, is 1e-3."""
LIGHTNING = "1.9.0"
"""Version of pytorch_lightning whose checkpoints these are."""


@dataclass(frozen=True)
class Given:
    """A convolution as a file holds it."""

    kernel: Tensor
    bias: Tensor | None

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(self.kernel.shape)


def convolutions(path: Path) -> list[Given]:
    """The convolutions of an ONNX file, in the order in which the signal passes them."""
    import onnx
    from onnx import numpy_helper

    graph = onnx.load(str(path)).graph
    stored = {each.name.removesuffix(HALF): each for each in graph.initializer}

    def tensor(name: str) -> Tensor:
        return torch.from_numpy(numpy_helper.to_array(stored[name]).astype("float32"))

    def given(kernel: str) -> Given:
        bias = f"{kernel.removesuffix('weight')}bias"
        return Given(tensor(kernel), tensor(bias).flatten() if bias in stored else None)

    return [given(node.input[1]) for node in graph.node if node.op_type in ("Conv", "ConvTranspose")]


def read(folder: Path) -> tuple[list[Given], list[Given]]:
    """The encoder's and the decoder's own convolutions: without filter bank and the layer that turns the latents."""
    for name in ("encoder.onnx", "decoder.onnx"):
        if not (folder / name).is_file():
            raise SystemExit(f"{folder}: no {name} in it; what can be inherited is what `models export` wrote")
    return convolutions(folder / "encoder.onnx")[1:-1], convolutions(folder / "decoder.onnx")[1:-1]


def layers(module: nn.Module) -> list[Any]:
    """The convolutions of an encoder or decoder, in the order in which the signal passes them."""
    return [each for each in module.modules() if isinstance(each, (nn.Conv1d, nn.ConvTranspose1d))]


def shape(layer: Any) -> tuple[int, ...]:
    return tuple(getattr(layer, "weight_v", layer.weight).shape)


def inherit(model: Any, folder: Path, what_fits: bool = False) -> int:
    """Give `model` the weights in `folder`; how many layers it took. SystemExit if the shapes differ, or, with
    `what_fits`, if not even the outermost layers agree."""
    given_encoder, given_decoder = read(folder)
    pairs = [
        (layers(model.encoder), given_encoder),
        (layers(model.decoder)[::-1], given_decoder[::-1]),
    ]
    taken = 0
    for ours, given in pairs:
        agreeing = list(takewhile(lambda pair: fits(*pair), zip(ours, given, strict=False)))
        if not (agreeing if what_fits else len(agreeing) == len(ours) == len(given)):
            raise SystemExit(_misfit(folder, ours, given, len(agreeing)))
        for pair in agreeing:
            put(*pair)
        taken += len(agreeing)
    return taken


def fits(layer: Any, given: Given) -> bool:
    """Whether a layer can compute what was given: a bias it lacks it can't, one that was not given is zero."""
    return shape(layer) == given.shape and not (layer.bias is None and given.bias is not None)


@torch.no_grad()
def put(layer: Any, given: Given) -> None:
    """Set a layer's kernel, through its weight normalisation where it has one, and its bias."""
    if hasattr(layer, "weight_g"):
        layer.weight_v.copy_(given.kernel)
        layer.weight_g.copy_(torch.norm_except_dim(given.kernel, 2, 0))
    else:
        layer.weight.copy_(given.kernel)
    if layer.bias is not None:
        layer.bias.copy_(torch.zeros_like(layer.bias) if given.bias is None else given.bias)


def _misfit(folder: Path, ours: list[Any], given: list[Given], agreeing: int) -> str:
    def told(count: int, found: tuple[int, ...] | None) -> str:
        return f"{count} layers, number {agreeing + 1} from the sound {list(found) if found else 'absent'}"

    wanted = shape(ours[agreeing]) if agreeing < len(ours) else None
    found = given[agreeing].shape if agreeing < len(given) else None
    return (
        f"{folder}: a model of another shape: {told(len(given), found)}; this run's is {told(len(ours), wanted)}; "
        "give the capacity, latents and ratios of that model, or --what-fits"
    )


def start(model: Any, rate: float, warm_steps: int) -> dict[str, Any]:
    """A checkpoint of `model` before its first step, learning rate `rate`, regularisation warmed up."""
    (generator, discriminator) = model.configure_optimizers()
    optimizer, schedule = generator["optimizer"], generator["lr_scheduler"]["scheduler"]
    for group in optimizer.param_groups:
        group["lr"] = group["initial_lr"] = rate
    schedule.base_lrs = schedule._last_lr = [rate]
    return {
        "epoch": 0,
        "global_step": 0,
        "pytorch-lightning_version": LIGHTNING,
        "state_dict": model.state_dict(),
        "callbacks": {"BetaWarmupCallback": {"training_steps": warm_steps}},
        "optimizer_states": [optimizer.state_dict(), discriminator["optimizer"].state_dict()],
        "lr_schedulers": [schedule.state_dict()],
    }


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="inheritance", description="A run that begins with a model's weights.")
    parser.add_argument("model", type=Path, help="a folder with encoder.onnx and decoder.onnx")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--override", action="append", default=[], help="a gin binding, as `rave train` takes it")
    parser.add_argument("--rate", type=float, default=RATE)
    parser.add_argument("--what-fits", action="store_true")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    acids.mend()
    acids.seed(options.seed)
    import gin
    import rave

    gin.parse_config_files_and_bindings(CONFIGS, options.override)
    model = rave.RAVE(n_channels=1)
    taken = inherit(model, options.model, options.what_fits)
    warm_steps = int(gin.query_parameter("BetaWarmupCallback.warmup_len"))
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "config.gin").write_text(gin.config_str(), "utf-8")
    torch.save(start(model, options.rate, warm_steps), options.out / "inherited.ckpt")
    print(json.dumps({"inherited": taken, "of": len(layers(model.encoder)) + len(layers(model.decoder))}))


if __name__ == "__main__":
    main(sys.argv[1:])

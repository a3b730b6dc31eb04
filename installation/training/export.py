"""A checkpoint of acids-rave → `decoder.onnx`, `encoder.onnx` and a streaming `.ts`, checked against the model itself.

    python -m installation.training.export RUN --out FOLDER --name NAME --sound FOLDER [--checkpoint FILE …]
        [--latents COUNT] [--untrained]

All latent dimensions are exported, or as many as are asked for, turned so that latent 0 carries the most variance of
the encoded training sound, the next the most of what is left, and so on; nothing is drawn at random. Weights are
rounded to half precision first, which halves the files and is far below what one hears; they are computed with in
single precision, as ever. A file is written only when playing it in blocks of 1 step, of 3 and of a mixture gives what
the model gives at once. The `.ts` answers to what nn~ and its like ask: `encode`, `decode`, `forward`, the `*_params`
of each, `get_methods`, `get_attributes`, `sr`.

Runs in the training environment only.
"""

# mypy: allow-subclassing-any, allow-untyped-decorators

from __future__ import annotations

import argparse
import io
import json
import sys
import tempfile
import warnings
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from installation.training import acids, checkpoint, network, sounds

Samples = npt.NDArray[np.float32]
Blocks = tuple[int, ...]

TOLERANCE = 1e-5
BLOCKS: tuple[Blocks, ...] = ((1,) * 12, (3,) * 4, (1, 5, 2, 4))
"""Ways to play twelve steps."""
OPSET = 17
HALF = ".half"
"""Ends the name of a weight that is stored in half precision."""
LEAST_HALVED = 256
"""Numbers in a weight that is stored in half precision."""


class Streamed(nn.Module):
    """The streaming `.ts`: what nn~ and its like expect to find in one."""

    def __init__(
        self, encoder: nn.Module, decoder: nn.Module, ratio: int, latent_dim: int, sample_rate_hz: int
    ) -> None:
        super().__init__()
        self.encoder, self.decoder = encoder, decoder
        self.sr = sample_rate_hz
        self.latent_size = self.full_latent_size = latent_dim
        self.register_buffer("latent_pca", torch.eye(latent_dim))
        self.register_buffer("latent_mean", torch.zeros(latent_dim))
        self.register_buffer("encode_params", torch.tensor([1, 1, latent_dim, ratio]))
        self.register_buffer("decode_params", torch.tensor([latent_dim, ratio, 1, 1]))
        self.register_buffer("forward_params", torch.tensor([1, 1, 1, 1]))

    @torch.jit.export
    def encode(self, sound: Tensor) -> Tensor:
        return self.encoder(sound)

    @torch.jit.export
    def decode(self, latents: Tensor) -> Tensor:
        return self.decoder(latents)

    def forward(self, sound: Tensor) -> Tensor:
        return self.decode(self.encode(sound))

    @torch.jit.export
    def get_methods(self) -> list[str]:
        return ["encode", "decode", "forward"]

    @torch.jit.export
    def get_attributes(self) -> list[str]:
        found: list[str] = []
        return found


class Explicit(nn.Module):
    """A network around a tape as a function of its input and its state."""

    def __init__(self, inner: nn.Module, tape: network.Tape) -> None:
        super().__init__()
        self.inner, self.tape = inner, tape

    def forward(self, signal: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        self.tape.begin(state)
        out = self.inner(signal)
        return out, self.tape.end()


def axes(model: Any, heard: list[Samples], ratio: int) -> tuple[Tensor, Tensor]:
    """The principal components of what is `heard`, as rows, and their mean. Each component's largest weight is
    positive, so that the same sounds give the same signs."""
    rows = []
    for sound in heard:
        checkpoint.forget(model)
        whole = torch.from_numpy(sound[: len(sound) // ratio * ratio])[None, None]
        rows.append(model.encoder.encoder(model.pqmf(whole)).chunk(2, 1)[0][0].T.double())
    latents = torch.cat(rows)
    mean = latents.mean(0)
    _, vectors = torch.linalg.eigh(torch.cov((latents - mean).T))
    components = vectors.T.flip(0)
    signs = torch.sign(components.gather(1, components.abs().argmax(1, keepdim=True)))
    return (components * signs).float(), mean.float()


def round_weights(model: Any) -> None:
    """Round the weights of encoder and decoder to what half precision holds, in place; the filter bank stays."""
    for part in (model.encoder, model.decoder):
        for weight in part.parameters():
            weight.data = weight.data.half().float()


def halve(graph: Any) -> None:
    """Store the large weights of an ONNX graph in half precision, where that loses nothing, each behind a cast that
    players compute once, when they load the file."""
    from onnx import TensorProto, helper, numpy_helper

    casts = []
    for stored in graph.initializer:
        values = numpy_helper.to_array(stored)
        if values.dtype != np.float32 or values.size < LEAST_HALVED or np.any(values.astype(np.float16) != values):
            continue
        name = stored.name
        stored.CopyFrom(numpy_helper.from_array(values.astype(np.float16), f"{name}{HALF}"))
        casts.append(helper.make_node("Cast", [f"{name}{HALF}"], [name], to=TensorProto.FLOAT))
    whole = [*casts, *graph.node]
    del graph.node[:]
    graph.node.extend(whole)


def write_onnx(path: Path, net: Explicit, example: Tensor, names: tuple[str, str], facts: dict[str, str]) -> None:
    """Write `net` with names (input, output), any batch, any number of steps, and `facts` as its metadata."""
    import onnx

    source, result = names
    state = torch.zeros(example.shape[0], net.tape.size)
    free = {0: "batch", 2: "time"}
    torch.onnx.export(
        net, (example, state), str(path), dynamo=False, opset_version=OPSET,
        input_names=[source, "state"], output_names=[result, "next_state"],
        dynamic_axes={source: free, "state": {0: "batch"}, result: free, "next_state": {0: "batch"}},
    )  # fmt: skip
    made = onnx.load(str(path))
    halve(made.graph)
    for key, value in facts.items():
        made.metadata_props.add(key=key, value=value)
    onnx.checker.check_model(made, full_check=True)
    onnx.save(made, str(path))


def write_torchscript(path: Path, module: nn.Module) -> None:
    """Write `module` as TorchScript, compressed (rounded weights are half zeros), without the notes for debugging that
    torch adds: they name the folders of the machine it was made on, and change whenever a line of this file moves."""
    made = io.BytesIO()
    torch.jit.save(torch.jit.script(module), made)
    with zipfile.ZipFile(made) as noted, zipfile.ZipFile(path, "w") as plain:
        for entry in noted.infolist():
            if not entry.filename.endswith(".debug_pkl"):
                inside = f"{path.stem}/{entry.filename.partition('/')[2]}"
                plain.writestr(zipfile.ZipInfo(inside), noted.read(entry), zipfile.ZIP_DEFLATED, 9)


def play_onnx(path: Path, signal: Samples, blocks: Blocks, unit: int) -> Samples:
    """What the file makes of `signal` in blocks of so many steps of `unit` samples each."""
    import onnxruntime

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    source, held = session.get_inputs()
    state = np.zeros((signal.shape[0], held.shape[1]), np.float32)
    made, at = [], 0
    for steps in blocks:
        part = signal[..., at * unit : (at + steps) * unit]
        out, state = session.run(None, {source.name: part, held.name: state})
        made.append(out)
        at += steps
    return np.concatenate(made, -1)


def play_torch(module: Any, call: Any, signal: Tensor, blocks: Blocks, unit: int) -> Tensor:
    """What `call` of `module` makes of `signal` in blocks, from empty caches on."""
    checkpoint.forget(module)
    parts = torch.split(signal, [steps * unit for steps in blocks], -1)
    return torch.cat([call(part) for part in parts], -1)


def agree(what: str, expected: Tensor, got: Tensor) -> float:
    """The largest difference, in units of full scale (sound) or of the largest latent if that is above 1; the end of
    the export if it is above TOLERANCE."""
    difference = float((expected - got).abs().max() / expected.abs().max().clamp(min=1.0))
    if not difference <= TOLERANCE:
        raise SystemExit(f"{what}: differs from the model by {difference:.2e}, allowed is {TOLERANCE:.0e}")
    return difference


def export(
    model: Any, ratio: int, heard: list[Samples], out: Path, name: str, latents: int | None = None
) -> dict[str, Any]:  # fmt: skip
    """Write and check the three files; what is to be said of them on the card. The model's weights are rounded. Of the
    latents the first so many are kept; the others stay at their mean."""
    round_weights(model)
    components, mean = axes(model, heard, ratio)
    components = components[:latents]
    dim = int(components.shape[0])
    tapes = network.Tape(), network.Tape()
    decoder = Explicit(network.decoder(model, components, mean, tapes[0].memory), tapes[0])
    encoder = Explicit(network.encoder(model, components, mean, tapes[1].memory), tapes[1])
    facts = {"sample_rate_hz": model.sr, "ratio": ratio, "latent_dim": dim, "channels": 1}
    facts["latency_samples"] = latency(model)
    for net, file, example, names in (
        (decoder, "decoder.onnx", torch.randn(2, dim, 3), ("latents", "sound")),
        (encoder, "encoder.onnx", torch.randn(2, 1, 3 * ratio), ("sound", "latents")),
    ):
        props = {key: str(value) for key, value in (facts | {"state_size": net.tape.size}).items()}
        write_onnx(out / file, net, example, names, props)
    streamed = Streamed(
        network.encoder(model, components, mean, network.Cache),
        network.decoder(model, components, mean, network.Cache),
        ratio, dim, int(model.sr),
    ).eval()  # fmt: skip
    write_torchscript(out / f"{name}.ts", streamed)
    errors = check(model, components, mean, ratio, heard[0], out, name)
    return facts | {"state_size": tapes[0].size, "largest_difference": errors}


def check(
    model: Any, components: Tensor, mean: Tensor, ratio: int, sound: Samples, out: Path, name: str
) -> dict[str, float]:
    """Largest differences of the written files from the model's own streaming, in every way of BLOCKS."""
    script = torch.jit.load(str(out / f"{name}.ts"))
    dim, steps = len(components), sum(BLOCKS[0])
    latents = torch.randn(2, dim, steps, generator=torch.Generator().manual_seed(3))
    listen = torch.from_numpy(sound[: 2 * steps * ratio].copy()).reshape(2, 1, -1)
    checkpoint.forget(model)
    wave_ = model.decode(torch.einsum("ji,bjt->bit", components, latents) + mean[:, None])
    means = model.encoder.encoder(model.pqmf(listen)).chunk(2, 1)[0]
    inner = torch.einsum("ij,bjt->bit", components, means - mean[:, None])
    errors = {"decoder.onnx": 0.0, "encoder.onnx": 0.0, f"{name}.ts": 0.0}
    for blocks in ((steps,), *BLOCKS):
        found = {
            "decoder.onnx": (wave_, torch.from_numpy(play_onnx(out / "decoder.onnx", latents.numpy(), blocks, 1))),
            "encoder.onnx": (inner, torch.from_numpy(play_onnx(out / "encoder.onnx", listen.numpy(), blocks, ratio))),
        }
        for file, (expected, got) in found.items():
            errors[file] = max(errors[file], agree(f"{file} in blocks of {blocks}", expected, got))
        for expected, call, signal, unit in ((wave_, script.decode, latents, 1), (inner, script.encode, listen, ratio)):
            got = play_torch(script, call, signal, blocks, unit)
            errors[f"{name}.ts"] = max(errors[f"{name}.ts"], agree(f"{name}.ts in blocks of {blocks}", expected, got))
    return errors


def latency(model: Any) -> int:
    """Samples by which the streaming decoder lags behind the one that was trained: what the transposed convolutions
    hold back, each at its own rate (a causal model's only delay)."""
    late, rate = 0, model.pqmf.n_band
    for module in reversed(list(model.decoder.net)):
        if type(module).__name__ == "CachedConvTranspose1d":
            late += int(module.padding[0]) * rate
            rate *= int(module.stride[0])
    return late


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="export", description="A checkpoint to ONNX and TorchScript.")
    parser.add_argument("run", type=Path, help="folder of a run: the one with config.gin")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--name", required=True)
    parser.add_argument("--sound", type=Path, required=True, help="folder of WAV files the latents are turned by")
    parser.add_argument("--checkpoint", type=Path, nargs="+", help="several are averaged; default: the newest")
    parser.add_argument("--latents", type=int, help="keep the first so many, which carry most (default: all)")
    parser.add_argument("--untrained", action="store_true", help="the same shape with its weights as initialised")
    options = parser.parse_args(arguments)
    warnings.filterwarnings("ignore")
    acids.mend()
    torch.set_grad_enabled(False)
    torch.set_num_threads(1)
    options.out.mkdir(parents=True, exist_ok=True)
    checkpoints = [] if options.untrained else options.checkpoint or [checkpoint.newest(options.run)]
    weights, steps = checkpoint.average(checkpoints) if checkpoints else (None, 0)
    model, ratio = checkpoint.build(options.run, weights)
    heard = sounds.recordings(options.sound, int(model.sr))
    with tempfile.TemporaryDirectory(dir=options.out) as unchecked:
        told = export(model, ratio, heard, Path(unchecked), options.name, options.latents)
        for path in Path(unchecked).iterdir():
            path.replace(options.out / path.name)
    told |= {"steps": steps, "checkpoints": [path.name for path in checkpoints]}
    (options.out / "export.json").write_text(json.dumps(told, indent=1) + "\n", "utf-8")
    print(json.dumps(told))


if __name__ == "__main__":
    main(sys.argv[1:])

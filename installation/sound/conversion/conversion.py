"""A streaming TorchScript export of RAVE → `decoder.onnx` and `encoder.onnx`, as `rave_onnx` plays them.

All latents come out, also those that the export left to chance; where the file turns them along principal components,
that stays inside, so latent 0 is the one of most variance. An encoder that draws from a distribution becomes one that
gives its mean. A file stays only if it plays what the TorchScript file plays: see `comparison`.
"""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from installation.errors import ModelError
from installation.sound.conversion.comparison import STEPS, Script, same_as_mean, same_as_script
from installation.sound.conversion.explicit import as_module, explicit, rows_first
from installation.sound.conversion.files import write
from installation.sound.conversion.interpreter import Chance, always, none_drawn
from installation.sound.torchscript import SEED, failures, has, load_module, reason

DECODER, ENCODER = "decoder.onnx", "encoder.onnx"
EXAMPLE_STEPS = 5
"""What is traced; the comparison plays other numbers of steps."""
DEVIATIONS = 3.0, 1.0, 0.3
"""Of the latents in the rows that are compared."""


@dataclass(frozen=True)
class Conversion:
    """What became of a file. `facts` are what its decoder states; `differences` the largest of each file written;
    `without` says why there is no encoder, where there is none; `explained` is the share of its training sound's
    variance in the first 1, 2, … latents, where the file tells."""

    facts: dict[str, int]
    differences: dict[str, float]
    without: str | None
    explained: tuple[float, ...] | None


def convert(file: Path, out: Path) -> Conversion:
    """Write the decoder of the TorchScript `file`, and where there can be one its encoder, to the folder `out`;
    ModelError with the reason where its decoder can't be converted, or the file is not trusted."""
    import torch

    module = load_module(file)
    torch.set_num_threads(1)
    with torch.no_grad(), torch.random.fork_rng(devices=[]), _quiet():
        torch.manual_seed(SEED)
        try:
            return _convert(Script(module), out)
        except ModelError as error:
            raise ModelError(f"{file}: not converted: {error}") from error
        except failures() as error:
            raise ModelError(f"{file}: not converted: {reason(error)}") from error


def _convert(script: Script, out: Path) -> Conversion:
    import torch

    module = script.module
    dim, ratio, channels = _shape(script)
    facts = {"sample_rate_hz": _rate_hz(module), "ratio": ratio, "latent_dim": dim, "channels": channels}
    latents = torch.randn(len(DEVIATIONS), dim, STEPS) * torch.tensor(DEVIATIONS)[:, None, None]
    network = explicit(module, "decode", latents[:1], none_drawn)

    def compare() -> float:
        return same_as_script(out / DECODER, script, "decode", latents, latents, 1)

    example = latents[..., :EXAMPLE_STEPS]
    written = partial(
        write, out / DECODER, as_module(network), size=network.size, names=("latents", "sound"), facts=facts
    )
    differences = {DECODER: _together_or_apart(written, compare, example)}
    without = None
    try:
        differences[ENCODER] = _write_encoder(script, facts, out / ENCODER)
    except ModelError as error:
        without = str(error)
    except failures() as error:
        without = reason(error)
    if without is not None:
        (out / ENCODER).unlink(missing_ok=True)
    return Conversion(facts, differences, without, _explained(module, dim))


def _write_encoder(script: Script, facts: dict[str, int], path: Path) -> float:
    """Write the encoder of mono sound, which is put on every channel that the file hears; its largest difference."""
    import torch

    module, ratio = script.module, facts["ratio"]
    if not has(module, "encode"):
        raise ModelError("it was exported without encode")
    inputs = _inputs(module)
    sound = 0.3 * torch.randn(len(DEVIATIONS), 1, STEPS * ratio)
    drawn: list[str] = []

    def noted(chance: Chance) -> Any:
        drawn.append(chance.name)
        return chance.numbers()

    def spread(mono: Any) -> Any:
        return mono.repeat(1, inputs, 1) if inputs > 1 else mono

    network = explicit(module, "encode", spread(sound[:1]), noted)
    mean = replace(network, draw=always(0.0))
    found, _ = mean(spread(sound[:1]), torch.zeros(1, mean.size))
    if tuple(found.shape[1:]) != (facts["latent_dim"], STEPS):
        raise ModelError(f"encode gives {tuple(found.shape[1:])}, the decoder takes {(facts['latent_dim'], STEPS)}")

    def compare() -> float:
        if not drawn:
            return same_as_script(path, script, "encode", sound, spread(sound), ratio)
        return same_as_mean(path, script, network, sound, spread(sound), ratio)

    written = partial(write, path, as_module(mean, spread), size=mean.size, names=("sound", "latents"), facts=facts)
    return _together_or_apart(written, compare, sound[..., : EXAMPLE_STEPS * ratio])


def _together_or_apart(written: Callable[..., None], compare: Callable[[], float], example: Any) -> float:
    """Write a file that does all rows together, or, where that differs, as it does of files that were made for one row,
    one that does them one after the other; its largest difference."""
    try:
        written(example=example)
        return compare()
    except ModelError:
        written(example=example[:1])
        return compare()


def _shape(script: Script) -> tuple[int, int, int]:
    """All of its latents, its ratio and its channels. The number of latents is what the encoder gives once it is told
    to leave none out; without an encoder, what the decoder takes."""
    module = script.module
    stated = int(getattr(module, "latent_size", 0)) or int(getattr(module, "decode_params", [0])[0])
    full = int(getattr(module, "full_latent_size", stated))
    if full > stated:
        _tell(module, "latent_size", full)
    sounds = {dim: sound for dim in (stated, full) if (sound := _tried(script, "decode", dim, STEPS)) is not None}
    if not sounds:
        raise ModelError(f"its decode takes neither {stated} nor {full} latents; a RAVE export states latent_size")
    ratio, rest = divmod(int(next(iter(sounds.values())).shape[-1]), STEPS)
    if rest or not ratio:
        raise ModelError(f"{STEPS} latents give {ratio * STEPS + rest} samples, which is no whole number each")
    latents = _tried(script, "encode", _inputs(module), STEPS * ratio) if has(module, "encode") else None
    encoded = 0 if latents is None else int(latents.shape[1])
    dim = encoded if encoded in sounds or _tried(script, "decode", encoded, STEPS) is not None else max(sounds)
    return dim, ratio, int(next(iter(sounds.values())).shape[1])


def _tried(script: Script, method: str, channels: int, length: int) -> Any:
    """What a method makes of zeros (1, channels, length), or None if it refuses them."""
    import torch

    if not channels:
        return None
    try:
        return rows_first(getattr(script.module, method)(torch.zeros(1, channels, length)), 1)
    except failures():
        return None
    finally:
        script.begin()


def _inputs(module: Any) -> int:
    """Channels of sound that the encoder hears."""
    return int(getattr(module, "encode_params", [1])[0])


def _tell(module: Any, name: str, value: int) -> None:
    """Set an attribute where the file has not made a constant of it."""
    try:
        setattr(module, name, value)
    except (RuntimeError, AttributeError):
        return


def _rate_hz(module: Any) -> int:
    for name in ("sr", "sampling_rate"):
        if (rate := getattr(module, name, None)) is not None:
            return int(rate)
    raise ModelError("states neither sr nor sampling_rate; a RAVE export does")


def _explained(module: Any, dim: int) -> tuple[float, ...] | None:
    """`fidelity`, where it rises to 1 over as many latents as there are."""
    shares = [float(each) for each in getattr(module, "fidelity", ())]
    rising = all(a <= b for a, b in itertools.pairwise(shares))
    return tuple(shares) if len(shares) == dim and rising and abs(shares[-1] - 1.0) < 1e-3 else None


@contextmanager
def _quiet() -> Iterator[None]:
    """Without the tracer's warnings of what it takes for constant: the comparison tells."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield

"""`installation generate`: sound of a model by itself, from a walk through its latent space, to a file."""

from __future__ import annotations

import argparse
import json
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from installation.errors import InstallationError, ModelError
from installation.model import Model, load
from installation.sound.decoder import Decoder, open_decoder
from installation.sound.files import FORMATS, SoundWriter, checked_ending
from installation.sound.mixer import FADE_S
from installation.sound.outlet import Outlet
from installation.sound.player import Turn
from installation.sound.ranges import tamed
from installation.sound.walks import Given, Independent, Recalled, Smooth, Walk
from installation.spectrograms import draw, need_drawing
from installation.turning import add_turning, ranged, turned

Floats = npt.NDArray[np.float32]

DEFAULT_MODEL = "bronze"
PIECE_STEPS = 64
WANDER_S = 2.0
"""How slowly the sides of a wide sound wander apart."""
PICTURE_S = 30.0


@dataclass(frozen=True)
class Order:
    """What to make: `seconds` of sound from `seed`, on `channels`, by the walk named `walk`."""

    model: Model
    seconds: float
    walk: str
    temperature: float
    smooth_s: float
    seed: int
    turn: Turn
    channels: int
    width: float
    wild: bool
    device: str = "auto"

    @property
    def samples(self) -> int:
        """Length of the file."""
        return round(self.seconds * self.model.sample_rate_hz)

    @property
    def steps(self) -> int:
        """Latents that are needed, what the decoder holds back included."""
        return -(-(self.samples + self.model.latency) // self.model.ratio)


Opened = tuple[Walk, str]
"""A walk, and what it is in words."""


def _independent(order: Order, rng: np.random.Generator) -> Opened:
    return Independent(order.model.mean, order.model.deviation, order.temperature, rng), "independent latents"


def _smooth(order: Order, rng: np.random.Generator) -> Opened:
    model = order.model
    walk = Smooth(model.mean, model.deviation, order.temperature, order.smooth_s, model.step_s, rng)
    return walk, f"a smooth walk of {order.smooth_s:g} s"


def _prior(order: Order, rng: np.random.Generator) -> Opened:
    """The model's own prior; where it has none, a walk through the excerpts it comes with."""
    model = order.model
    path, why = _own_prior(order, int(rng.integers(1 << 31)))
    if path is not None:
        return Given(path), "the model's own prior"
    excerpts = model.excerpts()
    if len(excerpts) < 2:
        raise ModelError(f"{model.name}: --walk prior: {why}, and no encoded excerpts (latents.npy) to walk through")
    walk = Recalled(excerpts, model.deviation, order.temperature, model.step_s, rng)
    return walk, f"a walk through {len(excerpts) * model.step_s:.0f} s of encoded training sound ({why})"


WALKS: dict[str, Callable[[Order, np.random.Generator], Opened]] = {
    "random": _independent,
    "smooth": _smooth,
    "prior": _prior,
}


def _own_prior(order: Order, seed: int) -> tuple[Floats | None, str]:
    """The path of the model's own prior, (steps, latent_dim), or None and why."""
    model = order.model
    script = model.decoder if model.decoder.suffix == ".ts" else model.folder / str(model.card.get("torchscript", ""))
    if not script.is_file():
        return None, "it has no TorchScript file, so no prior"
    if find_spec("torch") is None:
        return None, "no torch to look for a prior with"
    from installation.sound.rave_torch import torchscript_prior

    try:
        prior = torchscript_prior(script, order.device)
    except ModelError as error:
        return None, str(error)
    path = prior(order.steps, order.temperature, seed)
    if path.shape[1] != model.latent_dim:
        return None, f"{script.name}: its prior has {path.shape[1]} latents, its decoder {model.latent_dim}"
    return path, ""


def generate(order: Order, walk: Walk, rng: np.random.Generator, decoder: Decoder) -> Iterator[Floats]:
    """The sound, (samples, channels) at a time, through the guard, faded at both ends; constant memory."""
    outlet = Outlet(order.channels, order.model.sample_rate_hz)
    ramp = np.linspace(0.0, 1.0, max(2, int(FADE_S * order.model.sample_rate_hz)), dtype=np.float32)[:, None]
    made = -order.model.latency
    for sound in _decoded(order, walk, rng, decoder):
        begin, made = made, made + len(sound)
        part = sound[max(0, -begin) : len(sound) - max(0, made - order.samples)]
        place = np.arange(max(0, begin), max(0, begin) + len(part))
        rise, fall = (np.interp(each, np.arange(len(ramp)), ramp[:, 0]) for each in (place, order.samples - 1 - place))
        yield outlet.push((part * (rise * fall)[:, None]).astype(np.float32))
    yield outlet.end()


def _decoded(order: Order, walk: Walk, rng: np.random.Generator, decoder: Decoder) -> Iterator[Floats]:
    """What the decoder makes of the walk's latents, on the wanted channels, late by the model's latency."""
    model, wide = order.model, order.channels > 1 and decoder.channels == 1 and order.width > 0.0
    wander = Smooth(np.zeros_like(model.mean), model.deviation, order.width, WANDER_S, model.step_s, rng)
    state = decoder.start(2 if wide else 1)
    for begin in range(0, order.steps, PIECE_STEPS):
        path = order.turn.apply(walk.go(min(PIECE_STEPS, order.steps - begin)), model.mean, model.deviation)
        if wide:
            apart = wander.go(len(path))
            sides = np.stack([path + apart, path - apart])
        else:
            sides = path[None]
        firm = 0.0 if order.wild else 1.0
        sound, state = decoder.decode(tamed(sides, model.low, model.high, firm), state)
        yield _on_channels(sound, order.channels)


def _on_channels(sound: Floats, channels: int) -> Floats:
    """(rows, samples, channels of the model) → (samples, channels): two rows of a mono model are two sides."""
    joined = np.concatenate(list(sound), axis=1)
    if joined.shape[1] == channels:
        return joined
    mono = joined.mean(axis=1, keepdims=True, dtype=np.float32)
    return np.repeat(mono, channels, axis=1)


def add_generate_command(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register `generate`."""
    command = commands.add_parser("generate", help="sound of a model by itself, from a walk through its latents")
    command.add_argument("--model", default=DEFAULT_MODEL, help=f"a name in models/ or a folder ({DEFAULT_MODEL})")
    command.add_argument("--seconds", type=ranged(0.01, 1e6), default=30.0, help="length (default: 30)")
    command.add_argument("--walk", choices=tuple(WALKS), default="smooth", help="the kind of path (default: smooth)")
    command.add_argument(
        "--temperature", type=ranged(0.01, 10.0), default=1.0, help="how far from the mean, or how daring (default: 1)"
    )
    command.add_argument(
        "--smoothness", type=ranged(0.0, 600.0), default=1.0, metavar="SECONDS", help="of --walk smooth (default: 1)"
    )
    add_turning(command)
    command.add_argument("--wild", action="store_true", help="also beyond the range the model's card recommends")
    command.add_argument("--channels", type=int, choices=(1, 2), help="default: the model's own")
    command.add_argument(
        "--width", type=ranged(0.0, 4.0), default=0.3,
        help="how far the two channels of a mono model wander apart, in deviations (default: 0.3)",
    )  # fmt: skip
    command.add_argument("--seed", type=int, help="where chance begins (default: drawn, and printed)")
    command.add_argument("--device", default="auto", help="auto, cpu or cuda")
    command.add_argument("--out", type=Path, required=True, metavar="FILE", help=f"ends in {', '.join(FORMATS)}")
    command.add_argument("--plot", type=Path, metavar="PNG", help=f"draw a spectrogram of the first {PICTURE_S:g} s")
    command.add_argument("--json", action="store_true", help="print the settings as JSON")
    command.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    order, out = _order(arguments), arguments.out
    checked_ending(out)
    chance, others = (np.random.default_rng(each) for each in np.random.SeedSequence(order.seed).spawn(2))
    walk, words = WALKS[order.walk](order, chance)
    _tell(arguments, order, words)
    _write(arguments, order, generate(order, walk, others, open_decoder(order.model.decoder, order.device)))
    return 0


def _order(arguments: argparse.Namespace) -> Order:
    if arguments.plot:
        need_drawing()
    if arguments.seed is not None and arguments.seed < 0:
        raise InstallationError(f"generate: --seed {arguments.seed}: allowed are 0 and more")
    model = load(arguments.model)
    return Order(
        model=model,
        seconds=arguments.seconds,
        walk=arguments.walk,
        temperature=arguments.temperature,
        smooth_s=arguments.smoothness,
        seed=secrets.randbits(32) if arguments.seed is None else arguments.seed,
        turn=turned(model, arguments.bias, arguments.scale),
        channels=arguments.channels or min(2, model.channels),
        width=arguments.width,
        wild=arguments.wild or arguments.walk == "prior",
        device=arguments.device,
    )


def _tell(arguments: argparse.Namespace, order: Order, words: str) -> None:
    """The run's settings, so that it can be made again."""
    settings = {name: getattr(arguments, name) for name in ("walk", "temperature", "smoothness", "width", "wild")}
    settings |= {"model": order.model.name, "seconds": order.seconds, "channels": order.channels, "seed": order.seed}
    settings |= {"bias": arguments.bias, "scale": arguments.scale, "out": str(arguments.out), "path": words}
    if arguments.json:
        print(json.dumps(settings, indent=2))
        return
    print(
        f"{arguments.out}: {order.seconds:g} s of {order.model.name}, {words}, "
        f"temperature {order.temperature:g}, seed {order.seed}"
    )


def _write(arguments: argparse.Namespace, order: Order, sound: Iterator[Floats]) -> None:
    """The file, and the picture of its beginning."""
    rate_hz, drawn = order.model.sample_rate_hz, [np.zeros(0, np.float32)]
    left = round(PICTURE_S * rate_hz) if arguments.plot else 0
    with (
        tqdm(total=order.seconds, unit="s", desc=arguments.out.name, disable=None, leave=False) as bar,
        SoundWriter(arguments.out, rate_hz, order.channels) as writer,
    ):
        for block in sound:
            writer.write(block)
            bar.update(len(block) / rate_hz)
            drawn.append(block[:left].mean(axis=1))
            left -= len(drawn[-1])
    if arguments.plot:
        draw(arguments.plot, arguments.out.name, {order.model.name: np.concatenate(drawn)}, rate_hz)

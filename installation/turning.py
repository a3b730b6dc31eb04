"""The knobs of latents as words of a command line: `--bias 0=1.5 --scale 3=0.5`."""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from installation.errors import InstallationError
from installation.model import Model
from installation.sound.player import Turn

Setting = tuple[int, float]


def add_turning(command: argparse.ArgumentParser) -> None:
    """Register `--bias` and `--scale`."""
    command.add_argument(
        "--bias", type=setting, nargs="+", action="extend", default=[], metavar="N=V",
        help="add V to latent N (from 0), in its own deviation",
    )  # fmt: skip
    command.add_argument(
        "--scale", type=setting, nargs="+", action="extend", default=[], metavar="N=V",
        help="multiply latent N's distance from its mean by V",
    )  # fmt: skip


def setting(text: str) -> Setting:
    """`3=0.5` → (3, 0.5)."""
    number, _, value = text.partition("=")
    try:
        found = int(number), float(value)
    except ValueError:
        found = -1, math.nan
    if found[0] < 0 or not math.isfinite(found[1]):
        raise argparse.ArgumentTypeError(f"{text!r} is not N=V, a latent's number and a value, as 0=1.5")
    return found


def turned(model: Model, biases: list[Setting], scales: list[Setting]) -> Turn:
    """The turn they ask for; InstallationError if the model has no such latent."""
    for number, _ in (*biases, *scales):
        if number >= model.latent_dim:
            raise InstallationError(f"{model.name}: no latent {number}; it has 0 to {model.latent_dim - 1}")
    none = Turn.none(model.latent_dim)
    bias, scale = none.bias.copy(), none.scale.copy()
    for line, settings in ((bias, biases), (scale, scales)):
        for number, value in settings:
            line[number] = np.float32(value)
    return replace(none, bias=bias, scale=scale)


def ranged(low: float, high: float) -> Callable[[str], float]:
    """A type of argument: a number from `low` to `high`."""

    def number(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not low <= value <= high:
            raise argparse.ArgumentTypeError(f"{text!r} is not a number in {low:g}..{high:g}")
        return value

    return number

"""Every knob, declared once: OSC address, range, unit, curve and sentence. Everything else is derived from here."""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Literal

Curve = Literal["linear", "exponential", "steps", "switch", "choice"]
WHOLE: tuple[Curve, ...] = ("steps", "switch", "choice")
"""The curves whose values are whole numbers and can't be ramped."""


@dataclass(frozen=True)
class Parameter:
    """A number turned. `address` is its OSC address; `steps` takes whole numbers, `switch` 0 or 1, `choice` the place
    of a name in `choices`, from 0: people may give the name, everything else carries the number."""

    address: str
    minimum: float
    maximum: float
    default: float
    unit: str
    curve: Curve
    sentence: str
    choices: tuple[str, ...] = ()

    @classmethod
    def of(cls, address: str, choices: tuple[str, ...], default: str, sentence: str) -> Parameter:
        """One of `choices`, by name."""
        return cls(address, 0, len(choices) - 1, choices.index(default), "", "choice", sentence, choices)

    @property
    def owner(self) -> str:
        """First word of the address: which part of the show it belongs to."""
        return self.address.split("/")[1]

    @property
    def key(self) -> str:
        """Its key in a scene file's section of the same name as its owner: what follows the owner."""
        return self.address.split("/", 2)[2]

    @property
    def allowed(self) -> str:
        """Its range, or for a choice its names."""
        return ", ".join(self.choices) or f"{self.minimum:g}..{self.maximum:g}"

    def fault(self, value: float) -> str | None:
        """Why the number `value` is not allowed, or None."""
        if isinstance(value, bool):
            value = float(value)
        if not isinstance(value, int | float) or not math.isfinite(value):
            return f"{value!r} is not a finite number"
        span, names = f"{self.minimum:g}..{self.maximum:g}", f": {self.allowed}" if self.choices else ""
        if not self.minimum <= value <= self.maximum:
            return f"{value:g} is outside {span}{names}"
        if self.curve in WHOLE and value != int(value):
            return f"{value:g} is not a whole number of {span}{names}"
        return None

    def named(self, name: str) -> float | None:
        """The value `name` stands for; None if it is none of its choices."""
        return float(self.choices.index(name)) if name in self.choices else None

    def unnamed(self, name: str) -> str:
        """Why `name` is not allowed."""
        shown = name if len(name) <= 64 else name[:61] + "..."
        return f"{shown!r} is none of its names{nearest(name[:64], self.choices)}; allowed are {self.allowed}"

    def shown(self, value: float) -> str:
        """`value` as people read it: a choice by its name."""
        return self.choices[int(value)] if self.choices else f"{value:g}"

    def at(self, position: float) -> float:
        """Value at `position` 0..1 of its travel, as a MIDI knob or a fader gives it."""
        position = min(1.0, max(0.0, position))
        if self.curve == "exponential":
            return min(self.maximum, float(self.minimum * (self.maximum / self.minimum) ** position))
        value = self.minimum + (self.maximum - self.minimum) * position
        return float(round(value)) if self.curve in WHOLE else value

    def position(self, value: float) -> float:
        """Position 0..1 of `value`: the inverse of `at`."""
        if self.curve == "exponential":
            return math.log(value / self.minimum) / math.log(self.maximum / self.minimum)
        return (value - self.minimum) / (self.maximum - self.minimum)


OPERATORS = ("step", "span", "drift", "iso-line", "replace", "stretch", "mixed")
RECOMBINATIONS = ("one-point", "uniform", "none")
SELECTIONS = ("nearest", "farthest", "dominated", "local")
EMBEDDINGS = ("texture", "mfcc", "rave", "vggish", "clap")
"""The names the search knows each of these by."""

_FIXED = (
    Parameter("/evolution/mutation_rate", 0.0, 1.0, 0.5, "", "linear", "How much of a child's path is mutated."),
    Parameter(
        "/evolution/sigma",
        0.0,
        3.0,
        0.6,
        "sd",
        "linear",
        "How far a mutated step moves, in each latent's own deviation.",
    ),
    Parameter("/evolution/crossover", 0.0, 1.0, 0.7, "", "linear", "How often a child has two parents."),
    Parameter(
        "/evolution/neighbours",
        1,
        64,
        15,
        "",
        "steps",
        "How many nearest embeddings sparseness is the mean distance to.",
    ),
    Parameter(
        "/evolution/interval",
        0.1,
        600.0,
        2.0,
        "s",
        "exponential",
        "Time from one generation to the next, at the least.",
    ),
    Parameter("/evolution/running", 0, 1, 1, "", "switch", "Breed, or rest with what there is."),
    Parameter.of("/evolution/operator", OPERATORS, "mixed", "How a child is mutated; mixed lets success decide."),
    Parameter.of("/evolution/recombination", RECOMBINATIONS, "one-point", "How two parents make a child."),
    Parameter.of("/evolution/selection", SELECTIONS, "nearest", "What of container and brood lives on."),
    Parameter.of(
        "/evolution/embedding", EMBEDDINGS, "texture", "What novelty is measured on; the archive begins anew."
    ),
    Parameter("/evolution/quality", 0.0, 1.0, 0.0, "", "linear", "Novelty (0) against quality (1) in what lives on."),
    Parameter(
        "/evolution/budget",
        0.5,
        1000.0,
        1000.0,
        "1/s",
        "exponential",
        "Individuals evaluated a second, at the most (1000: no limit); fewer while the sound needs the machine.",
    ),
    Parameter("/voice/gain", -60.0, 12.0, 0.0, "dB", "linear", "Loudness of the voice before the limiter."),
    Parameter("/voice/pan", -1.0, 1.0, 0.0, "", "linear", "Left to right."),
    Parameter(
        "/voice/rate",
        0.05,
        4.0,
        1.0,
        "",
        "exponential",
        "Latent steps played for each step decoded: below 1 is slower.",
    ),
    Parameter(
        "/voice/glide",
        0.0,
        10.0,
        0.35,
        "s",
        "linear",
        "Time of the glide in latent space from one trajectory to the next.",
    ),
    Parameter("/voice/hold", 0, 1, 0, "", "switch", "Stay on the latent now sounding."),
    Parameter(
        "/voice/detune",
        -1200.0,
        1200.0,
        0.0,
        "cents",
        "linear",
        "Pitch and speed together, as of a tape: how far the step rate lies from the model's own.",
    ),
    Parameter(
        "/voice/width",
        0.0,
        1.0,
        0.0,
        "",
        "linear",
        "Of a mono model: how far left and right wander apart in latent space, each decoded for itself.",
    ),
    Parameter(
        "/voice/tame",
        0.0,
        1.0,
        1.0,
        "",
        "linear",
        "How firmly latents are kept within the range the model's card recommends.",
    ),
    Parameter(
        "/voice/gate",
        -120.0,
        0.0,
        -120.0,
        "dB",
        "linear",
        "Expander: what is quieter than this becomes quieter still; -120 is off.",
    ),
    Parameter(
        "/voice/gate_ratio",
        1.0,
        20.0,
        2.0,
        "",
        "exponential",
        "Decibels the expander makes of one.",
    ),
    Parameter(
        "/input/mix", 0.0, 1.0, 0.0, "", "linear", "From what evolution plays (0) to what the input is heard as (1)."
    ),
    Parameter("/input/gain", -40.0, 40.0, 0.0, "dB", "linear", "Loudness of the input, after it is levelled."),
    Parameter("/input/listen", 0, 1, 0, "", "switch", "Give what the input plays to the search, as individuals."),
    Parameter("/input/guard", 0, 1, 1, "", "switch", "Turn away from the input while it hears the show itself."),
    Parameter("/picture/brightness", 0.0, 1.0, 1.0, "", "linear", "Brightness of the picture."),
    Parameter("/picture/feedback", 0.0, 1.0, 0.5, "", "linear", "How long a drawing's trace stays."),
    Parameter("/picture/hue", 0.0, 1.0, 0.0, "", "linear", "Turn of the colour wheel."),
    Parameter("/picture/ceiling", 0.05, 1.0, 1.0, "", "linear", "The brightest any part of the picture may be."),
    Parameter(
        "/picture/flash_guard",
        0,
        1,
        1,
        "",
        "switch",
        "Hold whatever flashes more than three times a second (WCAG 2.3.1). Off only where no public is.",
    ),
    Parameter(
        "/picture/av_offset_ms",
        -500.0,
        500.0,
        0.0,
        "ms",
        "linear",
        "How much later than the sound the picture comes; below 0 it comes before.",
    ),
    Parameter("/master/gain", -60.0, 12.0, 0.0, "dB", "linear", "Loudness of all parts together, before the limiter."),
    Parameter("/master/mute", 0, 1, 0, "", "switch", "Silence, faded; the show goes on unheard."),
    Parameter(
        "/master/click", 0, 1, 0, "", "switch", "A click each second in place of the music, to set the picture by."
    ),
    Parameter("/master/blackout", 0, 1, 0, "", "switch", "A black picture; the sound goes on."),
)

_LATENT = (
    ("bias", -4.0, 4.0, 0.0, "sd", "linear", "Added to latent {n}, in its own deviation."),
    ("scale", 0.0, 4.0, 1.0, "", "linear", "Multiplies latent {n}'s distance from its mean."),
    ("freeze", 0, 1, 0, "", "switch", "Holds latent {n} where it is."),
    ("evolve", 0, 1, 1, "", "switch", "Whether mutation may move latent {n}."),
)

PARTS = 4
"""Models that play together, at the most. The first is the voice; the others are parts 2, 3, 4."""


def declared(latent_dim: int, others: tuple[int, ...] = ()) -> dict[str, Parameter]:
    """Every parameter of a show whose model has `latent_dim` latents, by address; `others` are the numbers of latents
    of the models of part 2, 3 …, whose knobs are those of the voice and its latents under an address of their own."""
    found = [*_FIXED, *_latents(latent_dim)]
    for number, dim in enumerate(others, 2):
        own = (*(each for each in _FIXED if each.owner == "voice"), *_latents(dim))
        found.extend(replace(each, address=of_part(number, each.address)) for each in own)
    return {parameter.address: parameter for parameter in found}


def _latents(latent_dim: int) -> tuple[Parameter, ...]:
    return tuple(
        Parameter(f"/latent/{n}/{key}", low, high, default, unit, curve, sentence.format(n=n))  # type: ignore[arg-type]
        for n in range(latent_dim)
        for key, low, high, default, unit, curve, sentence in _LATENT
    )


def of_part(number: int, address: str) -> str:
    """The address at which part `number` has what the first part has at `address`: /voice/gain → /part/2/gain,
    /latent/0/bias → /part/2/latent/0/bias."""
    return address if number == 1 else f"/part/{number}/{address.removeprefix('/voice/').lstrip('/')}"


def part_of(address: str) -> tuple[int, str]:
    """The inverse of `of_part`: the part's number, and the address at which the first part has the same."""
    words = address.split("/", 3)
    if len(words) < 4 or words[1] != "part":
        return 1, address
    key = words[3]
    return int(words[2]), f"/{key}" if key.startswith("latent/") else f"/voice/{key}"


def as_first(values: Mapping[str, float], number: int) -> dict[str, float]:
    """`values` as part `number` sees them: its own at the addresses of the first part, and all that no part owns."""
    if number == 1:
        return dict(values)
    shared = {address: value for address, value in values.items() if address.split("/")[1] not in ("voice", "latent")}
    own = ((part_of(address), value) for address, value in values.items() if address.startswith(f"/part/{number}/"))
    return shared | {address: value for (_, address), value in own}


INPUT_PARTS = {1: ("",), 2: ("/x", "/y"), 4: ("/red", "/green", "/blue", "/alpha")}
"""What follows the address of a shader's input that is so many numbers."""
INPUT, EFFECT = "/picture/input", "/picture/effect"
"""What the addresses of a drawing's inputs begin with, and with a number after it, from 1, those of its effects."""


OUTPUTS = 4
"""Displays a picture is shown on, at the most."""


def output_parameters(count: int) -> dict[str, Parameter]:
    """The knobs of so many outputs: how far each corner is moved from where the scene puts it, by address."""
    found = (
        Parameter(
            f"/picture/output/{output}/corner/{corner}/{axis}",
            -0.5,
            0.5,
            0.0,
            "",
            "linear",
            f"Moves corner {corner} of output {output}, clockwise from the top left, as a share of the display.",
        )
        for output in range(1, count + 1)
        for corner in range(1, 5)
        for axis in ("x", "y")
    )
    return {each.address: each for each in found}


def section(owner: str) -> tuple[Parameter, ...]:
    """The fixed parameters a scene file's section `owner` may set."""
    return tuple(parameter for parameter in _FIXED if parameter.owner == owner)


def nearest(word: str, allowed: Mapping[str, object] | tuple[str, ...]) -> str:
    """` (did you mean X?)`, or nothing."""
    close = difflib.get_close_matches(word, list(allowed), 1, 0.6)
    return f" (did you mean {close[0]}?)" if close else ""


class Values:
    """The values of every parameter now; owned by one process, changed by commands only."""

    def __init__(self, parameters: Mapping[str, Parameter], values: Mapping[str, float] | None = None) -> None:
        self.parameters = dict(parameters)
        self._values = {address: parameter.default for address, parameter in self.parameters.items()}
        self._values.update({address: value for address, value in (values or {}).items() if address in self._values})

    def __getitem__(self, address: str) -> float:
        return self._values[address]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def name(self, address: str) -> str:
        """The name that is chosen at `address`, a choice's."""
        return self.parameters[address].shown(self._values[address])

    def as_dict(self) -> dict[str, float]:
        """A copy, by address."""
        return dict(self._values)

    def set(self, address: str, value: float) -> str | None:
        """Turn one; why it was refused, or None."""
        parameter = self.parameters.get(address)
        if parameter is None:
            return f"{address}: no such parameter{nearest(address, self.parameters)}"
        fault = parameter.fault(value)
        if fault:
            return f"{address}: {fault}"
        self._values[address] = float(value)
        return None

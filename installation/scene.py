"""What a scene file may say, as frozen models. `schema` reads the YAML; here is what each word means and allows.

The knobs of a section (`evolution.sigma`, `voice.gain` …) are not typed here: they are the parameters whose address
begins with the section's name, with their ranges and sentences, taken from `parameters`.

Validated with a `Surroundings` as pydantic's context, a scene is also held against what lies around it: its model, its
shader, the model's number of latents. Paths it names are then made absolute.
"""

from __future__ import annotations

import re
from collections.abc import Mapping as Named
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo

from installation import parameters
from installation.controls import Midi
from installation.field import Section, Text, knobs_of, limits, nothing_is, with_knobs, wrong
from installation.model import MODELS
from installation.osc_section import Osc
from installation.parameters import Parameter
from installation.picture_section import Picture
from installation.surroundings import Surroundings
from installation.track import LATENTS_AT_MOST


def _of_latent() -> dict[str, Parameter]:
    return {
        parameter.key.removeprefix("0/"): parameter
        for address, parameter in parameters.declared(1).items()
        if address.startswith("/latent/0/")
    }


Backend = Literal["auto", "cpu", "cuda"]
Init = Literal["random", "normal", "dataset"]
Steps = Annotated[int, limits(2, 4096, "steps")]


@with_knobs(knobs_of("evolution"))
class Evolution(Section):
    """How the search breeds (LVNS-RAVE: a fixed container, a brood each generation)."""

    container: Annotated[int, limits(2, 1000, "steps")] = Field(default=50, description="Individuals alive.")
    brood: Annotated[int, limits(1, 1000, "steps")] = Field(default=30, description="Children of a generation.")
    steps: Steps = Field(default=64, description="Latents in a trajectory.")
    init: Init = Field(default="dataset", description="What the first individuals are.")
    archive: Annotated[int, limits(0, 100_000, "steps")] = Field(
        default=500, description="Embeddings remembered, at most."
    )


@with_knobs(knobs_of("voice"))
class Voice(Section):
    """How trajectories become sound."""

    ahead_ms: Annotated[float, limits(20, 5000)] = Field(default=200.0, description="Sound held ready for the card.")
    device: Text | None = Field(
        default=None, description="Name of the sound card, or a part of it; the default card without."
    )
    backend: Backend = Field(default="auto", description="Where the decoder runs.")
    crossfade_s: Annotated[float, limits(0.02, 60)] = Field(
        default=2.0, description="Seconds in which a model takes the place of the one before it."
    )


@with_knobs(_of_latent())
class Latent(Section):
    """One latent of the model."""


@with_knobs(knobs_of("master"))
class Master(Section):
    """What holds for everything."""


def _model(written: str, info: ValidationInfo) -> str:
    """The model's name, or for one that lies elsewhere its folder."""
    around: Surroundings | None = info.context
    found = around.models.get(written) if around else None
    if isinstance(found, str):
        raise wrong(found)
    if found and found.folder != MODELS / written:
        return str(found.folder.resolve())
    return written


def _index(written: Any, info: ValidationInfo) -> int:
    """A latent's number, as YAML gives a key: text."""
    around: Surroundings | None = info.context
    latent_dim = around.latent_dim(str(info.data.get("model", ""))) if around else LATENTS_AT_MOST
    if not re.fullmatch(r"0|[1-9][0-9]{0,5}", str(written)):
        raise wrong(f"{written!r} is not the number of a latent; allowed are 0..{latent_dim - 1}")
    if int(written) >= latent_dim:
        raise wrong(f"latent {written} is outside 0..{latent_dim - 1}")
    return int(written)


ModelName = Annotated[Text, AfterValidator(_model)]
Latents = Annotated[dict[Annotated[int, BeforeValidator(_index)], Annotated[Latent, nothing_is({})]], nothing_is({})]
LATENTS = "By a latent's number, from 0: its bias, scale, freeze and evolve."


@with_knobs(knobs_of("voice"))
class Part(Section):
    """Another model that plays beside the voice, bred for by a search of its own."""

    model: ModelName = Field(description="A folder in models/, or a path from the scene's folder.")
    steps: Steps | None = Field(default=None, description="Latents in a trajectory; without: as the scene's evolution.")
    init: Init | None = Field(default=None, description="What the first are; without: as the scene's evolution.")
    backend: Backend = Field(default="auto", description="Where the decoder runs.")
    latents: Latents = Field(default={}, description=LATENTS)


@with_knobs(knobs_of("input"))
class Input(Section):
    """A microphone or line that the voice hears: played by its model, and given to the search."""

    device: Text | None = Field(
        default=None, description="Name of the input, or a part of it; the default input without."
    )
    channel: Annotated[int, limits(1, 64, "steps")] | None = Field(
        default=None, description="Which of its channels, from 1; without: the mean of the first two."
    )


class Scene(Section):
    """One scene file."""

    name: Text = Field(description="What people call it.")
    model: ModelName = Field(
        "bronze", validate_default=True, description="A folder in models/, or a path from the scene's folder."
    )
    seed: Annotated[int, limits(0, 2**32 - 1, "steps")] = Field(default=0, description="Where chance begins.")
    evolution: Annotated[Evolution, nothing_is({})] = Evolution()
    voice: Annotated[Voice, nothing_is({})] = Voice()
    latents: Latents = Field(default={}, description=LATENTS)
    orchestra: Annotated[tuple[Part, ...], Field(max_length=parameters.PARTS - 1), nothing_is(())] = Field(
        default=(), description="Models that play beside the voice, parts 2 to 4."
    )
    input: Annotated[Input | None, nothing_is({})] = Field(default=None, description="What the voice hears.")
    picture: Annotated[Picture, nothing_is({})] = Field(default_factory=dict, validate_default=True)
    master: Annotated[Master, nothing_is({})] = Master()
    midi: Annotated[tuple[Midi, ...], nothing_is(())] = Field(default=(), description="Controllers, by device.")
    osc: Annotated[Osc, nothing_is({})] = Osc()

    def values(self) -> dict[str, float]:
        """The parameters this scene sets, by address; all others keep their defaults."""
        values: dict[str, float] = {}
        for owner in ("evolution", "voice", "picture", "master", "input"):
            section = getattr(self, owner)
            values.update(section.turned(f"/{owner}") if section is not None else {})
        values.update(_turned(self.latents))
        for number, part in enumerate(self.orchestra, 2):
            own = part.turned("/voice") | _turned(part.latents)
            values.update({parameters.of_part(number, address): value for address, value in own.items()})
        return values

    def latent_values(self, latent_dims: tuple[int, ...]) -> dict[str, float]:
        """Every parameter of each latent of each part's model by address, as set here or by default; `latent_dims` are
        the models' numbers of latents."""
        first, *others = latent_dims
        values = {
            address: parameter.default
            for address, parameter in parameters.declared(first, tuple(others)).items()
            if "/latent/" in address
        }
        return values | {address: value for address, value in self.values().items() if address in values}


def _turned(latents: Named[int, Latent]) -> dict[str, float]:
    found: dict[str, float] = {}
    for index, latent in latents.items():
        found.update(latent.turned(f"/latent/{index}"))
    return found

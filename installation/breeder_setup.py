"""What a breeder is started with, and what follows from that: its search, its store's header, what steers it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from installation.evolution.audition import audition
from installation.evolution.breeding import Breeder, new_search
from installation.evolution.genotype import Space
from installation.evolution.kept import Header
from installation.evolution.search import Search
from installation.evolution.settings import Settings
from installation.evolution.steering import Steering
from installation.instrument import Instrument
from installation.model import MODELS, Model, digest
from installation.parameters import Values, declared
from installation.sound.decoder import Decoder

EMBEDDING = "/evolution/embedding"


@dataclass(frozen=True)
class BreederSetup:
    """All a breeder needs to start; picklable. `model` is a name in the folder `models` or a path; without `store`
    nothing is kept; `values` are parameters by address, in their natural units, those of its `part` as if it were the
    first."""

    model: str
    models: Path = MODELS
    device: str = "cpu"
    store: Path | None = None
    seed: int = 0
    container: int = 50
    brood: int = 30
    steps: int = 64
    init: str = "normal"
    archive: int = 1000
    values: dict[str, float] = field(default_factory=dict)
    part: int = 1

    @property
    def embedding(self) -> str:
        """What novelty is measured on, as its parameter says."""
        return Values(declared(0), self.values).name(EMBEDDING)


def steering(values: Values) -> Steering:
    """What the parameters say to the search."""
    return Steering(
        mutation_rate=values["/evolution/mutation_rate"],
        sigma=values["/evolution/sigma"],
        crossover=values["/evolution/crossover"],
        neighbours=int(values["/evolution/neighbours"]),
        mask=movable(values),
        quality=values["/evolution/quality"],
        operator=values.name("/evolution/operator"),
        recombination=values.name("/evolution/recombination"),
        selection=values.name("/evolution/selection"),
    )


def movable(values: Values) -> npt.NDArray[np.bool_] | None:
    """Which latents mutation may move, (latent_dim,); None where the model is not known."""
    switches = [values[address] > 0.5 for address in values if address.endswith("/evolve")]
    return np.array(switches, bool) if switches else None


def settings_of(setup: BreederSetup) -> Settings:
    """What of `setup` the search is from its beginning; the rest is steered."""
    return Settings(
        container=setup.container,
        brood=setup.brood,
        steps=setup.steps,
        init=setup.init,
        archive=setup.archive,
        embedding=setup.embedding,
        seed=setup.seed,
    )


def search_for(setup: BreederSetup, model: Model) -> Search:
    """The search `setup` describes, at its beginning."""
    return new_search(
        Space(model.mean, model.deviation),
        settings_of(setup),
        excerpts=model.excerpts(),
        steering=steering(Values(declared(model.latent_dim), setup.values)),
    )


def offline(setup: BreederSetup, model: Model, decoder: Decoder) -> Breeder:
    """A breeder with no process, clock or store, its embedding calibrated: the same for the same seed."""
    instrument = Instrument(model, setup.device, 1, audition(decoder))
    embedding = instrument.calibrated(setup.embedding, setup.steps, setup.seed)
    return Breeder(search_for(setup, model), instrument.evaluator(embedding))


def header_for(setup: BreederSetup, model: Model) -> Header:
    """What a store for `setup` must be made for; not calibrated."""
    settings = settings_of(setup).as_dict()
    return Header(
        model.name,
        digest(model.decoder),
        model.latent_dim,
        setup.steps,
        setup.embedding,
        setup.seed,
        settings=settings,
    )

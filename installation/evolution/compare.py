"""Runs side by side, judged by one embedding that none of them used and by one scale. No file is written here."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from installation.errors import InstallationError
from installation.evolution.audience import Audience, Spread, Yardstick, open_held_out, spreads
from installation.evolution.chronicle import Chronicle
from installation.evolution.store import Store

SEED = "seed"


@dataclass(frozen=True, eq=False)
class Run:
    """One of those compared: its containers' `spread` at each of `numbers`, of which the first and last are the run's
    own."""

    chronicle: Chronicle
    numbers: tuple[int, ...]
    spread: tuple[Spread, ...]

    @property
    def name(self) -> str:
        return self.chronicle.name

    def figures(self, held_out: str) -> dict[str, Any]:
        """The run's part of the comparison, fit for JSON. `start` is of the founders, or of the earliest container that
        is kept whole."""
        told = self.chronicle
        return {
            "selection": told.settings.selection,
            "sparseness": told.means[1:],
            **asdict(self.spread[-1]),
            "embedding": told.embedded.name,
            "heldout_embedding": held_out,
            "start": {"sparseness": told.mean_at(self.numbers[0]), **asdict(self.spread[0])},
            "settings": told.stated,
        }


@dataclass(frozen=True, eq=False)
class Comparison:
    """`runs` of one model, judged by the embedding `held_out` with the kernel's `scale`."""

    runs: tuple[Run, ...]
    held_out: str
    scale: float

    def as_dict(self) -> dict[str, Any]:
        """Fit for JSON: {"runs": {name: figures}}."""
        return {"runs": {run.name: run.figures(self.held_out) for run in self.runs}}

    def groups(self) -> dict[str, list[Run]]:
        """Runs that differ in nothing but their seed, by a label that says what their settings are where groups
        differ."""
        together: dict[str, list[Run]] = {}
        for run in self.runs:
            together.setdefault(json.dumps(_without_seed(run), sort_keys=True), []).append(run)
        settings = [_without_seed(runs[0]) for runs in together.values()]
        return dict(zip(labels(settings), together.values(), strict=True))


def compare(stores: Sequence[Store], audience: Audience, heldout: str | None = None, moments: int = 2) -> Comparison:
    """The runs of `stores`, each heard at `moments` generations, of which the first and the last are two. They are
    judged by `heldout`, or the first embedding that none of them used. InstallationError if they are of different
    models, or none; ModelError if nothing is left to judge by."""
    _check(stores)
    told = [
        Chronicle.of(store, name) for store, name in zip(stores, names(store.path for store in stores), strict=True)
    ]
    used = set().union(*(each.used for each in told))
    yardstick = Yardstick.of(audience, open_held_out(audience, used, heldout))
    runs = tuple(_heard(each, audience, yardstick, moments) for each in told)
    return Comparison(runs, yardstick.embedding.name, yardstick.scale)


def _check(stores: Sequence[Store]) -> None:
    if not stores:
        raise InstallationError("compare: no runs, allowed are 1 and more")
    first = stores[0]
    for each in stores[1:]:
        if (each.header.model, each.header.decoder_sha256) != (first.header.model, first.header.decoder_sha256):
            raise InstallationError(
                f"compare: {first.path} is of the model {first.header.model} ({first.header.decoder_sha256[:8]}), "
                f"{each.path} of {each.header.model} ({each.header.decoder_sha256[:8]}); allowed is one model"
            )


def _heard(told: Chronicle, audience: Audience, yardstick: Yardstick, moments: int) -> Run:
    numbers = told.evenly(moments)
    spread = spreads(audience, yardstick, [told.container(number) for number in numbers], told.name)
    return Run(told, tuple(numbers), tuple(spread))


def names(paths: Iterable[Path]) -> list[str]:
    """A name for each of `paths`, all different: the file's stem; if that is taken, with the folder's in front; if that
    is taken too, with a number behind."""
    found: list[str] = []
    for path in paths:
        name = path.stem
        if name in found:
            name = f"{path.absolute().parent.name}/{path.stem}"
        number, plain = 2, name
        while name in found:
            name, number = f"{plain} {number}", number + 1
        found.append(name)
    return found


def _without_seed(run: Run) -> dict[str, Any]:
    return {name: value for name, value in run.chronicle.stated.items() if name != SEED}


def labels(settings: Sequence[Mapping[str, Any]]) -> list[str]:
    """What tells each of `settings` from the others, all different; the whole run where there is only one."""
    everything = list(dict.fromkeys(name for each in settings for name in each))
    differing = [name for name in everything if len({json.dumps(each.get(name)) for each in settings}) > 1]
    if not differing:
        return ["all runs"] * len(settings)
    return [", ".join(f"{name} {_short(each.get(name, 'unknown'))}" for name in differing) for each in settings]


def _short(value: Any) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    return f"{value:.3g}" if isinstance(value, float) else str(value)

"""How long a generation takes: decode, gate and embed, search and store, in seconds, on one model.

python -m bench.search --model bronze --container 50 --brood 30 --generations 20
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tqdm import tqdm

from installation.breeder import BreederSetup, header_for, offline
from installation.evolution.breeding import Breeder
from installation.evolution.store import open_store
from installation.model import load
from installation.sound.decoder import open_decoder


def timed(spent: dict[str, float], name: str, call: Callable[..., Any]) -> Callable[..., Any]:
    """`call`, its time added to `spent[name]`."""

    def wrapped(*given: Any) -> Any:
        began_s = time.perf_counter()
        try:
            return call(*given)
        finally:
            spent[name] += time.perf_counter() - began_s

    return wrapped


def instrument(breeder: Breeder) -> dict[str, float]:
    """Seconds by part from now on, while `breeder` breeds."""
    spent: dict[str, float] = defaultdict(float)
    breeder.decode = timed(spent, "decode", breeder.decode)
    breeder.embedding.embed = timed(spent, "embed", breeder.embedding.embed)  # type: ignore[method-assign]
    breeder.search.tell = timed(spent, "sparseness", breeder.search.tell)  # type: ignore[method-assign]
    breeder.keep = timed(spent, "store", breeder.keep)  # type: ignore[method-assign]
    return spent


def measure(setup: BreederSetup, generations: int, folder: Path) -> dict[str, Any]:
    """Found, then breed `generations` broods; the means of those."""
    model = load(setup.model)
    breeder = offline(setup, model, open_decoder(model.decoder, setup.device))
    with open_store(folder / "bench.sqlite", header_for(setup, model)) as breeder.store:
        while breeder.search.founding:
            breeder.generation()
        spent, before = instrument(breeder), breeder.search.evaluations
        began_s = time.perf_counter()
        for _ in tqdm(range(generations), unit="generation", leave=False):
            breeder.generation()
        took_s = time.perf_counter() - began_s
    return {
        "container": setup.container,
        "brood": setup.brood,
        "generation_s": took_s / generations,
        "split_s": {name: seconds / generations for name, seconds in spent.items()},
        "evaluations_per_s": (breeder.search.evaluations - before) / took_s,
        "evolution": breeder.figures(),
        "load_average": os.getloadavg()[0],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="bronze")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--container", type=int, default=50)
    parser.add_argument("--brood", type=int, default=30)
    parser.add_argument("--generations", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    setup = BreederSetup(
        given.model, device=given.device, seed=given.seed, container=given.container, brood=given.brood
    )
    with tempfile.TemporaryDirectory() as folder:
        print(json.dumps(measure(setup, given.generations, Path(folder)), indent=2))


if __name__ == "__main__":
    main()

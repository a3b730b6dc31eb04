"""A listening study in one file: which sounds people find alike and which they like, asked blind.

The paper of LVNS-RAVE (arXiv 2404.14063) leaves open how far human judgement agrees with the embedding. Here it is
asked as a forced choice: which of B and C is more like A? The page needs no server and no network; it is given to
listeners as it is, and what they send back is read by `answers`.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from string import Template
from typing import Any

import numpy as np
import numpy.typing as npt

from installation.errors import RenderError, StoreError
from installation.evolution.audition import Decode
from installation.evolution.clips import Clip, draw_clips, equally_loud, run_name, wav
from installation.evolution.embedding import Embedding
from installation.evolution.page import (
    BRONZE,
    GROUND,
    INK,
    QUIET,
    RAISED,
    ROSE,
    RULE,
    STYLE,
    SURFACE,
    VERDIGRIS,
)
from installation.evolution.sparseness import distances
from installation.evolution.store import Store
from installation.evolution.triplets import catches, choose

Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

CATCHES = 4
"""Triplets in which one of the two compared is A itself: who misses more than one of them is not counted."""
CLIPS = 40
"""Different sounds in one study, at most."""
FEWEST = 4
BYTES = 16_000_000
"""Of sound in one file, at most, as text; but never fewer than SPARE clips for it."""
SPARE = 12
LIMITS = {"triplets": (1, 200), "ratings": (0, 200)}


@dataclass(frozen=True, eq=False)
class Study:
    """What was written: `name` of the study and `run` it belongs to, its `clips`, and as places among them `triplets`
    (count, 3), catch trials among them; each listener hears `repeats` of them twice and rates `ratings` clips."""

    name: str
    run: str
    clips: list[Clip]
    triplets: Integers
    repeats: int
    ratings: int


def write_study(
    store: Store,
    out: Path,
    decode: Decode,
    sample_rate_hz: int,
    embeddings: Mapping[str, Embedding],
    *,
    triplets: int = 24,
    ratings: int = 12,
    repeats: int = 4,
    seed: int = 0,
) -> Study:
    """Write the study of a run to `out`, one HTML file; the same for the same run, embeddings and seed. The embeddings
    are calibrated. RenderError if a count is not allowed or `out` can't be written, StoreError if the run holds too few
    sounds."""
    _check(triplets, ratings, repeats)
    if not embeddings:
        raise RenderError("study: embeddings: none, allowed are one and more")
    rng = np.random.default_rng([seed, 2])
    clips, sounds = draw_clips(store, decode, _most(store, sample_rate_hz, decode, 3 * triplets + ratings), rng)
    if len(clips) < FEWEST:
        raise StoreError(f"{store.path}: holds {len(clips)} different sounds that can be heard, a study needs {FEWEST}")
    apart = np.stack([_apart(each, sounds) for each in embeddings.values()])
    asked = np.vstack([choose(apart, triplets, rng), catches(apart, CATCHES, rng)])
    study = _named(run_name(store.header), clips, rng.permutation(asked), repeats, min(ratings, len(clips)))
    try:
        out.write_text(_page(study, equally_loud(sounds, sample_rate_hz), sample_rate_hz), "utf-8")
    except OSError as error:
        raise RenderError(f"{out}: the study can't be written: {error}") from error
    return study


def _check(triplets: int, ratings: int, repeats: int) -> None:
    limits = LIMITS | {"repeats": (0, triplets // 2)}
    for name, got in (("triplets", triplets), ("ratings", ratings), ("repeats", repeats)):
        low, high = limits[name]
        if not low <= got <= high:
            raise RenderError(f"study: {name}: {got} is outside {low}..{high}")


def _most(store: Store, sample_rate_hz: int, decode: Decode, wanted: int) -> int:
    """How many clips to draw: no more than are asked about, than CLIPS and than fit into the file."""
    first = next(store.individuals(), None)
    if first is None:
        return 0
    text = len(base64.b64encode(wav(decode(first.latents[None])[0], sample_rate_hz)))
    return min(wanted, CLIPS, max(SPARE, BYTES // text))


def _apart(embedding: Embedding, sounds: Floats) -> Doubles:
    points = embedding.embed(sounds)
    return distances(points, points)


def _named(run: str, clips: list[Clip], triplets: Integers, repeats: int, ratings: int) -> Study:
    """The study, its name made from all that a listener may meet."""
    whole = json.dumps([run, [each.name for each in clips], triplets.tolist(), repeats, ratings])
    return Study(hashlib.sha256(whole.encode()).hexdigest()[:16], run, clips, triplets, repeats, ratings)


def _page(study: Study, sounds: Floats, sample_rate_hz: int) -> str:
    """The page as HTML, everything in it."""
    parts = {name.replace(".", "_"): _part(name) for name in ("page.css", "voice.js", "page.js")}
    asked = _embedded(_asked(study, sounds, sample_rate_hz))
    return Template(_part("page.html")).substitute(style=STYLE, palette=_palette(), asked=asked, **parts)


def _asked(study: Study, sounds: Floats, sample_rate_hz: int) -> dict[str, Any]:
    """What the page needs to know: of the run only hashes, in an order that says nothing."""
    names = [each.name for each in study.clips]
    files = [base64.b64encode(wav(sound, sample_rate_hz)).decode() for sound in sounds]
    return {
        "study": study.name,
        "run": study.run,
        "clips": dict(sorted(zip(names, files, strict=True))),
        "triplets": [[names[place] for place in row] for row in study.triplets],
        "repeats": study.repeats,
        "ratings": study.ratings,
    }


def _palette() -> str:
    colours = {"ground": GROUND, "surface": SURFACE, "raised": RAISED, "rule": RULE, "ink": INK, "quiet": QUIET}
    colours |= {"bronze": BRONZE, "verdigris": VERDIGRIS, "rose": ROSE}
    return "".join(f"--{name}: {colour}; " for name, colour in colours.items())


def _part(name: str) -> str:
    return (resources.files("installation.evolution") / f"study_{name}").read_text("utf-8")


def _embedded(asked: dict[str, Any]) -> str:
    """JSON that can't end the element it stands in."""
    return json.dumps(asked, separators=(",", ":")).replace("<", "\\u003c")

"""A run's report: a page with plots, the most novel sounds, where they come from, and what ails the search if anything.

FOLDER/index.html   the page; everything else beside it, by relative path
FOLDER/report.json  the same figures for programs
FOLDER/*.png        plots        FOLDER/sounds/ID.wav, ID.png   the most novel
"""

from __future__ import annotations

import json
from html import escape
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from installation.errors import InstallationError
from installation.evolution import plots
from installation.evolution.audience import Audience
from installation.evolution.chronicle import Chronicle
from installation.evolution.clips import wav
from installation.evolution.embedding.pca import Pca
from installation.evolution.examination import Examination, examine, plan
from installation.evolution.generation import Generation
from installation.evolution.individual import Individual
from installation.evolution.lineage import ancestry, drawing, legend
from installation.evolution.page import card, cards, document, figure, table, verdict
from installation.evolution.spectrogram import frequencies_hz, spectrogram
from installation.evolution.store import Store

Floats = npt.NDArray[np.float32]

SOUNDS = "sounds"


def write_report(store: Store, out: Path, audience: Audience, heldout: str | None = None) -> dict[str, Any]:
    """Write the report of `store` into the folder `out`, made if missing; the figures of report.json. Judged under the
    embedding `heldout`, or the first the search did not use. InstallationError if it can't be written, ModelError if
    nothing is left to judge by."""
    plots.canvas()
    found = examine(Chronicle.of(store), audience, heldout)
    try:
        (out / SOUNDS).mkdir(parents=True, exist_ok=True)
        _draw(found, out)
        _sound(found, out, audience)
        figures = found.figures()
        (out / "report.json").write_text(json.dumps(figures, indent=1), "utf-8")
        (out / "index.html").write_text(document(f"{found.chronicle.name}, a report", _body(found)), "utf-8")
    except OSError as error:
        raise InstallationError(f"{out}: the report can't be written: {error}") from error
    return figures


def _draw(found: Examination, out: Path) -> None:
    told = found.chronicle
    past = [each.generation for each in told.generations]
    numbers = [each.number for each in past]
    rows = np.array([[each.mean, each.deviation, each.lowest, each.highest] for each in past]).T
    plots.sparseness_plot(out / "sparseness.png", numbers, rows)
    plots.spread_plot(out / "spread.png", found.numbers, _spread_rows(found))
    reasons = sorted({reason for each in told.generations for reason, count in each.rejected.items() if count})
    refused = {
        reason.replace("_", " "): [each.rejected.get(reason, 0) for each in told.generations] for reason in reasons
    }
    plots.stack_plot(out / "rejected.png", numbers, refused, "children refused")
    plots.lines_plot(out / "credit.png", numbers, _credit_rows(past), "share that came to live")
    if len(found.agreement.names) > 1:
        plots.matrix_plot(out / "agreement.png", found.agreement.names, found.agreement.correlations)
    points, born, alive = plan(told)
    pca = Pca.fit(points, 2)
    places = pca.project(points)
    shares = places.var(axis=0) / max(1e-12, float(points.var(axis=0).sum()))
    plots.map_plot(out / "map.png", places, born, alive, shares)


def _spread_rows(found: Examination) -> dict[str, list[float]]:
    return {
        "Vendi score": [each.vendi for each in found.spread],
        "mean distance to the nearest": [each.nearest_neighbour for each in found.spread],
        "coverage of the reference": [each.coverage for each in found.spread],
    }


def _credit_rows(past: list[Generation]) -> dict[str, list[float]]:
    """Credit of those operators whose credit ever moved."""
    names = past[-1].credit
    rows = {name: [each.credit.get(name, 0.5) for each in past] for name in names}
    return {name: row for name, row in rows.items() if len(set(row)) > 1}


def _sound(found: Examination, out: Path, audience: Audience) -> None:
    """The most novel as WAV and picture. Decoded one by one: ten clips, and each as it would sound alone."""
    for each, _ in found.novel:
        (sound,) = audience.decode(each.latents[None])
        (out / SOUNDS / f"{each.identity}.wav").write_bytes(wav(sound, audience.sample_rate_hz))
        seconds = len(sound) / audience.sample_rate_hz
        picture = spectrogram(sound, audience.sample_rate_hz)
        path = out / SOUNDS / f"{each.identity}.png"
        plots.spectrogram_plot(path, picture, frequencies_hz(audience.sample_rate_hz), seconds)


# The page -------------------------------------------------------------------------------------------------------


def _body(found: Examination) -> str:
    return "\n".join(
        (_head(found), _curves(found), _children(found), _map(found), _novel(found), _ears(found), _made(found))
    )


def _head(found: Examination) -> str:
    told, settings = found.chronicle, found.chronicle.settings
    start, end = found.spread[0], found.spread[-1]
    first, last = told.generations[0].generation, told.generations[-1].generation
    health = found.diagnosis.name or ("by the curve alone, well" if found.twins else "in good health")
    return (
        f'<p class="mark">Novelty search over {escape(told.header.model)}</p><h1>{escape(told.name)}</h1>'
        f'<p class="lead">{last.number} generations, {last.evaluations} sounds heard, {settings.selection} selection, '
        f"novelty by {escape(told.embedded.name)}; judged by {escape(found.held_out)}{_own(found)}.</p>"
        + verdict(health, found.diagnosis.sentence, bool(found.diagnosis.name))
        + (verdict("sparseness misleads", found.twins, True) if found.twins else "")
        + cards(
            (
                card(f"Vendi score, {found.held_out}", f"{end.vendi:.2f}", f"{start.vendi:.2f}"),
                card("distance to the nearest", f"{end.nearest_neighbour:.2f}", f"{start.nearest_neighbour:.2f}"),
                card("coverage of the reference", f"{end.coverage:.0%}", f"{start.coverage:.0%}"),
                card(f"mean sparseness, {told.embedded.name}", f"{last.mean:.2f}", f"{first.mean:.2f}"),
            )
        )
    )


def _own(found: Examination) -> str:
    return (
        ", which the search used itself" if found.held_out in found.chronicle.used else ", which the search did not use"
    )


def _curves(found: Examination) -> str:
    kept = len(found.numbers)
    return (
        "<h2>Sparseness</h2>"
        + figure(
            "sparseness.png",
            "Sparseness of the container after each generation: mean, a band of one deviation to either side, lowest "
            "and highest. It is what selection presses on, so it rises by itself.",
        )
        + f"<h2>Variety, heard by {escape(found.held_out)}</h2>"
        + figure(
            "spread.png",
            f"The container at {kept} generations under {found.held_out}. Vendi score: how many different sounds it is "
            f"worth (kernel scale {found.scale:.3g}, at which the model's own sounds are neighbours). Distance to the "
            "nearest falls to 0 where sounds come in twins. Coverage: the share of the model's own sounds that have "
            "one of the container close by. Dashed: the first container.",
        )
    )


def _children(found: Examination) -> str:
    late = found.chronicle.rejected_share()
    faults = ", ".join(f"{count} {reason.replace('_', ' ')}" for reason, count in found.faults.items()) or "none"
    size = len(found.chronicle.container(found.chronicle.last))
    return (
        '<h2>Children</h2><div class="pair">'
        + figure("rejected.png", f"Children the gate refused in each generation, by reason; {late:.0%} of the latest.")
        + figure("credit.png", "What each operator has lately earned: the share of its children that came to live.")
        + f'</div><p class="note">Of the {size} that live now the gate would refuse: {escape(faults)}. Their mean '
        f"quality is {found.quality:.2f}.</p>"
    )


def _map(found: Examination) -> str:
    return "<h2>The ground covered</h2>" + figure(
        "map.png",
        f"All that are kept, by the two principal components of {found.chronicle.embedded.name}; dark were born early, "
        "light late; ringed live now.",
    )


def _novel(found: Examination) -> str:
    known = found.chronicle.known
    trees = [ancestry(each, known) for each, _ in found.novel]
    sounds = [_one(each, now, drawing(tree)) for (each, now), tree in zip(found.novel, trees, strict=True)]
    return (
        "<h2>The most novel</h2><p class='note'>The sparsest of the last container, measured now against it and the "
        "archive. Beside each its nearest ancestors: a dashed ring where there are more than are drawn, hollow where "
        "one is no longer kept.</p>" + legend(trees) + "".join(sounds)
    )


def _one(each: Individual, now: float, tree: str) -> str:
    source = f"{SOUNDS}/{each.identity}"
    made = each.operator or "founder"
    return (
        f'<section class="sound"><div><h3>{each.identity}</h3><p class="note">sparseness {now:.2f}, when born '
        f"{each.sparseness:.2f}; generation {each.generation}, {escape(made)}</p>"
        f'<img src="{source}.png" alt="Spectrogram of {each.identity}" loading="lazy">'
        f'<audio controls preload="none" src="{source}.wav"></audio></div><div>{tree}</div></section>'
    )


def _ears(found: Examination) -> str:
    held = found.agreement
    missing = "".join(f"<li>{escape(name)}: {escape(why)}</li>" for name, why in held.missing.items())
    picture = (
        figure(
            "agreement.png",
            f"Rank correlation of all pairwise distances of {held.sounds} sounds that live now: 1 where two embeddings "
            "order all pairs alike, 0 where they have nothing in common.",
        )
        if len(held.names) > 1
        else "<p>Only one embedding can be opened here; there is nothing to compare it with.</p>"
    )
    left_out = f'<div class="note">Left out:<ul>{missing}</ul></div>' if missing else ""
    return f'<h2>Do other ears agree?</h2><div class="narrow">{picture}</div>{left_out}'


def _made(found: Examination) -> str:
    stated = [
        (name, f"{value:g}" if isinstance(value, float) else str(value))
        for name, value in found.chronicle.stated.items()
    ]
    return f"<h2>Settings</h2>{table(('setting', 'value'), stated)}"

"""The results of a listening study, to be read: as text in a terminal and as a page."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from installation.evolution.agreement import Agreement, Fit
from installation.evolution.intervals import FEW, Estimate
from installation.evolution.page import INK, QUIET, RULE, SERIES, card, cards, document, table, verdict
from installation.evolution.triplets import BANDS

COLUMNS = ("all", *BANDS, "disputed")
NAMES = {"interest": "interesting", "room": "wanted in a room", "fault": "faulty"}

CHOSEN = (
    "Intervals are over listeners, for these questions. They were chosen, of several embeddings half because "
    "two answer them differently: compare shares with each other, not with those of sounds drawn at random."
)


def as_text(results: Agreement) -> str:
    """A few tables, 96 columns wide at the most for embeddings of usual names."""
    return "\n".join(_lines(results)) + "\n"


def _lines(results: Agreement) -> Iterator[str]:
    yield _who(results)
    yield from (f"left out: {each}" for each in _left_out(results))
    yield from (f"refused: {each}" for each in results.refused)
    if results.fits:
        yield ""
        yield "How often people chose what is nearer to A (0.50 is chance; 95 % intervals):"
        yield from _columns([("", *COLUMNS), *((fit.embedding, *map(_cell, _estimates(fit))) for fit in results.fits)])
        yield sentence(results)
        yield CHOSEN
    yield ""
    yield from _columns([(name, value) for name, value in _people(results)])
    yield ""
    yield "How ratings go with what the search knew (Spearman's rho):"
    yield from _columns([("", *_known(results)), *_likings(results)])


def _columns(rows: list[tuple[str, ...]]) -> Iterator[str]:
    widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]))]
    for row in rows:
        yield "  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()


def _who(results: Agreement) -> str:
    counted = f"{_many(results.listeners, 'listener')} counted ({results.complete} to the end)"
    others = f"{len(results.inattentive)} left out, {_many(len(results.refused), 'file')} refused"
    return f"{counted}, {others}; {_many(results.answers, 'answer')} to {_many(results.questions, 'question')}"


def _many(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"


def _left_out(results: Agreement) -> list[str]:
    return [
        f"participant {each['participant'][:8]}: {each['right']} of {each['catches']} catch trials right"
        for each in results.inattentive
    ]


def _estimates(fit: Fit) -> list[Estimate | None]:
    return [fit.overall, *(fit.bands[band] for band in BANDS), fit.disputed]


def _cell(estimate: Estimate | None) -> str:
    return "–" if estimate is None else str(estimate)


def sentence(results: Agreement) -> str:
    """What may be said of the embeddings, and no more."""
    if not results.fits or results.fits[0].overall is None:
        return "Nobody has answered yet."
    best = results.fits[0]
    overall = best.overall
    assert overall is not None
    said = f"People choose as {best.embedding} in {overall.value:.0%} of answers"
    said += ": more than by chance." if overall.low > 0.5 else ", which may be chance."
    if overall.high < 0.5:
        said = f"People choose against {best.embedding} more than by chance."
    for fit in results.fits[1:]:
        surely = fit.lead is not None and fit.lead.low > 0
        said += f" It is nearer to people than {fit.embedding}." if surely else f" Not told apart from {fit.embedding}."
    few = f" With fewer than {FEW} listeners take all of this as a first look."
    return said + (few if results.listeners < FEW else "")


def _people(results: Agreement) -> list[tuple[str, str]]:
    def number(value: float | None) -> str:
        return "–" if value is None else f"{value:.2f}"

    return [
        ("people with each other, choices (Krippendorff's alpha)", number(results.alpha["choices"])),
        ("people with each other, interesting (alpha, interval)", number(results.alpha["interest"])),
        ("people with each other, wanted in a room (alpha, interval)", number(results.alpha["room"])),
        ("people with themselves, on repeats", _cell(results.consistency)),
        ("answers for the left side", _cell(results.left)),
        ("ratings that say something is wrong", _cell(results.faulty)),
    ]


def _known(results: Agreement) -> list[str]:
    return list(dict.fromkeys(each.known for each in results.likings))


def _likings(results: Agreement) -> list[tuple[str, ...]]:
    rated = dict.fromkeys(each.rated for each in results.likings)
    return [(NAMES[name], *(_cell(each.rho) for each in results.likings if each.rated == name)) for name in rated]


# ---- as a page


def as_page(results: Agreement) -> str:
    """One HTML page that needs nothing else."""
    best = results.fits[0].overall if results.fits else None
    said = [
        '<p class="mark">Listening study</p>',
        "<h1>Do people hear what the embedding measures?</h1>",
        f'<p class="lead">{escape(_who(results))}. Run {escape(results.run[:12])}.</p>',
        verdict("In a sentence", sentence(results), best is None or best.low <= 0.5),
        cards(card(name, value) for name, value in _headline(results)),
        "<h2>People and embeddings</h2>",
        '<p class="note">Which of B and C is more like A? The share of answers for the clip that lies nearer under '
        "each embedding, by how easy the question is to it, and for the questions embeddings answer differently. Bars "
        f"are 95 % intervals; the line is chance. {CHOSEN}</p>",
        *(f"<figure>{_whiskers(fit, SERIES[place % len(SERIES)])}</figure>" for place, fit in enumerate(results.fits)),
        table(("", *COLUMNS), [(fit.embedding, *map(_cell, _estimates(fit))) for fit in results.fits]),
        "<h2>People and people</h2>",
        table(("", ""), _people(results)),
        "<h2>What is liked</h2>",
        '<p class="note">Spearman\'s rho of the mean rating of each clip with its sparseness when it was born, and '
        "with its quality, 95 % intervals over listeners and clips.</p>",
        table(("", *_known(results)), _likings(results)),
        *_not_counted(results),
    ]
    return document("Listening study", "\n".join(said))


def _headline(results: Agreement) -> list[tuple[str, str]]:
    choices = results.alpha["choices"]
    return [
        ("listeners", str(results.listeners)),
        ("answers", str(results.answers)),
        ("agreement among people (alpha)", "–" if choices is None else f"{choices:.2f}"),
        ("same answer when asked again", "–" if results.consistency is None else f"{results.consistency.value:.0%}"),
    ]


def _not_counted(results: Agreement) -> list[str]:
    lines = [*_left_out(results), *results.refused]
    if not lines:
        return []
    return ["<h2>Not counted</h2>", "<ul>", *(f"<li>{escape(line)}</li>" for line in lines), "</ul>"]


def _whiskers(fit: Fit, colour: str) -> str:
    """The shares of one embedding as points with intervals on 0..1, a row each, as SVG."""
    left, width, height, top = 150, 640, 30, 40
    rows = list(zip(COLUMNS, _estimates(fit), strict=True))
    bottom = top + height * len(rows)

    def x(value: float) -> float:
        return round(left + width * value, 1)

    drawn = [f'<text x="0" y="16" fill="{INK}" font-size="17">{escape(fit.embedding)}</text>']
    for tick in (0.0, 0.25, 0.5, 0.75, 1.0):
        stroke = f'stroke="{QUIET}" stroke-dasharray="3 4"' if tick == 0.5 else f'stroke="{RULE}"'
        drawn.append(f'<line x1="{x(tick)}" x2="{x(tick)}" y1="{top - 8}" y2="{bottom}" {stroke}/>')
        drawn.append(f'<text x="{x(tick)}" y="{bottom + 18}" fill="{QUIET}" text-anchor="middle">{tick:g}</text>')
    for place, (name, estimate) in enumerate(rows):
        y = top + height * (place + 0.4)
        drawn.append(f'<text x="{left - 16}" y="{y + 5}" fill="{QUIET}" text-anchor="end">{name}</text>')
        if estimate is not None:
            ends = f'x1="{x(estimate.low)}" x2="{x(estimate.high)}" y1="{y}" y2="{y}"'
            drawn.append(f'<line {ends} stroke="{colour}" stroke-width="3" stroke-linecap="round" opacity=".55"/>')
            drawn.append(f'<circle cx="{x(estimate.value)}" cy="{y}" r="6" fill="{colour}"/>')
    return (
        f'<svg viewBox="0 0 {left + width + 20} {bottom + 26}" width="100%" role="img" '
        f'aria-label="{escape(fit.embedding)}" font-size="13.5" font-family="inherit">{"".join(drawn)}</svg>'
    )

"""Where an individual comes from: its nearest ancestors, and a drawing of them over time as SVG."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from html import escape

from installation.evolution.individual import Individual
from installation.evolution.operators import MUTATIONS
from installation.evolution.page import FAINT, INK, QUIET, SERIES, SURFACE

MOST = 22
"""Ancestors drawn at most; the nearest first."""
LINE = "#4a525f"
WIDTH, ROW, MARGIN = 520, 16, 30
FOUNDER = "founder"
FORGOTTEN = "no longer kept"
COLOURS = dict(zip(MUTATIONS, SERIES, strict=False)) | {FOUNDER: INK, FORGOTTEN: FAINT}


@dataclass(frozen=True)
class Ancestor:
    """One in a family tree. `operator` is the mutation that made it, FOUNDER or FORGOTTEN; `generation` is None for one
    that is no longer kept; `parents` are those of its parents that are part of the tree, each once; `cut` says that
    others are not."""

    identity: int
    generation: int | None
    operator: str
    parents: tuple[int, ...]
    cut: bool


def ancestry(individual: Individual, known: Mapping[int, Individual], most: int = MOST) -> list[Ancestor]:
    """`individual` and its nearest ancestors among `known`, `most` in all, nearest first; each once."""
    found = {individual.identity: individual.parents}
    queue = [individual.identity]
    while queue:
        for parent in dict.fromkeys(found[queue.pop(0)]):
            if parent not in found and len(found) < most:
                found[parent] = known[parent].parents if parent in known else ()
                queue.append(parent)
    everyone = {**known, individual.identity: individual}
    return [_ancestor(identity, everyone.get(identity), found) for identity in found]


def _ancestor(identity: int, held: Individual | None, tree: Mapping[int, tuple[int, ...]]) -> Ancestor:
    if held is None:
        return Ancestor(identity, None, FORGOTTEN, (), False)
    parents = tuple(dict.fromkeys(held.parents))
    inside = tuple(parent for parent in parents if parent in tree)
    operator = held.operator or FOUNDER
    return Ancestor(identity, held.generation, operator, inside, len(inside) < len(parents))


def drawing(ancestors: list[Ancestor]) -> str:
    """The tree as SVG: generations from left to right, ending with the first of `ancestors`; a colour an operator."""
    rows = _rows(ancestors)
    columns = _columns(ancestors)
    places = {each.identity: (columns[each.identity], MARGIN / 2 + ROW * rows[each.identity]) for each in ancestors}
    height = MARGIN + ROW * len(rows)
    lines = [_line(places[parent], places[each.identity]) for each in ancestors for parent in each.parents]
    dots = [_dot(each, *places[each.identity], first=each is ancestors[0]) for each in ancestors]
    axis = _axis(ancestors, columns, height - 8)
    return (
        f'<svg viewBox="0 0 {WIDTH} {height + 8:.0f}" role="img" aria-label="Family tree" font-size="10.5" '
        f'font-family="inherit" fill="{QUIET}">{"".join(lines + dots + axis)}</svg>'
    )


def legend(ancestors: list[list[Ancestor]]) -> str:
    """Which colour is which operator, of those that occur, as HTML."""
    names = {each.operator for tree in ancestors for each in tree}
    dots = [
        f'<span style="color:{colour}">●</span> {escape(name)}' for name, colour in COLOURS.items() if name in names
    ]
    return f'<p class="note">{" &nbsp; ".join(dots)}</p>'


def _rows(ancestors: list[Ancestor]) -> dict[int, int]:
    """A row for each: between those reached first through one parent and through the other."""
    known = {each.identity: each for each in ancestors}
    through: dict[int, list[int]] = {}
    reached = {ancestors[0].identity}
    for each in ancestors:
        through[each.identity] = [parent for parent in each.parents if parent not in reached]
        reached.update(through[each.identity])
    order: list[int] = []

    def settle(identity: int) -> None:
        above, below = through[identity][:1], through[identity][1:]
        for parent in above:
            settle(parent)
        order.append(identity)
        for parent in below:
            settle(parent)

    settle(ancestors[0].identity)
    assert len(order) == len(known)
    return {identity: row for row, identity in enumerate(order)}


def _columns(ancestors: list[Ancestor]) -> dict[int, float]:
    """A place in time for each; one that is no longer kept lies before the earliest that is."""
    born = [each.generation for each in ancestors if each.generation is not None]
    first, last = min(born), max(born)
    first -= any(each.generation is None for each in ancestors)
    scale = (WIDTH - 2 * MARGIN - 20) / max(1, last - first)
    return {
        each.identity: MARGIN + scale * ((first if each.generation is None else each.generation) - first)
        for each in ancestors
    }


def _line(start: tuple[float, float], end: tuple[float, float]) -> str:
    (left, top), (right, bottom) = start, end
    middle = (left + right) / 2
    path = f"M{left:.1f} {top:.1f}C{middle:.1f} {top:.1f} {middle:.1f} {bottom:.1f} {right:.1f} {bottom:.1f}"
    return f'<path d="{path}" fill="none" stroke="{LINE}" stroke-width="1.3"/>'


def _dot(each: Ancestor, x: float, y: float, first: bool) -> str:
    colour = COLOURS.get(each.operator, QUIET)
    born = "" if each.generation is None else f", generation {each.generation}"
    radius = 6.5 if first else 4.5
    fill = SURFACE if each.generation is None else colour
    dash = ' stroke-dasharray="1.5 2"' if each.cut or each.generation is None else ""
    ring = f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius + 3}" fill="none" stroke="{colour}"{dash}/>'
    return (
        f"<g><title>{each.identity}: {escape(each.operator)}{born}</title>{ring if first or dash else ''}"
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius}" fill="{fill}" stroke="{colour}"/>'
        f'<text x="{x + radius + 5:.1f}" y="{y + 3.5:.1f}">{each.identity}</text></g>'
    )


def _axis(ancestors: list[Ancestor], columns: dict[int, float], y: float) -> list[str]:
    born = {each.generation: columns[each.identity] for each in ancestors if each.generation is not None}
    first, last = min(born), max(born)
    ends = [(first, "start"), (last, "end")] if last > first else [(first, "start")]
    return [
        f'<text x="{born[at] + (30 if anchor == "end" else -4):.1f}" y="{y:.1f}" fill="{FAINT}" '
        f'text-anchor="{anchor}">generation {at}</text>'
        for at, anchor in ends
    ]

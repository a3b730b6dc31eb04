"""How one generation of a search ended, as figures."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Generation:
    """`mean`, `deviation`, `lowest` and `highest` are of the container's sparseness, `born` those that came into it,
    `archived` those remembered; `reach` is the factor by which sigma has adapted, `credit` what each operator earns."""

    number: int
    evaluations: int
    mean: float
    deviation: float
    lowest: float
    highest: float
    born: int
    archived: int
    threshold: float | None
    reach: float
    credit: dict[str, float]

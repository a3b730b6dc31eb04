"""What novelty is seen through: the embedding as it is, or its principal components, fitted again now and then.

Principal components of an unsupervised embedding, refitted as the search goes, make a behaviour space that does not
stagnate (arXiv 2512.02783).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from installation.evolution.archive import Archive
from installation.evolution.embedding.pca import Pca
from installation.evolution.individual import Individual, embeddings_of
from installation.evolution.sparseness import distances

Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]


class Lens:
    """With `components` above 0 points are seen as so many principal components of container and archive, fitted when
    the first container is full and again `every` generations; before that, and with 0, as they are."""

    def __init__(self, components: int, every: int = 10) -> None:
        self.components = components
        self.every = every
        self.pca: Pca | None = None

    def see(self, points: Floats) -> Floats:
        """`points` (count, size) as they are seen, (count, components)."""
        return points if self.pca is None else self.pca.project(points)

    def remembered(self, archive: Archive, seen: Floats, neighbours: int, leave_out: list[int]) -> Doubles:
        """Distances of what is `seen` (count, components) to the nearest `neighbours`, at least, of the archive."""
        if not len(archive):
            return np.zeros((len(seen), 0))
        if self.pca is None:
            return archive.nearest(seen, neighbours, leave_out)
        others = np.isin(archive.memory.identities, leave_out, invert=True)
        return distances(seen, self.pca.project(archive.memory.points[others]))

    def refit(self, generation: int, container: list[Individual], archive: Archive) -> bool:
        """Fit again, if it is time; whether it was the first time, and nothing is seen as it was before."""
        first = self.pca is None
        if self.components and (first or generation % self.every == 0):
            points = embeddings_of(container, len(container[0].embedding))
            if len(archive):
                points = np.vstack([points, archive.memory.points])
            self.pca = Pca.fit(points, self.components)
            return first
        return False

    def state(self) -> dict[str, Any] | None:
        """Fit for JSON."""
        return None if self.pca is None else self.pca.state()

    def restore(self, state: dict[str, Any] | None) -> None:
        """See as that `state` saw."""
        self.pca = None if state is None else Pca.of(state)

"""Which scene is on: the order of scenes, a recall by name or place, the next one. A scene that can't be loaded is
refused whole, and the one that is on stays on."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from installation.commands import Refused
from installation.errors import SceneError
from installation.parameters import nearest
from installation.scene import Scene

Load = Callable[[str], Scene]
"""The scene of a stem, read anew; SceneError if it says what it may not."""


class Show:
    """`stems` in the order of the show; `load` reads the scene of a stem. Raises SceneError if `start` can't be loaded.

    A scene's place is its number in the order, from 0. Its name is learnt when it is first loaded.
    """

    def __init__(self, stems: Iterable[str], load: Load, start: str | None = None) -> None:
        self.stems = tuple(stems)
        self._load = load
        self._names: dict[str, str] = {}
        if not self.stems:
            raise ValueError("a show needs at least one scene")
        self.stem = self.stems[0] if start is None else start
        if self.stem not in self.stems:
            raise ValueError(f"the show has no scene {self.stem!r}{nearest(self.stem, self.stems)}")
        self.scene = self._loaded(self.stem)

    def recall(self, name: str) -> Scene | Refused:
        """Change to the scene of this stem, name or place; the scene that is on may be recalled, and is read anew."""
        stem = self._stem(name)
        if stem is None:
            known = (*self.stems, *self._names.values())
            return Refused(f"/scene/recall: no scene {name[:64]!r}{nearest(name[:64], known)}")
        return self._change(stem)

    def next(self) -> Scene | Refused:
        """Change to the next scene that can be loaded, the first after the last; refused if no other can."""
        here = self.stems.index(self.stem) if self.stem in self.stems else -1
        reasons = []
        for stem in (*self.stems[here + 1 :], *self.stems[: max(here, 0)]):
            changed = self._change(stem)
            if isinstance(changed, Scene):
                return changed
            reasons.append(changed.reason)
        return Refused("\n".join(reasons) or "/scene/next: there is no other scene")

    def reorder(self, stems: Iterable[str]) -> None:
        """The scenes there are now. The one that is on stays on, also when its file is gone."""
        self.stems = tuple(stems)
        self._names = {stem: name for stem, name in self._names.items() if stem in self.stems}

    def _stem(self, name: str) -> str | None:
        if name in self.stems:
            return name
        for stem, known in self._names.items():
            if known.casefold() == name.casefold():
                return stem
        if name.isascii() and name.isdigit() and len(name) < 6 and int(name) < len(self.stems):
            return self.stems[int(name)]
        return None

    def _change(self, stem: str) -> Scene | Refused:
        try:
            scene = self._loaded(stem)
        except SceneError as error:
            return Refused(str(error))
        self.stem, self.scene = stem, scene
        return scene

    def _loaded(self, stem: str) -> Scene:
        scene = self._load(stem)
        self._names[stem] = scene.name
        return scene

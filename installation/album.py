"""The snapshots of a show, in a folder: taken of how it stands, and brought back."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from installation import snapshot
from installation.commands import Set
from installation.parameters import Parameter
from installation.scene import Scene
from installation.snapshot import Snapshot
from installation.track import Moments


class Album:
    """Keeps them in `folder`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def keep(
        self, name: str, scene: Scene, stem: str, seed: int, values: Mapping[str, float], moment: Moments, time_s: float
    ) -> Path:
        """Keep how the show stands: `scene`, its file's `stem`, all `values` by address, the `moment` that is heard,
        `time_s` after it began. Where its picture is to be put; InstallationError if it can't be written."""
        now = datetime.now()
        taken = Snapshot(
            scene=stem,
            shader=Path(scene.picture.shader).name,
            taken=now.isoformat(timespec="milliseconds"),
            time_s=round(time_s, 3),
            seed=seed,
            trajectory=int(moment["trajectory"]),
            generation=int(moment["generation"]),
            values=values,
        )
        return taken.save(self._folder, name or snapshot.named(stem, now)).with_suffix(".png")

    def settings(self, name: str, parameters: Mapping[str, Parameter]) -> tuple[tuple[Set, ...], str]:
        """What brings `parameters` back to the snapshot called `name`, and a sentence about it; InstallationError if
        there is none."""
        settings, left = snapshot.load(self._folder, name).settings(parameters)
        rest = f"; {len(left)} are no parameters of this scene" if left else ""
        return settings, f"snapshot {name}: {len(settings)} parameters as they were{rest}"

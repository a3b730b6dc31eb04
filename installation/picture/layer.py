"""One shader of a picture: its program, what it reads, the file it comes from and the time it has been shown."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from installation import parameters
from installation.picture.canvas import Canvas
from installation.picture.frame import Frame
from installation.picture.heard import Heard
from installation.picture.program import Program
from installation.picture.shading import shaders
from installation.picture.shading.isf import Number
from installation.picture.textures import RESERVED, Known, Samples, Textures
from installation.picture.uniforms import FeatureMapping, Uniforms

TURN_S = 2048 * 2 * math.pi
"""TIME starts again from 0 after this long (3.6 h): a float that grew for months would move in jerks. The sine of TIME
times any multiple of 1/2048 goes on across the turn without a seam."""

PICTURE = "inputImage"
"""What a filter calls the picture it is given (ISF 2.0)."""

Stamp = tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class LayerSetup:
    """The shader in this file, what is heard turns it, and what the addresses of its inputs begin with."""

    shader: str
    mappings: tuple[FeatureMapping, ...] = ()
    prefix: str = parameters.INPUT


@dataclass(frozen=True)
class Moment:
    """What a frame is drawn from: when it is seen, the wall's clock, the `sound` (samples, channels) that ends then,
    and numbers under reserved names."""

    now_s: float
    date: datetime
    sound: Samples
    given: Mapping[str, Number]


class Layer:
    """`setup` drawn on `canvas`, which it is lent, as `heard`, `textures` and `values`, parameters by address. Opening
    raises InstallationError where the shader can't be read or compiled; of the layer it is the `heir_of` it goes on in
    time and takes over the persistent targets."""

    def __init__(
        self,
        canvas: Canvas,
        setup: LayerSetup,
        heard: Heard,
        textures: Textures,
        values: dict[str, float],
        heir_of: Layer | None = None,
        began_s: float | None = None,
    ) -> None:
        path = Path(setup.shader)
        self.setup, self._textures = setup, textures
        self._stamp = self._looked_at = stamp(path)
        self.shader = shaders.load(path)
        Uniforms.check(setup.mappings)
        self.program: Program = canvas.compile(self.shader, heir_of=heir_of.program if heir_of else None)
        self.uniforms = Uniforms(values, heard, self.shader, setup.mappings, setup.prefix)
        self._wanted = {each.name: each for each in self.shader.inputs if each.is_image}
        self._known: Known = {}
        self._began_s: float | None = heir_of._began_s if heir_of else began_s
        self._last_s: float | None = heir_of._last_s if heir_of else None
        self.frames: int = heir_of.frames if heir_of else 0

    @property
    def picture_input(self) -> str:
        """The input through which a filter is given a picture: ISF's inputImage, else its first that is not filled."""
        if PICTURE in self._wanted:
            return PICTURE
        free = [name for name, each in self._wanted.items() if each.kind == "image" and name not in RESERVED]
        return free[0] if free else PICTURE

    @property
    def samples_wanted(self) -> int:
        """How many samples before a frame's time it looks at; 0 for most."""
        return self._textures.samples_wanted(self._wanted.values())

    @property
    def changed(self) -> bool:
        """Whether its file is there, and not the one that was last looked at."""
        now = stamp(Path(self.setup.shader))
        return now is not None and now != self._looked_at

    def overlook(self) -> None:
        """Its file as it is now is no news any more."""
        self._looked_at = stamp(Path(self.setup.shader))

    @property
    def stale(self) -> bool:
        """Whether its file is there, and not the one that is drawn."""
        now = stamp(Path(self.setup.shader))
        return now is not None and now != self._stamp

    def frame(self, moment: Moment) -> Frame:
        """Its frame at `moment`; counts it as drawn."""
        began_s = moment.now_s if self._began_s is None else self._began_s
        last_s = moment.now_s if self._last_s is None else self._last_s
        frame = Frame(
            time_s=max(0.0, moment.now_s - began_s) % TURN_S,
            delta_s=max(0.0, moment.now_s - last_s),
            index=self.frames,
            date=_date(moment.date),
            values=self.uniforms.at(moment.given),
            textures=self._textures.changed(self._wanted, moment.sound, moment.now_s, self._known),
        )
        self._began_s, self._last_s = began_s, moment.now_s
        self.frames += 1
        return frame

    def leave(self) -> None:
        """It is shown no more."""
        self.uniforms.leave()
        self.program.release()


def stamp(path: Path) -> Stamp | None:
    """What changes when the shader's file does; None while it is away, as it is for a moment when an editor saves."""
    found = []
    for each in shaders.files(path):
        try:
            status = each.stat()
        except OSError:
            return None
        found.append((status.st_mtime_ns, status.st_size))
    return tuple(found) or None


def _date(date: datetime) -> tuple[float, float, float, float]:
    """Year, month, day, seconds of the day, as ISF's DATE."""
    seconds = date.hour * 3600 + date.minute * 60 + date.second + date.microsecond / 1e6
    return float(date.year), float(date.month), float(date.day), seconds

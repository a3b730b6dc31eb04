"""What is drawn and why: one shader, what it hears, and the file it comes from. Time is an argument, so that the
stage's clock and an offline one draw the same frames from the same moments."""

from __future__ import annotations

import math
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from installation.errors import ShaderError
from installation.picture import isf
from installation.picture.canvas import Canvas, Frame
from installation.picture.textures import TRAIL_MOMENTS, Trails, spectrum, waveform, width_of
from installation.picture.uniforms import Mapped, Uniforms
from installation.track import MOMENT, Moments

TURN_S = 2048 * 2 * math.pi
"""TIME starts again from 0 after this long (3.6 h): a float that grew for months would move in jerks. The sine of TIME
times any multiple of 1/2048 goes on across the turn without a seam."""
EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
"""DATE where there is no wall clock."""

_NO_SOUND = np.zeros((0, 1), np.float32)


class Scenery:
    """Draws on `canvas`, which it is lent. `values` are parameters by address."""

    def __init__(self, canvas: Canvas, latent_dim: int, values: dict[str, float] | None = None) -> None:
        self._canvas = canvas
        self._uniforms = Uniforms(values)
        self._trails = Trails(latent_dim)
        self._moment: Moments = np.zeros((), MOMENT)
        self._path: Path | None = None
        self._stamp: tuple[int, int] | None = None
        self._images: dict[str, isf.Input] = {}
        self._stale_trails = True
        self._began_s: float | None = None
        self._last_s = 0.0
        self.frames = 0

    @property
    def moments_wanted(self) -> int:
        """How many past moments fill the trails."""
        return TRAIL_MOMENTS

    @property
    def samples_wanted(self) -> int:
        """How many samples before a frame's time the shader looks at; 0 for most."""
        return max((width_of(each) for each in self._images.values() if each.kind == "audio"), default=0)

    def set(self, address: str, value: float) -> None:
        """Turn the parameter at `address`."""
        self._uniforms.set(address, value)

    def show(self, path: Path, mappings: Iterable[Mapped] = (), keep: bool = False) -> None:
        """Draw the shader in `path` from the next frame on; on ShaderError all stays as it was."""
        mappings = tuple(mappings)
        stamp = _stamp(path)
        shader = isf.load(path)
        self._uniforms.check(mappings)
        self._canvas.show(shader, keep=keep)
        self._uniforms.show(shader.inputs, mappings)
        self._path, self._stamp, self._mappings = path, stamp, mappings
        self._images = {each.name: each for each in shader.inputs if each.is_image}
        self._stale_trails = True

    def watch(self, path: Path, mappings: Iterable[Mapped]) -> None:
        """Show `path` as soon as its file changes: for one that is broken when the show begins."""
        self._path, self._stamp, self._mappings = path, _stamp(path), tuple(mappings)

    def refresh(self) -> bool:
        """Whether the shader's file changed and is now drawn, its persistent targets kept. ShaderError, once for each
        change, if it is broken: the last good one stays."""
        if self._path is None or (stamp := _stamp(self._path)) == self._stamp or stamp is None:
            return False
        self._stamp = stamp
        self.show(self._path, self._mappings, keep=True)
        return True

    def draw(
        self, now_s: float, moments: Moments, sound: npt.NDArray[Any] = _NO_SOUND, date: datetime | None = None
    ) -> None:
        """The frame seen at `now_s`: `moments` are those heard since the last one, oldest first; `sound` (samples,
        channels) ends at `now_s`. Without a `date`, DATE counts from EPOCH."""
        if self._began_s is None:
            self._began_s = self._last_s = now_s
        self._uniforms.heard.push(moments)
        if len(moments):
            self._moment = moments[-1]
            self._trails.push(moments)
            self._stale_trails = True
        elapsed_s = now_s - self._began_s
        self._canvas.draw(
            Frame(
                time_s=elapsed_s % TURN_S,
                delta_s=max(0.0, now_s - self._last_s),
                index=self.frames,
                date=_date(date or datetime.fromtimestamp(EPOCH.timestamp() + elapsed_s, UTC)),
                values=self._uniforms.at(now_s),
                textures=self._textures(sound),
                gain=self._uniforms.gain(now_s),
            )
        )
        self._last_s = now_s
        self.frames += 1

    def _textures(self, sound: npt.NDArray[Any]) -> dict[str, npt.NDArray[Any]]:
        """The textures this shader samples and that changed since the last frame."""
        found = {}
        for name, each in self._images.items():
            if each.kind == "audio":
                found[name] = waveform(sound, width_of(each))
            elif not self._stale_trails:
                continue
            elif each.kind == "audioFFT":
                found[name] = spectrum(self._moment["spectrum"], width_of(each))
            elif name == "latentTrail":
                found[name] = self._trails.latents
            elif name == "spectrumTrail":
                found[name] = self._trails.spectra
        self._stale_trails = False
        return found


def _stamp(path: Path) -> tuple[int, int] | None:
    """What changes when the file does; None while it is away, as it is for a moment when an editor saves."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size


def _date(date: datetime) -> tuple[float, float, float, float]:
    """Year, month, day, seconds of the day, as ISF's DATE."""
    seconds = date.hour * 3600 + date.minute * 60 + date.second + date.microsecond / 1e6
    return float(date.year), float(date.month), float(date.day), seconds


__all__ = ["EPOCH", "TURN_S", "Scenery", "ShaderError"]

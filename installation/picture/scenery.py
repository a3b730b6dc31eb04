"""What is drawn and why: a drawing with its effects, the one it takes the place of, and what both hear. Time is an
argument, so that the stage's clock and an offline one draw the same frames from the same moments."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from installation.errors import InstallationError
from installation.picture.canvas import Canvas, Step
from installation.picture.finishing import Finish
from installation.picture.frame import Frame
from installation.picture.heard import Heard
from installation.picture.layer import Layer, LayerSetup, Moment
from installation.picture.textures import Samples, Textures
from installation.picture.uniforms import PROGRESS, FeatureMapping, Light, Uniforms
from installation.track import Moments

EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
"""DATE where there is no wall clock."""
START, END = "startImage", "endImage"
"""What transitions call the pictures they are given (ISF 2.0)."""

_SILENCE: Samples = np.zeros((0, 1), np.float32)


@dataclass(frozen=True)
class Drawing:
    """A picture: its shader, the filters it goes through in order, and how it comes: by which transition, in how many
    seconds; 0 is a cut. `began_s` is when its TIME begins: with the first frame, if it is None."""

    source: LayerSetup
    effects: tuple[LayerSetup, ...] = ()
    transition: LayerSetup | None = None
    transition_s: float = 0.0
    began_s: float | None = None

    @property
    def paths(self) -> tuple[Path, ...]:
        """The files of its shaders."""
        layers = (self.source, *self.effects, *([self.transition] if self.transition else []))
        return tuple(dict.fromkeys(Path(each.shader) for each in layers))

    def check(self) -> None:
        """Everything its mappings come from is heard, or InstallationError."""
        for each in (self.source, *self.effects):
            Uniforms.check(each.mappings)

    @classmethod
    def of(cls, path: Path, mappings: Iterable[FeatureMapping] = ()) -> Drawing:
        """The shader in `path` and nothing else, at once."""
        return cls(LayerSetup(str(path), tuple(mappings)))


class Scenery:
    """Draws on `canvas`, which it is lent. `values` are parameters by address."""

    def __init__(
        self, canvas: Canvas, latent_dim: int, values: dict[str, float] | None = None, sample_rate_hz: int = 48_000
    ) -> None:
        self._canvas = canvas
        self.values = dict(values or {})
        self._heard = Heard()
        self.textures = Textures(latent_dim, sample_rate_hz, self._heard)
        self._light = Light(self.values)
        self._chain: list[Layer] = []
        self._leaving: list[Layer] = []
        self._change: Layer | None = None
        self._change_s: float | None = None
        self._began_s: float | None = None
        self._last_s = 0.0
        self.drawing: Drawing | None = None
        self.frames = 0
        self.gain = 1.0
        """What the picture drawn last was multiplied by."""

    @property
    def moments_wanted(self) -> int:
        """How many past moments fill the trails."""
        return self.textures.moments_wanted

    @property
    def samples_wanted(self) -> int:
        """How many samples before a frame's time the shaders look at; 0 for most."""
        return max((each.samples_wanted for each in self._layers()), default=0)

    @property
    def changing(self) -> bool:
        """Whether one picture is taking the place of another."""
        return bool(self._leaving)

    @property
    def light(self) -> float:
        """How bright the picture drawn last may be, 0..1, as far as blackout and knobs let it."""
        dimmed = self.values.get("/picture/brightness", 1.0) if self._dims() else 1.0
        return min(self.gain * dimmed, self.values.get("/picture/ceiling", 1.0))

    def set(self, address: str, value: float) -> None:
        """Turn the parameter at `address`."""
        self.values[address] = value

    def show(self, drawing: Drawing) -> None:
        """Draw `drawing` from the next frame on, across its transition; on InstallationError all stays as it was. What
        is still on its way in or out is cut short."""
        chain, change = self._opened((drawing.source, *drawing.effects), drawing.began_s), None
        if self._chain and drawing.transition is not None and drawing.transition_s > 0.0:
            try:
                change = Layer(self._canvas, drawing.transition, self._heard, self.textures, self.values)
            except InstallationError:
                _leave(chain)
                raise
        self._settle()
        if change is None:
            _leave(self._chain)
        else:
            self._leaving, self._change, self._change_s = self._chain, change, None
            for each in self._leaving:  # its inputs stand as they were: their addresses are the new one's now
                each.uniforms.values = dict(self.values)
        self.drawing, self._chain = drawing, chain

    def news(self) -> bool:
        """Whether a shader's file has changed since this was last asked."""
        changed = [each for each in self._chain if each.changed]
        for each in changed:
            each.overlook()
        return bool(changed)

    def reload(self) -> None:
        """Draw the shaders whose files have changed as they are now, their persistent targets kept. InstallationError
        if one is broken: the last good one stays."""
        for place, old in enumerate(self._chain):
            if old.stale:
                self._chain[place] = Layer(
                    self._canvas, old.setup, self._heard, self.textures, self.values, heir_of=old
                )
                old.leave()

    def resize(self, size: tuple[int, int]) -> None:
        """Draw pictures of `size` px from now on."""
        self._canvas.resize(size)
        for each in self._layers():
            each.program.resize(size)

    def draw(self, now_s: float, moments: Moments, sound: Samples = _SILENCE, date: datetime | None = None) -> None:
        """The frame seen at `now_s`: `moments` are those heard since the last one, oldest first; `sound` (samples,
        channels) ends at `now_s`. Without a `date`, DATE counts from EPOCH."""
        if self._began_s is None:
            self._began_s = self._last_s = now_s
        self.textures.push(moments)
        self._heard.advance(now_s)
        wall = date or datetime.fromtimestamp(EPOCH.timestamp() + now_s - self._began_s, UTC)
        moment = Moment(now_s, wall, sound, self.textures.numbers(now_s))
        steps = self._steps(moment)
        delta_s = max(0.0, now_s - self._last_s)
        self._canvas.draw(steps, self._finish(now_s, delta_s))
        self._last_s = now_s
        self.frames += 1

    def close(self) -> None:
        """Give back what was compiled."""
        self._settle()
        _leave(self._chain)
        self._chain = []

    def _opened(self, setups: Iterable[LayerSetup], began_s: float | None) -> list[Layer]:
        layers: list[Layer] = []
        try:
            for setup in setups:
                layers.append(  # noqa: PERF401 (what is open is to be left if one fails)
                    Layer(self._canvas, setup, self._heard, self.textures, self.values, began_s=began_s)
                )
        except InstallationError:
            _leave(layers)
            raise
        return layers

    def _layers(self) -> tuple[Layer, ...]:
        return (*self._leaving, *self._chain, *([self._change] if self._change else []))

    def _steps(self, moment: Moment) -> list[Step]:
        progress = self._progress(moment.now_s)
        if progress >= 1.0:
            self._settle()
        steps: list[Step] = []
        ends = [_extend(steps, chain, moment) for chain in (self._leaving, self._chain) if chain]
        if self._change and len(ends) == 2:
            frame = self._change.frame(moment)
            values = {**frame.values, PROGRESS: progress}
            told = Frame(frame.time_s, frame.delta_s, frame.index, frame.date, values, frame.textures)
            steps.append(Step(self._change.program, told, {START: ends[0], END: ends[1]}))
        return steps

    def _progress(self, now_s: float) -> float:
        """How far the change has come, 0..1; 1 when there is none."""
        if self._change is None or self.drawing is None:
            return 1.0
        if self._change_s is None:
            self._change_s = now_s
        return (now_s - self._change_s) / self.drawing.transition_s

    def _settle(self) -> None:
        """The change is over."""
        _leave(self._leaving)
        self._leaving = []
        if self._change:
            self._change.leave()
            self._change = None

    def _dims(self) -> bool:
        """Whether the drawing sees to its brightness by itself."""
        return bool(self._chain) and self._chain[0].uniforms.dims()

    def _finish(self, now_s: float, delta_s: float) -> Finish:
        self.gain = self._light.at(now_s, self._dims())
        return Finish(
            gain=self.gain,
            ceiling=self.values.get("/picture/ceiling", 1.0),
            guard=self.values.get("/picture/flash_guard", 1.0) > 0.5,
            delta_s=delta_s,
        )


def _extend(steps: list[Step], chain: Iterable[Layer], moment: Moment) -> int:
    """Add the steps of `chain`, each but the first a filter of the one before; the number of the last."""
    for place, layer in enumerate(chain):
        pictures: dict[str, int] = {}
        if place:
            pictures[layer.picture_input] = len(steps) - 1
        steps.append(Step(layer.program, layer.frame(moment), pictures))
    return len(steps) - 1


def _leave(layers: Iterable[Layer]) -> None:
    for each in layers:
        each.leave()

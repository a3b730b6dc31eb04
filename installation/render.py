"""The same show on an offline clock: search, sound, ear and picture composed in one process, written to a file.

Nothing here waits and nothing is random but the seed, so the same seed gives the same samples and frames on the same
machine. A generation is bred each `/evolution/interval` seconds of sound, between two blocks of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from installation import setups
from installation.breeder_setup import offline
from installation.commands import Atlas, Play
from installation.errors import RenderError
from installation.evolution.breeding import Breeder
from installation.model import load
from installation.performance import Performance
from installation.picture.canvas import Canvas
from installation.picture.films.recorder import Recorder
from installation.picture.scenery import Scenery
from installation.ring import Ring
from installation.scene import Scene
from installation.sound.card import Taker
from installation.sound.decoder import open_decoder
from installation.track import Track

CHANNELS = 2
RING = 1 << 17

Samples = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Rendering:
    """What to write: `seconds` of `scene` from `seed` to `out`; a .png is the last frame."""

    scene: Scene
    seconds: float
    seed: int
    out: Path


class Offline:
    """A performance and its breeder with a taker in place of the card, and positions in place of time."""

    def __init__(self, rendering: Rendering, ring: Ring, track: Track) -> None:
        scene = rendering.scene
        models = setups.scene_models(scene)
        values = setups.scene_values(scene, models)
        self._ring, self._taker = ring, Taker(ring)
        self.performance = Performance(ring, track, values, scene.voice.ahead_ms)
        self._nurseries = []
        for model, part in zip(models, setups.parts(scene, rendering.seed), strict=True):
            decoders = [open_decoder(model.decoder, "cpu") for _ in range(2)]
            self.performance.enter(self.performance.await_part(part, model), decoders[0])
            setup = setups.breeder_setup(scene, rendering.seed, values, number=part.number)
            self._nurseries.append(Nursery(part.number, offline(setup, model, decoders[1])))
        self._interval = max(1, int(values.get("/evolution/interval", 2.0) * ring.sample_rate_hz))

    def advance(self, count: int) -> Samples:
        """The next `count` samples, (count, channels), bred for, played and listened to."""
        self._breed()
        self.performance.stream.fill(1 << 16)
        out = np.zeros((count, self._ring.channels), np.float32)
        position = self._ring.taken
        self._taker.take(out)
        self._ring.stamp(position, position / self._ring.sample_rate_hz)
        self.performance.listen()
        return out

    def atlas(self) -> Atlas | None:
        """The map of the first part's search, if it has bred since this was last asked."""
        return self._nurseries[0].atlas()

    def _breed(self) -> None:
        if self.performance.values.get("/evolution/running", 1.0) > 0.5:
            for nursery in self._nurseries:
                nursery.breed(self.performance, self._ring.taken, self._interval)

    def figures(self) -> dict[str, Any]:
        """What the rendering came to."""
        first, *others = (nursery.breeder.figures() for nursery in self._nurseries)
        figures = {"sound": self.performance.figures(), "evolution": first}
        return figures | ({"evolution_of_parts": others} if others else {})


@dataclass
class Nursery:
    """The search of one part, and where it last bred."""

    part: int
    breeder: Breeder
    bred: int | None = None
    sent: bool = False
    mapped: int | None = None

    def breed(self, performance: Performance, position: int, interval: int) -> None:
        """A generation, if one is due at `position`; what survives is given to its part."""
        due = self.bred is None or self.breeder.search.founding or position - self.bred >= interval
        if due:
            self.bred = position
            survivors = self.breeder.generation()
            performance.obey(Play(survivors, replace=not self.sent, part=self.part))
            self.sent = self.sent or bool(survivors)

    def atlas(self) -> Atlas | None:
        """The map of what it knows, if it has bred since."""
        if self.bred == self.mapped:
            return None
        self.mapped = self.bred
        return self.breeder.atlas()


def _spans(seconds: float, fps: float, sample_rate_hz: int) -> Iterator[int]:
    """Samples in each frame: whole numbers that never drift from fps."""
    total, done = round(seconds * sample_rate_hz), 0
    for frame in range(1, max(1, round(seconds * fps)) + 1):
        upto = min(total, round(frame * sample_rate_hz / fps))
        yield upto - done
        done = upto


def render(rendering: Rendering) -> dict[str, Any]:
    """Write the file; the run's figures. RenderError when the ending or the folder is not one that can be written."""
    scene, out = rendering.scene, rendering.out
    if not out.parent.is_dir():
        raise RenderError(f"{out}: no folder {out.parent}")
    model = load(scene.model)
    rate_hz, size = model.sample_rate_hz, (scene.picture.width, scene.picture.height)
    with ExitStack() as stack:
        recorder = stack.enter_context(Recorder(out, size, scene.picture.fps, rate_hz, CHANNELS))
        ring = stack.enter_context(Ring.create(RING, CHANNELS, rate_hz))
        track = stack.enter_context(Track.create())
        offline = Offline(rendering, ring, track)
        canvas = stack.enter_context(Canvas(size, "egl")) if recorder.wants_frames else None
        view = View(rendering, canvas, model.latent_dim, offline, ring, track) if canvas else None
        spans = list(_spans(rendering.seconds, scene.picture.fps, rate_hz))
        for number, count in enumerate(tqdm(spans, desc=out.name, unit="frame", disable=None), 1):
            sound = offline.advance(count)
            if recorder.wants_sound:
                recorder.sound(sound)
            if view:
                view.draw()
                if recorder.wants_sound or number == len(spans):
                    recorder.frame(view.read())
        return offline.figures()


class View:
    """What is seen of an offline performance, at the time its last sample is heard."""

    def __init__(
        self, rendering: Rendering, canvas: Canvas, latent_dim: int, offline: Offline, ring: Ring, track: Track
    ) -> None:
        self._canvas, self._offline, self._ring, self._track = canvas, offline, ring, track
        self._scenery = Scenery(canvas, latent_dim, offline.performance.values, ring.sample_rate_hz)
        self._scenery.show(setups.drawing(rendering.scene))
        self._moment = 0

    def draw(self) -> None:
        """One frame."""
        taken = self._ring.taken
        now_s = taken / self._ring.sample_rate_hz
        self._moment, moments = self._track.since(self._moment, now_s)
        atlas = self._offline.atlas()
        if atlas is not None:
            self._scenery.textures.take(atlas)
        self._scenery.draw(now_s, moments, self._ring.tap(taken, max(1, self._scenery.samples_wanted)))

    def read(self) -> npt.NDArray[np.uint8]:
        """The frame just drawn, (height, width, 3)."""
        return self._canvas.read()

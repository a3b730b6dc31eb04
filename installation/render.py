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

from installation import breeder
from installation.commands import Play
from installation.errors import RenderError
from installation.model import load
from installation.picture.canvas import Canvas
from installation.picture.recorder import Recorder
from installation.picture.scenery import Scenery
from installation.ring import Ring
from installation.scene import Scene
from installation.sound.card import Taker
from installation.sound.decoder import open_decoder
from installation.track import Track
from installation.voice import Performance, VoiceSetup

KINDS = (".mp4", ".wav", ".png")
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
        model = load(scene.model)
        values = scene.values() | scene.latent_values(model.latent_dim)
        self._ring, self._taker = ring, Taker(ring)
        self.performance = Performance(_voice_setup(rendering, values), model, ring, track)
        self.breeder = breeder.offline(_breeder_setup(rendering, values), model, open_decoder(model.decoder, "cpu"))
        self._interval = max(1, int(values.get("/evolution/interval", 2.0) * ring.sample_rate_hz))
        self._bred = -self._interval
        self._sent = False

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

    def _breed(self) -> None:
        running = self.performance.values["/evolution/running"] > 0.5
        founding = self.breeder.search.founding
        if running and (founding or self._ring.taken - self._bred >= self._interval):
            self._bred = self._ring.taken
            survivors = self.breeder.generation()
            self.performance.obey(Play(survivors, replace=not self._sent))
            self._sent = self._sent or bool(survivors)

    def figures(self) -> dict[str, Any]:
        """What the rendering came to."""
        return {"sound": self.performance.figures(), "evolution": self.breeder.figures()}


def _voice_setup(rendering: Rendering, values: dict[str, float]) -> VoiceSetup:
    scene = rendering.scene
    return VoiceSetup(
        ring="",
        track="",
        model=scene.model,
        seed=rendering.seed,
        steps=scene.evolution.steps,
        init=scene.evolution.init,
        ahead_ms=scene.voice.ahead_ms,
        backend=scene.voice.backend,
        device=None,
        values=values,
        started_s=0.0,
    )


def _breeder_setup(rendering: Rendering, values: dict[str, float]) -> breeder.BreederSetup:
    evolution = rendering.scene.evolution
    return breeder.BreederSetup(
        model=rendering.scene.model,
        store=None,
        seed=rendering.seed,
        container=evolution.container,
        brood=evolution.brood,
        steps=evolution.steps,
        init=evolution.init,
        archive=evolution.archive,
        values=values,
    )


def _spans(seconds: float, fps: float, sample_rate_hz: int) -> Iterator[int]:
    """Samples in each frame: whole numbers that never drift from fps."""
    total, done = round(seconds * sample_rate_hz), 0
    for frame in range(1, max(1, round(seconds * fps)) + 1):
        upto = min(total, round(frame * sample_rate_hz / fps))
        yield upto - done
        done = upto


def render(rendering: Rendering) -> dict[str, Any]:
    """Write the file; the run's figures. RenderError when the ending or the folder is not one that can be written."""
    out, picture = rendering.out, rendering.scene.picture
    if out.suffix not in KINDS:
        raise RenderError(f"{out}: can write {', '.join(KINDS)}, got {out.suffix or 'no ending'}")
    if not out.parent.is_dir():
        raise RenderError(f"{out}: no folder {out.parent}")
    model = load(rendering.scene.model)
    rate_hz, seen = model.sample_rate_hz, out.suffix != ".wav"
    with ExitStack() as stack:
        ring = stack.enter_context(Ring.create(RING, CHANNELS, rate_hz))
        track = stack.enter_context(Track.create())
        offline = Offline(rendering, ring, track)
        size = (picture.width, picture.height)
        canvas = stack.enter_context(Canvas(size, "egl")) if seen else None
        recorder = (
            stack.enter_context(Recorder(out, size, picture.fps, rate_hz, CHANNELS)) if out.suffix != ".png" else None
        )
        scenery = _scenery(rendering, canvas, model.latent_dim, offline) if canvas else None
        spans = list(_spans(rendering.seconds, picture.fps, rate_hz))
        seen_moments = 0
        for frame, count in enumerate(tqdm(spans, desc=out.name, unit="frame", disable=None)):
            sound = offline.advance(count)
            if recorder:
                recorder.sound(sound)
            if scenery and canvas:
                now_s = ring.taken / rate_hz
                seen_moments, moments = track.since(seen_moments, now_s)
                scenery.draw(now_s, moments, ring.tap(ring.taken, max(1, scenery.samples_wanted)))
                last = frame == len(spans) - 1
                if recorder or last:
                    pixels = canvas.read()
                if recorder:
                    recorder.frame(pixels)
                elif last:
                    write_png(out, pixels)
        return offline.figures()


def _scenery(rendering: Rendering, canvas: Canvas, latent_dim: int, offline: Offline) -> Scenery:
    scenery = Scenery(canvas, latent_dim, offline.performance.values.as_dict())
    scenery.show(Path(rendering.scene.picture.shader), rendering.scene.picture.mappings)
    return scenery


def write_png(path: Path, pixels: npt.NDArray[np.uint8]) -> None:
    """`pixels` (height, width, 3) as a PNG."""
    from PIL import Image

    Image.fromarray(pixels).save(path)

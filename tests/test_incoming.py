"""What the voice hears: a line's sound becomes the latents of a part, in their order, and phrases for the search."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from installation import commands
from installation.incoming import LOST_S, Incoming
from installation.model import load
from installation.part import PartSetup
from installation.performance import Performance
from installation.ring import Ring
from installation.sound.decoder import open_decoder
from installation.sound.encoder import encode_whole, open_encoder, open_encoder_stream
from installation.sound.line import FileLine
from installation.track import Track
from tests.parts import Floats

BLOCK = 480
RATE_HZ = 48_000
MODEL = load("bronze")
"""The real one: what is heard must mean something to it."""


def notes(seconds: float) -> Floats:
    """Struck tones, three a second, by the two latents that carry most of the model."""
    time_s = np.arange(int(seconds * RATE_HZ)) / RATE_HZ
    since_s = np.mod(time_s, 1 / 3)
    pitch_hz = 262.0 * 2.0 ** (np.floor(time_s * 3) % 4 * 2 / 12)
    return (0.3 * np.sin(2 * np.pi * pitch_hz * time_s) * np.exp(-6.0 * since_s)).astype(np.float32)


class Room:
    """A performance that hears a sound, on a clock of blocks."""

    def __init__(self, ring: Ring, track: Track, sound: Floats, rate_hz: int = RATE_HZ, **values: float) -> None:
        turned = {f"/input/{key}": value for key, value in values.items()} | {"/voice/tame": 0.0}
        self.ring, self.performance = ring, Performance(ring, track, turned, 200.0)
        part = self.performance.await_part(PartSetup(1, "bronze", "cpu", 5, 16, "dataset", True), MODEL)
        part.encoder = open_encoder_stream(MODEL.encoder) if MODEL.encoder else None
        self.performance.enter(part, open_decoder(MODEL.decoder, "cpu"))
        self.part, self.line = part, FileLine(sound, rate_hz)
        self.incoming = Incoming(self.line, ring, 0.0)
        self.shares: list[float] = []

    def play(self, seconds: float) -> Floats:
        out = []
        for number in range(int(seconds * RATE_HZ) // BLOCK):
            now_s = number * BLOCK / RATE_HZ
            self.line.advance(BLOCK * self.line.sample_rate_hz // RATE_HZ)
            self.incoming.hear(self.part, now_s)
            self.performance.stream.respond(lambda: 32)
            self.performance.stream.fill()
            block, position = np.zeros((BLOCK, 2), np.float32), self.ring.taken
            assert self.ring.take(block) == BLOCK
            self.ring.stamp(position, now_s)
            self.shares.append(self.part.input_share)
            out.append(block)
        return np.concatenate(out)


@pytest.fixture
def shared() -> Iterator[tuple[Ring, Track]]:
    with Ring.create(1 << 17, 2, RATE_HZ) as ring, Track.create() as track:
        yield ring, track


def latents_of(room: Room) -> Floats:
    lane = room.part.lane
    assert lane is not None
    return np.concatenate([step.latents for step in lane.steps])


def test_at_full_mix_the_path_is_what_the_encoder_hears(shared: Any) -> None:
    sound = notes(4.0)
    room = Room(*shared, sound, mix=1.0, guard=0.0)
    room.play(3.5)
    assert MODEL.encoder is not None
    # Levelled, so the same sound at another level: its latents are alike, in the same order and at the same distances.
    expected = encode_whole(sound, MODEL.ratio, open_encoder(MODEL.encoder))
    played = latents_of(room)
    likeness = [
        np.corrcoef(expected[at : at + 12, :3].ravel(), played[:12, :3].ravel())[0, 1]
        for at in range(len(expected) - 12)
    ]
    assert max(likeness) > 0.9


def test_without_mix_nothing_of_the_input_is_played(shared: Any) -> None:
    ring, track = shared
    quiet = Room(ring, track, np.zeros(RATE_HZ, np.float32), mix=0.0).play(1.0)
    with Ring.create(1 << 17, 2, RATE_HZ) as other, Track.create() as another:
        loud = Room(other, another, notes(1.0), mix=0.0).play(1.0)
    assert np.array_equal(quiet, loud)


def test_an_input_at_another_rate_is_heard_at_its_pitch(shared: Any) -> None:
    ring, track = shared
    time_s = np.arange(2 * 44_100) / 44_100
    slow = Room(ring, track, (0.3 * np.sin(2 * np.pi * 440 * time_s)).astype(np.float32), 44_100, mix=1.0, guard=0.0)
    slow.line.sample_rate_hz = 44_100
    slow.play(1.5)
    with Ring.create(1 << 17, 2, RATE_HZ) as other, Track.create() as another:
        time_s = np.arange(2 * RATE_HZ) / RATE_HZ
        usual = Room(other, another, (0.3 * np.sin(2 * np.pi * 440 * time_s)).astype(np.float32), mix=1.0, guard=0.0)
        usual.play(1.5)
        there, here = latents_of(usual)[-4:, :3].mean(axis=0), latents_of(slow)[-4:, :3].mean(axis=0)
    assert np.abs(there - here).max() < 0.35 * MODEL.deviation[:3].max()


def test_what_sounds_is_given_to_the_search_when_it_listens(shared: Any) -> None:
    room = Room(*shared, notes(4.0), listen=1.0, guard=0.0)
    room.play(3.5)
    phrases = room.incoming.take_phrases()
    assert phrases is not None and phrases.shape[1:] == (16, MODEL.latent_dim)
    assert room.incoming.take_phrases() is None
    room.performance.obey(commands.Set("/input/listen", 0.0))
    room.play(0.5)
    assert room.incoming.take_phrases() is None


def test_an_input_that_brings_nothing_is_lost_and_found_again(shared: Any) -> None:
    room = Room(*shared, notes(1.0))
    room.play(0.2)
    assert room.part.lane is not None and room.part.lane.heard is not None
    room.incoming.hear(room.part, LOST_S + 1.0)
    assert room.incoming.lost and room.part.lane.heard is None  # evolution plays alone again
    room.line.advance(BLOCK)
    room.incoming.hear(room.part, LOST_S + 1.1)
    assert not room.incoming.lost

"""The stream: what the ring holds is the plain path; a turned knob rewrites it without a seam."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from installation.commands import Trajectory
from installation.ring import Ring
from installation.sound.knobs import Knobs, Spread
from installation.sound.lane import Lane
from installation.sound.mixer import wide_gains
from installation.sound.player import Player, Turn
from installation.sound.stream import Stream
from tests.parts import Floats, SineDecoder, walk

SPREAD = Spread(
    np.zeros(2, np.float32), np.ones(2, np.float32), np.full(2, -4.0, np.float32), np.full(2, 4.0, np.float32)
)
OPEN = Knobs(Turn.none(2), wide_gains(0.0, 2))


def stream_on(ring: Ring, decoder: Any = None, ahead: int = 9600) -> Stream:
    stream = Stream(ring, ahead)
    stream.add(lane_on(ring, decoder))
    return stream


def lane_on(ring: Ring, decoder: Any = None, seed: int = 0, **knobs: Any) -> Lane:
    player = Player(Trajectory(1, walk(40, 2, seed)), np.random.default_rng(seed))
    player.offer(tuple(Trajectory(n, walk(40, 2, seed + n)) for n in range(2, 6)))
    turned = replace(OPEN, **knobs)
    return Lane(
        decoder or SineDecoder(), player, turned, SPREAD, ring.sample_rate_hz, ring.channels, ring.written,
        np.random.default_rng(seed),
    )  # fmt: skip


def steady_on(ring: Ring, octaves: float, ratio: int = 2048) -> Lane:
    """A tone that stays so many octaves above 220 Hz."""
    made = lane_on(ring, SineDecoder(ratio))
    made.player = Player(Trajectory(1, np.full((4000, 2), [octaves, 0.0], np.float32)), np.random.default_rng(0))
    return made


def take(ring: Ring, count: int) -> Floats:
    out = np.zeros((count, ring.channels), np.float32)
    assert ring.take(out) == count
    return out


def play(stream: Stream, ring: Ring, blocks: int, size: int = 512) -> Floats:
    out = []
    for _ in range(blocks):
        stream.fill(64)
        out.append(take(ring, size))
    return np.concatenate(out)


@pytest.fixture
def ring() -> Any:
    with Ring.create(1 << 16, 2, 48_000) as made:
        yield made


def test_however_much_is_held_ahead_the_sound_is_the_same() -> None:
    heard = []
    for ahead in (2048, 5000, 20_000):
        with Ring.create(1 << 16, 2, 48_000) as ring:
            heard.append(play(stream_on(ring, ahead=ahead), ring, 60))
    assert np.array_equal(heard[0], heard[1]) and np.array_equal(heard[0], heard[2])


@pytest.mark.parametrize("ratio", [128, 512, 2048])
def test_it_begins_in_silence_and_fades_in(ring: Ring, ratio: int) -> None:
    heard = play(stream_on(ring, SineDecoder(ratio)), ring, 20)
    assert np.abs(heard[:160]).max() == 0.0
    assert 0.05 < np.abs(heard[2000:]).max() < 0.9


def test_turning_nothing_rewrites_the_same_samples(ring: Ring) -> None:
    stream = stream_on(ring)
    play(stream, ring, 9, 700)
    before = ring.tap(ring.written, ring.ahead)
    stream.lanes[0].turn(replace(OPEN))
    assert stream.respond(lambda: 1024)
    stream.fill(64)
    assert np.abs(ring.tap(ring.written, ring.ahead) - before).max() < 1e-6


def test_a_long_run_with_idle_turns_is_the_plain_run(ring: Ring) -> None:
    stream = stream_on(ring)
    out = []
    for _ in range(80):
        stream.fill(64)
        stream.lanes[0].turn(replace(OPEN))
        stream.respond(lambda: 1024)
        out.append(take(ring, 512))
    with Ring.create(1 << 16, 2, 48_000) as other:
        assert np.abs(np.concatenate(out) - play(stream_on(other), other, 80)).max() < 1e-6


def biased(bias: float) -> Knobs:
    return replace(OPEN, turn=replace(OPEN.turn, bias=np.array([bias, 0.0], np.float32)))


def test_a_knob_is_heard_from_just_ahead_of_the_card_on(ring: Ring) -> None:
    stream = stream_on(ring)
    play(stream, ring, 20)
    stream.fill(64)
    before, taken = ring.tap(ring.written, ring.ahead), ring.taken
    stream.lanes[0].turn(biased(1.0))
    assert stream.respond(lambda: 1024)
    stream.fill(64)
    after = ring.tap(ring.written, ring.written - taken)
    changed = np.flatnonzero(np.abs(after - before).max(axis=1) > 1e-4)
    assert 1024 <= changed[0] < 1024 + 200


def test_a_turned_knob_leaves_no_seam(ring: Ring) -> None:
    stream = stream_on(ring)
    calm = play(stream, ring, 60)
    out = []
    for number in range(60):
        stream.lanes[0].turn(biased(0.3 * (number % 2)))
        stream.respond(lambda: 1024)
        stream.fill(64)
        out.append(take(ring, 512))
    # 440 Hz sines instead of 220 Hz are twice as steep; a click would be far above that.
    assert np.abs(np.diff(np.concatenate(out), axis=0)).max() < 3.0 * np.abs(np.diff(calm, axis=0)).max()


def test_after_the_seam_it_is_what_a_decoder_with_the_new_latents_makes(ring: Ring) -> None:
    stream = stream_on(ring)
    play(stream, ring, 20)
    stream.fill(64)
    splice = ring.taken + 1024
    again = [step for step in stream.lanes[0].steps if step.end > splice]
    stream.lanes[0].turn(biased(1.0))
    assert stream.respond(lambda: 1024)
    stream.fill(64)
    decoder, expected = SineDecoder(), []
    (state,) = again[0].before.decoder
    for step in again:
        sound, state = decoder.decode(step.path[None] + np.array([1.0, 0.0], np.float32), state)
        expected.append(sound[0])
    line = np.concatenate(expected) * wide_gains(0.0, 2).sum(axis=0)
    held = ring.tap(ring.written, len(line))
    first = splice - again[0].begin + 960
    delay = 160 + 24  # the guard's and the rate changer's
    # The guard's DC block turns the phase by a degree or so; nothing else lies between.
    assert np.abs(held[first:] - line[first - delay : len(line) - delay]).max() < 0.02


def test_hold_takes_what_is_heard_and_stays_there(ring: Ring) -> None:
    stream = stream_on(ring)
    play(stream, ring, 20)
    stream.fill(64)
    heard = stream.lanes[0].sounding(ring.taken + 1024)
    stream.lanes[0].turn(replace(OPEN, hold=True))
    assert stream.respond(lambda: 1024)
    play(stream, ring, 40)
    later = stream.lanes[0].sounding(ring.taken - 1)
    assert heard is not None and later is not None
    assert np.array_equal(heard[0], later[0])


def test_a_model_at_another_rate_than_the_card(ring: Ring) -> None:
    ring.sample_rate_hz = 44_100
    stream = stream_on(ring)
    for number in range(60):
        stream.lanes[0].turn(biased(0.2 * (number % 2)))
        stream.respond(lambda: 1024)
        stream.fill(64)
        block = take(ring, 512)
    assert 0.02 < np.abs(block).max() < 0.9
    assert [step.begin for step in stream.lanes[0].steps][1:] == [step.end for step in stream.lanes[0].steps][:-1]


class Poisoned(SineDecoder):
    """Gives a NaN at its fifth call."""

    def decode(self, latents: Floats, state: Any) -> tuple[Floats, Any]:
        sound, state = super().decode(latents, state)
        if self.calls == 5:
            sound[0, 100] = np.nan
            state = state * np.nan
        return sound, state


def test_a_broken_step_is_counted_silenced_and_over(ring: Ring) -> None:
    stream = stream_on(ring, Poisoned())
    heard = play(stream, ring, 60)
    assert stream.lanes[0].broken_steps == 1
    assert np.isfinite(heard).all()
    assert np.abs(heard[-4096:]).max() > 0.05
    assert np.abs(np.diff(heard, axis=0)).max() < 0.05


def test_panic_goes_through_silence_and_comes_back(ring: Ring) -> None:
    stream = stream_on(ring)
    play(stream, ring, 20)
    stream.restart()
    stream.respond(lambda: 1024)
    heard: npt.NDArray[np.float32] = play(stream, ring, 30)
    assert np.abs(np.diff(heard, axis=0)).max() < 0.05
    assert np.abs(heard[-4096:]).max() > 0.05


def test_the_knob_that_comes_too_late_for_the_ring_is_in_the_next_step(ring: Ring) -> None:
    stream = stream_on(ring, ahead=1500)
    stream.fill(64)
    take(ring, 1024)
    stream.lanes[0].turn(biased(1.0))
    assert not stream.respond(lambda: 2048)
    stream.fill(64)
    assert np.array_equal(
        stream.lanes[0].steps[-1].latents[0], stream.lanes[0].steps[-1].path[0] + np.array([1.0, 0.0], np.float32)
    )


def test_what_was_heard_is_forgotten(ring: Ring) -> None:
    stream = stream_on(ring)
    play(stream, ring, 400)
    assert len(stream.lanes[0].steps) < (48_000 * 0.5 + 9600) / 2048 + 4


def test_panic_at_another_rate_than_the_card(ring: Ring) -> None:
    ring.sample_rate_hz = 44_100
    stream = stream_on(ring)
    for _ in range(60):
        stream.restart()
        stream.respond(lambda: 1024)
        stream.fill(64)
        take(ring, 700)
    assert [step.begin for step in stream.lanes[0].steps][1:] == [step.end for step in stream.lanes[0].steps][:-1]


def test_two_lanes_are_the_sum_of_both(ring: Ring) -> None:
    heard = []
    for lanes in ((0,), (7,), (0, 7)):
        with Ring.create(1 << 16, 2, 48_000) as other:
            stream = Stream(other, 9600)
            for seed in lanes:
                stream.add(lane_on(other, SineDecoder(2048 if seed else 512), seed, detune_cents=float(3 * seed)))
            heard.append(play(stream, other, 60))
    assert (
        np.abs(heard[2] - heard[0] - heard[1]).max() < 2e-3
    )  # the limiter is at rest, and what is left is its DC block's


def test_one_lane_s_knob_leaves_the_other_as_it_was(ring: Ring) -> None:
    stream = stream_on(ring)
    other = lane_on(ring, SineDecoder(512), 7)
    stream.add(other)
    play(stream, ring, 20)
    stream.fill(64)
    before = [step.sound for step in other.steps]
    stream.lanes[0].turn(biased(1.0))
    assert stream.respond(lambda: 1024)
    assert all(np.array_equal(kept, step.sound) for kept, step in zip(before, other.steps, strict=False))


def test_a_model_takes_another_s_place_without_a_seam_or_a_gap(ring: Ring) -> None:
    stream = Stream(ring, 9600)
    first = steady_on(ring, 0.0)
    stream.add(first)
    calm = play(stream, ring, 60)[8192:]
    second = steady_on(ring, -0.6, 512)
    changed = ring.written
    stream.add(second, 24_000)
    stream.retire(first, 24_000)
    heard = play(stream, ring, 120)
    assert ring.missed == 0
    assert np.abs(np.diff(heard, axis=0)).max() < 1.5 * np.abs(np.diff(calm, axis=0)).max()
    assert stream.lanes == [second]
    assert second.begin == changed and second.rise is not None and second.rise.length == 24_000
    levels = [np.sqrt(np.mean(heard[at : at + 4800] ** 2)) for at in range(0, len(heard) - 4800, 4800)]
    assert max(levels) < 1.1 * min(levels)  # equal power


def test_a_detuned_lane_turned_while_it_sounds_leaves_no_seam(ring: Ring) -> None:
    stream = Stream(ring, 9600)
    stream.add(steady_on(ring, 0.0))
    calm = play(stream, ring, 60)[8192:]
    out = []
    for number in range(60):
        stream.lanes[0].turn(replace(OPEN, detune_cents=30.0 * (number % 3) - 30.0))
        stream.respond(lambda: 1024)
        stream.fill(64)
        out.append(take(ring, 512))
    assert np.abs(np.diff(np.concatenate(out), axis=0)).max() < 1.5 * np.abs(np.diff(calm, axis=0)).max()


def test_at_most_once_a_block_of_the_card(ring: Ring) -> None:
    stream = stream_on(ring)
    play(stream, ring, 20)
    stream.fill(64)
    stream.lanes[0].turn(biased(1.0))
    assert stream.respond(lambda: 1024)
    stream.lanes[0].turn(biased(0.5))
    assert not stream.respond(lambda: 1024)
    take(ring, 512)
    assert stream.respond(lambda: 1024)
    assert stream.lanes[0].steps[-1].latents[0, 0] == stream.lanes[0].steps[-1].path[0, 0] + np.float32(0.5)


def test_what_is_heard_first_is_made_first_and_the_rest_after(ring: Ring) -> None:
    """A knob waits only for what is heard within AT_ONCE_S; the path goes on as if nothing had been taken back."""
    heard = []
    for turned in (False, True):
        with Ring.create(1 << 16, 2, 48_000) as other:
            decoder = SineDecoder()
            stream = stream_on(other, decoder, ahead=30_000)
            out = [play(stream, other, 20)]
            stream.fill(64)
            if turned:
                calls = decoder.calls
                stream.lanes[0].turn(replace(OPEN))
                assert stream.respond(lambda: 64)
                assert decoder.calls - calls <= 4 and other.ahead < 0.12 * 48_000
            heard.append(np.concatenate([*out, play(stream, other, 100)]))
    assert np.abs(heard[0] - heard[1]).max() < 1e-6

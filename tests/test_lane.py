"""Lanes: each is what its decoder makes, several are their sum, and they change places without a seam."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from installation.commands import Trajectory
from installation.errors import ModelError
from installation.sound.fade import Fade
from installation.sound.knobs import Knobs, Spread
from installation.sound.lane import Lane
from installation.sound.mixer import pan_gains, wide_gains
from installation.sound.player import Player, Turn
from tests.parts import Floats, SineDecoder, walk

ONES = np.ones(2, np.float32)
SPREAD = Spread(0 * ONES, ONES, -2 * ONES, 2 * ONES)
OPEN = Knobs(Turn.none(2), wide_gains(0.0, 2))
RATE_HZ = 48_000


def lane(decoder: Any = None, seed: int = 0, rate_hz: int = RATE_HZ, begin: int = 0, **knobs: Any) -> Lane:
    latents = walk(2000, 2, seed)
    player = Player(Trajectory(1, latents - latents.mean(axis=0)), np.random.default_rng(seed))
    rng = np.random.default_rng(seed)
    return Lane(decoder or SineDecoder(), player, replace(OPEN, **knobs), SPREAD, rate_hz, 2, begin, rng)


def whole(subject: Lane, count: int = RATE_HZ) -> Floats:
    subject.reach(subject.begin + count)
    return subject.span(subject.begin, count)


def steady(octaves: float = 0.0) -> Player:
    return Player(Trajectory(1, np.full((4000, 2), [octaves, 0.0], np.float32)), np.random.default_rng(0))


def pitch_hz(sound: Floats) -> float:
    """By the zero crossings of its last half second."""
    tail = sound[-RATE_HZ // 2 :, 0]
    rises = np.flatnonzero((tail[:-1] < 0) & (tail[1:] >= 0))
    return float(RATE_HZ * (len(rises) - 1) / (rises[-1] - rises[0]))


def test_it_is_what_its_decoder_makes_of_its_path() -> None:
    subject = lane(tame=0.0)
    made = whole(subject)
    decoder = SineDecoder()
    expected, _ = decoder.decode(np.concatenate([step.path for step in subject.steps])[None], decoder.start())
    mono = expected[0, :RATE_HZ] * np.float32(np.sqrt(0.5))
    assert np.abs(made[2048:] - mono[2048 - 24 : -24]).max() < 1e-6  # 24: the rate changer's delay


@pytest.mark.parametrize("ratio", [128, 512, 1024, 2048])
def test_however_far_it_is_asked_to_go_at_once_it_is_the_same(ratio: int) -> None:
    once = whole(lane(SineDecoder(ratio)))
    by_and_by = lane(SineDecoder(ratio))
    for position in range(700, RATE_HZ + 700, 700):
        by_and_by.reach(position)
    assert np.array_equal(once, by_and_by.span(0, RATE_HZ))


def test_it_begins_where_it_is_told_and_is_silent_before() -> None:
    early, late = lane(), lane(begin=5000)
    assert np.array_equal(whole(early), whole(late))
    assert not late.span(0, 5000).any()


@pytest.mark.parametrize("cents", [-1200.0, -7.0, 50.0, 700.0])
def test_detuning_turns_the_pitch_by_so_many_cents(cents: float) -> None:
    subject = lane(detune_cents=cents)
    subject.player = steady()
    assert 1200.0 * np.log2(pitch_hz(whole(subject, 2 * RATE_HZ)) / 220.0) == pytest.approx(cents, abs=1.5)


def test_detuning_while_it_sounds_keeps_positions_whole() -> None:
    subject = lane()
    for number, cents in enumerate((0.0, 30.0, -30.0, 0.0, 1.0)):
        subject.turn(replace(OPEN, detune_cents=cents))
        subject.remake((number + 1) * 9000 - 4000, 1 << 40)
        subject.reach((number + 1) * 9000)
    steps = list(subject.steps)
    assert [step.begin for step in steps][1:] == [step.end for step in steps][:-1]
    assert all(len(step.sound) == step.end - step.begin for step in steps)


def test_width_parts_the_sides_and_none_leaves_them_alike() -> None:
    narrow, wide = whole(lane()), whole(lane(width=0.5))
    assert np.array_equal(narrow[:, 0], narrow[:, 1])
    assert abs(float(np.corrcoef(wide[8192:].T)[0, 1])) < 0.9
    assert np.abs(np.diff(wide[4096:], axis=0)).max() < 2.0 * np.abs(np.diff(narrow[4096:], axis=0)).max()


def test_a_wide_pan_of_two_like_sides_is_the_pan_of_one() -> None:
    for pan in (-1.0, -0.3, 0.0, 0.8):
        for channels in (1, 2, 4):
            assert np.allclose(wide_gains(pan, channels).sum(axis=0), pan_gains(pan, 1, channels)[0])


def test_the_input_takes_over_by_the_mix() -> None:
    heard = np.array([1.0, 0.5], np.float32)
    for mix in (0.0, 0.25, 1.0):
        subject = lane(mix=mix, tame=0.0)
        subject.hear(heard)
        whole(subject)
        for step in subject.steps:
            assert np.allclose(step.latents, step.path + (heard - step.path) * mix, atol=1e-6)


def test_what_the_input_plays_now_is_in_the_steps_that_begin_beyond_the_card() -> None:
    subject = lane(mix=1.0)
    whole(subject)
    before = [step.latents for step in subject.steps]
    subject.hear(np.array([-1.0, 0.0], np.float32))
    assert subject.turned
    begin = subject.remake(20_000, 1 << 40)
    assert begin <= 20_000 < begin + 2048 and not subject.turned
    for step, was in zip(subject.steps, before, strict=True):
        if step.begin >= 20_000:
            assert np.allclose(step.latents, [-1.0, 0.0])
        else:
            assert np.array_equal(step.latents, was)


def test_an_input_that_comes_a_latent_a_step_is_decoded_as_if_it_were_a_path() -> None:
    """Whatever is held ahead is made again as its latent comes: so the sound is that of the latents in their order."""
    latents = walk(30, 2, 9)
    subject, decoder = lane(mix=1.0, tame=0.0), SineDecoder()
    for number, latent in enumerate(latents):
        subject.hear(latent)
        subject.remake(number * 2048 - 700, 1 << 40)
        subject.reach(number * 2048 + 9600)
    first = next(index for index, step in enumerate(subject.steps) if np.allclose(step.latents[0], latents[0]))
    expected, _ = decoder.decode(latents[None], subject.steps[first].before.decoder[0])
    heard = subject.span(subject.steps[first].begin, 25 * 2048)
    mono = expected[0, : len(heard)] * np.float32(np.sqrt(0.5))
    assert np.abs(heard[2048:] - mono[2048 - 24 : -24]).max() < 1e-5  # after the fade in


class Delayed(SineDecoder):
    """A decoder that holds its sound back for 1700 samples, as causal models do."""

    late = 1700

    def start(self, batch: int = 1) -> Any:
        return super().start(batch), np.zeros((batch, self.late, 1), np.float32)

    def decode(self, latents: Floats, state: Any) -> tuple[Floats, Any]:
        sound, inner = super().decode(latents, state[0])
        line = np.concatenate([state[1], sound], axis=1)
        return line[:, : sound.shape[1]], (inner, line[:, -self.late :])


def test_a_knob_is_in_the_sound_at_once_however_long_the_decoder_holds_it_back() -> None:
    def first_change(latency: int) -> int:
        rng = np.random.default_rng(0)
        subject = Lane(Delayed(), steady(), OPEN, SPREAD, RATE_HZ, 2, 0, rng, latency)
        before = whole(subject)
        subject.turn(replace(OPEN, turn=replace(OPEN.turn, bias=ONES)))
        subject.remake(20_600, 1 << 40)
        after = subject.span(0, len(before))
        return int(np.argmax(np.abs(after - before).max(axis=1)[20_600:] > 1e-3))

    assert first_change(Delayed.late) < 10 < first_change(0)


def test_latents_are_tamed_to_the_range_the_card_recommends() -> None:
    subject = lane(tame=1.0, turn=replace(OPEN.turn, bias=np.array([4.0, 0.0], np.float32)))
    whole(subject)
    latents = np.concatenate([step.latents for step in subject.steps])
    assert latents[:, 0].max() <= 2.0 + 1e-6 and latents[:, 0].min() > 1.0


def test_a_fade_up_and_a_fade_down_keep_their_power() -> None:
    up, down = Fade(100, 500, rises=True), Fade(100, 500, rises=False)
    power = up.gains(0, 800) ** 2 + down.gains(0, 800) ** 2
    assert np.allclose(power, 1.0, atol=1e-6)
    assert not up.gains(0, 101).any() and np.allclose(up.gains(600, 10), 1.0)
    assert np.all(np.diff(up.gains(0, 800)[:, 0]) >= 0)


def test_a_lane_that_falls_makes_nothing_beyond_its_end() -> None:
    subject = lane()
    subject.fall = Fade(10_000, 3000, rises=False)
    subject.reach(RATE_HZ)
    assert 13_000 <= subject.end < 13_000 + 2048
    assert np.abs(subject.span(13_000, 4000)).max() < 1e-6


class Refusing(SineDecoder):
    """Refuses its fifth call, and all after its tenth."""

    def decode(self, latents: Floats, state: Any) -> tuple[Floats, Any]:
        sound, state = super().decode(latents, state)
        if self.calls == 5 or self.calls > 10:
            raise ModelError("sines: gave 7 samples, not 2048")
        return sound, state


def test_a_model_that_refuses_to_decode_dies_away_and_comes_back() -> None:
    subject = lane(Refusing())
    subject.player = steady()
    made = whole(subject, 3 * RATE_HZ)
    assert subject.fault == "sines: gave 7 samples, not 2048" and subject.broken_steps > 2
    assert np.isfinite(made).all() and np.abs(np.diff(made, axis=0)).max() < 0.05
    assert np.abs(made[7 * 2048 : 9 * 2048]).max() > 0.05 and np.abs(made[-4096:]).max() < 1e-3


def test_what_was_saved_is_restored() -> None:
    subject = lane()
    before = whole(subject)
    saved = subject.saved()
    subject.turn(replace(OPEN, turn=replace(OPEN.turn, bias=ONES)))
    subject.remake(10_000, 1 << 40)
    assert not np.array_equal(subject.span(0, RATE_HZ), before)
    subject.restore(saved)
    assert np.array_equal(subject.span(0, RATE_HZ), before)

"""A performance: its parts, their knobs and changes, and what it tells of how hard the sound is to make."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from installation import commands
from installation.errors import ModelError
from installation.loading import Loading
from installation.model import Model
from installation.part import PartSetup
from installation.performance import BRACE_S, RECENT_S, Arrange, Performance, recent_p99
from installation.ring import Ring
from installation.sound.lane import Lane
from installation.sound.mixer import wide_gains
from installation.track import Track
from tests.parts import Floats, SineDecoder

pytestmark = pytest.mark.alone

STEP_MS = 40.0
A_WINDOW = round(RECENT_S * 1000.0 / STEP_MS)


@settings(deadline=None, derandomize=True)
@given(st.integers(4, 3 * A_WINDOW), st.data())
def test_one_slow_decode_says_nothing_and_many_do(count: int, data: st.DataObject) -> None:
    decode_ms = np.ones(count)
    decode_ms[data.draw(st.integers(0, count - 1))] = 100.0
    assert recent_p99(decode_ms, STEP_MS) == 1.0
    decode_ms[-count // 2 :] = 30.0
    assert recent_p99(decode_ms, STEP_MS) in (30.0, 100.0)


@settings(deadline=None, derandomize=True)
@given(st.lists(st.floats(0.0, 200.0), min_size=1, max_size=400))
def test_only_the_last_seconds_count(decodes: list[float]) -> None:
    recent = np.array(decodes)
    before = np.full(500, 1000.0)
    alone = recent_p99(recent, STEP_MS)
    if len(recent) >= A_WINDOW:
        assert recent_p99(np.concatenate([before, recent]), STEP_MS) == alone
    assert recent.min() <= alone <= recent.max()
    assert np.mean(recent[-A_WINDOW:] > alone) <= 0.02 or len(recent) < A_WINDOW


ONES = np.ones(2, np.float32)


def model_named(name: str) -> Model:
    return Model(name, Path(name), Path(name), 48_000, 2048, 2, 1, 0 * ONES, ONES, -3 * ONES, 3 * ONES)


def setup(number: int, model: str) -> PartSetup:
    return PartSetup(number, model, "cpu", 5, 40, "normal")


@pytest.fixture
def ring() -> Iterator[Ring]:
    with Ring.create(1 << 17, 2, 48_000) as made:
        yield made


@pytest.fixture
def track() -> Iterator[Track]:
    with Track.create() as made:
        yield made


def performance_of(ring: Ring, track: Track, *models: str) -> Performance:
    made = Performance(ring, track, {}, 200.0)
    for number, name in enumerate(models, 1):
        made.enter(made.await_part(setup(number, name), model_named(name)), SineDecoder())
    return made


def play(subject: Performance, ring: Ring, blocks: int) -> Floats:
    out = []
    for _ in range(blocks):
        subject.stream.respond(lambda: 1024)
        subject.stream.fill(64)
        block = np.zeros((512, 2), np.float32)
        assert ring.take(block) == 512
        subject.listen()
        out.append(block)
    return np.concatenate(out)


def lane_of(subject: Performance, number: int) -> Lane:
    lane = subject.parts[number].lane
    assert lane is not None
    return lane


def test_a_part_s_knob_turns_that_part_and_the_master_s_all(ring: Ring, track: Track) -> None:
    subject = performance_of(ring, track, "a", "b")
    subject.obey(commands.Set("/part/2/detune", 50.0))
    subject.obey(commands.Set("/voice/rate", 2.0))
    subject.obey(commands.Set("/part/2/latent/1/bias", 1.5))
    first, second = lane_of(subject, 1).knobs, lane_of(subject, 2).knobs
    assert (first.detune_cents, second.detune_cents, first.rate, second.rate) == (0.0, 50.0, 2.0, 1.0)
    assert (first.turn.bias[1], second.turn.bias[1]) == (0.0, 1.5)
    subject.obey(commands.Set("/master/mute", 1.0))
    assert not lane_of(subject, 1).knobs.gains.any() and not lane_of(subject, 2).knobs.gains.any()
    subject.obey(commands.Set("/master/mute", 0.0))
    subject.obey(commands.Set("/master/gain", -20.0))
    assert np.allclose(lane_of(subject, 2).knobs.gains, 0.1 * wide_gains(0.0, 2))


def test_trajectories_go_to_the_part_they_were_bred_for(ring: Ring, track: Track) -> None:
    subject = performance_of(ring, track, "a", "b")
    bred = commands.Trajectory(9, np.full((2000, 2), 0.25, np.float32))
    subject.obey(commands.Play((bred,), replace=True, part=2))
    subject.obey(
        commands.Play((commands.Trajectory(4, np.zeros((4, 7), np.float32)),), replace=True)
    )  # of no model here
    play(subject, ring, 400)
    sounding = [lane_of(subject, number).sounding(ring.taken - 1) for number in (1, 2)]
    assert sounding[1] is not None and sounding[1][1].trajectory == 9
    assert sounding[0] is not None and sounding[0][1].trajectory < 0


def test_a_change_of_model_fades_and_misses_nothing(ring: Ring, track: Track) -> None:
    subject = performance_of(ring, track, "a")
    calm = play(subject, ring, 100)
    old = lane_of(subject, 1)
    wanted = subject.arrange(Arrange((setup(1, "b"),), {"/voice/gain": -3.0}, 0.5))
    assert [each.model for each in wanted] == ["b"]
    arriving = subject.await_part(wanted[0], model_named("b"))
    subject.obey(commands.Set("/voice/rate", 2.0))  # of the scene that comes: the old part plays on as it was
    subject.obey(commands.Play((commands.Trajectory(3, np.zeros((50, 2), np.float32)),), replace=True))
    heard = [play(subject, ring, 50)]
    assert lane_of(subject, 1) is old and old.knobs.rate == 1.0
    subject.enter(arriving, SineDecoder(512))
    heard.append(play(subject, ring, 150))
    assert lane_of(subject, 1) is not old and subject.stream.lanes == [lane_of(subject, 1)]
    assert lane_of(subject, 1).knobs.rate == 2.0 and ring.missed == 0
    slope = np.abs(np.diff(np.concatenate(heard), axis=0)).max()
    assert slope < 4.0 * np.abs(np.diff(calm, axis=0)).max()
    assert subject.figures()["models"] == ["b"]
    assert subject.figures()["decode_ms"]["p50"] > 0.0  # also of the part that has gone


def test_a_scene_with_the_same_model_plays_on_with_its_own_values(ring: Ring, track: Track) -> None:
    subject = performance_of(ring, track, "a", "b")
    lane = lane_of(subject, 1)
    assert subject.arrange(Arrange((setup(1, "a"),), {"/voice/rate": 0.5}, 0.2)) == []
    play(subject, ring, 200)
    assert subject.stream.lanes == [lane] and lane.knobs.rate == 0.5  # and part 2 has gone


def test_what_can_t_be_had_leaves_what_plays(ring: Ring, track: Track) -> None:
    subject = performance_of(ring, track, "a")
    lane = lane_of(subject, 1)
    (wanted,) = subject.arrange(Arrange((setup(1, "b"),), {}, 0.2))
    part = subject.await_part(wanted, model_named("b"))
    subject.give_up(part)
    subject.enter(part, SineDecoder())  # too late: it is not awaited any more
    play(subject, ring, 60)
    assert lane_of(subject, 1) is lane and not subject.arriving


def test_more_is_held_ready_while_a_model_loads(ring: Ring, track: Track) -> None:
    subject = performance_of(ring, track, "a")
    subject.brace(True)
    play(subject, ring, 3)
    subject.stream.fill(1 << 10)
    assert subject.held_s >= min(BRACE_S, 0.5 * ring.capacity / 48_000) - 0.02
    subject.brace(False)
    play(subject, ring, 130)
    assert subject.held_s < 0.3


def test_what_is_unknown_is_brought_by_loading_or_given_up_with_a_word(ring: Ring, track: Track) -> None:
    subject, said = performance_of(ring, track, "a"), []
    loading = Loading(subject, said.append)
    loading.want([setup(1, "no-such-model")])
    assert "no-such-model" in said[0] and "plays on" in said[0] and not loading.busy
    loading.want([setup(2, "bronze")])
    until_s = time.monotonic() + 20.0
    while loading.busy and time.monotonic() < until_s:
        loading.go_on(time.monotonic())
        subject.stream.fill(1 << 10)
        time.sleep(0.005)
    assert subject.parts[2].model.name == "bronze" and lane_of(subject, 2).decoder.latent_dim == 8
    assert said[-1] == "part 2 plays bronze"


class Refusing(SineDecoder):
    """Refuses its third call and all after its fifth."""

    def decode(self, latents: Floats, state: Any) -> tuple[Floats, Any]:
        sound, state = super().decode(latents, state)
        if self.calls == 3 or self.calls > 5:
            raise ModelError("refusing: gave 7 samples")
        return sound, state


def test_a_model_that_refuses_to_decode_is_said_once(ring: Ring, track: Track) -> None:
    subject = Performance(ring, track, {}, 200.0)
    subject.enter(subject.await_part(setup(1, "a"), model_named("a")), Refusing())
    said = []
    for _ in range(60):
        play(subject, ring, 1)
        said += subject.faults()
    assert said == ["part 1: refusing: gave 7 samples"] and subject.figures()["broken_steps"] > 5

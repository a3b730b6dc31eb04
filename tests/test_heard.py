"""What is heard between the moments: envelopes, clocks and the beat that go on, and silence when the voice is gone."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from installation.features import FEATURES as CATALOGUE
from installation.features import TURN_S
from installation.picture.heard import HEARD, PHASES, STALE_S, Heard
from installation.track import FEATURES, MOMENT, Moments

HOP_S = 512 / 48_000
SILENT = {each.name: each.silent for each in CATALOGUE}


def moments(count: int, **values: float) -> Moments:
    """`count` moments, one a hop from 0 s on, each with these features, as the analyser would have heard them: clocks
    and phase go on."""
    made = np.zeros(count, MOMENT)
    made["time_s"] = HOP_S * np.arange(count)
    made["features"] = [SILENT[name] for name in FEATURES]
    for name, value in values.items():
        made["features"][:, FEATURES.index(name)] = value
    beats = values.get("tempo_bpm", 0.0) / 60 * made["time_s"] + values.get("beat_phase", 0.0)
    made["features"][:, FEATURES.index("beat_phase")] = beats % 1.0
    clock = values.get("time2", 0.0) + values.get("band2", 0.0) * made["time_s"]
    made["features"][:, FEATURES.index("time2")] = clock % TURN_S
    return made


def between(
    heard: Moments, name: str, frames_s: list[float], attack_ms: float = 0.0, release_ms: float = 0.0
) -> list[float]:
    """`name` at each frame, as an envelope has it."""
    ear, found, taken = Heard(), [], 0
    envelope = ear.follow(name, attack_ms, release_ms)
    for frame_s in frames_s:
        due = int(np.searchsorted(heard["time_s"], frame_s, side="right"))
        ear.push(heard[taken:due])
        taken = due
        ear.advance(frame_s)
        found.append(envelope.value)
    return found


def test_everything_heard_has_a_value_from_the_beginning() -> None:
    ear = Heard()
    for name in HEARD:
        assert ear.value(name) == SILENT.get(name, 0.0)


@pytest.mark.parametrize("tempo_bpm", [73.0, 174.0])
def test_the_phase_of_the_beat_goes_on_between_moments(tempo_bpm: float) -> None:
    heard = moments(300, tempo_bpm=tempo_bpm, beat_phase=0.3, silence=0.0)
    frames_s = (np.arange(180) / 60).tolist()
    found = np.array(between(heard, "beat_phase", frames_s, 20.0, 200.0))
    away = found - (0.3 + np.array(frames_s) * tempo_bpm / 60)
    np.testing.assert_allclose(away - np.round(away), 0.0, atol=1e-4)
    assert ((found >= 0) & (found < 1)).all()


def test_a_clock_goes_on_between_moments_over_its_turn() -> None:
    heard = moments(300, band2=0.7, silence=0.0, time2=TURN_S - 1.0)
    frames_s = (np.arange(180) / 60).tolist()
    found = np.array(between(heard, "time2", frames_s))
    expected = (TURN_S - 1.0 + 0.7 * np.array(frames_s)) % TURN_S
    np.testing.assert_allclose(found, expected, atol=3e-3)
    assert found.max() < TURN_S and found.min() < 1.0


def test_a_clock_stands_in_silence_and_when_the_voice_is_gone() -> None:
    heard = moments(20, band2=0.7, silence=0.0, time2=5.0)
    end_s = float(heard["time_s"][-1])
    at_s = [end_s, end_s + STALE_S / 2, end_s + 0.99 * STALE_S, end_s + 2 * STALE_S, end_s + 9.0]
    found = between(heard, "time2", at_s)
    assert found[1] == pytest.approx(found[0] + 0.35 * STALE_S, abs=1e-5)
    assert found[3] == found[4] == pytest.approx(found[0] + 0.7 * STALE_S, abs=1e-5)
    quiet = between(moments(20, band2=0.7, silence=1.0), "time2", [20 * HOP_S, 21 * HOP_S])
    assert quiet[0] == pytest.approx(quiet[1], abs=1e-2)


@pytest.mark.parametrize("name", [each for each in FEATURES if not each.startswith("time")])
def test_when_the_voice_is_gone_every_feature_is_what_it_is_in_silence(name: str) -> None:
    feature = CATALOGUE[FEATURES.index(name)]
    loud = feature.minimum if feature.silent > feature.minimum else feature.maximum
    heard = moments(5, **{name: 0.99 * loud})
    end_s = float(heard["time_s"][-1])
    found = between(heard, name, [end_s, end_s + 2 * STALE_S])
    assert found[1] == pytest.approx(feature.silent)
    if name not in PHASES:
        assert found[0] == pytest.approx(0.99 * loud)


@given(
    st.lists(st.floats(0.0, 1.0), min_size=1, max_size=30),
    st.sampled_from(["onset", "beat_phase", "time2", "loudness_lufs"]),
)
@settings(max_examples=40, deadline=None)
def test_however_many_frames_are_drawn_the_end_is_the_same(frames_s: list[float], name: str) -> None:
    heard = moments(60, tempo_bpm=120.0, band2=0.5, silence=0.0, loudness_lufs=-20.0)
    heard["features"][:, FEATURES.index("onset")] = np.random.default_rng(0).random(60)
    few = between(heard, name, [0.0, 1.0], 30.0, 200.0)[-1]
    many = between(heard, name, [0.0, *sorted(frames_s), 1.0], 30.0, 200.0)[-1]
    assert many == pytest.approx(few, abs=1e-6)

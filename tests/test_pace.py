"""When frames are begun and seen, and how long they took."""

from __future__ import annotations

import numpy as np
import pytest

from installation.picture.wall.pace import HAND_S, FrameTimes, Pace


def test_deadlines_do_not_drift_and_a_late_frame_is_not_made_up_for() -> None:
    pace = Pace(50.0, 0.0)
    now_s = 0.0
    for _ in range(1000):
        now_s += pace.begin_s(now_s)
        now_s += 0.007
        pace.drawn(0.007)
        now_s += pace.wait_s(now_s)
        assert pace.shown(now_s, now_s) == pytest.approx(0.0, abs=1e-9)
    assert now_s == pytest.approx(1000 / 50.0)
    assert pace.shown(now_s + 1.0, now_s + 1.0) == pytest.approx(0.98)
    assert pace.due_s == now_s + 1.0


def test_drawing_begins_no_sooner_than_it_must() -> None:
    pace = Pace(50.0, 0.0)
    now_s = 0.0
    for _ in range(200):
        waited_s = pace.begin_s(now_s)
        now_s += waited_s + 0.003
        pace.drawn(0.003)
        now_s += pace.wait_s(now_s)
        pace.shown(now_s, now_s)
    assert waited_s == pytest.approx(0.02 - 0.003 - 0.004, abs=1e-3)


def test_a_frame_is_given_so_much_sooner_as_giving_takes() -> None:
    """The moment it is taken is the one it was drawn for."""
    pace, now_s = Pace(50.0, 0.0), 0.0
    for _ in range(200):
        now_s += pace.begin_s(now_s) + 0.005
        pace.drawn(0.005)
        asked_s = now_s + pace.wait_s(now_s)
        now_s = asked_s + 0.0024
        late_s = pace.shown(asked_s, now_s)
    assert late_s == pytest.approx(0.0, abs=1e-5)


@pytest.mark.parametrize("rate_hz", [59.0, 59.94, 60.0])
def test_deadlines_come_to_lie_on_the_beat_of_a_display_a_little_slower(rate_hz: float) -> None:
    """A flip that waits for the display returns on its beat: so does every frame then, and none waits long."""
    pace, beat_s, now_s = Pace(60.0, 0.0), 1 / rate_hz, 0.0
    waits, shown = [], []
    for _ in range(600):
        now_s += pace.begin_s(now_s) + 0.005
        pace.drawn(0.005)
        asked_s = now_s + pace.wait_s(now_s)
        now_s = np.ceil((asked_s + 1e-4 - 0.0071) / beat_s) * beat_s + 0.0071
        pace.shown(asked_s, now_s)
        waits.append(now_s - asked_s)
        shown.append(now_s)
    assert np.diff(shown[300:]) == pytest.approx(np.full(299, beat_s), abs=1e-6)
    assert max(waits[300:]) < HAND_S + 0.0045


def test_percentiles_of_many_frames_are_right_and_need_no_more_room() -> None:
    rng = np.random.default_rng(5)
    times = FrameTimes(np.random.default_rng(1))
    taken_ms = rng.gamma(4.0, 2.0, 60_000)
    for each in taken_ms:
        times.push(float(each))
    figures = times.figures()
    assert figures["p50"] == pytest.approx(float(np.percentile(taken_ms, 50)), rel=0.06)
    assert figures["p99"] == pytest.approx(float(np.percentile(taken_ms, 99)), rel=0.15)
    assert figures["max"] == pytest.approx(float(taken_ms.max()), abs=1e-3)
    assert times.count == 60_000
    assert times._sample_ms.nbytes == 8 * 1024

"""What a performance tells of how hard the sound is to make."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from installation.performance import RECENT_S, recent_p99

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

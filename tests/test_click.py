"""The click to set picture against sound by."""

from __future__ import annotations

import numpy as np
import pytest

from installation.ring import Ring
from installation.sound.click import LEVEL, clicks
from installation.sound.stream import Stream


@pytest.mark.parametrize("rate_hz", [44_100, 48_000])
def test_it_begins_with_each_second_and_is_the_same_however_it_is_cut(rate_hz: int) -> None:
    whole = clicks(0, 3 * rate_hz, rate_hz, 2)
    starts = np.flatnonzero(np.abs(whole[:, 0]) > 0.99 * LEVEL)
    assert starts[0] == 0 and rate_hz in starts and 2 * rate_hz in starts
    assert np.abs(whole[rate_hz // 2 : rate_hz]).max() == 0.0
    cut = np.concatenate([clicks(begin, 777, rate_hz, 2) for begin in range(0, 3 * rate_hz, 777)])
    np.testing.assert_array_equal(cut[: len(whole)], whole)


def test_a_stream_that_clicks_writes_it_at_the_ring_s_own_seconds() -> None:
    with Ring.create(1 << 17, 2, 48_000) as ring:
        stream = Stream(ring, 100_000)
        stream.clicks = True
        while stream.fill():
            pass
        np.testing.assert_array_equal(ring.tap(ring.written, ring.written), clicks(0, ring.written, 48_000, 2))
        stream.clicks = False
        ring.take(np.zeros((ring.written, 2), np.float32))
        before = ring.written
        stream.fill()
        assert np.abs(ring.tap(ring.written, ring.written - before)).max() == 0.0

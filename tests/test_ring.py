"""The ring against a plain list."""

from __future__ import annotations

import multiprocessing

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from installation.ring import Ring


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.integers(1, 90)), max_size=60))
def test_what_is_taken_is_what_was_written_then_silence_is_counted(moves: list[tuple[bool, int]]) -> None:
    line: list[float] = []
    taken = missed = 0
    with Ring.create(128, 1, 48_000) as ring:
        for writes, count in moves:
            if writes:
                count = min(count, 128 - ring.ahead)
                block = np.arange(len(line), len(line) + count, dtype=np.float32)[:, None]
                line.extend(block[:, 0])
                ring.write(block)
            else:
                out = np.full((count, 1), -1.0, np.float32)
                have = ring.take(out)
                assert out[:have, 0].tolist() == line[taken : taken + have]
                assert have == min(count, len(line) - taken)
                taken, missed = taken + have, missed + count - have
            assert (ring.written, ring.taken, ring.missed) == (len(line), taken, missed)
        held = range(max(0, len(line) - 128), len(line))
        past = [line[each] if each in held else 0.0 for each in range(taken - 20, taken)]
        assert ring.tap(taken, 20)[:, 0].tolist() == past


def test_what_the_card_still_needs_is_never_overwritten() -> None:
    with Ring.create(64, 2, 48_000) as ring:
        ring.write(np.ones((60, 2), np.float32))
        with pytest.raises(ValueError, match=r"5 samples do not fit: 60 of 64"):
            ring.write(np.ones((5, 2), np.float32))
        assert ring.written == 60


def test_rewriting_replaces_only_what_it_names() -> None:
    with Ring.create(64, 1, 48_000) as ring:
        ring.write(np.zeros((50, 1), np.float32))
        ring.take(np.zeros((40, 1), np.float32))
        ring.write(np.zeros((40, 1), np.float32))
        ring.rewrite(60, np.ones((10, 1), np.float32))
        out = np.zeros((50, 1), np.float32)
        assert ring.take(out) == 50
        assert np.flatnonzero(out[:, 0]).tolist() == list(range(20, 30))
        with pytest.raises(ValueError, match="rewrite"):
            ring.rewrite(85, np.ones((10, 1), np.float32))


def test_dac_time_runs_at_the_sample_rate_from_the_last_stamp() -> None:
    with Ring.create(64, 1, 1000) as ring:
        assert ring.dac_time_s(0) == 0.0
        ring.stamp(500, 10.0, underflow=True)
        assert ring.dac_time_s(500) == 10.0
        assert ring.dac_time_s(750) == pytest.approx(10.25)
        assert (ring.callbacks, ring.underflows) == (1, 1)


def _write_elsewhere(name: str) -> None:
    with Ring.attach(name) as ring:
        ring.write(np.full((10, 2), 0.5, np.float32))


def test_another_process_sees_and_fills_the_same_ring() -> None:
    with Ring.create(64, 2, 44_100) as ring:
        process = multiprocessing.get_context("spawn").Process(target=_write_elsewhere, args=(ring.name,))
        process.start()
        process.join(20.0)
        assert (ring.written, ring.sample_rate_hz, ring.channels) == (10, 44_100, 2)
        assert ring.tap(10, 10).mean() == 0.5

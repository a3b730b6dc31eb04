"""Cards: a real PortAudio stream into a private PulseAudio, the null clock, and the fades around a gap."""

from __future__ import annotations

import subprocess
import sys
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from installation.ring import Ring
from installation.sound.card import NullCard, Taker
from tests.pulse import PrivatePulse, lag

pytestmark = pytest.mark.alone

PLAY = """
import sys, time
import numpy as np
from installation.ring import Ring
from installation.sound.card import PortAudioCard
rng = np.random.default_rng(5)
sound = (np.cumsum(rng.standard_normal((96_000, 2)), axis=0) % 2.0 - 1.0).astype(np.float32) * 0.3
with Ring.create(1 << 18, 2, 48_000) as ring:
    ring.write(sound)
    card = PortAudioCard(sys.argv[1], 48_000, 2)
    card.open(ring)
    until_s = time.monotonic() + 20.0
    while ring.taken < 96_000 and time.monotonic() < until_s:
        time.sleep(0.02)
    time.sleep(0.5)
    position, at = ring.taken, ring.dac_time_s(ring.taken)
    card.close()
    print(card.name, card.sample_rate_hz, ring.taken, ring.callbacks > 10, abs(at - time.monotonic()) < 1.0)
"""


@pytest.mark.card
def test_what_the_ring_holds_comes_out_of_the_sink(pulse: PrivatePulse) -> None:
    recording = pulse.record()
    time.sleep(0.5)
    done = subprocess.run([sys.executable, "-c", PLAY, "pulse"], capture_output=True, text=True, timeout=60, check=True)
    heard = recording.stop()
    assert done.stdout.split() == ["pulse", "48000", "96000", "True", "True"]
    rng = np.random.default_rng(5)
    sound = (np.cumsum(rng.standard_normal((96_000, 2)), axis=0) % 2.0 - 1.0).astype(np.float32) * 0.3
    place, likeness = lag(sound[4800:48_000, 0], heard[:, 0])
    later, still = lag(sound[48_000:90_000, 1], heard[:, 1])
    assert likeness > 0.999 and still > 0.999
    assert later - place == 48_000 - 4800


@pytest.mark.card
def test_a_card_that_is_not_there_is_named_with_those_that_are(pulse: PrivatePulse) -> None:
    order = (
        "from installation.sound.card import find; card, why = find('Nonesuch 9', 48000, 2); print(card.name, '|', why)"
    )
    done = subprocess.run([sys.executable, "-c", order], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.startswith("null clock | no card 'Nonesuch 9'")
    assert "pulse" in done.stdout


def test_the_null_clock_takes_as_time_passes() -> None:
    with Ring.create(1 << 17, 2, 48_000) as ring:
        ring.write(np.zeros((96_000, 2), np.float32))
        card = NullCard(48_000)
        began_s = time.monotonic()
        card.open(ring)
        time.sleep(0.5)
        card.close()
        lasted_s = time.monotonic() - began_s
        assert 0.4 * 48_000 <= ring.taken <= (lasted_s + 0.05) * 48_000
        assert ring.missed == 0
        assert abs(ring.dac_time_s(ring.taken) - time.monotonic()) < 0.2


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, 700), min_size=4, max_size=12))
def test_a_gap_neither_clicks_nor_loses_or_repeats_a_sample(written: list[int]) -> None:
    """A slow sine written in dribs: what is missing is silence, counted, with no step above the fades' own."""
    line = (0.5 * np.sin(2.0 * np.pi * 100.0 * np.arange(20_000) / 48_000))[:, None].astype(np.float32)
    with Ring.create(1 << 14, 1, 48_000) as ring:
        taker, heard, given_out = Taker(ring), [], 0
        for count in written:
            ring.write(line[given_out : given_out + count])
            given_out += count
            block = np.full((256, 1), 9.0, np.float32)
            taker.take(block)
            heard.append(block)
        out = np.concatenate(heard)[:, 0]
        assert ring.taken + ring.missed == 256 * len(written)
        assert np.abs(out).max() <= 0.75
        assert np.abs(np.diff(out)).max() < 0.03


def test_after_a_long_gap_there_is_true_silence() -> None:
    with Ring.create(1 << 14, 1, 48_000) as ring:
        ring.write(np.full((4096, 1), 0.5, np.float32))
        taker = Taker(ring)
        for _ in range(40):
            block = np.full((512, 1), 9.0, np.float32)
            taker.take(block)
        assert np.abs(block).max() < 1e-3
        for _ in range(90):
            taker.take(block)
        assert np.abs(block).max() == 0.0

"""A minute of the whole instrument on a card: nothing missed or lost on the way, and knobs that are heard at once."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.pulse import PrivatePulse

pytestmark = pytest.mark.alone

ROOT = Path(__file__).resolve().parent.parent


@pytest.mark.long
@pytest.mark.card
@pytest.mark.gl
def test_a_minute_is_whole(pulse: PrivatePulse) -> None:
    order = [sys.executable, "-m", "bench.run", "--seconds", "60"]
    found = json.loads(subprocess.run(order, cwd=ROOT, capture_output=True, text=True, timeout=300, check=True).stdout)
    sound, sink = found["report"]["sound"], found["sink"]
    assert sound["missed_samples"] == 0
    assert sound["decode_ms"]["p99"] < sound["decode_budget_ms"] / 4.0
    assert len(sink["seconds_at_distance_in_samples"]) == 1 and sink["seconds_compared"] > 40
    assert sink["least_correlation"] > 0.999
    assert found["report"]["processes"]["voice"]["rss_mb"] < 150.0
    assert sound["first_sound_s"] < 3.0


@pytest.mark.long
@pytest.mark.card
@pytest.mark.gl
def test_a_knob_is_heard_15_ms_beyond_the_card() -> None:
    order = [sys.executable, "-m", "bench.knob", "--trials", "40"]
    found = json.loads(subprocess.run(order, cwd=ROOT, capture_output=True, text=True, timeout=300, check=True).stdout)
    assert found["heard"] == "40 of 40" and found["missed_samples"] == 0
    assert found["beyond_the_card_ms"]["median"] < 15.0
    assert found["beyond_the_card_ms"]["p99"] < 30.0

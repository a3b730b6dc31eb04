"""The beat tracker against music whose beats are known (`tests.beats`), and against what has none."""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt
import pytest

from installation.analysis.beat import Beat
from installation.analysis.metre import BEATS, PLACES, Metre, lengths, places, turns
from installation.analysis.spectrum import HOP
from tests.beat_styles import HELD_OUT
from tests.beats import Track, beatless, tracks
from tests.tapping import Found, f_measure, listen, matched

Doubles = npt.NDArray[np.float64]

RATE_HZ = 44_100
HEARD_STYLES = ("disco", "choir", "techno", "march", "sequencer", "ballad")


@cache
def heard(rate_hz: int) -> list[tuple[Track, Found]]:
    """Some tracks of styles the tracker was not tuned on, 20 s each, and what was found in them."""
    styles = {name: HELD_OUT[name] for name in HEARD_STYLES}
    return [(each, listen(each.samples, rate_hz)) for each in tracks(styles, len(styles), 5, rate_hz, 20.0)]


@pytest.mark.parametrize("rate_hz", [44_100, 48_000])
def test_it_taps_along_in_time_and_knows_the_tempo(rate_hz: int) -> None:
    scores = [f_measure(track.beats_s, found.beats_s) for track, found in heard(rate_hz)]
    assert np.mean([score for score, _ in scores]) > 0.95
    late_ms = [1000 * late_s.mean() for score, late_s in scores if score > 0.5]
    assert abs(np.mean(late_ms)) < 10 and np.median(np.abs(late_ms)) < 10
    right = [abs(found.course[-1, 2] / track.bpm - 1) < 0.02 for track, found in heard(rate_hz)]
    assert np.mean(right) >= 0.9


def test_the_phase_is_0_at_the_beat_and_the_level_jumps_there() -> None:
    _, found = heard(44_100)[0]
    hops = np.round(found.beats_s * RATE_HZ / HOP).astype(int) - 1
    phases = found.course[hops, 1]
    assert np.median(np.minimum(phases, 1 - phases)) < 0.05
    assert np.all(found.course[hops, 0] > found.course[hops - 1, 0])
    assert np.all((found.course[:, :2] >= 0) & (found.course[:, :2] <= 1))


@pytest.mark.parametrize("name", ["white noise", "pink noise", "sine", "drone", "silence", "noise floor"])
def test_what_has_no_beat_is_given_none(name: str) -> None:
    found = listen(beatless(RATE_HZ)[name], RATE_HZ)
    assert len(found.beats_s) < 5
    assert np.median(found.course[:, 3]) < 0.3


def test_nothing_is_announced_while_nothing_is_present() -> None:
    track, _ = heard(44_100)[0]
    found = listen(track.samples[: 10 * RATE_HZ], RATE_HZ, present=False)
    assert len(found.beats_s) == 0 and np.all(found.course[:, [0, 3]] == 0)


def test_the_level_of_the_sound_changes_nothing() -> None:
    track, _ = heard(44_100)[0]
    loud = listen(track.samples[: 10 * RATE_HZ], RATE_HZ).beats_s
    soft = listen(track.samples[: 10 * RATE_HZ] / 8, RATE_HZ).beats_s
    assert len(loud) > 5 and len(matched(loud, soft)) >= 0.9 * len(loud)


def test_it_taps_where_the_beat_will_be_not_where_it_was() -> None:
    """The same past gives the same beats, whatever comes; and if the music stops the next is tapped all the same."""
    track, found = heard(44_100)[0]
    until = int(10 * RATE_HZ // HOP * HOP)
    halted = np.concatenate([track.samples[:until], np.zeros(RATE_HZ)])
    cut = listen(halted, RATE_HZ).beats_s
    assert np.array_equal(cut[cut <= 10], found.beats_s[found.beats_s <= 10])
    assert len(matched(track.beats_s[(track.beats_s > 10) & (track.beats_s < 10.6)], cut)) >= 1


def test_a_restart_forgets_all_but_the_count() -> None:
    track, _ = heard(44_100)[0]
    sound = track.samples[: 6 * RATE_HZ]
    beat = Beat(RATE_HZ)
    listen(beatless(RATE_HZ)["pink noise"][: 2 * RATE_HZ], RATE_HZ, beat=beat)
    first = listen(sound, RATE_HZ, beat=beat)
    counted = beat.count
    beat.restart()
    assert beat.count == counted and beat.level == beat.phase == beat.confidence == 0
    again = listen(sound, RATE_HZ, beat=beat)
    fresh = listen(sound, RATE_HZ)
    assert np.array_equal(again.course, fresh.course)
    assert beat.count == counted + len(fresh.beats_s) and counted == len(first.beats_s)


def test_whatever_is_pushed_it_stays_finite() -> None:
    rng = np.random.default_rng(8)
    beat = Beat(RATE_HZ)
    for n in range(400):
        hop = rng.standard_normal(HOP) * 10.0 ** rng.integers(-30, 30)
        mels_db = rng.standard_normal(int(rng.integers(1, 65))) * 10.0 ** rng.integers(-3, 12)
        hop[rng.integers(HOP)] = (np.nan, np.inf, -np.inf)[n % 3]
        mels_db[0] = (np.inf, np.nan, -np.inf)[n % 3]
        beat.push(hop, mels_db, bool(n % 5))
        assert all(np.isfinite([beat.level, beat.phase, beat.tempo_bpm, beat.confidence]))
        assert 0 <= beat.level <= 1 and 0 <= beat.phase < 1 and 0 <= beat.confidence <= 1


@pytest.mark.parametrize("beat", [26.0, 40.5, 86.0])
def test_every_place_in_a_beat_is_of_one_kind_and_the_beat_itself_is_where_it_begins(beat: float) -> None:
    found = places(np.arange(beat), np.full(int(np.ceil(beat)), beat))
    assert PLACES[found[0]] == "beat" and PLACES[found[1]] == "after"
    assert np.sum(found == PLACES.index("half")) >= 1
    assert set(found) == set(range(len(PLACES)))


def test_a_metre_told_nothing_believes_nothing_and_told_the_beats_knows_the_tempo() -> None:
    hop_s = HOP / RATE_HZ
    metre = Metre(hop_s)
    for _ in range(500):
        idle = metre.push(np.ones(BEATS * len(PLACES)))
    assert idle.sharpness < 0.1 and abs(idle.foresight) < 0.01
    struck, rest = np.full(BEATS * len(PLACES), 0.01), np.ones(BEATS * len(PLACES))
    struck[:: len(PLACES)] = 1.0
    rest[:: len(PLACES)] = 0.01
    for n in range(700):
        told = metre.push(struck if n % 42 == 0 else rest)
    assert abs(told.beat - 42) < 0.5 and told.sharpness > 0.9 and told.foresight > 0
    assert abs((told.since - 699 % 42 + 21) % 42 - 21) < 1


def test_a_tempo_goes_on_and_never_leaves_the_range() -> None:
    spans = lengths(HOP / RATE_HZ)
    turn = turns(spans)
    assert np.all(np.diff(spans) > 0) and np.allclose(turn.sum(axis=1), 1, atol=1e-5)
    assert np.all(turn.argmax(axis=1) == np.arange(len(spans)))
    assert 60 * BEATS / (spans[0] * HOP / RATE_HZ) > 174 and 60 * BEATS / (spans[-1] * HOP / RATE_HZ) < 70

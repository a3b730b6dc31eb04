"""The instrument's own textures: what the moments and samples say, scrolled, cut and sent once to each who asks."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from installation.analysis.spectrum import level_db, magnitude, shown
from installation.picture.heard import STALE_S, Heard
from installation.picture.scroll import Scroll
from installation.picture.shading.isf import Input
from installation.picture.texels import FFT, HIGH_HZ, LOG_COLUMNS, LOW_HZ, LogAxis, Pixels, spectrum, waveform
from installation.picture.textures import HEARD_TRAIL, RESERVED, TRAIL_MOMENTS, WAVEFORM_SAMPLES, Known, Textures
from installation.track import FEATURES, MEL_BINS, MOMENT, SPECTRUM_BINS, Moments, Track

HOP_S = 0.0107
RATE_HZ = 48_000
SILENCE = np.zeros((0, 2), np.float32)
TRAILS = ("latentTrail", "spectrumTrail", "melTrail", "spectrogram", "heardTrail")


def moments(count: int, seed: int = 3) -> Moments:
    rng = np.random.default_rng(seed)
    made = np.zeros(count, MOMENT)
    made["time_s"] = HOP_S * np.arange(1, count + 1)
    made["features"] = rng.random((count, len(FEATURES)))
    made["spectrum"], made["mel"] = rng.random((count, SPECTRUM_BINS)), rng.random((count, MEL_BINS))
    made["latent"] = rng.normal(size=(count, 128))
    made["latent_dim"], made["steps"], made["step"] = 16, 64, np.arange(count) % 64
    made["trajectory"], made["sparseness"] = 1 + np.arange(count) // 64, rng.random(count)
    made["generation"] = np.arange(count) // 40
    return made


def asked(textures: Textures, *names: str, now_s: float = 0.0, sound: Pixels = SILENCE) -> dict[str, Pixels]:
    """What one who has nothing yet is given."""
    return textures.changed({name: Input(name, "image") for name in names}, sound, now_s, {})


def pushed(heard: Moments, parts: list[int], latent_dim: int = 16, asking: bool = False) -> Textures:
    textures, start = Textures(latent_dim, RATE_HZ), 0
    for part in parts:
        textures.push(heard[start : start + part])
        start += part
        if asking:
            asked(textures, *TRAILS, now_s=float(start))
    return textures


# ---- scrolling


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 9), st.lists(st.integers(0, 25), max_size=30))
def test_a_scroll_holds_the_last_rows_newest_first_however_they_came(length: int, parts: list[int]) -> None:
    scroll, added = Scroll(length, (2,), np.int64), np.zeros((0, 2), np.int64)
    for part in parts:
        rows = np.arange(2 * len(added), 2 * (len(added) + part)).reshape(part, 2) + 1
        scroll.push(rows)
        before, added = len(added), np.concatenate([added, rows])
        np.testing.assert_array_equal(scroll.since(before), rows[-length:])
    expected = np.concatenate([added[::-1], np.zeros((length, 2), np.int64)])[:length]
    np.testing.assert_array_equal(scroll.rows, expected)
    assert scroll.count == len(added)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(0, 300), min_size=1, max_size=6), st.booleans())
def test_trails_hold_the_last_moments_newest_first_however_they_came(parts: list[int], asking: bool) -> None:
    heard = moments(sum(parts))
    found = asked(pushed(heard, parts, asking=asking), *TRAILS, now_s=1e9)
    kept = heard[::-1][:TRAIL_MOMENTS]
    np.testing.assert_array_equal(found["latentTrail"][: len(kept)], kept["latent"][:, :16])
    np.testing.assert_array_equal(found["spectrumTrail"][: len(kept)], kept["spectrum"].astype(np.float16))
    np.testing.assert_array_equal(found["melTrail"][: len(kept)], kept["mel"].astype(np.float16))
    np.testing.assert_array_equal(found["spectrogram"][: len(kept)], LogAxis(RATE_HZ).of(kept).astype(np.float16))
    np.testing.assert_array_equal(found["heardTrail"][: len(kept), 0], heard_rows(heard)[::-1][:TRAIL_MOMENTS])
    for name in TRAILS:
        assert found[name].shape[0] == TRAIL_MOMENTS
        assert not found[name][len(kept) :].any()


def heard_rows(heard: Moments) -> Pixels:
    """The rows of heardTrail by hand, oldest first: what `Heard` says at each moment's own time."""
    ear, rows = Heard(), np.zeros((len(heard), len(HEARD_TRAIL)), np.float16)
    for place in range(len(heard)):
        ear.push(heard[place : place + 1])
        rows[place] = [ear.value(name) for name in HEARD_TRAIL]
    return rows


def test_every_reserved_texture_has_the_shape_it_is_known_by() -> None:
    heard = moments(5)
    found = asked(pushed(heard, [5]), *RESERVED, now_s=0.06, sound=np.zeros((4000, 2), np.float32))
    shapes = {
        "waveform": (2, 1024),
        "spectrum": (1, 512),
        "mel": (1, 64),
        "latentTrail": (256, 16),
        "spectrumTrail": (256, 512),
        "melTrail": (256, 64),
        "spectrogram": (256, 256),
        "heardTrail": (256, 1, 4),
        "archiveMap": (2, 1024, 4),
    }
    assert {name: pixels.shape for name, pixels in found.items()} == shapes
    assert {pixels.dtype.name for pixels in found.values()} == {"float16", "float32"}
    assert all(np.isfinite(pixels).all() for pixels in found.values())


def test_a_latent_shorter_or_longer_than_the_trail_is_filled_up_or_cut() -> None:
    heard = moments(1)
    heard["latent_dim"] = 4
    narrow = asked(pushed(heard, [1]), "latentTrail")["latentTrail"]
    np.testing.assert_array_equal(narrow[0, :4], heard["latent"][0, :4])
    assert not narrow[0, 4:].any()
    heard["latent_dim"] = 128
    wide = asked(pushed(heard, [1], latent_dim=200), "latentTrail")["latentTrail"]
    np.testing.assert_array_equal(wide[0, :128], heard["latent"][0])
    assert not wide[0, 128:].any()


def test_what_is_not_a_number_is_nothing() -> None:
    heard = moments(2)
    for name in ("features", "spectrum", "mel", "latent", "sparseness"):
        heard[name] = np.nan
    found = asked(pushed(heard, [2]), *RESERVED, now_s=0.03, sound=np.full((2000, 1), np.nan, np.float32))
    assert (found.pop("waveform") == 0.5).all()
    assert not any(pixels.any() for pixels in found.values())


# ---- one clock


@pytest.fixture
def track() -> Iterator[Track]:
    with Track.create() as track:
        for moment in moments(120):
            track.push(moment)
        yield track


def test_no_texture_holds_a_moment_later_than_the_frame(track: Track) -> None:
    heard, textures, number = moments(120), Textures(16, RATE_HZ), 0
    for now_s in np.arange(0.0, 1.0, 1 / 60):
        number, new = track.since(number, now_s)
        textures.push(new)
        upto = heard[heard["time_s"] <= now_s]
        found = asked(textures, "latentTrail", "spectrum", "mel", now_s=now_s)
        row = upto["latent"][-1, :16] if len(upto) else np.zeros(16)
        np.testing.assert_array_equal(found["latentTrail"][0], row)
        newest = upto[-1] if len(upto) else np.zeros((), MOMENT)
        np.testing.assert_array_equal(found["mel"][0], newest["mel"].astype(np.float16))
        np.testing.assert_array_equal(found["spectrum"][0], newest["spectrum"].astype(np.float16))


def test_when_nothing_is_heard_any_more_the_spectrum_is_silent_and_the_trails_stay() -> None:
    textures, known = pushed(moments(3), [3]), Known()
    wanted = {name: Input(name, "image") for name in ("spectrum", "mel", "spectrumTrail")}
    last_s = 3 * HOP_S
    before = textures.changed(wanted, SILENCE, last_s + STALE_S - 0.01, known)
    assert before["spectrum"].any()
    assert before["mel"].any()
    after = textures.changed(wanted, SILENCE, last_s + STALE_S + 0.01, known)
    assert not after["spectrum"].any()
    assert not after["mel"].any()
    assert after["spectrumTrail"].any()


# ---- each gets what is new to it


def test_each_who_asks_gets_what_changed_since_it_asked_and_nothing_twice() -> None:
    textures, heard = Textures(16, RATE_HZ), moments(10)
    wanted = {name: Input(name, "image") for name in ("latentTrail", "spectrum", "waveform", "unknown")}
    sound = np.zeros((1024, 2), np.float32)
    often, seldom = Known(), Known()
    assert set(textures.changed(wanted, sound, 0.0, often)) == {"latentTrail", "spectrum", "waveform"}
    assert textures.changed(wanted, sound, 0.0, often) == {}
    assert set(textures.changed(wanted, sound, 0.001, often)) == {"waveform"}
    textures.push(heard[:4])
    assert set(textures.changed(wanted, sound, 0.05, often)) == {"latentTrail", "spectrum", "waveform"}
    textures.push(heard[4:])
    late = textures.changed(wanted, sound, 0.11, seldom)
    soon = textures.changed(wanted, sound, 0.11, often)
    assert set(late) == set(soon) == {"latentTrail", "spectrum", "waveform"}
    for name, pixels in soon.items():
        np.testing.assert_array_equal(pixels, late[name])


def test_audio_inputs_are_filled_whatever_their_name_and_as_wide_as_they_say() -> None:
    textures, heard = Textures(16, RATE_HZ), moments(2)
    textures.push(heard)
    sound = np.linspace(-1.0, 1.0, 4000, dtype=np.float32)[:, None]
    wanted = {
        "wave": Input("wave", "audio", width=100),
        "waveform": Input("waveform", "audio"),
        "bins": Input("bins", "audioFFT", width=32),
        "mel": Input("mel", "audioFFT"),
        "audio": Input("audio", "image"),
    }
    found = textures.changed(wanted, sound, 0.03, {})
    assert {name: pixels.shape for name, pixels in found.items()} == {
        "wave": (1, 100),
        "waveform": (1, 512),
        "bins": (1, 32),
        "mel": (1, 512),
    }
    np.testing.assert_array_equal(found["wave"], waveform(sound, 100))
    np.testing.assert_array_equal(found["bins"], spectrum(heard[-1]["spectrum"], 32))
    assert textures.samples_wanted(wanted.values()) == 512
    assert textures.samples_wanted([Input("waveform", "image")]) == WAVEFORM_SAMPLES
    assert textures.samples_wanted([Input("spectrum", "image"), Input("picture", "image")]) == 0


# ---- what the arrays say


def test_silence_is_half_and_full_scale_is_zero_and_one() -> None:
    wave = waveform(np.array([[0.0, -1.0], [0.5, 1.0], [3.0, np.nan]], np.float32), 5)
    assert wave.shape == (2, 5)
    np.testing.assert_array_equal(wave, [[0.5, 0.5, 0.5, 0.75, 1.0], [0.5, 0.5, 0.0, 1.0, 0.5]])


def test_a_narrow_spectrum_keeps_every_peak_and_a_full_one_is_itself() -> None:
    bins = np.zeros(512, np.float32)
    bins[77] = 1.0
    assert spectrum(bins, 512)[0].argmax() == 77
    for width in (1, 3, 64, 100):
        narrow = spectrum(bins, width)
        assert narrow.shape == (1, width)
        assert narrow.max() == 1.0
        assert narrow.argmax() == 77 * width // 512


@pytest.mark.parametrize("rate_hz", [44_100, 48_000])
@pytest.mark.parametrize("pitch_hz", [55.0, 110.0, 220.0, 440.0, 1760.0, 3520.0, 7040.0])
def test_in_the_spectrogram_a_tone_lies_at_its_octave(rate_hz: int, pitch_hz: float) -> None:
    heard = np.zeros(1, MOMENT)
    heard["spectrum"] = shown(level_db(magnitude(0.5 * np.sin(2 * np.pi * pitch_hz * np.arange(FFT) / rate_hz)) ** 2))
    row = LogAxis(rate_hz).of(heard)[0]
    column = np.log(pitch_hz / LOW_HZ) / np.log(HIGH_HZ / LOW_HZ) * LOG_COLUMNS
    bin_columns = LOG_COLUMNS / np.log(HIGH_HZ / LOW_HZ) * rate_hz / FFT / pitch_hz
    assert abs(float(np.average(np.flatnonzero(row == row.max()))) + 0.5 - column) <= 0.6 * max(1.0, bin_columns) + 0.5


@pytest.mark.parametrize("rate_hz", [16_000, 44_100, 48_000, 192_000])
def test_the_spectrogram_loses_no_peak_and_is_nothing_above_what_is_heard(rate_hz: int) -> None:
    axis, bin_hz = LogAxis(rate_hz), rate_hz / FFT
    top_hz = min(HIGH_HZ, (SPECTRUM_BINS - 1) * bin_hz)
    heard = np.zeros(SPECTRUM_BINS, MOMENT)
    heard["spectrum"] = np.eye(SPECTRUM_BINS)
    rows = axis.of(heard)
    inside = (np.arange(SPECTRUM_BINS) * bin_hz > LOW_HZ * 1.03) & (np.arange(SPECTRUM_BINS) * bin_hz < top_hz / 1.03)
    assert rows.max(axis=1)[inside].min() >= 0.49
    heard["spectrum"] = 1.0
    top = np.log(top_hz / LOW_HZ) / np.log(HIGH_HZ / LOW_HZ) * LOG_COLUMNS
    assert (axis.of(heard)[0, : int(top) - 1] == 1.0).all()
    assert not axis.of(heard)[0, int(top) + 1 :].any()

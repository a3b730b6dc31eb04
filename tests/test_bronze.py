"""Bells, bowls and bars: struck, they are what their docstrings say; and recordings are read or refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from installation.errors import ModelError
from installation.training import bronze, evaluation, sounds

RATE_HZ = 48_000


@pytest.mark.parametrize("instrument", bronze.INSTRUMENTS, ids=lambda each: each.name)
@pytest.mark.parametrize("pitch_hz", [196.0, 523.25, 1046.5])
def test_a_stroke_has_its_modes_and_dies_away(instrument: bronze.Instrument, pitch_hz: float) -> None:
    """The spectrum's peaks lie at the instrument's ratios; the last tenth of the stroke is far below the first."""
    sound = bronze.strike(instrument, pitch_hz, 1.0, RATE_HZ, np.random.default_rng(1))
    spectrum = np.abs(np.fft.rfft(sound * np.hanning(len(sound))))
    bin_hz = RATE_HZ / len(sound)
    for ratio in instrument.ratios[:3]:
        place = round(pitch_hz * ratio / bin_hz)
        width = max(8, round(pitch_hz * 0.3 / bin_hz))
        loudest = place - width + int(np.argmax(spectrum[place - width : place + width]))
        assert loudest * bin_hz == pytest.approx(pitch_hz * ratio, rel=0.006)
    tenth = len(sound) // 10
    first, last = (np.sqrt(np.mean(part**2)) for part in (sound[:tenth], sound[-tenth:]))
    assert last < first / 100.0


def test_the_pitch_of_a_bar_is_heard_as_its_own() -> None:
    bar = bronze.INSTRUMENTS[0]
    sound = bronze.strike(bar, 440.0, 0.5, RATE_HZ, np.random.default_rng(1))
    heard = evaluation.pitches_hz(sound, RATE_HZ)
    assert np.nanmedian(heard) == pytest.approx(440.0, rel=0.005)


def test_pitches_span_four_octaves_of_a_scale() -> None:
    assert len(bronze.PITCHES_HZ) == 21
    assert bronze.PITCHES_HZ[-1] / bronze.PITCHES_HZ[0] == pytest.approx(16.0)
    assert list(bronze.PITCHES_HZ) == sorted(bronze.PITCHES_HZ)


def test_recordings_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no WAV files"):
        sounds.recordings(tmp_path, RATE_HZ)
    sounds.write(tmp_path / "slow.wav", np.zeros(10, np.float32), 22_050)
    with pytest.raises(ModelError, match=r"slow\.wav: 22050 Hz, 16 bit; asked for are 48000 Hz, 16 bit"):
        sounds.recordings(tmp_path, RATE_HZ)
    (tmp_path / "slow.wav").write_bytes(b"no sound")
    with pytest.raises(ModelError, match="not a WAV file"):
        sounds.recordings(tmp_path, RATE_HZ)

"""Copies of a sound that differ as other recordings of the same thing might: more to learn from where there is little.

Pitch and time by WSOLA (Verhelst and Roelands, "An overlap-add technique based on waveform similarity", ICASSP 1993)
and band-limited resampling. Every chance is a draw from the generator that is passed in. Sounds are (samples,), mono.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.float32]

WINDOW_S = 0.05
SEARCH_S = 0.012
ALLPASSES = 4
ALLPASS_HZ = (40.0, 4_000.0)
ALLPASS_RADIUS = 0.97
MOST = 0.999
"""The peak of a copy: louder ones are turned down to it."""


@dataclass(frozen=True)
class Variation:
    """How far copies may differ; 0 and False leave a thing as it is."""

    gain_db: float = 6.0
    """Up or down at most."""
    pitch_semitones: float = 0.0
    """Up or down at most, the time unchanged."""
    speed_semitones: float = 0.0
    """Up or down at most, as a tape: pitch and time together."""
    stretch: float = 0.0
    """Longer or shorter at most, as a share of 1, the pitch unchanged."""
    mirror: bool = True
    """Half of the copies with the sign turned over."""
    allpass: bool = False
    """Phases turned by a row of second-order all-pass filters (acids-rave itself does the like as it trains)."""


def vary(sound: Samples, sample_rate_hz: int, variation: Variation, rng: np.random.Generator) -> Samples:
    """A copy of `sound`; its length differs where time is stretched. Every kind of change is drawn for, wanted or not,
    so that one more option changes nothing of the others."""
    gain, pitch, speed, longer, sign = rng.uniform(-1.0, 1.0, 5)
    places = rng.uniform(size=ALLPASSES)
    time = (1.0 + variation.stretch * longer) * 2.0 ** (variation.pitch_semitones * pitch / 12.0)
    ratio = 2.0 ** (-(variation.pitch_semitones * pitch + variation.speed_semitones * speed) / 12.0)
    made = resample(stretch(sound, time, sample_rate_hz), ratio)
    if variation.allpass:
        made = turn_phases(made, sample_rate_hz, places)
    made = made * np.float32(10.0 ** (variation.gain_db * gain / 20.0))
    made = made * np.float32(-1.0 if variation.mirror and sign < 0.0 else 1.0)
    return made * np.float32(min(1.0, MOST / max(1e-9, float(np.abs(made).max(initial=0.0)))))


def resample(sound: Samples, ratio: float) -> Samples:
    """The sound with `ratio` times as many samples, by its spectrum: nothing above the lower Nyquist frequency is left.
    (samples × ratio,)"""
    count = round(len(sound) * ratio)
    if ratio == 1.0 or not count:
        return sound[:count]
    spectrum = np.fft.rfft(sound)
    kept = np.zeros(count // 2 + 1, spectrum.dtype)
    shared = min(len(spectrum), len(kept))
    kept[:shared] = spectrum[:shared]
    return (np.fft.irfft(kept, count) * (count / len(sound))).astype(np.float32)


def stretch(sound: Samples, factor: float, sample_rate_hz: int) -> Samples:
    """The sound `factor` times as long at the same pitch: windows taken where they continue best what is there already.
    (about samples × factor,)"""
    window, search = 2 * int(WINDOW_S * sample_rate_hz / 2), int(SEARCH_S * sample_rate_hz)
    if factor == 1.0 or len(sound) < 2 * (window + search):
        return sound
    hop, taper = window // 2, np.hanning(window + 1)[:-1].astype(np.float32)
    count = int((len(sound) - window - 2 * search) * factor / hop)
    made, at = np.zeros(count * hop + window, np.float32), search
    for number in range(count + 1):
        wanted = search + round(number * hop / factor)
        if wanted + search + window > len(sound):
            break
        if number:
            offered = sound[wanted - search : wanted + search + hop]
            at = wanted - search + _best(sound[at + hop : at + window], offered)
        made[number * hop : number * hop + window] += taper * sound[at : at + window]
    return made


def _best(follows: Samples, offered: Samples) -> int:
    """Where in `offered` that part lies which is most like `follows` (normalised cross-correlation)."""
    size, places = 1 << (len(offered) - 1).bit_length(), len(offered) - len(follows)
    products = np.fft.irfft(np.fft.rfft(offered, size) * np.conj(np.fft.rfft(follows, size)), size)
    energies = np.cumsum(np.concatenate([[0.0], np.square(offered, dtype=np.float64)]))
    norms = np.sqrt(energies[len(follows) : len(follows) + places] - energies[:places] + 1e-9)
    return int(np.argmax(products[:places] / norms))


def turn_phases(sound: Samples, sample_rate_hz: int, places: npt.NDArray[np.float64]) -> Samples:
    """The sound through a second-order all-pass filter at each of `places` (0..1 between ALLPASS_HZ, in pitch): all
    magnitudes stay. (samples,)"""
    low_hz, high_hz = ALLPASS_HZ
    size = len(sound) + sample_rate_hz // 4
    back = np.exp(-2j * np.pi * np.arange(size // 2 + 1) / size)
    response = np.ones(len(back), complex)
    for place in places:
        angle = 2.0 * np.pi * low_hz * (high_hz / low_hz) ** place / sample_rate_hz
        one, two = -2.0 * ALLPASS_RADIUS * np.cos(angle), ALLPASS_RADIUS**2
        response *= (two + one * back + back**2) / (1.0 + one * back + two * back**2)
    return np.fft.irfft(np.fft.rfft(sound, size) * response, size)[: len(sound)].astype(np.float32)

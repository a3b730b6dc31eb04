"""How every recording of a data set is treated, and what one becomes."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass

import numpy as np
import numpy.typing as npt

from installation.errors import ModelError
from installation.training import bandwidth, conditioning

Samples = npt.NDArray[np.float32]

CHANNELS = ("mix", "left", "right", "each")
NORMALISATIONS = ("peak", "loudness", "none")


@dataclass(frozen=True)
class Treatment:
    """The same for every file. Decibels are of full scale."""

    sample_rate_hz: int = 48_000
    channels: str = "mix"
    """`mix` averages them, `left` and `right` take one, `each` makes every channel a sound of its own."""
    normalise: str = "peak"
    """`peak` brings each file's peak to -1 dB, `loudness` its RMS where it sounds to `loudness_db`."""
    loudness_db: float = -20.0
    silence_db: float | None = -60.0
    """What is quieter, after normalisation, for `silence_s` or longer is cut out; None keeps it."""
    silence_s: float = 0.5

    def __post_init__(self) -> None:
        allowed = ((self.channels, CHANNELS, "channels"), (self.normalise, NORMALISATIONS, "normalise"))
        wrong = [f"{name}: {got!r} is none of {', '.join(names)}" for got, names, name in allowed if got not in names]
        if not 8_000 <= self.sample_rate_hz <= 192_000:
            wrong.append(f"rate: {self.sample_rate_hz} Hz is outside 8000..192000")
        if self.silence_s <= 0.0:
            wrong.append(f"silence: {self.silence_s} s is not above 0")
        if wrong:
            raise ModelError("models prepare: " + "; ".join(wrong))

    def digest(self) -> str:
        """Names the treatment: another one has another name."""
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()[:12]


@dataclass(frozen=True)
class Found:
    """What was found in a recording as it came: seconds in and out, share clipped, loudness, the highest frequency."""

    seconds_in: float
    seconds_out: float
    clipped: float
    loudness_db: float
    highest_hz: float


def treat(recording: Samples, treatment: Treatment, clipped: float = 0.0) -> tuple[Samples, Found]:
    """A recording, (samples, channels) at the treatment's rate, as it will be learnt, (samples,), and what was found;
    which share of it was `clipped` only its own rate shows. ModelError if a sample is not a number."""
    if not np.isfinite(recording).all():
        raise ModelError("holds samples that are no numbers")
    rate_hz = treatment.sample_rate_hz
    sounds = [conditioning.without_offset(sound) for sound in _channels(recording, treatment.channels)]
    made = conditioning.join([_treat(sound, treatment) for sound in sounds], int(conditioning.FADE_S * rate_hz))
    before = np.concatenate(sounds)
    return made, Found(
        len(before) / rate_hz,
        len(made) / rate_hz,
        clipped,
        conditioning.loudness_db(before, rate_hz),
        bandwidth.highest_hz(before, rate_hz),
    )


def _treat(sound: Samples, treatment: Treatment) -> Samples:
    if treatment.normalise == "peak":
        sound = conditioning.to_peak(sound)
    elif treatment.normalise == "loudness":
        sound = conditioning.to_loudness(sound, treatment.sample_rate_hz, treatment.loudness_db)
    if treatment.silence_db is None:
        return sound
    return conditioning.without_silence(sound, treatment.sample_rate_hz, treatment.silence_db, treatment.silence_s)


def _channels(recording: Samples, channels: str) -> list[Samples]:
    if channels == "each":
        return [np.ascontiguousarray(sound) for sound in recording.T]
    if channels == "mix":
        return [recording.mean(axis=1, dtype=np.float32)]
    return [np.ascontiguousarray(recording[:, 0 if channels == "left" else min(1, recording.shape[1] - 1)])]

"""The sounds of a study: drawn from all of a run, made equally loud, named so that the name says nothing."""

from __future__ import annotations

import hashlib
import io
import json
import wave
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from itertools import chain, zip_longest

import numpy as np
import numpy.typing as npt

from installation.evolution.audition import Decode
from installation.evolution.individual import Individual
from installation.evolution.kept import Header, Life
from installation.evolution.store import Store

Floats = npt.NDArray[np.float32]

BATCH = 8
"""Clips decoded at once."""
SILENT_DB = -50.0
"""RMS re full scale below which a clip is not asked about: raised to the others' level it would be noise."""
LEVEL_DB = -20.0
"""RMS re full scale every clip is brought to, or as near to it as the peak of the most peaked one allows."""
LOWEST_DB = -30.0
"""The level isn't lowered further for the sake of a peak: a clip more peaked than that stays quieter than the rest."""
PEAK_DB = -1.0
FADE_S = 0.008
"""A trajectory begins and ends in mid-sound; without a fade each clip would click."""


@dataclass(frozen=True, eq=False)
class Clip:
    """One individual as a listener meets it; `name` is opaque."""

    name: str
    individual: Individual


def run_name(header: Header) -> str:
    """Which run answers belong to: the SHA-256 of the store's header, its keys sorted, as JSON."""
    return hashlib.sha256(json.dumps(asdict(header), sort_keys=True).encode()).hexdigest()


def clip_name(run: str, latents: Floats) -> str:
    """Twelve hexadecimal digits of the SHA-256 of the run and the latents: the same for the same sound of the same run,
    and of no use to a listener."""
    return hashlib.sha256(run.encode() + np.asarray(latents, "<f4").tobytes()).hexdigest()[:12]


def find_clips(store: Store, names: set[str]) -> dict[str, Clip]:
    """Those of `names` that are clips of this run and still kept, by name."""
    run, found = run_name(store.header), {}
    for each in store.individuals():
        name = clip_name(run, each.latents)
        if name in names and name not in found:
            found[name] = Clip(name, each)
    return found


def draw_clips(store: Store, decode: Decode, count: int, rng: np.random.Generator) -> tuple[list[Clip], Floats]:
    """At most `count` different clips with a sound, in turns from founders, the middle of the run, its last container
    and its archive, and their sounds (clips, samples)."""
    run, clips, heard, names = run_name(store.header), list[Clip](), list[Floats](), set[str]()
    candidates = _individuals(store, rng)
    while len(clips) < count and (batch := [each for _, each in zip(range(BATCH), candidates, strict=False)]):
        sounds = decode(np.stack([each.latents for each in batch]))
        for individual, sound in zip(batch, sounds, strict=True):
            name = clip_name(run, individual.latents)
            if name not in names and _audible(sound) and len(clips) < count:
                names.add(name)
                clips.append(Clip(name, individual))
                heard.append(sound)
    return clips, np.array(heard, np.float32)


def _individuals(store: Store, rng: np.random.Generator) -> Iterator[Individual]:
    """Everyone once, in turns from the strata of the run, in each at random."""
    shuffled = [[int(each) for each in rng.permutation(stratum)] for stratum in _strata(store)]
    turns = chain.from_iterable(zip_longest(*shuffled))
    for identity in dict.fromkeys(each for each in turns if each is not None):
        if (individual := store.individual(identity)) is not None:
            yield individual


def _strata(store: Store) -> tuple[list[int], list[int], list[int], list[int]]:
    """Identities of founders, of those born in the middle third, of the last container and of the archive; founders
    that live on are of both."""
    lives = [
        (each.individual.identity, each.individual.generation, bool(each.individual.parents), _lives(each))
        for each in store.lives()
    ]
    last = max((generation for _, generation, _, _ in lives), default=0)
    founders = [identity for identity, _, born, _ in lives if not born]
    middle = [identity for identity, when, born, _ in lives if born and last / 3 <= when <= last * 2 / 3]
    end = [identity for identity, _, _, living in lives if living]
    return founders, middle, end, list(store.archive())


def _lives(life: Life) -> bool:
    return life.entered is not None and life.left is None


def _audible(sound: Floats) -> bool:
    return bool(np.isfinite(sound).all()) and _rms(sound) > 10 ** (SILENT_DB / 20)


def _rms(sound: Floats) -> float:
    return float(np.sqrt(np.square(sound, dtype=np.float64).mean()))


def equally_loud(sounds: Floats, sample_rate_hz: int) -> Floats:
    """`sounds` (clips, samples), audible, faded in and out and brought to one RMS level with no peak above PEAK_DB, so
    that loudness is no cue. One gain a clip, no limiter: nothing is added that could be heard as a fault."""
    faded = sounds * _fades(sounds.shape[1], sample_rate_hz)
    rms = np.sqrt(np.square(faded, dtype=np.float64).mean(axis=1))
    peaks = np.abs(faded).max(axis=1)
    allowed = 10 ** (PEAK_DB / 20) * rms / peaks
    level = np.clip(allowed.min(), 10 ** (LOWEST_DB / 20), 10 ** (LEVEL_DB / 20))
    return np.asarray(faded * (np.minimum(level, allowed) / rms)[:, None], np.float32)


def _fades(samples: int, sample_rate_hz: int) -> Floats:
    """A gain for each sample: half a Hann window at either end."""
    length = min(int(FADE_S * sample_rate_hz), samples // 2)
    rise = 0.5 - 0.5 * np.cos(np.pi * (np.arange(length) + 0.5) / max(1, length))
    gain = np.ones(samples, np.float32)
    gain[:length], gain[samples - length :] = rise, rise[::-1]
    return gain


def wav(sound: Floats, sample_rate_hz: int) -> bytes:
    """`sound` (samples,), full scale 1, as a WAV file, 16 bit, mono."""
    file = io.BytesIO()
    with wave.open(file, "wb") as written:
        written.setnchannels(1)
        written.setsampwidth(2)
        written.setframerate(sample_rate_hz)
        written.writeframes(np.round(np.clip(sound, -1, 1) * 32767).astype("<i2").tobytes())
    return file.getvalue()

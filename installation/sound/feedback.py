"""Whether what is heard is what is played: a room's microphone hears the loudspeakers; the show must not hear itself.

Two questions, both at every delay up to 0.65 s. Is it the same waveform? That is what `waveform` believes or not, in a
few notes, and it takes no imitation for it: in timbre transfer the show follows who plays to it, note by note, and
to turn away from that performer would be the worst of faults. And how much of what is heard is it? Both sounds are
looked at as spectrograms, at 12 kHz, magnitudes to the power 0.7: wherever in time and frequency the show was louder or
softer, the input was so a little later; the correlation of the two spectrograms' fluctuations is high, whatever the
room, the loudspeaker and the microphone do to phases, and the lower the more of others is heard as well. It counts as
far as the first question is answered with yes at its delay.

Steady noise fluctuates so finely that no room leaves much of the correlation, but chance leaves none: there, what
stands far out of the other delays counts for more. A tone that does not change at all can't be told from another like
it; if it is the loop's own howl, it grew to what it is in one narrow band and both sounds have it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from installation.sound import waveform
from installation.sound.rate import RateChanger, RateState
from installation.sound.waveform import FRAME, HOP, RATE_HZ, Spectra

Floats = npt.NDArray[np.float32]

POWER = 0.7
WINDOW_FRAMES = 47
"""0.5 s: what is compared."""
LATEST_S = waveform.DELAYS / RATE_HZ
"""The longest delay from played to heard."""
JUDGED_FRAMES = 12
"""So many frames apart the two are compared: 0.13 s."""
JUDGED_S = JUDGED_FRAMES * HOP / RATE_HZ
MEMORY = 0.5
"""Of what a judgement found, how much is left at the next."""
UNLIKE, LIKE = 0.38, 0.58
"""Correlation at which the factor begins to fall, and at which it is 0."""
CERTAIN, FAINT = 4.0, 0.6
"""A correlation so many times the highest at other delays, of a steady sound, counts as if FAINT were all there could
be."""
STEADY = 0.5
"""A sound is steady if no frame has less than so much of what they have in the mean."""
NEAR_FRAMES = 12
"""Delays within so many frames are not others."""
STILL = 1e-3
"""A sound does not fluctuate if this is less than so much of its power."""
QUIET_DB = -55.0
"""An input softer than this, RMS, is nobody's sound."""
LOUDER = 125.0
"""What is heard is not what was played if it has so many times its size: 30 dB, of squares of POWER."""
FALL_S, WAIT_S, RECOVER_S = 0.2, 1.0, 4.0
"""The factor falls from 1 to 0 in FALL_S; when there is no reason any more it waits and then rises in RECOVER_S …"""
IN_SILENCE = 0.25
"""… but while nothing is heard, which is no reason for trust, so much more slowly."""
HOWL_SHARE, HOWL_WIDTH, HOWL_DB = 0.9, 2, 10.0
"""A howl: so much of the input's power within so many bins of one, having grown by so much without a fall."""
HOWL_FRAMES = 60
"""And for so long: 0.64 s."""
_BINS = slice(2, FRAME // 2)
_FLAT = (waveform.WINDOW, waveform.WINDOW + waveform.DELAYS)
"""Flattened samples that are kept of what is heard and of what was played."""


@dataclass(frozen=True)
class Tone:
    """The narrow band that holds most of the input: which bin, since how many frames, its level at first and now."""

    bin: int
    frames: int
    first_db: float
    level_db: float


@dataclass(frozen=True, eq=False)
class FeedbackState:
    """What the guard remembers, and what it found: `factor` 0..1 is for the input's share in what is played.

    `likeness` is the correlation found where the waveform is believed to be the same, 0..1, `delay_s` where, `howl_hz`
    a howl's pitch or 0.
    """

    rates: tuple[RateState, RateState]
    samples: tuple[Floats, Floats]
    frames: tuple[Floats, Floats]
    tails: tuple[Floats, Floats]
    flat: tuple[Floats, Floats]
    fresh: int
    correlations: Floats
    beliefs: Floats
    calm_s: float
    tone: Tone
    factor: float = 1.0
    likeness: float = 0.0
    delay_s: float = 0.0
    howl_hz: float = 0.0


class FeedbackGuard:
    """Compares what is heard with what was played, both mono at `sample_rate_hz`. Pure; blocks of any size."""

    def __init__(self, sample_rate_hz: int) -> None:
        self._rate = RateChanger(sample_rate_hz, RATE_HZ, 1)
        self._delays = waveform.DELAYS // HOP + 1
        self._kept = (WINDOW_FRAMES, WINDOW_FRAMES + self._delays - 1)
        self._starts = np.arange(self._delays)[::-1]
        """Where in the played frames the window begins that is heard after 0, 1, 2 … frames."""

    def start(self) -> FeedbackState:
        """The state of one that has heard nothing."""
        silent = [np.zeros((count, FRAME // 2 - 2), np.float32) for count in self._kept]
        nothing = np.zeros(FRAME - HOP, np.float32)
        return FeedbackState(
            rates=(self._rate.start(), self._rate.start()),
            samples=(nothing, nothing),
            frames=(silent[0], silent[1]),
            tails=(nothing, nothing),
            flat=(np.zeros(_FLAT[0], np.float32), np.zeros(_FLAT[1], np.float32)),
            fresh=0,
            correlations=np.zeros(self._delays, np.float32),
            beliefs=np.zeros(waveform.PLACES, np.float32),
            calm_s=0.0,
            tone=Tone(-1, 0, 0.0, 0.0),
        )

    def push(self, heard: Floats, played: Floats, state: FeedbackState) -> FeedbackState:
        """The next samples of the input and of what the show played at the same time, both (samples,), to be heard up
        to LATEST_S later. ValueError if they are not equally long."""
        if heard.shape != played.shape or heard.ndim != 1:
            raise ValueError(f"feedback: heard and played are (samples,), got {heard.shape} and {played.shape}")
        slow, rates = zip(*map(self._slowed, (heard, played), state.rates), strict=True)
        lines = [np.concatenate([past, new]) for past, new in zip(state.samples, slow, strict=True)]
        state = replace(state, rates=rates)
        count = max(0, (len(lines[0]) - FRAME) // HOP + 1)
        made = [waveform.spectra(line, count) for line in lines]
        begin = 0
        while begin < count:
            end = min(count, begin + JUDGED_FRAMES - state.fresh)
            state = self._followed(state, [frames[begin:end] for frames in made])
            begin = end
        return replace(state, samples=(lines[0][count * HOP :], lines[1][count * HOP :]))

    def _slowed(self, sound: Floats, state: RateState) -> tuple[Floats, RateState]:
        slow, after = self._rate.change(np.asarray(sound, np.float32)[:, None], state)
        return slow[:, 0], after

    def _followed(self, state: FeedbackState, new: list[Spectra]) -> FeedbackState:
        """The state some frames later; judged if a judgement is due."""
        heard, played = map(_newest, state.frames, map(spectrogram, new), self._kept)
        flat, tails = zip(*map(waveform.flattened, new, state.tails), strict=True)
        own, shown = map(_newest, state.flat, flat, _FLAT)
        count = state.fresh + len(new[0])
        state = replace(state, frames=(heard, played), tails=tails, flat=(own, shown), fresh=count)
        return self._judged(state) if count == JUDGED_FRAMES else state

    def _judged(self, state: FeedbackState) -> FeedbackState:
        heard, played = state.frames
        newest = [_powers(frames[-JUDGED_FRAMES:]) for frames in (heard, played)]
        loud = _level_db(newest[0]) > QUIET_DB
        beliefs, found = state.beliefs, np.zeros(self._delays, np.float32)
        if loud:
            beliefs = waveform.believed(beliefs, waveform.evidence(waveform.agreement(*state.flat)), JUDGED_S)
            found = alike(heard, played, self._starts) * waveform.certainty(beliefs)
        kept = (MEMORY * state.correlations + (1.0 - MEMORY) * found).astype(np.float32)
        place = int(np.argmax(kept))
        likeness = float(kept[place])
        tone = followed_tone(state.tone, newest[0])
        howls = loud and _howls(tone, newest[1])
        goal = 0.0 if howls else float(np.clip((LIKE - likeness) / (LIKE - UNLIKE), 0.0, 1.0))
        factor, calm_s = _moved(state.factor, goal, state.calm_s, JUDGED_S if loud else JUDGED_S * IN_SILENCE)
        return replace(
            state,
            fresh=0,
            correlations=kept,
            beliefs=beliefs,
            calm_s=calm_s,
            tone=tone,
            factor=factor,
            likeness=likeness,
            delay_s=place * HOP / RATE_HZ,
            howl_hz=(tone.bin + _BINS.start) * RATE_HZ / FRAME if howls else 0.0,
        )


def spectrogram(frames: Spectra) -> Floats:
    """Magnitudes of `frames` (count, bins) to the power POWER, without the lowest bins and the highest."""
    return np.asarray(np.abs(frames[:, _BINS]) ** np.float32(POWER), np.float32)


def _newest(past: Floats, more: Floats, count: int) -> Floats:
    """The last `count` rows of `past` and what came after."""
    return np.concatenate([past, more])[-count:]


def alike(heard: Floats, played: Floats, starts: npt.NDArray[np.int64]) -> Floats:
    """How alike `heard` is to `played` at each delay, 0..1: the correlation, or more where that is certain."""
    found = np.maximum(correlations(heard, played, starts), 0.0)
    place = int(np.argmax(found))
    others = np.delete(found, slice(max(0, place - NEAR_FRAMES), place + NEAR_FRAMES + 1))
    sizes = heard.sum(axis=1)
    steady = bool(sizes.min() > STEADY * sizes.mean())
    certain = steady and float(found[place]) > CERTAIN * float(others.max())
    return np.asarray(np.minimum(1.0, found / FAINT) if certain else found, np.float32)


def correlations(heard: Floats, played: Floats, starts: npt.NDArray[np.int64]) -> Floats:
    """Pearson's correlation of `heard` (frames, bins) with as many frames of `played` from each of `starts` on, each
    bin about its own mean in time; 0 where either does not move, or what was played was much softer."""
    count = len(heard)
    centred = heard - heard.mean(axis=0)
    across = centred @ played.T
    rows = np.arange(count)
    dots = across[rows, starts[:, None] + rows].sum(axis=1)
    sums = np.concatenate([np.zeros((1, played.shape[1])), np.cumsum(played, axis=0, dtype=np.float64)])
    squares = np.concatenate([[0.0], np.cumsum(np.square(played).sum(axis=1, dtype=np.float64))])
    means = sums[starts + count] - sums[starts]
    power = squares[starts + count] - squares[starts]
    moves = power - np.square(means).sum(axis=1) / count
    own_power, own_moves = (float(np.square(each, dtype=np.float64).sum()) for each in (heard, centred))
    move = (moves > STILL * power) & (own_moves > STILL * own_power) & (own_power < LOUDER * power)
    scale = np.sqrt(np.where(move, moves, 1.0) * (own_moves or 1.0))
    return np.asarray(np.where(move, dots / scale, 0.0), np.float32)


def followed_tone(tone: Tone, powers: Floats) -> Tone:
    """`tone` after frames of these mean `powers` (bins,): the same, longer, if the same bin still holds most of them
    and did not become softer, or else the one that begins here."""
    strongest = int(np.argmax(powers))
    level_db = _level_db(powers)
    if _share(powers, strongest) < HOWL_SHARE:
        return Tone(-1, 0, level_db, level_db)
    if abs(strongest - tone.bin) > 1 or level_db < tone.level_db - 0.5:
        return Tone(strongest, JUDGED_FRAMES, level_db, level_db)
    return Tone(strongest, tone.frames + JUDGED_FRAMES, tone.first_db, level_db)


def _howls(tone: Tone, played: Floats) -> bool:
    """Whether a tone grew, holds, and is most of what is `played` (bins,), too."""
    grew = tone.frames >= HOWL_FRAMES and tone.level_db - tone.first_db >= HOWL_DB
    return grew and _share(played, tone.bin) > HOWL_SHARE


def _moved(factor: float, goal: float, calm_s: float, passed_s: float) -> tuple[float, float]:
    """The factor one judgement later, and for how long nothing has pulled it down; `passed_s` counts for recovery."""
    if goal <= factor:
        return max(goal, factor - JUDGED_S / FALL_S), 0.0
    if calm_s < WAIT_S:
        return factor, calm_s + passed_s
    return min(goal, factor + passed_s / RECOVER_S), calm_s


def _share(powers: Floats, place: int) -> float:
    """How much of the power lies within HOWL_WIDTH bins of `place`."""
    near = powers[max(0, place - HOWL_WIDTH) : place + HOWL_WIDTH + 1].sum()
    return float(near / max(float(powers.sum()), 1e-20))


def _powers(frames: Floats) -> Floats:
    """The mean power of each bin over `frames` as `spectrogram` makes them, (bins,)."""
    return np.asarray((frames ** (2.0 / POWER)).mean(axis=0), np.float32)


def _level_db(powers: Floats) -> float:
    """RMS level, dBFS, of bins with these mean powers: a Hann window spreads a sine over 1.5 bins."""
    return float(10.0 * np.log10(max(float(powers.sum()) / 3.0, 1e-12)))

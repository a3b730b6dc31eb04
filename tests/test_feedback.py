"""The feedback guard in rooms that are made: own sound late, softer, coloured and reverberant; that of others; and that
of those whom the show imitates."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pytest

from installation import model
from installation.sound.decoder import open_decoder
from installation.sound.encoder import encode_whole, open_encoder, open_encoder_stream
from installation.sound.feedback import JUDGED_S, RECOVER_S, WAIT_S, FeedbackGuard, FeedbackState

Floats = npt.NDArray[np.float32]

RATE_HZ = 48_000
BLOCK = 2048


@cache
def performance(seed: int, seconds: float = 6.0) -> Floats:
    """The default model along an excerpt of its training, some way in, (samples,)."""
    bronze = model.load("bronze")
    excerpts, steps = bronze.excerpts(), int(seconds * RATE_HZ / bronze.ratio) + 40
    begin = int(np.random.default_rng(seed).integers(0, len(excerpts) - steps))
    decoder = open_decoder(bronze.decoder, "cpu")
    sound, _ = decoder.decode(excerpts[None, begin : begin + steps], decoder.start())
    return np.asarray(sound[0, -int(seconds * RATE_HZ) :, 0])


def noise(seed: int, seconds: float = 6.0) -> Floats:
    """Noise up to 8 kHz at -20 dBFS, (samples,)."""
    count = int(seconds * RATE_HZ)
    spectrum = np.fft.rfft(np.random.default_rng(seed).standard_normal(count))
    spectrum[int(8_000 * seconds) :] = 0.0
    sound = np.fft.irfft(spectrum, count)
    return np.asarray(0.1 * sound / sound.std(), np.float32)


def in_room(sound: Floats, delay_s: float, gain_db: float, seed: int = 0) -> Floats:
    """`sound` as the microphone of a room hears it: late, softer, with as much reverberation of 0.35 s as direct sound,
    a loudspeaker that has no bass, and a noise floor of -60 dBFS."""
    rng = np.random.default_rng(seed)
    time_s = np.arange(int(0.4 * RATE_HZ)) / RATE_HZ
    tail = rng.standard_normal(len(time_s)) * 10.0 ** (-3.0 * time_s / 0.35) * (time_s > 0.004)
    response = tail / np.linalg.norm(tail)
    response[0] = 1.0
    size = 1 << (len(sound) + len(response)).bit_length()
    spectrum = np.fft.rfft(sound, size) * np.fft.rfft(response, size)
    spectrum *= 1.0 / (1.0 + (120.0 / np.maximum(np.fft.rfftfreq(size, 1.0 / RATE_HZ), 1.0)) ** 2)
    wet = 10.0 ** (gain_db / 20.0) * np.fft.irfft(spectrum, size)[: len(sound)]
    late = np.concatenate([np.zeros(int(delay_s * RATE_HZ)), wet])[: len(sound)]
    return np.asarray(late + 0.001 * rng.standard_normal(len(sound)), np.float32)


def watched(
    heard: Floats, played: Floats, block: int = BLOCK, state: FeedbackState | None = None
) -> tuple[Floats, FeedbackState]:
    """The factor after each block, and the state at the end."""
    guard = FeedbackGuard(RATE_HZ)
    state, factors = state or guard.start(), []
    for begin in range(0, len(heard), block):
        state = guard.push(heard[begin : begin + block], played[begin : begin + block], state)
        factors.append(state.factor)
    return np.array(factors, np.float32), state


def first_loud_s(heard: Floats) -> float:
    """When the input begins to be louder than -40 dBFS."""
    return int(np.argmax(np.abs(heard) > 0.03)) / RATE_HZ


@cache
def notes(seed: int, seconds: float, every_s: float, lasting_s: float) -> Floats:
    """Tones of six partials, at pitches by chance, each begun `every_s` and dying away in `lasting_s`, (samples,)."""
    rng, begins = np.random.default_rng(seed), np.arange(0.0, seconds - 0.05, every_s)
    line, time_s = np.zeros(int(seconds * RATE_HZ), np.float32), np.arange(int(2 * lasting_s * RATE_HZ)) / RATE_HZ
    for begin in (begins * RATE_HZ).astype(int):
        pitch_hz = 220.0 * 2.0 ** (rng.integers(0, 24) / 12.0)
        note = sum(np.sin(2.0 * np.pi * pitch_hz * k * time_s) / k for k in range(1, 7))
        note = 0.2 * note * np.exp(-3.0 * time_s / lasting_s) * np.minimum(1.0, 200.0 * time_s)
        line[begin : begin + len(note)] += note[: len(line) - begin].astype(np.float32)
    return line


@cache
def bursts(seed: int, seconds: float, every_s: float | None = None) -> Floats:
    """Noise in bursts, as of speech where `every_s` is None, or else of one rhythm, (samples,)."""
    rng, line, begin = np.random.default_rng(seed), noise(seed, seconds), 0
    loud = np.zeros(len(line), np.float32)
    while begin < len(line):
        length = int(RATE_HZ * (0.12 if every_s else rng.uniform(0.05, 0.35)))
        loud[begin : begin + length] = np.hanning(length)[: len(line) - begin]
        begin += int(RATE_HZ * every_s) if every_s else length + int(RATE_HZ * rng.uniform(0.02, 0.3))
    return np.asarray(2.0 * loud * line, np.float32)


PLAYERS: dict[str, Callable[[float], Floats]] = {
    "bells": lambda seconds: performance(40, seconds),
    "staccato": lambda seconds: notes(1, seconds, 0.25, 0.15),
    "long tones": lambda seconds: notes(2, seconds, 2.0, 3.0),
    "speech": lambda seconds: bursts(3, seconds),
    "rhythm": lambda seconds: bursts(4, seconds, 0.25),
    "rhythm of the model's steps": lambda seconds: bursts(5, seconds, 6 * 2048 / RATE_HZ),
}
"""Who may play to it, for so many seconds."""


def imitation(sound: Floats, late_s: float, mix: float) -> Floats:
    """What the default model makes of `sound`, `late_s` after it, mixed with a path of its own as `/input/mix` does."""
    bronze = model.load("bronze")
    assert bronze.encoder is not None
    padded = np.concatenate([sound, np.zeros(bronze.ratio, np.float32)])
    latents = encode_whole(padded, bronze.ratio, open_encoder(bronze.encoder, "cpu"))
    path = bronze.excerpts()[: len(latents)].astype(np.float32)
    decoder = open_decoder(bronze.decoder, "cpu")
    mixed = np.float32(mix) * latents + np.float32(1.0 - mix) * path
    made, _ = decoder.decode(mixed[None], decoder.start())
    return np.concatenate([np.zeros(int(late_s * RATE_HZ), np.float32), made[0, :, 0]])[: len(sound)]


@pytest.mark.parametrize("late_s", [0.08, pytest.param(0.2, marks=pytest.mark.long)])
@pytest.mark.parametrize("player", PLAYERS)
def test_who_is_imitated_is_not_taken_for_the_show(player: str, late_s: float) -> None:
    """What is played has the pitches and the envelope of what is heard, as timbre transfer is meant to."""
    heard = PLAYERS[player](10.0)
    for mix in (0.5, 1.0):
        factors, _ = watched(heard, imitation(heard, late_s, mix))
        assert factors.min() == 1.0


@pytest.mark.parametrize("player", PLAYERS)
def test_who_plays_something_else_is_not_taken_for_the_show(player: str) -> None:
    factors, _ = watched(PLAYERS[player](30.0), performance(5, 30.0))
    assert factors.min() == 1.0


@pytest.mark.parametrize(
    ("delay_s", "gain_db", "seed"), [(0.02, 0.0, 1), (0.1, -10.0, 2), (0.25, -6.0, 3), (0.4, 6.0, 4), (0.58, -10.0, 5)]
)
def test_the_own_sound_is_known_in_a_few_notes(delay_s: float, gain_db: float, seed: int) -> None:
    """From the first loud sample of it on; and it stays known."""
    played = performance(seed, 10.0)
    heard = in_room(played, delay_s, gain_db, seed)
    begins_s = first_loud_s(heard)
    factors, state = watched(heard, played)
    after = factors[int(np.ceil((begins_s + 3.5) * RATE_HZ / BLOCK)) :]
    assert after.max() < 0.1
    assert state.howl_hz == 0.0


@pytest.mark.parametrize("gain_db", [-30.0, -10.0, 6.0])
@pytest.mark.parametrize("delay_s", [0.02, 0.2, 0.6])
def test_rich_own_sound_is_known_in_a_second_and_a_half(delay_s: float, gain_db: float) -> None:
    played = 2.0 * bursts(7, 5.0)
    factors, _ = watched(in_room(played, delay_s, gain_db), played)
    assert factors[int((delay_s + 1.5) * RATE_HZ / BLOCK) :].max() < 0.1


def test_it_is_known_over_a_performer_and_stays_known_when_that_ends() -> None:
    """Both equally loud for five seconds, and then the own sound alone."""
    played = bursts(8, 8.0)
    own, other = in_room(played, 0.2, 0.0), np.array(notes(3, 8.0, 0.25, 0.15))
    other *= own.std() / other.std()
    other[5 * RATE_HZ :] = 0.0
    factors, state = watched(own + other, played)
    assert factors[int(5.5 * RATE_HZ / BLOCK) :].max() < 0.1
    assert state.delay_s == pytest.approx(0.2, abs=0.012)


def test_a_loop_at_full_mix_is_opened() -> None:
    """The model plays what it hears, itself 0.15 s ago and, for two seconds, a performer: the share falls in the second
    after, and stays low while the show goes on along its own path."""
    bronze, guard, late = model.load("bronze"), FeedbackGuard(RATE_HZ), 7200
    assert bronze.encoder is not None
    encoder, decoder = open_encoder_stream(bronze.encoder, "cpu"), open_decoder(bronze.decoder, "cpu")
    states, found, path = (encoder.start(), decoder.start()), guard.start(), bronze.excerpts().astype(np.float32)
    steps = 6 * RATE_HZ // bronze.ratio
    performer, played = notes(1, 2.0, 0.25, 0.15), np.zeros(late + steps * bronze.ratio, np.float32)
    line = np.concatenate([performer, np.zeros(4 * RATE_HZ, np.float32)])
    shares = []
    for step in range(steps):
        here = slice(step * bronze.ratio, (step + 1) * bronze.ratio)
        heard = line[here] + played[here]
        latents, hearing = encoder.encode(heard[None, :, None], states[0])
        mixed = found.factor * latents + (1.0 - found.factor) * path[None, step : step + 1]
        sound, playing = decoder.decode(mixed.astype(np.float32), states[1])
        played[here.start + late : here.stop + late] = sound[0, :, 0]
        found = guard.push(heard, sound[0, :, 0], found)
        states = hearing, playing
        shares.append(found.factor)
    assert max(shares[3 * RATE_HZ // bronze.ratio :]) < 0.1
    assert found.delay_s == pytest.approx(0.15, abs=0.012)


@pytest.mark.parametrize("drift", [50e-6, -50e-6])
def test_clocks_that_drift_and_a_place_that_jumps_do_not_hide_it(drift: float) -> None:
    """Two cards' clocks, and every second the place in what was played is taken anew, up to 5 ms off."""
    played = bursts(9, 8.0)
    place = np.arange(len(played)) * (1.0 + drift)
    jumps_s = np.random.default_rng(0).uniform(-0.005, 0.005, 9)
    place += RATE_HZ * jumps_s[np.arange(len(played)) // RATE_HZ]
    heard = np.interp(place, np.arange(len(played)), in_room(played, 0.2, -6.0)).astype(np.float32)
    factors, _ = watched(heard, played)
    assert factors[3 * RATE_HZ // BLOCK :].max() < 0.1


def test_the_delay_is_told() -> None:
    played = performance(2, 3.0)
    _, state = watched(in_room(played, 0.3, -6.0), played)
    assert state.delay_s == pytest.approx(0.3, abs=0.012)


@pytest.mark.parametrize("seed", [0, 3, *(pytest.param(seed, marks=pytest.mark.long) for seed in (2, 5))])
def test_another_performance_of_the_same_model_is_not_the_own(seed: int) -> None:
    """Even where the same note is struck at the same time."""
    factors, _ = watched(performance(30 + seed, 60.0), performance(seed, 60.0))
    assert factors.mean() > 0.99
    assert factors.min() > 0.75


def test_who_was_not_heard_at_first_is_known_later() -> None:
    """Somebody else for fifteen seconds, then the loudspeakers are turned up."""
    played, other = performance(3, 22.0), performance(33, 15.0)
    heard = in_room(played, 0.2, -6.0)
    heard[: len(other)] = other
    factors, _ = watched(heard, played)
    assert factors[15 * RATE_HZ // BLOCK - 1] == 1.0
    assert factors[20 * RATE_HZ // BLOCK :].max() < 0.1


def test_another_noise_of_the_same_spectrum_is_not_the_own_and_the_own_is() -> None:
    """Both have sounded for a second when the guard begins to listen to the second half: no common beginning."""
    played = noise(1)
    _, state = watched(noise(2), played)
    assert state.factor > 0.5 and state.likeness < 0.1
    others, _ = watched(noise(3), noise(4), state=state)
    assert others[-1] >= state.factor and others.min() >= state.factor
    own, _ = watched(in_room(played, 0.2, -6.0), played)
    assert own[int(1.5 * RATE_HZ / BLOCK) :].max() < 0.1


@pytest.mark.parametrize("played", [np.zeros(4 * RATE_HZ, np.float32), performance(1, 4.0)], ids=["silent", "playing"])
def test_silence_is_nobodys(played: Floats) -> None:
    """Also a microphone's own noise, and somebody heard while nothing is played."""
    silent = np.zeros(4 * RATE_HZ, np.float32)
    factors, _ = watched(silent, played)
    assert (factors == 1.0).all()
    assert (watched(noise(3, 4.0) * np.float32(0.005), played)[0] == 1.0).all()
    assert (watched(performance(7, 4.0), silent)[0] == 1.0).all()


def test_the_more_of_it_is_own_the_less_is_let_through() -> None:
    """A waterfall and the show itself at one microphone, from 30 dB more of the one to 20 dB more of the other."""
    other, played = noise(31, 12.0), bursts(1, 12.0)
    own = in_room(played, 0.2, 0.0)
    own *= other.std() / own.std()
    shares = [10.0 ** (db / 20.0) for db in (-30.0, -20.0, -10.0, 0.0, 20.0)]
    means = [
        watched((other + np.float32(k) * own) / np.float32(1.0 + k), played)[0][3 * RATE_HZ // BLOCK :].mean()
        for k in shares
    ]
    assert means[0] > 0.95
    assert all(more >= less - 0.02 for more, less in pairwise(means))
    assert means[-1] < 0.1


def test_it_recovers_slowly_when_the_own_sound_is_gone() -> None:
    """The microphone hears somebody else: the factor waits, then rises steadily, and is 1 in the end; where it hears
    nobody, more slowly."""
    played = performance(2, 4.0)
    _, state = watched(in_room(played, 0.1, -3.0), played)
    assert state.factor < 0.1
    seconds = WAIT_S + RECOVER_S + 1.5
    factors, after = watched(noise(5, seconds), performance(3, seconds), state=state)
    quiet, _ = watched(np.zeros(int(seconds * RATE_HZ), np.float32), performance(3, seconds), state=state)
    assert quiet.max() < 0.3
    assert factors[int(0.8 * WAIT_S * RATE_HZ / BLOCK)] < 0.1
    assert np.diff(factors).max() <= JUDGED_S / RECOVER_S + 1e-6
    assert (np.diff(factors) >= 0.0).all()
    assert after.factor == 1.0


def test_a_howl_is_told_by_its_pitch_and_a_bell_is_none() -> None:
    """A tone that grows by 25 dB a second to -10 dBFS in both; the same tone dying away; and a held one."""
    time_s = np.arange(6 * RATE_HZ) / RATE_HZ
    tone = np.sin(2.0 * np.pi * 890.0 * time_s)
    growing = (10.0 ** (np.minimum(-60.0 + 25.0 * time_s, -10.0) / 20.0) * tone).astype(np.float32)
    factors, state = watched(growing, np.roll(growing, -4800))
    assert state.howl_hz == pytest.approx(890.0, abs=12.0)
    assert factors[int(2.5 * RATE_HZ / BLOCK) :].max() < 0.1
    for other in (np.exp(-time_s / 2.0), np.full(len(time_s), 0.3)):
        guard = FeedbackGuard(RATE_HZ)
        line, state = (0.3 * other * tone).astype(np.float32), guard.start()
        howls = []
        for begin in range(0, len(line), BLOCK):
            state = guard.push(line[begin : begin + BLOCK], line[begin : begin + BLOCK], state)
            howls.append(state.howl_hz)
        assert max(howls) == 0.0


@pytest.mark.parametrize("block", [64, 1000, 30_000])
def test_blocks_of_any_size_give_the_same(block: int) -> None:
    played = performance(5, 2.0)
    heard = in_room(played, 0.15, -6.0)
    _, expected = watched(heard, played)
    _, state = watched(heard, played, block)
    assert state.factor == pytest.approx(expected.factor, abs=1e-4)
    assert state.likeness == pytest.approx(expected.likeness, abs=1e-4)
    np.testing.assert_allclose(state.correlations, expected.correlations, atol=1e-4)


def test_blocks_of_two_lengths_are_refused() -> None:
    guard = FeedbackGuard(44_100)
    with pytest.raises(ValueError, match=r"got \(5,\) and \(6,\)"):
        guard.push(np.zeros(5, np.float32), np.zeros(6, np.float32), guard.start())

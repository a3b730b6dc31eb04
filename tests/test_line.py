"""Lines: a microphone of a private PulseAudio into a real PortAudio stream, a file, and the tape both are read from."""

from __future__ import annotations

import subprocess
import sys
import time
import wave
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from installation.sound.line import FileLine, NullLine, Tape
from tests.pulse import PrivatePulse, lag

pytestmark = pytest.mark.alone

HEAR = """
import sys, time
import numpy as np
from installation.sound.line import find_line
line, why = find_line(sys.argv[1], int(sys.argv[2]), int(sys.argv[4]) or None)
assert why is None, why
line.open()
while line.callbacks < 20:
    time.sleep(0.01)
began_s, position, heard, lost = time.monotonic(), 0, [], 0
print(line.name, line.sample_rate_hz, flush=True)
came, came_s = 0, began_s
while time.monotonic() - began_s < float(sys.argv[5]):
    time.sleep(0.02)
    block, after = line.read_since(position, 1 << 16)
    heard.append(block)
    lost += after - position - len(block)
    position = after
    if line.callbacks != came:
        came, came_s = line.callbacks, time.monotonic()
late_s = line.adc_time_s(line.written) - came_s
import os
np.savez(sys.argv[3], heard=np.concatenate(heard), lost=lost, overflows=line.overflows, latency_s=line.latency_s,
         silent_s=time.monotonic() - came_s, callbacks=line.callbacks, late_s=late_s)
os._exit(0)
"""


def listen(path: Path, rate_hz: int, seconds: float, channel: int = 0) -> subprocess.Popen[str]:
    """A process of its own that hears the microphone for so long, and has begun to."""
    words = ["pulse", str(rate_hz), str(path), str(channel), str(seconds)]
    process = subprocess.Popen([sys.executable, "-c", HEAR, *words], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline().split() == ["pulse", str(rate_hz)]
    return process


def played(path: Path, sound: np.ndarray, rate_hz: int = 48_000) -> Path:
    """`sound` (samples, 2) as a file of 16 bits."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(rate_hz)
        file.writeframes((sound * 32767.0).astype("<i2").tobytes())
    return path


def two_sounds(seconds: float, rate_hz: int = 48_000) -> np.ndarray:
    """Two noises up to 2 kHz, (samples, 2): a change of rate, or half a sample of delay, leaves them alone."""
    rng = np.random.default_rng(5)
    count = int(seconds * rate_hz)
    spectrum = np.fft.rfft(rng.standard_normal((count, 2)), axis=0)
    spectrum[int(2_000 * seconds) :] = 0.0
    sound = np.fft.irfft(spectrum, count, axis=0)
    return np.asarray(0.5 * sound / np.abs(sound).max(), np.float64)


@pytest.mark.card
@pytest.mark.parametrize(("rate_hz", "channel"), [(48_000, 2), (44_100, 0)])
def test_what_is_played_to_the_microphone_comes_down_the_line(
    pulse: PrivatePulse, tmp_path: Path, rate_hz: int, channel: int
) -> None:
    """Every sample, at the rate asked for, the chosen channel or the mean of both."""
    sound = two_sounds(2.0)
    file = played(tmp_path / "x.wav", sound)
    process = listen(tmp_path / "heard.npz", rate_hz, 2.8, channel)
    subprocess.run(["paplay", "-d", "vin", str(file)], check=True, timeout=20)
    assert process.wait(20) == 0
    found = np.load(tmp_path / "heard.npz")
    expected = two_sounds(2.0, rate_hz)
    mono = sound[:, 1] if channel else sound.mean(axis=1)
    if rate_hz != 48_000:
        spectrum = np.fft.rfft(mono)
        mono = np.fft.irfft(spectrum[: len(expected) // 2 + 1], len(expected)) * len(expected) / len(mono)
    assert found["lost"] == 0
    place, likeness = lag(mono[rate_hz // 4 : rate_hz].astype(np.float32), found["heard"])
    later, still = lag(mono[rate_hz : 7 * rate_hz // 4].astype(np.float32), found["heard"])
    assert likeness > 0.99 and still > 0.99
    assert abs(later - place - 3 * rate_hz // 4) <= 1
    assert 0.0 < found["latency_s"] < 0.2
    assert -0.3 < found["late_s"] < 0.05


@pytest.mark.card
def test_a_dead_line_stands_still(own_pulse: PrivatePulse, tmp_path: Path) -> None:
    """The server dies: no exception, no sample more, and the count of callbacks says so."""
    process = listen(tmp_path / "heard.npz", 48_000, 2.5)
    time.sleep(1.0)
    own_pulse.kill()
    assert process.wait(20) == 0
    found = np.load(tmp_path / "heard.npz")
    assert found["callbacks"] > 10
    assert 1.0 < found["silent_s"] < 2.0
    assert 0.5 * 48_000 < len(found["heard"]) < 1.6 * 48_000


@pytest.mark.card
def test_an_input_that_is_not_there_is_named_with_those_that_are(pulse: PrivatePulse) -> None:
    order = (
        "from installation.sound.line import find_line, inputs\n"
        "line, why = find_line('Nonesuch 9', 48000)\n"
        "print(line.name, '|', why, '|', [each.name for each in inputs() if each.chosen])\n"
        "line, why = find_line('pulse', 48000, 99)\n"
        "print(line.name, '|', why)"
    )
    done = subprocess.run([sys.executable, "-c", order], capture_output=True, text=True, timeout=60, check=True)
    first, second = done.stdout.splitlines()
    assert first.startswith("no input | no input 'Nonesuch 9'") and "pulse" in first
    assert second.startswith("no input | input 'pulse': channel 99 of ") and "allowed is 1.." in second


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 90), st.integers(0, 120)), min_size=1, max_size=30))
def test_a_tape_gives_every_sample_once_or_counts_it_lost(turns: list[tuple[int, int]]) -> None:
    """Samples are their own positions: whatever is written and read, what comes is what is held, in order."""
    tape, position, written = Tape(100), 0, 0
    for count, most in turns:
        tape.append(np.arange(written, written + count, dtype=np.float32))
        written += count
        block, after = tape.read_since(position, most)
        assert len(block) == min(most, written - max(position, written - 100))
        assert (block == np.arange(after - len(block), after)).all()
        assert after - position - len(block) == max(0, written - 100 - position)
        position = after
    assert tape.written == written


def test_a_tape_does_not_give_what_was_written_over_meanwhile() -> None:
    """The writer comes between looking and copying: what it took the place of is left out."""

    class Hasty(Tape):
        """A tape to which 150 samples are written whenever it is asked how far it is, but for the first time."""

        def __init__(self) -> None:
            self.asked = 0
            super().__init__(200)

        @property
        def written(self) -> int:
            self.asked += 1
            return self._count + (150 if self.asked > 2 else 0)

        @written.setter
        def written(self, value: int) -> None:
            self._count = value

    tape = Hasty()
    tape.append(np.arange(200, dtype=np.float32))
    tape.asked = 0
    block, after = tape.read_since(0, 200)
    assert after == 200
    assert (block == np.arange(150, 200)).all()


def test_a_file_comes_as_the_clock_is_advanced_and_is_silent_after_its_end() -> None:
    sound = np.arange(1, 11, dtype=np.float32)
    line = FileLine(sound, 8_000)
    line.open()
    assert len(line.read_since(0, 99)[0]) == 0
    line.advance(4)
    block, position = line.read_since(0, 3)
    assert position == 3 and (block == sound[:3]).all()
    line.advance(16)
    block, position = line.read_since(position, 99)
    assert position == line.written == 20 and line.callbacks == 2
    assert (block == np.concatenate([sound[3:], np.zeros(10)])).all()
    assert line.adc_time_s(8_000) == 1.0


def test_where_there_is_no_input_nothing_comes() -> None:
    line = NullLine(48_000)
    line.open()
    block, position = line.read_since(7, 100)
    assert len(block) == 0 and position == 7 and line.written == line.callbacks == 0

"""A private PulseAudio with a null sink: a sound card for tests, and a recording of what it played."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

import numpy as np
import numpy.typing as npt

RATE_HZ = 48_000
TOOLS = ("pulseaudio", "pactl", "parec")


def available() -> bool:
    """Whether this machine has PulseAudio's tools."""
    return all(shutil.which(tool) for tool in TOOLS)


class PrivatePulse:
    """A server of our own with the sinks `vout` (default) and `vin`; `environment` points programs at it."""

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="pulse-"))
        self._folder.chmod(0o700)
        self._processes: list[subprocess.Popen[bytes]] = []
        self.environment = {
            "XDG_RUNTIME_DIR": str(self._folder),
            "PULSE_RUNTIME_PATH": str(self._folder / "pulse"),
            "PULSE_STATE_PATH": str(self._folder / "state"),
            "PULSE_SERVER": f"unix:{self._folder}/pulse.sock",
            "JACK_NO_START_SERVER": "1",
        }

    def start(self) -> None:
        """Start the server, wait until it answers, and keep its sink awake."""
        sink = "rate=48000 channels=2 format=float32le"
        modules = (
            f"module-native-protocol-unix socket={self._folder}/pulse.sock auth-anonymous=1",
            f"module-null-sink sink_name=vout {sink}",
            f"module-null-sink sink_name=vin {sink}",
        )
        order = ["pulseaudio", "-n", "--daemonize=no", "--use-pid-file=no", "--exit-idle-time=-1", "--realtime=no"]
        order += ["--high-priority=no", *(word for module in modules for word in ("-L", module))]
        without_server = {key: value for key, value in self._all().items() if key != "PULSE_SERVER"}
        self._spawn(order, without_server)
        deadline_s = time.monotonic() + 15.0
        while self.pactl("info").returncode:
            if time.monotonic() > deadline_s:
                raise TimeoutError("the private PulseAudio did not start in 15 s")
            time.sleep(0.05)
        self.pactl("set-default-sink", "vout")
        self.pactl("set-default-source", "vin.monitor")
        self._spawn(["parec", "--latency-msec=5", "-d", "vout.monitor"], self._all(), subprocess.DEVNULL)
        while self._latency_us() > 50_000:
            time.sleep(0.05)

    def _latency_us(self) -> int:
        """How much the null sink has still to play: it is made with two seconds of silence, which keep a stream that
        opens meanwhile waiting."""
        found = re.search(rb"Name: vout\n.*?Latency: (\d+) usec", self.pactl("list", "sinks").stdout, re.S)
        return int(found[1]) if found else 0

    def pactl(self, *words: str) -> subprocess.CompletedProcess[bytes]:
        """Ask the server."""
        return subprocess.run(["pactl", *words], env=self._all(), capture_output=True, check=False, timeout=10)

    def _all(self) -> dict[str, str]:
        return {**os.environ, **self.environment}

    def _spawn(self, order: list[str], environment: dict[str, str], out: int = subprocess.DEVNULL) -> None:
        self._processes.append(subprocess.Popen(order, env=environment, stdout=out, stderr=subprocess.DEVNULL))

    def kill(self) -> None:
        """The server dies, as a crash would have it."""
        for process in self._processes:
            process.kill()
            process.wait()
        self._processes.clear()

    def freeze(self) -> None:
        """The server hangs: it neither answers nor closes anything."""
        self._processes[0].send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """It goes on; a server that does not survive that is started anew."""
        self._processes[0].send_signal(signal.SIGCONT)
        time.sleep(0.5)
        if self._processes[0].poll() is not None or self.pactl("info").returncode:
            self.kill()
            self.start()

    def record(self) -> Recording:
        """Begin to record what the sink plays."""
        return Recording(self._all())

    def __enter__(self) -> PrivatePulse:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()
        shutil.rmtree(self._folder, ignore_errors=True)


@dataclass
class Recording:
    """What came out of the sink, with the time each chunk of it arrived here."""

    environment: dict[str, str]
    _chunks: list[bytes] = field(default_factory=list)
    _arrivals: list[tuple[int, float]] = field(default_factory=list)

    def __post_init__(self) -> None:
        order = [
            "parec",
            "--latency-msec=5",
            "-d",
            "vout.monitor",
            "--format=float32le",
            "--rate=48000",
            "--channels=2",
        ]
        self._process = subprocess.Popen(order, env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        total = 0
        while chunk := os.read(self._process.stdout.fileno(), 1 << 16):
            total += len(chunk)
            self._chunks.append(chunk)
            self._arrivals.append((total // 8, time.monotonic()))

    def arrival_s(self, sample: int) -> float:
        """When `sample` had arrived, monotonic."""
        return next(time_s for count, time_s in self._arrivals if count > sample)

    def due_s(self, sample: int, reach_s: float = 2.0) -> float:
        """When the sink played `sample`, monotonic. It renders a block when the block's first sample is due: the line
        through the chunks that came soonest, of those so near."""
        arrivals = list(self._arrivals)
        first_s = np.array([0, *(count for count, _ in arrivals[:-1])]) / RATE_HZ
        came_s = np.array([time_s for _, time_s in arrivals])
        near = np.abs(first_s - sample / RATE_HZ) < reach_s
        return float(np.min(came_s[near] - first_s[near])) + sample / RATE_HZ

    def sample_at(self, time_s: float) -> int:
        """How many samples had arrived by `time_s`."""
        return max((count for count, at_s in self._arrivals if at_s <= time_s), default=0)

    def sound(self) -> npt.NDArray[np.float32]:
        """What is recorded so far, (samples, 2)."""
        joined = b"".join(list(self._chunks))
        return np.frombuffer(joined[: len(joined) // 8 * 8], "<f4").reshape(-1, 2)

    def stop(self) -> npt.NDArray[np.float32]:
        """End the recording; all of it."""
        self._process.terminate()
        self._thread.join(2.0)
        self._process.wait(2.0)
        return self.sound()


@contextlib.contextmanager
def pointed_at(pulse: PrivatePulse) -> Iterator[PrivatePulse]:
    """`pulse`, with this process's environment pointing at it."""
    before = {key: os.environ.get(key) for key in pulse.environment}
    os.environ.update(pulse.environment)
    try:
        yield pulse
    finally:
        for key, value in before.items():
            os.environ.pop(key, None) if value is None else os.environ.__setitem__(key, value)


@contextlib.contextmanager
def private_pulse() -> Iterator[PrivatePulse]:
    """A private server, with this process's environment pointing at it."""
    with PrivatePulse() as pulse, pointed_at(pulse):
        yield pulse


def lag(reference: npt.NDArray[np.float32], heard: npt.NDArray[np.float32]) -> tuple[int, float]:
    """Where in `heard` (samples,) the shorter `reference` (samples,) lies, and their correlation there, -1..1: the
    maximum of the normalised cross-correlation."""
    size = 1 << (len(reference) + len(heard)).bit_length()
    spectrum = np.fft.rfft(heard.astype(np.float64), size) * np.conj(np.fft.rfft(reference.astype(np.float64), size))
    cross = np.fft.irfft(spectrum, size)[: len(heard) - len(reference) + 1]
    energy = np.cumsum(np.concatenate([[0.0], heard.astype(np.float64) ** 2]))
    local = np.sqrt(np.maximum(energy[len(reference) :] - energy[: -len(reference)], 1e-9))
    likeness = cross / (local * float(np.sqrt(np.sum(reference.astype(np.float64) ** 2))))
    place = int(np.argmax(likeness))
    return place, float(likeness[place])

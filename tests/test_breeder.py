"""The breeder as a process, on a decoder of sines: what it sends, obeys, keeps and survives."""

from __future__ import annotations

import itertools
import multiprocessing
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from installation.breeder import Shell, main
from installation.breeder_setup import BreederSetup, header_for, offline
from installation.commands import Atlas, Forget, Play, Pulse, Reset, Said, Set, Stop
from installation.evolution.layout import STEP
from installation.evolution.store import open_store
from installation.link import Link
from installation.model import load
from installation.sound.decoder import DECODERS
from tests.synthesis import RATE_HZ, SineDecoder

pytestmark = pytest.mark.alone

STEPS = 12


# ---- the shell, in this process, on a clock that stands still


def _sines(path: Path, device: str) -> SineDecoder:
    return SineDecoder()


def child(connection: Connection, setup: BreederSetup) -> None:
    """The breeder's main, in a process that knows the decoder of sines."""
    DECODERS[".sines"] = _sines
    main(connection, setup)


@pytest.fixture
def setup(tmp_path: Path) -> BreederSetup:
    folder = tmp_path / "models" / "sines"
    folder.mkdir(parents=True)
    (folder / "decoder.sines").write_text("sines")
    latents = {"mean": [0.0] * 4, "deviation": [1.0] * 4, "low": [-3.0] * 4, "high": [3.0] * 4}
    card = {"name": "sines", "sample_rate_hz": RATE_HZ, "ratio": 256, "latent_dim": 4, "decoder": "decoder.sines"}
    (folder / "card.yaml").write_text(yaml.safe_dump({**card, "latents": latents}))
    return BreederSetup(
        model="sines",
        models=tmp_path / "models",
        store=tmp_path / "s.db",
        seed=5,
        container=12,
        brood=8,
        steps=STEPS,
        archive=20,
        values={"/evolution/interval": 0.1, "/evolution/neighbours": 4},
    )


@pytest.fixture
def shell(setup: BreederSetup, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Shell, Connection, list[float]]]:
    """A shell that has founded its container; the conductor's end of its pipe; its clock."""
    monkeypatch.setitem(DECODERS, ".sines", _sines)
    ours, theirs = multiprocessing.Pipe()
    clock = [100.0]
    with ExitStack() as opened:
        opened.callback(ours.close)
        opened.callback(theirs.close)
        subject = Shell(Link(theirs, "breeder"), setup, lambda: clock[0])
        subject.breeder = subject.open(opened)
        while subject.breeder.search.founding:
            subject.turn(subject.breeder)
        yield subject, ours, clock


def test_a_generation_comes_at_most_once_an_interval_and_not_at_all_at_rest(
    shell: tuple[Shell, Connection, list[float]],
) -> None:
    subject, conductor, clock = shell
    assert subject.breeder is not None
    counts = []
    for passed_s, running in ((0.0, 1), (0.05, 1), (0.06, 1), (0.01, 1), (5.0, 0), (5.0, 0), (0.0, 1)):
        clock[0] += passed_s
        conductor.send(Set("/evolution/running", running))
        subject.turn(subject.breeder)
        counts.append(subject.breeder.search.generation)
    assert [count - counts[0] for count in counts] == [0, 0, 1, 1, 1, 1, 2]


def test_a_knob_turned_during_a_brood_is_obeyed_by_the_next(shell: tuple[Shell, Connection, list[float]]) -> None:
    subject, conductor, clock = shell
    assert subject.breeder is not None
    breeder, evaluator = subject.breeder, subject.breeder.evaluator
    decode = evaluator.decode

    def turning(latents: np.ndarray) -> np.ndarray:
        for address in ("/evolution/mutation_rate", "/evolution/crossover", "/evolution/sigma"):
            conductor.send(Set(address, 0.0))
        conductor.send(Set("/evolution/neighbours", 3))
        conductor.send(Set("/voice/gain", -60.0))
        return decode(latents)

    evaluator.decode = turning
    clock[0] += 1.0
    subject.turn(breeder)
    pool = {each.latents.tobytes() for each in breeder.search.container}
    heard: list[np.ndarray] = []
    evaluator.decode = lambda latents: heard.append(latents) or decode(latents)  # type: ignore[func-returns-value]
    clock[0] += 1.0
    subject.turn(breeder)
    assert heard and {each.tobytes() for batch in heard for each in batch} <= pool
    assert breeder.search.steering.neighbours == 3


def test_a_value_out_of_range_is_refused_aloud_and_a_stop_ends_a_brood(
    shell: tuple[Shell, Connection, list[float]],
) -> None:
    subject, conductor, clock = shell
    assert subject.breeder is not None
    conductor.send(Set("/evolution/sigma", 99.0))
    conductor.send(Stop())
    generation = subject.breeder.search.generation
    clock[0] += 1.0
    subject.turn(subject.breeder)
    assert subject.breeder.search.generation == generation and subject.link.stopped
    said = []
    while conductor.poll():
        message = conductor.recv()
        said += [message.sentence] if isinstance(message, Said) else []
    assert said == ["/evolution/sigma: 99 is outside 0..3"]


def maps(conductor: Connection) -> list[Atlas]:
    """Those it sent since this was last asked."""
    found = []
    while conductor.poll():
        message = conductor.recv()
        found += [message] if isinstance(message, Atlas) else []
    return found


def test_after_a_brood_it_sends_the_map_once_and_at_rest_only_when_something_has_changed(
    shell: tuple[Shell, Connection, list[float]],
) -> None:
    subject, conductor, clock = shell
    assert subject.breeder is not None
    sent = []
    subject.turn(subject.breeder)
    maps(conductor)
    for passed_s, message in ((1.0, None), (0.0, None), (0.0, None), (0.0, Forget()), (0.0, None)):
        clock[0] += passed_s
        if message:
            conductor.send(message)
        subject.turn(subject.breeder)
        sent.append(maps(conductor))
    assert [len(each) for each in sent] == [0, 1, 0, 1, 0]
    known = {each.identity for each in subject.breeder.search.container}
    assert known <= set(sent[1][0].identities.tolist())
    assert known == set(sent[3][0].identities.tolist())


def test_a_map_from_before_is_gone_on_from(shell: tuple[Shell, Connection, list[float]]) -> None:
    subject, conductor, clock = shell
    assert subject.breeder is not None
    subject.turn(subject.breeder)
    last = maps(conductor)[-1]
    turned = replace(last, places=-last.places)
    conductor.send(turned)
    clock[0] += 1.0
    subject.turn(subject.breeder)
    subject.turn(subject.breeder)
    after = maps(conductor)[-1]
    before, now = (dict(zip(each.identities.tolist(), each.places, strict=True)) for each in (turned, after))
    assert len(before.keys() & now) > 2
    assert all(np.linalg.norm(now[each] - before[each]) <= STEP + 1e-6 for each in before.keys() & now)


# ---- the process


class Conversation:
    """The conductor's end: what was heard from the child, by kind."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.plays: list[Play] = []
        self.pulses: list[Pulse] = []
        self.said: list[str] = []

    def listen(self, enough: Any, seconds: float = 30.0) -> None:
        until_s = time.monotonic() + seconds
        while not enough():
            assert time.monotonic() < until_s, f"not heard in {seconds} s; said: {self.said}"
            if self.connection.poll(0.05):
                self._take(self.connection.recv())

    def _take(self, message: Any) -> None:
        if isinstance(message, Play):
            self.plays.append(message)
        elif isinstance(message, Pulse):
            self.pulses.append(message)
        elif isinstance(message, Said):
            self.said.append(message.sentence)

    @property
    def generations(self) -> int:
        return int(self.pulses[-1].figures.get("generations", 0)) if self.pulses else 0


@contextmanager
def running(setup: BreederSetup) -> Iterator[tuple[Conversation, Any]]:
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=child, args=(theirs, setup), daemon=True)
    process.start()
    theirs.close()
    try:
        yield Conversation(ours), process
    finally:
        process.kill()
        process.join()
        ours.close()


def stop(heard: Conversation, process: Any) -> None:
    heard.connection.send(Stop())
    process.join(5)
    assert process.exitcode == 0


def test_the_process_founds_breeds_obeys_stops_and_resumes_at_once(setup: BreederSetup) -> None:
    with running(setup) as (heard, process):
        heard.listen(lambda: heard.generations >= 5)
        assert heard.plays[0].replace and not any(play.replace for play in heard.plays[1:])
        born = [each.identity for play in heard.plays for each in play.trajectories]
        assert len(born) == len(set(born)) >= 12 and born == sorted(born)
        assert all(each.latents.shape == (STEPS, 4) for play in heard.plays for each in play.trajectories)

        heard.connection.send(Set("/evolution/running", 0.0))
        at = len(heard.pulses)
        heard.listen(lambda: len(heard.pulses) >= at + 3)
        generations = heard.generations
        heard.listen(lambda: len(heard.pulses) >= at + 6)
        assert heard.generations == generations
        progress = [pulse.progress for pulse in heard.pulses]
        assert all(a < b for a, b in itertools.pairwise(progress))

        heard.connection.send(Reset())
        heard.connection.send(Set("/evolution/running", 1.0))
        plays = len(heard.plays)
        heard.listen(lambda: len(heard.plays) > plays)
        assert heard.plays[plays].replace
        stop(heard, process)
        figures = heard.pulses[-1].figures
        assert {"generations", "evaluations", "mean_sparseness", "rejected"} <= set(figures)

    model = load("sines", setup.models)
    with open_store(setup.store, header_for(setup, model)) as store:  # type: ignore[arg-type]
        container = [each.identity for each in store.container()]
    with running(replace(setup, values={"/evolution/running": 0.0})) as (heard, process):
        heard.listen(lambda: heard.plays)
        assert heard.plays[0].replace
        assert [each.identity for each in heard.plays[0].trajectories] == container
        stop(heard, process)


def test_killed_it_goes_on_from_its_last_generation(setup: BreederSetup) -> None:
    with running(setup) as (heard, process):
        heard.listen(lambda: heard.generations >= 4)
        generations = heard.generations
        process.kill()
        process.join()
    with running(setup) as (heard, process):
        heard.listen(lambda: heard.generations > generations)
        assert len(heard.plays[0].trajectories) == 12
        stop(heard, process)


def test_a_store_of_another_shape_is_moved_aside_and_said(setup: BreederSetup) -> None:
    assert setup.store is not None
    open_store(setup.store, replace(header_for(setup, load("sines", setup.models)), steps=99)).close()
    with running(setup) as (heard, process):
        heard.listen(lambda: heard.generations >= 1)
        assert any("steps is 99, wanted 12" in each and "s.1.db" in each for each in heard.said)
        stop(heard, process)
    assert (setup.store.parent / "s.1.db").exists() and setup.store.exists()


def test_a_disk_that_says_no_is_said_and_the_show_goes_on(setup: BreederSetup, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with running(replace(setup, store=tmp_path / "file" / "s.db")) as (heard, process):
        heard.listen(lambda: heard.generations >= 3)
        assert any("Nothing is kept" in each for each in heard.said)
        stop(heard, process)


def test_a_missing_model_is_said_in_one_sentence_and_ends_it(setup: BreederSetup) -> None:
    with running(replace(setup, model="glass")) as (heard, process):
        heard.listen(lambda: heard.said)
        process.join(10)
        assert process.exitcode == 1 and "no model 'glass'" in heard.said[0] and "Traceback" not in heard.said[0]


def test_offline_is_deterministic_and_the_same_as_the_setup_says(setup: BreederSetup) -> None:
    model = load("sines", setup.models)
    lives = []
    for _ in range(2):
        breeder = offline(setup, model, SineDecoder())
        born = [each for _ in range(4) for each in breeder.generation()]
        lives.append([(each.identity, each.latents.tobytes(), each.sparseness) for each in born])
    assert lives[0] == lives[1] and len(lives[0]) >= 12

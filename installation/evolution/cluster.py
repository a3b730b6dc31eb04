"""Broods evaluated on many machines: batches go to Ray actors and come back in order, to the bit what one alone finds.

Ray may lose an actor, a machine or an answer at any time. So a batch is known by what it is (`Task`), handed out again
when its actor died or kept it for too long, and taken once, whoever brings it. This process owns the search and its
store: a cluster that is gone altogether costs one brood.
"""

from __future__ import annotations

import hashlib
import time
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Any

import numpy as np
import numpy.typing as npt

from installation.errors import ClusterError
from installation.evolution.evaluation import PULSE_S, Evaluation, Evaluator, GoOn, always, batches, joined
from installation.evolution.session import Session, session

Floats = npt.NDArray[np.float32]
Log = Callable[[str], None]

ATTEMPTS = 4
"""How often one batch is handed out before it is the batch that is held to be at fault."""


@dataclass(frozen=True)
class Task:
    """One batch of one brood. `digest` is of its latents: a brood that was given up and bred anew is another."""

    run: str
    generation: int
    index: int
    seed: int
    digest: str


@dataclass
class _Errand:
    """What an actor does since `since_s`; no `task`: it starts."""

    actor: int
    task: Task | None
    since_s: float


class _Worker:
    """The actor: an evaluator where the processor is."""

    def __init__(self, build: Callable[[], Evaluator]) -> None:
        self._evaluator = build()

    def size(self) -> int:
        """Asked first: whoever answers has been built."""
        return self._evaluator.size

    def evaluate(self, latents: Floats, generation: int) -> Evaluation | None:
        return self._evaluator.evaluate(latents, generation, always)


class Cluster:
    """An `Evaluator` on `actors` Ray actors, as many as there are processors if None, each with what `build` makes
    there: it is pickled, and called once in each. `address` is `local`, or `host:port` of a running cluster that this
    machine is part of. What isn't there `patience_s` after it was asked for is given up and asked for again elsewhere.
    One at a time in a process; ClusterError where it can't go on."""

    def __init__(
        self,
        address: str,
        build: Callable[[], Evaluator],
        run: str,
        seed: int,
        actors: int | None = None,
        patience_s: float = 60.0,
        log: Log = lambda line: None,
    ) -> None:
        self.address = address
        self.build = build
        self.run = run
        self.seed = seed
        self.actors = actors
        self.patience_s = patience_s
        self.log = log
        self.size = 0
        self.batches = 0
        self._session: Session | None = None
        self._crew: list[Any] = []
        self._free: set[int] = set()
        self._errands: dict[Any, _Errand] = {}

    def __enter__(self) -> Cluster:
        self._session = session(self.address, self.patience_s)
        try:
            self._session.open()
            self._hire()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let the actors and, if it is ours, the cluster go."""
        self._crew, self._errands, self._free = [], {}, set()
        if self._session is not None:
            self._session.close()
            self._session = None

    def evaluate(self, latents: Floats, generation: int, go_on: GoOn = always) -> Evaluation | None:
        """See `Evaluator`. ClusterError when a batch or all actors are lost for good: the search is as it was."""
        if not self._free and not self._errands:
            raise ClusterError(f"cluster {self.address}: no actors: not open, or all are lost")
        parts = {self._task(generation, index, part): part for index, part in enumerate(batches(latents))}
        taken: dict[Task, Evaluation] = {}
        waiting, handed_out = deque(parts), Counter[Task]()
        while len(taken) < len(parts):
            self._hand_out(waiting, parts, handed_out)
            for task, answer in self._came():
                if task in parts and isinstance(answer, ClusterError):
                    raise answer
                if task in parts and answer is None:
                    waiting.append(task)
                elif task in parts:
                    self.batches += task not in taken
                    taken.setdefault(task, answer)
            if not go_on():
                return None
        return joined([taken[task] for task in parts])

    def _task(self, generation: int, index: int, part: Floats) -> Task:
        digest = hashlib.sha256(part.tobytes()).hexdigest()
        return Task(self.run, generation, index, self.seed, digest)

    def _hire(self) -> None:
        """Start the actors; ClusterError if they aren't all there in time."""
        import ray

        processors = int(ray.cluster_resources().get("CPU", 0))
        count = self.actors or max(1, processors)
        hired = ray.remote(num_cpus=1, max_restarts=-1, max_task_retries=0)(_Worker)
        self._crew = [hired.remote(self.build) for _ in range(count)]
        for actor in range(count):
            self._start(actor)
        end_s = time.monotonic() + self.patience_s
        while len(self._free) < count:
            if time.monotonic() > end_s:
                raise ClusterError(
                    f"cluster {self.address}: {len(self._free)} of {count} actors came in {self.patience_s:g} s; "
                    f"it has {processors} processors, for one actor each"
                )
            self._came()
        self.log(f"cluster {self.address}: {count} actors on {processors} processors")

    def _start(self, actor: int) -> None:
        """Ask an actor for a sign of life, however often it must be restarted for it."""
        asked = self._crew[actor].size.options(max_task_retries=-1).remote()
        self._errands[asked] = _Errand(actor, None, time.monotonic())

    def _hand_out(self, waiting: deque[Task], parts: dict[Task, Floats], handed_out: Counter[Task]) -> None:
        while waiting and self._free:
            task = waiting.popleft()
            if handed_out[task] >= ATTEMPTS:
                raise ClusterError(
                    f"cluster {self.address}: generation {task.generation}, batch {task.index}: handed out {ATTEMPTS} "
                    f"times, and each time the actor died or took longer than {self.patience_s:g} s"
                )
            handed_out[task] += 1
            actor = self._free.pop()
            asked = self._crew[actor].evaluate.remote(parts[task], task.generation)
            self._errands[asked] = _Errand(actor, task, time.monotonic())

    def _came(self) -> list[tuple[Task, Any]]:
        """Tasks that came back since, perhaps of a brood that was given up: with an Evaluation, a ClusterError, or None
        for what is to be handed out again. Waits PULSE_S at most."""
        import ray

        back: list[tuple[Task, Any]] = []
        done, _ = ray.wait(list(self._errands), num_returns=1, timeout=PULSE_S)
        for asked in done:
            errand = self._errands.pop(asked)
            answer = self._answer(asked, errand)
            if errand.task is not None:
                back.append((errand.task, answer))
        return back + [(task, None) for task in self._overdue()]

    def _answer(self, asked: Any, errand: _Errand) -> Any:
        """What an actor answers, or why it can't, and it is free; None if it died, and is started again."""
        import ray

        try:
            answer = ray.get(asked)
        except ray.exceptions.RayTaskError as error:
            self._free.add(errand.actor)
            return ClusterError(f"cluster {self.address}: an actor can't evaluate: {error.cause!r}")
        except ray.exceptions.ActorUnavailableError:
            self.log(f"cluster {self.address}: actor {errand.actor} died and is started again")
            self._start(errand.actor)
            return None
        except ray.exceptions.RayActorError as error:
            return self._lost(errand, error)
        self._free.add(errand.actor)
        if errand.task is None:
            self.size = answer
        return answer

    def _lost(self, errand: _Errand, error: Exception) -> None:
        """An actor is gone for good."""
        why = str(error).strip().splitlines()
        self.log(f"cluster {self.address}: actor {errand.actor} is lost: {why[0] if why else type(error).__name__}")
        if not self._free and not self._errands:
            raise ClusterError(f"cluster {self.address}: all actors are lost: {why[-1] if why else error!r}") from error

    def _overdue(self) -> list[Task]:
        """What was given up as overdue; actors that took too long are killed, and started again."""
        import ray

        now_s = time.monotonic()
        late = [asked for asked, errand in self._errands.items() if now_s - errand.since_s > self.patience_s]
        given_up = []
        for asked in late:
            errand = self._errands[asked]
            if errand.task is None:
                if not self._free and len(late) == len(self._errands):
                    raise ClusterError(f"cluster {self.address}: no actor came back in {self.patience_s:g} s")
                continue
            del self._errands[asked]
            self.log(f"cluster {self.address}: actor {errand.actor} took longer than {self.patience_s:g} s: restarted")
            ray.kill(self._crew[errand.actor], no_restart=False)
            self._start(errand.actor)
            given_up.append(errand.task)
        return given_up

"""The conductor: one asyncio loop that owns every knob and the state of the show, and starts, watches and restarts the
voice, the stage, the breeder and the reader of MIDI. No torch, no GL, no PortAudio. Composition only.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import signal
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from multiprocessing import resource_tracker
from pathlib import Path
from typing import Any

import numpy as np

from installation import breeder, commands, performance, report, setups, stage, voice
from installation.album import Album
from installation.board import Board
from installation.breeder_setup import BreederSetup
from installation.child import Child, Role, nothing
from installation.company import Company
from installation.control import controller, midi, router
from installation.control.ears import Ears
from installation.errors import InstallationError
from installation.link import SIGNALS
from installation.listener import READINGS, Listener
from installation.parameters import PARTS
from installation.ring import Ring
from installation.scene import Scene
from installation.show import Show
from installation.sound.repertoire import Repertoire
from installation.track import MOMENT, Moments, Track
from installation.urgency import take_slice

RING_S = 6.0
CHANNELS = 2
RAMP_S = 0.02
STATUS_S = 60.0
FEATURES_S = 1 / 120
"""How often peers are told what is heard, at the most."""
HEAD_START_S = 1.5
"""The voice is given so long to sound before the breeder and the stage load."""

ROLES = {
    "voice": Role("voice", voice.main, patience_s=3.0, wants_restart=(voice.CARD_DIED, voice.CARD_FOUND)),
    **{
        name: Role(name, stage.main, patience_s=5.0, wants_restart=(stage.DISPLAY_FOUND, stage.PICTURE_DIED))
        for name in router.STAGES
    },
    **{name: Role(name, breeder.main, patience_s=30.0) for name in router.BREEDERS},
    "midi": Role("midi", midi.main, patience_s=15.0),
}


@dataclass(frozen=True)
class Options:
    """What the command line asked for; `state` is the folder the stores lie in."""

    state: Path
    headless: bool = False
    seconds: float | None = None
    seed: int | None = None
    device: str | None = None
    report: Path | None = None
    record: Path | None = None
    """A folder or file.mp4 to film the show into."""


class Conductor:
    """Runs a show until it is told to stop."""

    def __init__(self, show: Show, options: Options, started_s: float) -> None:
        self._show, self._options, self._started_s = show, options, started_s
        self._board = Board(self._send, self._tell)
        self._repertoires = {number: Repertoire() for number in range(1, PARTS + 1)}
        self._stop = asyncio.Event()
        self._voice_sounds = asyncio.Event()
        self.ring: Ring | None = None
        self._track: Track | None = None
        self._diagnosis = ""
        self._shared = ("", "")
        self._first_sound_s: float | None = None
        self._failure: str | None = None
        self._atlas: commands.Atlas | None = None
        self._take_scene()
        self._album = Album(options.state / "snapshots")
        self._ears = Ears(
            self._obey,
            functools.partial(self.log, "conductor"),
            self.scene,
            self._board.parameters,
            READINGS,
            lambda: self._board.values.as_dict(),
        )

    @property
    def scene(self) -> Scene:
        """The scene that is on."""
        return self._show.scene

    def _take_scene(self) -> None:
        self._models = setups.scene_models(self.scene)
        self._board.take(setups.scene_parameters(self.scene, self._models), self._scene_values())
        self._playing = self.scene
        self._scene_s = time.monotonic()

    def _scene_values(self) -> dict[str, float]:
        return setups.scene_values(self.scene, self._models)

    def stop(self) -> None:
        """End the run, as a signal would."""
        self._stop.set()

    async def run(self) -> bool:
        """Open everything, play, close everything in reverse; whether it ended because it was told to."""
        take_slice()
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        resource_tracker.ensure_running()  # inherits that: a closed terminal must not end what tidies shared memory up
        loop = asyncio.get_running_loop()
        for number in SIGNALS:
            loop.add_signal_handler(number, self.stop)
        if self._options.seconds is not None:
            loop.call_later(self._options.seconds, self.stop)
        with ExitStack() as stack:
            rate_hz = self._models[0].sample_rate_hz
            self.ring = stack.enter_context(Ring.create(int(RING_S * rate_hz), CHANNELS, rate_hz))
            self._track = track = stack.enter_context(Track.create())
            self._shared = (self.ring.name, track.name)
            children = {name: self._child(role) for name, role in ROLES.items()}
            self._company = Company(children, self._shared, self._wanted)
            try:
                parts = (
                    self._play(),
                    self._watch(),
                    self._ramp(),
                    self._status(),
                    self._ears.listen(),
                    self._serve(),
                    self._tell_features(Listener(track)),
                )
                await self._until_stopped(*parts)
            finally:
                await self._close()
        return self._failure is None

    async def _until_stopped(self, *parts: Any) -> None:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(part) for part in parts]
            await self._stop.wait()
            for task in tasks:
                task.cancel()

    async def _close(self) -> None:
        self.log("conductor", "stopping")
        self._ears.close()
        await self._company.stop()
        path = self._options.report
        if path:
            try:
                report.write(path, self._company.children, self._ears.figures(), self._first_sound_s)
                self.log("conductor", f"report in {path}")
            except OSError as error:
                self.log("conductor", f"no report: {error}")

    # The processes ----------------------------------------------------------------------------------------------

    def _child(self, role: Role) -> Child:
        started_with: dict[str, Callable[[], Any]] = {
            "voice": self._voice_setup,
            **{name: functools.partial(self._stage_setup, number) for number, name in enumerate(router.STAGES, 1)},
            "midi": lambda: self.scene.midi,
            **{name: functools.partial(self._breeder_setup, number) for number, name in enumerate(router.BREEDERS, 1)},
        }
        greet = nothing
        if role.name == "voice":
            greet = self._greeting
        elif role.name in ("breeder", *router.STAGES):
            greet = self._mapped
        return Child(role, started_with[role.name], self._hear, self.log, greet)

    def _show_stages(self, message: Any) -> None:
        """Tell every stage."""
        for name in router.STAGES:
            self._company.send(name, message)

    def _mapped(self) -> tuple[commands.Atlas, ...]:
        """The map a stage that starts draws, and a breeder goes on from."""
        return (self._atlas,) if self._atlas else ()

    def _greeting(self) -> tuple[commands.Play, ...]:
        """What a voice that starts goes on with."""
        plays = (repertoire.play(number) for number, repertoire in self._repertoires.items())
        return tuple(play for play in plays if play is not None)

    def _wanted(self, name: str) -> bool:
        if name in router.BREEDERS:
            return router.BREEDERS.index(name) < len(self._models)
        if name in router.STAGES:
            return router.STAGES.index(name) < len(setups.outputs_of(self.scene))
        return name != "midi" or bool(self.scene.midi)

    def _voice_setup(self) -> voice.VoiceSetup:
        started_s = self._started_s if self._first_sound_s is None else time.monotonic()
        device, suspect = self._options.device, self._card_is_suspect()
        return setups.voice_setup(
            self.scene, self._seed, self._board.values.as_dict(), self._shared, device, started_s, suspect
        )

    def _card_is_suspect(self) -> bool:
        """Whether the last voice ended because of its card: by its own word, or by hanging where it opens it."""
        child = self._company.children["voice"]
        hung = child.last_code == -signal.SIGKILL and child.last_progress == 0
        return child.last_code == voice.CARD_DIED or hung

    def _stage_setup(self, number: int) -> stage.StageSetup:
        options = self._options
        return setups.stage_setup(
            self.scene,
            self._show.stem,
            self._board.values.as_dict(),
            self._shared,
            self._models[0].latent_dim,
            options.state,
            options.headless,
            options.record,
            number,
            self._scene_s,
        )

    def _breeder_setup(self, number: int) -> BreederSetup:
        of = "" if number == 1 else f".{number}"
        store = self._options.state / f"{self._show.stem}{of}.sqlite"
        return setups.breeder_setup(self.scene, self._seed, self._board.values.as_dict(), store, number)

    @property
    def _seed(self) -> int:
        return self.scene.seed if self._options.seed is None else self._options.seed

    def _hear(self, message: Any) -> None:
        """What a child said."""
        match message:
            case commands.Said(process, sentence):
                self.log(process, sentence)
            case commands.Play(part=number) if not self._company.old(router.BREEDERS[number - 1]):
                # else it still breeds for the scene before
                self._repertoires[number].take(message, self._sounding() if number == 1 else 0)
                self._company.send("voice", message)
            case commands.Set() if not self._company.old("breeder"):  # what it was asked for and could not do
                self._obey(message)
            case commands.Atlas() if not self._company.old("breeder"):
                self._atlas = message
                self._show_stages(message)
            case commands.Listened():
                self._company.send("breeder", message)
            case commands.Pulse("voice", _, figures):
                self._hear_voice(figures)
            case commands.Pulse("breeder", _, figures):
                self._hear_breeder(figures)
            case commands.Stop():
                self.stop()
            case controller.MidiPort() | controller.MidiMessage():
                self._ears.hear(message, self._board.values.as_dict(), time.monotonic())

    def _hear_voice(self, figures: dict[str, Any]) -> None:
        """A pulse of the voice: the breeder is told how hard the sound is to make, and gives way."""
        if figures.get("first_sound_s") is not None:
            self._first_sound_s = self._first_sound_s or figures["first_sound_s"]
            self._voice_sounds.set()
        if figures:
            strain = commands.Strain(figures["decode_ms"]["recent_p99"], figures["decode_budget_ms"])
            for name in router.BREEDERS:
                self._company.send(name, strain)

    def _hear_breeder(self, figures: dict[str, Any]) -> None:
        """A pulse of the breeder: say what ails the search, once, and when it is over."""
        diagnosis = figures.get("diagnosis", self._diagnosis)
        if diagnosis != self._diagnosis:
            self._diagnosis = diagnosis
            sentence = f"{diagnosis}. {figures.get('diagnosis_sentence', '')}" if diagnosis else "well again"
            self.log("breeder", f"the search: {sentence}")

    def _sounding(self) -> int:
        """The identity of the trajectory that is heard now, 0 for none."""
        return int(self._moment(time.monotonic())["trajectory"])

    def _moment(self, now_s: float) -> Moments:
        """What is heard at `now_s`."""
        return self._track.at(now_s) if self._track else np.zeros((), MOMENT)

    async def _play(self) -> None:
        """The voice first; the others once it sounds, or has had its head start."""
        self._company.start(("voice",))
        try:
            await asyncio.wait_for(self._voice_sounds.wait(), HEAD_START_S)
        except TimeoutError:
            self.log("conductor", "the voice takes its time; the others start beside it")
        self._company.start((*router.BREEDERS, *router.STAGES, "midi"))
        await self._company.keep_new()

    async def _watch(self) -> None:
        self._failure = await self._company.watch()
        self.log("conductor", self._failure)
        self.stop()

    async def _status(self) -> None:
        while True:
            await asyncio.sleep(STATUS_S)
            self.log("conductor", report.sentence(self._company.children))

    async def _serve(self) -> None:
        """OSCQuery, once there is sound: its library takes a moment to come."""
        await self._voice_sounds.wait()
        await self._ears.serve()

    async def _tell_features(self, listener: Listener) -> None:
        while True:
            await asyncio.sleep(FEATURES_S)
            if self._ears.tells_features:
                self._ears.tell_features(listener.at(time.monotonic()))

    def _send(self, process: str, message: Any) -> None:
        self._company.send(process, message)

    def _tell(self, address: str, value: float) -> None:
        self._ears.tell(address, value)

    # Control ----------------------------------------------------------------------------------------------------

    def _obey(self, command: commands.Control) -> commands.Refused | None:
        """Carry out one command; why not, or None."""
        match command:
            case commands.Set(address, value):
                return self._board.turn(address, value)
            case commands.Ramp(address, value, seconds):
                return self._board.ramp(address, value, seconds, time.monotonic())
            case commands.Recall(name):
                return self._change(self._show.recall(name))
            case commands.Next():
                return self._change(self._show.next())
            case commands.Reset() | commands.Forget():
                for name in router.BREEDERS:
                    self._company.send(name, command)
            case commands.Revive(identity):
                return self._wish(command, identity)
            case commands.More(identity) | commands.Never(identity) | commands.Pin(identity) | commands.Unpin(identity):
                return self._wish(
                    command, self._repertoires[1].meant(self._sounding()) if identity is None else identity
                )
            case commands.Panic():
                self._panic()
            case commands.Record():
                self._company.send("stage", command)
            case commands.Photograph(name):
                return self._photograph(name)
            case commands.Restore(name):
                return self._restore(name)
        return None

    def _photograph(self, name: str) -> commands.Refused | None:
        now_s = time.monotonic()
        try:
            picture = self._album.keep(
                name,
                self.scene,
                self._show.stem,
                self._seed,
                self._board.values.as_dict(),
                self._moment(now_s),
                now_s - self._started_s,
            )
        except InstallationError as error:
            return commands.Refused(str(error))
        self._company.send("stage", stage.Still(str(picture)))
        return None

    def _restore(self, name: str) -> commands.Refused | None:
        try:
            settings, sentence = self._album.settings(name, self._board.parameters)
        except InstallationError as error:
            return commands.Refused(str(error))
        for setting in settings:
            self._board.turn(setting.address, setting.value)
        self.log("conductor", sentence)
        return None

    def _wish(self, wish: commands.Wish, identity: int | commands.Refused) -> commands.Refused | None:
        """Pass on what people want of one trajectory; the breeder says in the log if it does not know it."""
        name = type(wish).__name__.lower()
        if isinstance(identity, commands.Refused):
            return commands.Refused(f"{name}: {identity.reason}")
        if self._company.old("breeder") or not self._company.children["breeder"].alive:
            return commands.Refused(f"{name} {identity}: the breeder is not there")
        if isinstance(wish, commands.Never):
            self._repertoires[1].drop(identity)
            self._company.send("voice", commands.Drop((identity,)))
        self.log("conductor", f"{name} {identity}")
        self._company.send("breeder", replace(wish, identity=identity))
        return None

    async def _ramp(self) -> None:
        while True:
            await asyncio.sleep(RAMP_S)
            self._board.advance(time.monotonic())

    def _panic(self) -> None:
        self.log("conductor", "panic: a clean voice, every parameter as the scene says")
        self._board.reset(self._scene_values())
        self._company.send("voice", commands.Panic())

    def _change(self, changed: Scene | commands.Refused) -> commands.Refused | None:
        """To the scene the show has changed to, or why it has not."""
        if isinstance(changed, commands.Refused):
            self.log("conductor", f"scene refused, staying in {self._show.stem}: {changed.reason}")
            return changed
        before = self._playing
        for repertoire in self._repertoires.values():
            repertoire.clear()
        self._atlas = None  # the next breeder's map is of another search
        self._take_scene()
        self.log("conductor", f"scene {self._show.stem}: {self.scene.name}")
        self._show_stages(stage.Show(setups.drawing(self.scene, self._scene_s)))
        self._company.send("voice", performance.Ahead(self.scene.voice.ahead_ms))
        self._company.send("voice", setups.arrangement(self.scene, self._seed, self._board.values.as_dict()))
        self._ears.change(self.scene, self._board.parameters)
        self._board.tell_all()
        renewed = set(router.BREEDERS) | ({"midi"} if self.scene.midi or before.midi else set())
        if setups.card_of(self.scene) != setups.card_of(before):
            renewed.add("voice")
        if setups.screen_of(self.scene) != setups.screen_of(before):
            renewed.update(router.STAGES)
        self._company.renew(renewed)
        return None

    def log(self, process: str, sentence: str) -> None:
        """One line on stderr: time, who, what."""
        with contextlib.suppress(OSError, ValueError):  # a log nobody reads any more must not end the show
            print(f"{time.strftime('%H:%M:%S')} {process}: {sentence}", file=sys.stderr, flush=True)

"""The conductor: one asyncio loop that owns every knob and the state of the show, and starts, watches and restarts the
voice, the stage, the breeder and the reader of MIDI. No torch, no GL, no PortAudio. Composition only.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from multiprocessing import resource_tracker
from pathlib import Path
from typing import Any

from installation import breeder, commands, report, stage, voice
from installation.child import Child, Role, nothing
from installation.control import midi, router
from installation.control.osc import OscPort
from installation.control.pickup import Desk
from installation.errors import ControlError
from installation.link import SIGNALS
from installation.model import load
from installation.parameters import Values, declared
from installation.picture.uniforms import FeatureMapping
from installation.ring import Ring
from installation.scene import Osc, Scene
from installation.show import Show
from installation.sound.player import REPERTOIRE
from installation.track import Track

RING_S = 6.0
CHANNELS = 2
RAMP_S = 0.02
WATCH_S = 0.2
STATUS_S = 60.0
OSC_RETRY_S = 10.0
SHARED = Path("/dev/shm")
RENEWED = ("voice", "breeder", "stage", "midi")
"""The order in which a change of scene starts them again: the voice before trajectories of its model come."""
HEAD_START_S = 1.5
"""The voice is given so long to sound before the breeder and the stage load."""

ROLES = {
    "voice": Role("voice", voice.main, patience_s=3.0, wants_restart=(voice.CARD_DIED, voice.CARD_FOUND)),
    "stage": Role("stage", stage.main, patience_s=5.0, wants_restart=(stage.DISPLAY_FOUND,)),
    "breeder": Role("breeder", breeder.main, patience_s=30.0),
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


@dataclass(frozen=True)
class Ramp:
    """A parameter on its way from `begin` to `end`."""

    begin: float
    end: float
    begun_s: float
    seconds: float

    def at(self, now_s: float) -> float:
        """Where it is."""
        share = min(1.0, (now_s - self.begun_s) / self.seconds)
        return self.begin + (self.end - self.begin) * share


class Conductor:
    """Runs a show until it is told to stop."""

    def __init__(self, show: Show, options: Options, started_s: float) -> None:
        self._show, self._options, self._started_s = show, options, started_s
        self._children: dict[str, Child] = {}
        self._ramps: dict[str, Ramp] = {}
        self._known: dict[int, commands.Trajectory] = {}
        self._stop = asyncio.Event()
        self._voice_sounds = asyncio.Event()
        self.ring: Ring | None = None
        self._shared = ("", "")
        self._osc: OscPort | None = None
        self._midi_messages = self._midi_refused = 0
        self._to_renew: set[str] = set()
        self._renew = asyncio.Event()
        self._first_sound_s: float | None = None
        self._failure: str | None = None
        self._take_scene()

    @property
    def scene(self) -> Scene:
        """The scene that is on."""
        return self._show.scene

    def _take_scene(self) -> None:
        self._model = load(self.scene.model)
        self._parameters = declared(self._model.latent_dim)
        self._values = Values(self._parameters, self._scene_values())
        self._desk = Desk(self.scene.midi, self._parameters)
        self._playing = self.scene

    def _scene_values(self) -> dict[str, float]:
        return self.scene.values() | self.scene.latent_values(self._model.latent_dim)

    def stop(self) -> None:
        """End the run, as a signal would."""
        self._stop.set()

    async def run(self) -> bool:
        """Open everything, play, close everything in reverse; whether it ended because it was told to."""
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        resource_tracker.ensure_running()  # inherits that: a closed terminal must not end what tidies shared memory up
        loop = asyncio.get_running_loop()
        for number in SIGNALS:
            loop.add_signal_handler(number, self.stop)
        if self._options.seconds is not None:
            loop.call_later(self._options.seconds, self.stop)
        with ExitStack() as stack:
            rate_hz = self._model.sample_rate_hz
            self.ring = stack.enter_context(Ring.create(int(RING_S * rate_hz), CHANNELS, rate_hz))
            track = stack.enter_context(Track.create())
            self._shared = (self.ring.name, track.name)
            self._children = {name: self._child(role) for name, role in ROLES.items()}
            try:
                parts = (self._play(), self._watch(), self._ramp(), self._status(), self._listen())
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
        if self._osc:
            self._osc.close()
        for name in ("midi", "breeder", "voice", "stage"):
            await self._children[name].stop()
        path = self._options.report
        if path:
            try:
                report.write(path, self._children, self._control(), self._first_sound_s)
                self.log("conductor", f"report in {path}")
            except OSError as error:
                self.log("conductor", f"no report: {error}")

    def _control(self) -> dict[str, int]:
        """What control came to: the report's part."""
        osc = self._osc
        return {
            "messages": self._midi_messages + (osc.messages if osc else 0),
            "refused": self._midi_refused + (osc.refused + osc.dropped if osc else 0),
        }

    # The children -----------------------------------------------------------------------------------------------

    def _child(self, role: Role) -> Child:
        setups: dict[str, Callable[[], Any]] = {
            "voice": self._voice_setup,
            "stage": self._stage_setup,
            "breeder": self._breeder_setup,
            "midi": lambda: self.scene.midi,
        }
        greet = self._repertoire if role.name == "voice" else nothing
        return Child(role, setups[role.name], self._hear, self.log, greet)

    def _repertoire(self) -> commands.Play | None:
        """What a voice that is started again goes on with."""
        return commands.Play(tuple(self._known.values()), replace=True) if self._known else None

    def _voice_setup(self) -> voice.VoiceSetup:
        scene = self.scene
        return voice.VoiceSetup(
            ring=self._shared[0],
            track=self._shared[1],
            model=scene.model,
            seed=self._seed,
            steps=scene.evolution.steps,
            init=scene.evolution.init,
            ahead_ms=scene.voice.ahead_ms,
            backend=scene.voice.backend,
            device=self._options.device or scene.voice.device,
            values=self._values.as_dict(),
            started_s=self._started_s if self._first_sound_s is None else time.monotonic(),
            suspect=self._card_is_suspect(),
        )

    def _card_is_suspect(self) -> bool:
        """Whether the last voice ended because of its card: by its own word, or by hanging where it opens it."""
        child = self._children["voice"]
        hung = child.last_code == -signal.SIGKILL and child.last_progress == 0
        return child.last_code == voice.CARD_DIED or hung

    def _stage_setup(self) -> stage.StageSetup:
        picture = self.scene.picture
        return stage.StageSetup(
            ring=self._shared[0],
            track=self._shared[1],
            shader=picture.shader,
            size=(picture.width, picture.height),
            fps=picture.fps,
            headless=self._options.headless,
            fullscreen=picture.fullscreen,
            title=self.scene.name,
            mappings=self._mappings(),
            values=self._values.as_dict(),
            latent_dim=self._model.latent_dim,
        )

    def _mappings(self) -> tuple[FeatureMapping, ...]:
        return tuple(FeatureMapping.of(each) for each in self.scene.picture.mappings)

    def _breeder_setup(self) -> breeder.BreederSetup:
        evolution = self.scene.evolution
        return breeder.BreederSetup(
            model=self.scene.model,
            store=self._options.state / f"{self._show.stem}.sqlite",
            seed=self._seed,
            container=evolution.container,
            brood=evolution.brood,
            steps=evolution.steps,
            init=evolution.init,
            archive=evolution.archive,
            values=self._values.as_dict(),
        )

    @property
    def _seed(self) -> int:
        return self.scene.seed if self._options.seed is None else self._options.seed

    def _hear(self, message: Any) -> None:
        """What a child said."""
        match message:
            case commands.Said(process, sentence):
                self.log(process, sentence)
            case commands.Play(trajectories, replaces):
                if "breeder" not in self._to_renew:  # else it is still breeding for the scene before
                    self._know(trajectories, replaces)
                    self._children["voice"].send(message)
            case commands.Pulse("voice", _, figures):
                if figures.get("first_sound_s") is not None:
                    self._first_sound_s = self._first_sound_s or figures["first_sound_s"]
                    self._voice_sounds.set()
            case commands.Stop():
                self.stop()
            case router.MidiPort():
                self._desk.forget(message.device)
            case router.MidiMessage():
                self._turn_midi(message)

    def _turn_midi(self, message: router.MidiMessage) -> None:
        self._midi_messages += 1
        asked = self._desk.commands(message, self._values.as_dict(), time.monotonic())
        refusals = [asked] if isinstance(asked, commands.Refused) else [self._obey(command) for command in asked]
        self._midi_refused += sum(refusal is not None for refusal in refusals)

    def _know(self, trajectories: tuple[commands.Trajectory, ...], replaces: bool) -> None:
        if replaces:
            self._known.clear()
        self._known.update({each.identity: each for each in trajectories})
        while len(self._known) > REPERTOIRE:
            self._known.pop(next(iter(self._known)))

    async def _play(self) -> None:
        """The voice first; the others once it sounds, or has had its head start."""
        self._children["voice"].start()
        try:
            await asyncio.wait_for(self._voice_sounds.wait(), HEAD_START_S)
        except TimeoutError:
            self.log("conductor", "the voice takes its time; the others start beside it")
        for name in ("breeder", "stage", *(("midi",) if self.scene.midi else ())):
            self._children[name].start()
        while True:
            await self._renew.wait()
            self._renew.clear()
            for name in [name for name in RENEWED if name in self._to_renew]:
                await self._renewed(self._children[name])
                self._to_renew.discard(name)

    async def _renewed(self, child: Child) -> None:
        """Start a child again with what the scene says now."""
        if child.role.name == "midi" and not self.scene.midi:
            await child.stop()
        else:
            await child.renew()

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(WATCH_S)
            now_s = time.monotonic()
            for child in self._children.values():
                child.watch(now_s)
            if SHARED.is_dir() and not all((SHARED / name.lstrip("/")).exists() for name in self._shared):
                self._failure = "the shared memory is gone (systemd's RemoveIPC?): nothing can be started again"
                self.log("conductor", self._failure)
                self.stop()

    async def _status(self) -> None:
        while True:
            await asyncio.sleep(STATUS_S)
            self.log("conductor", report.sentence(self._children))

    # Control ----------------------------------------------------------------------------------------------------

    async def _listen(self) -> None:
        """Hear OSC where the scene says, or where it was heard before if it says nothing: who recalls a scene must not
        be cut off by it. What can't be opened now is tried again."""
        wanted, opened, refused = self.scene.osc, None, None
        while True:
            if "osc" in self.scene.model_fields_set:
                wanted = self.scene.osc
            if wanted != opened:
                refused = await self._open_osc(wanted, refused)
                opened = None if refused else wanted
            await asyncio.sleep(OSC_RETRY_S if refused else 0.2)

    async def _open_osc(self, osc: Osc, refused: str | None) -> str | None:
        """Why not, said once, or None."""
        if self._osc is None:
            self._osc = OscPort(self._parameters, self._obey)
        self._osc.close()
        self._osc.parameters = self._parameters
        try:
            await self._osc.open(osc.host, osc.port, tuple((peer.host, peer.port) for peer in osc.feedback))
        except ControlError as error:
            if str(error) != refused:
                self.log("conductor", f"no OSC: {error}")
            return str(error)
        self.log("conductor", f"OSC on {osc.host}:{self._osc.port}")
        return None

    def _obey(self, command: commands.Control) -> commands.Refused | None:
        """Carry out one command; why not, or None."""
        match command:
            case commands.Set(address, value):
                self._ramps.pop(address, None)
                return self._set(address, value)
            case commands.Ramp(address, value, seconds):
                self._ramps[address] = Ramp(self._values[address], value, time.monotonic(), seconds)
            case commands.Recall(name):
                return self._change(self._show.recall(name))
            case commands.Next():
                return self._change(self._show.next())
            case commands.Reset():
                self._children["breeder"].send(command)
            case commands.Panic():
                self._panic()
        return None

    def _set(self, address: str, value: float) -> commands.Refused | None:
        fault = self._values.set(address, value)
        if fault:
            return commands.Refused(fault)
        self._forward(address, value)
        return None

    def _forward(self, address: str, value: float) -> None:
        """Tell the processes that obey this parameter, and whoever wants to know."""
        for owner in router.OWNERS[self._parameters[address].owner]:
            self._children[owner].send(commands.Set(address, value))
        if self._osc:
            self._osc.tell(address, value)

    async def _ramp(self) -> None:
        while True:
            await asyncio.sleep(RAMP_S)
            now_s = time.monotonic()
            for address, ramp in tuple(self._ramps.items()):
                self._set(address, ramp.at(now_s))
                if now_s >= ramp.begun_s + ramp.seconds:
                    self._ramps.pop(address, None)

    def _panic(self) -> None:
        self.log("conductor", "panic: a clean voice, every parameter as the scene says")
        self._ramps.clear()
        self._reset_values()
        self._children["voice"].send(commands.Panic())

    def _reset_values(self) -> None:
        defaults = Values(self._parameters, self._scene_values()).as_dict()
        for address, value in defaults.items():
            if self._values[address] != value:
                self._set(address, value)

    def _change(self, changed: Scene | commands.Refused) -> commands.Refused | None:
        """To the scene the show has changed to, or why it has not."""
        if isinstance(changed, commands.Refused):
            self.log("conductor", f"scene refused, staying in {self._show.stem}: {changed.reason}")
            return changed
        before, model = self._playing, self._model
        self._ramps.clear()
        self._known.clear()
        self._take_scene()
        self.log("conductor", f"scene {self._show.stem}: {self.scene.name}")
        self._children["stage"].send(stage.Show(self.scene.picture.shader, self._mappings()))
        self._children["voice"].send(voice.Ahead(self.scene.voice.ahead_ms))
        if self._osc:
            self._osc.parameters = self._parameters
        for address, value in self._values.as_dict().items():
            self._forward(address, value)
        self._to_renew |= {"breeder"} | ({"midi"} if self.scene.midi or before.midi else set())
        if (self._model.folder, _card_of(self.scene)) != (model.folder, _card_of(before)):
            self._to_renew.add("voice")
        if _screen_of(self.scene) != _screen_of(before):
            self._to_renew.add("stage")
        self._renew.set()
        return None

    def log(self, process: str, sentence: str) -> None:
        """One line on stderr: time, who, what."""
        with contextlib.suppress(OSError, ValueError):  # a log nobody reads any more must not end the show
            print(f"{time.strftime('%H:%M:%S')} {process}: {sentence}", file=sys.stderr, flush=True)


def _card_of(scene: Scene) -> tuple[object, ...]:
    """What a voice can't change while it plays."""
    return scene.voice.backend, scene.voice.device


def _screen_of(scene: Scene) -> tuple[object, ...]:
    """What a stage can't change while it draws."""
    return scene.picture.width, scene.picture.height, scene.picture.fps, scene.picture.fullscreen

"""What each process is started with, live or offline, as a scene says it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from installation.breeder_setup import BreederSetup
from installation.control.router import STAGES
from installation.incoming import InputSetup
from installation.inputs import picture_parameters
from installation.model import Model, load
from installation.parameters import EFFECT, Parameter, as_first, declared
from installation.part import PartSetup
from installation.performance import Arrange
from installation.picture.layer import LayerSetup
from installation.picture.scenery import Drawing
from installation.picture.uniforms import FeatureMapping, Mapped
from installation.picture.wall.output import Output
from installation.scene import Scene
from installation.stage import StageSetup
from installation.voice import VoiceSetup


def scene_models(scene: Scene) -> tuple[Model, ...]:
    """The models of the scene's parts, the voice's first."""
    return tuple(load(name) for name in (scene.model, *(part.model for part in scene.orchestra)))


def latent_dims(models: tuple[Model, ...]) -> tuple[int, ...]:
    return tuple(model.latent_dim for model in models)


def scene_parameters(scene: Scene, models: tuple[Model, ...]) -> dict[str, Parameter]:
    """Every parameter of a scene of these models, those of its shaders' inputs among them, by address."""
    first, *others = latent_dims(models)
    return declared(first, tuple(others)) | picture_parameters(scene.picture)


def scene_values(scene: Scene, models: tuple[Model, ...]) -> dict[str, float]:
    """The parameters a scene sets, those of each latent among them, by address."""
    return scene.values() | scene.latent_values(latent_dims(models))


def parts(scene: Scene, seed: int) -> tuple[PartSetup, ...]:
    """The scene's parts, the voice first."""
    evolution = scene.evolution
    hears = scene.input is not None
    first = PartSetup(1, scene.model, scene.voice.backend, seed, evolution.steps, evolution.init, hears)
    others = (
        PartSetup(number, part.model, part.backend, seed, part.steps or evolution.steps, part.init or evolution.init)
        for number, part in enumerate(scene.orchestra, 2)
    )
    return (first, *others)


def arrangement(scene: Scene, seed: int, values: dict[str, float]) -> Arrange:
    """What a voice that plays is to play from now on."""
    return Arrange(parts(scene, seed), values, scene.voice.crossfade_s)


def voice_setup(
    scene: Scene,
    seed: int,
    values: dict[str, float],
    shared: tuple[str, str] = ("", ""),
    device: str | None = None,
    started_s: float = 0.0,
    suspect: bool = False,
) -> VoiceSetup:
    """`shared` are the names of ring and track; `device` a card other than the scene's."""
    return VoiceSetup(
        ring=shared[0],
        track=shared[1],
        parts=parts(scene, seed),
        ahead_ms=scene.voice.ahead_ms,
        device=device or scene.voice.device,
        input=InputSetup(scene.input.device, scene.input.channel) if scene.input else None,
        values=values,
        started_s=started_s,
        suspect=suspect,
    )


def breeder_setup(
    scene: Scene, seed: int, values: dict[str, float], store: Path | None = None, number: int = 1
) -> BreederSetup:
    """The search for part `number`; `store` is the file it goes on from, None keeps nothing."""
    evolution, part = scene.evolution, parts(scene, seed)[number - 1]
    return BreederSetup(
        model=part.model,
        part=number,
        store=store,
        seed=seed + number - 1,
        container=evolution.container,
        brood=evolution.brood,
        steps=part.steps,
        init=part.init,
        archive=evolution.archive,
        values=as_first(values, number),
    )


def stage_setup(
    scene: Scene,
    stem: str,
    values: dict[str, float],
    shared: tuple[str, str],
    latent_dim: int,
    state: Path,
    headless: bool = False,
    record: Path | None = None,
    number: int = 1,
    began_s: float | None = None,
) -> StageSetup:
    """Of stage `number`. `shared` are the names of ring and track, `state` is the folder of all that is kept, `stem`
    names the scene's file; what is seen is filmed into `record` from the beginning, if there is one. TIME began at
    `began_s`, the same for all stages."""
    picture = scene.picture
    chosen = outputs_of(scene)[number - 1]
    return StageSetup(
        ring=shared[0],
        track=shared[1],
        drawing=drawing(scene, began_s),
        outputs=tuple(output for _, output in chosen),
        output_numbers=tuple(place for place, _ in chosen),
        share=picture.share if number == 1 else (),
        size=(picture.width, picture.height),
        fps=picture.fps,
        headless=headless,
        fullscreen=picture.fullscreen,
        process=STAGES[number - 1],
        title=scene.name,
        name=stem,
        values=values,
        latent_dim=latent_dim,
        display_latency_s=picture.display_latency_ms / 1000.0,
        least_resolution=picture.least_resolution,
        state=state / ("quarantine" if number == 1 else f"quarantine.{number}"),
        films=record or state / "films",
        films_at_once=record is not None and number == 1,
    )


def outputs_of(scene: Scene) -> tuple[tuple[tuple[int, Output], ...], ...]:
    """The outputs of each stage, with their numbers from 1; a stage without any shows a window."""
    written = tuple(
        (
            place,
            Output(each.display, each.crop, each.rotate, each.flip, each.corners, each.gamma),
        )
        for place, each in enumerate(scene.picture.outputs, 1)
    )
    if scene.picture.span or len(written) < 2:
        return (written,)
    return tuple((each,) for each in written)


def drawing(scene: Scene, began_s: float | None = None) -> Drawing:
    """The scene's picture as the stage takes it; its TIME begins at `began_s`."""
    picture = scene.picture
    effects = (
        LayerSetup(each.shader, _mappings(each.mappings), f"{EFFECT}/{number}")
        for number, each in enumerate(picture.effects, 1)
    )
    transition = picture.transition
    return Drawing(
        LayerSetup(picture.shader, _mappings(picture.mappings)),
        tuple(effects),
        LayerSetup(transition.shader),
        transition.seconds,
        began_s,
    )


def _mappings(written: Iterable[Mapped]) -> tuple[FeatureMapping, ...]:
    return tuple(FeatureMapping.of(each) for each in written)


def card_of(scene: Scene) -> tuple[object, ...]:
    """What a voice can't change while it plays."""
    heard = InputSetup(scene.input.device, scene.input.channel) if scene.input else None
    return scene.voice.device, heard


def screen_of(scene: Scene) -> tuple[object, ...]:
    """What a stage can't change while it draws."""
    picture = scene.picture
    size = picture.width, picture.height
    return size, picture.fps, picture.fullscreen, picture.outputs, picture.span, picture.share

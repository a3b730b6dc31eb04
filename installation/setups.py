"""What each process is started with, live or offline, as a scene says it."""

from __future__ import annotations

from pathlib import Path

from installation.breeder_setup import BreederSetup
from installation.model import Model
from installation.picture.uniforms import FeatureMapping
from installation.scene import Scene
from installation.stage import StageSetup
from installation.voice import VoiceSetup


def scene_values(scene: Scene, model: Model) -> dict[str, float]:
    """The parameters a scene sets, those of each latent among them, by address."""
    return scene.values() | scene.latent_values(model.latent_dim)


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
        model=scene.model,
        seed=seed,
        steps=scene.evolution.steps,
        init=scene.evolution.init,
        ahead_ms=scene.voice.ahead_ms,
        backend=scene.voice.backend,
        device=device or scene.voice.device,
        values=values,
        started_s=started_s,
        suspect=suspect,
    )


def breeder_setup(scene: Scene, seed: int, values: dict[str, float], store: Path | None = None) -> BreederSetup:
    """`store` is the file it goes on from; None keeps nothing."""
    evolution = scene.evolution
    return BreederSetup(
        model=scene.model,
        store=store,
        seed=seed,
        container=evolution.container,
        brood=evolution.brood,
        steps=evolution.steps,
        init=evolution.init,
        archive=evolution.archive,
        values=values,
    )


def stage_setup(
    scene: Scene, values: dict[str, float], shared: tuple[str, str], latent_dim: int, headless: bool
) -> StageSetup:
    """`shared` are the names of ring and track."""
    picture = scene.picture
    return StageSetup(
        ring=shared[0],
        track=shared[1],
        shader=picture.shader,
        size=(picture.width, picture.height),
        fps=picture.fps,
        headless=headless,
        fullscreen=picture.fullscreen,
        title=scene.name,
        mappings=mappings(scene),
        values=values,
        latent_dim=latent_dim,
    )


def mappings(scene: Scene) -> tuple[FeatureMapping, ...]:
    """What is heard to what is seen, as the stage takes it."""
    return tuple(FeatureMapping.of(each) for each in scene.picture.mappings)


def card_of(scene: Scene) -> tuple[object, ...]:
    """What a voice can't change while it plays."""
    return scene.model, scene.voice.backend, scene.voice.device


def screen_of(scene: Scene) -> tuple[object, ...]:
    """What a stage can't change while it draws."""
    return scene.picture.width, scene.picture.height, scene.picture.fps, scene.picture.fullscreen

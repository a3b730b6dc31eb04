"""The map of the archive on its way: from the breeder to the stage, to those that start anew, into a rendering."""

from __future__ import annotations

import asyncio
import multiprocessing
from collections.abc import Iterator
from contextlib import ExitStack
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from installation.commands import Atlas, Next
from installation.company import Company
from installation.conductor import ROLES, Conductor, Options
from installation.control.router import STAGES
from installation.outbox import Outbox
from installation.render import Rendering, render
from installation.schema import load
from installation.show import Show

pytestmark = pytest.mark.alone

SCENE = """
name: {name}
model: bronze
evolution: {{container: 6, brood: 4, interval: 0.5, steps: 16}}
picture: {{shader: {shader}, width: 96, height: 54, fps: 10}}
"""
SHADER = """/*{"INPUTS": [{"NAME": "archiveMap", "TYPE": "image"}, {"NAME": "archiveCount", "TYPE": "float"},
    {"NAME": "playing", "TYPE": "point2D"}, {"NAME": "playingIndex", "TYPE": "float"}]}*/
void main() {
    vec2 place = IMG_PIXEL(archiveMap, vec2(playingIndex + 0.5, 0.5)).xy;
    float heat = IMG_PIXEL(archiveMap, vec2(playingIndex + 0.5, 1.5)).a;
    gl_FragColor = vec4(archiveCount / 20.0, heat, 1.0 - distance(place, playing), 1.0);
}"""


def atlas(count: int = 1000) -> Atlas:
    places = np.zeros((count, 2), np.float32)
    shares = np.full(count, 0.5, np.float32)
    return Atlas(np.arange(1, count + 1), places, places, shares, shares, np.ones(count, bool))


@pytest.fixture
def heard(tmp_path: Path) -> Iterator[tuple[Conductor, Connection]]:
    """A conductor of two scenes whose processes are not started yet; the stage's end of its pipe."""
    for name in ("first", "second"):
        (tmp_path / f"{name}.yaml").write_text(SCENE.format(name=name, shader="embers.fs"), "utf-8")
    show = Show(("first", "second"), lambda stem: load(tmp_path / f"{stem}.yaml"))
    subject = Conductor(show, Options(tmp_path, headless=True), 0.0)
    subject._company = Company({name: subject._child(role) for name, role in ROLES.items()}, (), lambda name: True)
    with ExitStack() as opened:
        ours, theirs = multiprocessing.Pipe()
        outbox = subject._company.children["stage"]._outbox = Outbox(ours)
        for each in (ours.close, theirs.close, outbox.close):
            opened.callback(each)
        yield subject, theirs


def greeted(subject: Conductor) -> dict[str, list[int]]:
    """Of each process, how many are on the maps it is greeted with."""
    children = subject._company.children
    maps = {name: [each for each in child.greet() if isinstance(each, Atlas)] for name, child in children.items()}
    return {name: [len(each.identities) for each in found] for name, found in maps.items() if found}


def test_the_stage_is_told_each_map_and_whoever_starts_anew_the_last(heard: tuple[Conductor, Connection]) -> None:
    subject, stage = heard
    assert greeted(subject) == {}
    for count in (10, 1000):
        subject._hear(atlas(count))
        assert stage.poll(5.0)
        assert len(stage.recv().identities) == count
    assert greeted(subject) == {name: [1000] for name in (*STAGES, "breeder")}


def test_a_map_of_the_scene_before_is_no_map_of_this_one(heard: tuple[Conductor, Connection]) -> None:
    subject, stage = heard
    subject._hear(atlas(10))

    async def change() -> None:
        subject._obey(Next())

    asyncio.run(change())
    subject._hear(atlas(20))  # from the breeder of the scene before, which is yet to be started again
    assert greeted(subject) == {}
    assert stage.poll(5.0)
    told = [stage.recv()]
    while stage.poll(0.1):
        told.append(stage.recv())
    assert [len(each.identities) for each in told if isinstance(each, Atlas)] == [10]


@pytest.mark.gl
def test_a_rendering_shows_the_map_and_who_is_heard_on_it(tmp_path: Path) -> None:
    (tmp_path / "map.fs").write_text(SHADER, "utf-8")
    (tmp_path / "map.yaml").write_text(SCENE.format(name="map", shader="map.fs"), "utf-8")
    figures = render(Rendering(load(tmp_path / "map.yaml"), 2.0, 5, tmp_path / "map.png"))["evolution"]
    seen = np.asarray(Image.open(tmp_path / "map.png").convert("RGB")).reshape(-1, 3).mean(axis=0) / 255.0
    known = seen[0] * 20.0
    assert figures["container"] - 0.2 <= known <= figures["container"] + figures["archive"] + 0.2
    assert seen[1] > 0.98
    assert seen[2] > 0.5

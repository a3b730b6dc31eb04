"""A shader's inputs as parameters: declared from its header, checked in the scene, turned by everything."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from installation import schema
from installation.errors import SceneError
from installation.inputs import picture_parameters, shader_inputs
from installation.parameters import EFFECT
from installation.scene import Scene

SHADER = """/*{"INPUTS": [
  {"NAME": "speed", "TYPE": "float", "DEFAULT": 2.0, "MIN": 0.5, "MAX": 8.0, "LABEL": "How fast"},
  {"NAME": "go", "TYPE": "event"}, {"NAME": "on", "TYPE": "bool", "DEFAULT": true},
  {"NAME": "mode", "TYPE": "long", "VALUES": [0, 2, 5], "LABELS": ["a", "b", "c"], "DEFAULT": 2},
  {"NAME": "where", "TYPE": "point2D", "DEFAULT": [0.25, 0.5], "MIN": [0, 0], "MAX": [1, 1]},
  {"NAME": "tint", "TYPE": "color", "DEFAULT": [0.1, 0.2, 0.3, 1.0]},
  {"NAME": "film", "TYPE": "image"}, {"NAME": "wave", "TYPE": "audio"},
  {"NAME": "rms", "TYPE": "float"}, {"NAME": "hue", "TYPE": "float", "MIN": 0.0, "MAX": 1.0},
  {"NAME": "playing", "TYPE": "point2D"}]}*/
void main() { gl_FragColor = vec4(1.0); }
"""
FILTER = '/*{"INPUTS": [{"NAME": "inputImage", "TYPE": "image"}, {"NAME": "amount", "TYPE": "float"}]}*/ void main() {}'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "own.fs").write_text(SHADER)
    (tmp_path / "soft.fs").write_text(FILTER)
    return tmp_path


def scene(folder: Path, picture: str) -> Scene:
    text = f"name: Own\npicture:\n{textwrap.indent(textwrap.dedent(picture), '  ')}"
    return schema.read(text.encode(), folder / "scene.yaml", inputs=shader_inputs)


def faults(folder: Path, picture: str) -> list[str]:
    with pytest.raises(SceneError) as caught:
        scene(folder, picture)
    return [str(fault).removeprefix(f"{folder}/scene.yaml:") for fault in caught.value.faults]


def test_every_input_that_can_be_turned_is_a_parameter_with_its_range(folder: Path) -> None:
    known = shader_inputs(folder / "own.fs")
    found = {each.address.removeprefix("/picture/input/"): each for parts in known.values() for each in parts}
    assert {name: (each.minimum, each.maximum, each.default, each.curve) for name, each in found.items()} == {
        "speed": (0.5, 8.0, 2.0, "linear"),
        "go": (0, 1, 0.0, "switch"),
        "on": (0, 1, 1.0, "switch"),
        "mode": (0.0, 5.0, 2.0, "steps"),
        "where/x": (0.0, 1.0, 0.25, "linear"),
        "where/y": (0.0, 1.0, 0.5, "linear"),
        "tint/red": (0.0, 1.0, 0.1, "linear"),
        "tint/green": (0.0, 1.0, 0.2, "linear"),
        "tint/blue": (0.0, 1.0, 0.3, "linear"),
        "tint/alpha": (0.0, 1.0, 1.0, "linear"),
    }
    assert {name for name, parts in known.items() if not parts} == {"film", "wave", "rms", "hue", "playing"}
    assert found["speed"].sentence == "How fast: an input of own.fs."


def test_a_scene_sets_them_and_those_of_its_effects(folder: Path) -> None:
    made = scene(
        folder,
        """
        shader: own.fs
        inputs: {speed: 3, on: false, tint: [1, 0, 0, 1], where: [0.1, 0.9]}
        effects:
          - {shader: soft.fs, inputs: {amount: 0.3}}
          - {shader: soft.fs, inputs: {amount: 0.6}, mappings: [{from: beat, to: amount}]}
        transition: {seconds: 0.5}
        """,
    )
    values = made.values()
    assert {address: value for address, value in values.items() if "/picture/" in address} == {
        "/picture/input/speed": 3.0,
        "/picture/input/on": 0.0,
        "/picture/input/tint/red": 1.0,
        "/picture/input/tint/green": 0.0,
        "/picture/input/tint/blue": 0.0,
        "/picture/input/tint/alpha": 1.0,
        "/picture/input/where/x": 0.1,
        "/picture/input/where/y": 0.9,
        "/picture/effect/1/amount": 0.3,
        "/picture/effect/2/amount": 0.6,
    }
    declared = picture_parameters(made.picture)
    assert {address for address in values if address.startswith(("/picture/input", EFFECT))} <= declared.keys()
    assert {address for address in declared if address.startswith(EFFECT)} == {
        "/picture/effect/1/amount",
        "/picture/effect/2/amount",
    }


@pytest.mark.parametrize(
    ("picture", "fault"),
    [
        (
            "shader: own.fs\ninputs: {sped: 3}",
            "4:12: picture.inputs.sped: the shader has no input 'sped' (did you mean",
        ),
        ("shader: own.fs\ninputs: {speed: 30}", "4:11: picture.inputs: speed: 30 is outside 0.5..8"),
        ("shader: own.fs\ninputs: {tint: 1}", "4:11: picture.inputs: tint: got 1 number, it takes 4 numbers"),
        ("shader: own.fs\ninputs: {rms: 1}", "4:11: picture.inputs: rms: got 1 number, it takes none: it is filled"),
        ("shader: own.fs\ninputs: {where: [1, 2, 3]}", "4:19: picture.inputs.where: got a list, allowed is a number"),
        ("shader: own.fs\ninputs: {speed: fast}", "4:19: picture.inputs.speed: got text, allowed is a number"),
        ("shader: own.fs\neffects: [{shader: gone.fs}]", "4:22: picture.effects.0.shader: no shader 'gone.fs'"),
        (
            "shader: own.fs\neffects: [{shader: soft.fs, mappings: [{from: rms, to: speed}]}]",
            "4:58: picture.effects.0.mappings.0.to: the shader has no input 'speed'; it has inputImage, amount",
        ),
        ("shader: own.fs\ntransition: {seconds: -1}", "4:25: picture.transition.seconds: -1 is outside 0..600"),
    ],
)
def test_what_a_scene_says_wrong_of_them_is_told_at_its_place(folder: Path, picture: str, fault: str) -> None:
    (found,) = faults(folder, picture)
    assert found.startswith(fault)


def test_a_controller_may_turn_them(folder: Path) -> None:
    picture = "{shader: own.fs, effects: [{shader: soft.fs}]}"
    text = f"name: A\npicture: {picture}\nmidi:\n  - device: x\n    controls: {{cc 1: %s}}\n"
    for address in ("/picture/input/speed", "/picture/effect/1/amount", "/picture/input/on toggle"):
        schema.read((text % address).encode(), folder / "scene.yaml", inputs=shader_inputs)
    with pytest.raises(SceneError, match="no such parameter"):
        schema.read((text % "/picture/effect/2/amount").encode(), folder / "scene.yaml", inputs=shader_inputs)

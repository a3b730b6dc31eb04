"""Scenes: what a scene sets is what its file says, and every parameter can be set by one."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest
import yaml
from pydantic import ValidationError

from installation.controls import Midi, midi_control
from installation.parameters import Parameter, declared, section
from installation.scene import Scene
from installation.schema import json_schema, scene_files
from installation.track import LATENTS_AT_MOST


def test_a_scene_needs_only_a_name_and_sets_nothing_then() -> None:
    scene = Scene(name="bare")
    assert scene.values() == {}
    assert (scene.evolution.container, scene.evolution.brood, scene.evolution.steps) == (50, 30, 64)
    assert (scene.osc.host, scene.osc.port) == ("127.0.0.1", 9000)


def saying(parameter: Parameter, value: float) -> dict[str, object]:
    """A scene that sets one parameter, as YAML gives it."""
    if parameter.owner == "latent":
        index, key = parameter.key.split("/")
        return {"name": "x", "latents": {index: {key: value}}}
    return {"name": "x", parameter.owner: {parameter.key: value}}


def test_every_parameter_can_be_set_and_keeps_its_range() -> None:
    for address, parameter in declared(16).items():
        for value in (parameter.minimum, parameter.maximum):
            assert Scene.model_validate(saying(parameter, value)).values() == {address: float(value)}
        with pytest.raises(ValidationError, match="outside"):
            Scene.model_validate(saying(parameter, parameter.maximum + 1))


def test_choices_are_set_by_name() -> None:
    for address, parameter in declared(1).items():
        for place, name in enumerate(parameter.choices):
            scene = Scene.model_validate({"name": "x", parameter.owner: {parameter.key: name}})
            assert scene.values() == {address: float(place)}


def test_values_are_those_set_even_to_their_default_and_all_are_declared() -> None:
    scene = Scene.model_validate(
        {"name": "x", "voice": {"gain": 0.0, "ahead_ms": 100}, "latents": {"3": {"bias": 1, "freeze": True}}}
    )
    assert scene.values() == {"/voice/gain": 0.0, "/latent/3/bias": 1.0, "/latent/3/freeze": 1.0}


def test_latent_values_are_complete_for_the_model() -> None:
    scene = Scene.model_validate({"name": "x", "latents": {"1": {"scale": 2.0}, "9": {"bias": 1}}})
    values = scene.latent_values((4,))
    assert set(values) == {address for address in declared(4) if address.startswith("/latent/")}
    assert {address for address, value in values.items() if value != declared(4)[address].default} == {
        "/latent/1/scale"
    }


def test_knobs_are_fields_with_the_parameters_own_range_in_the_json_schema() -> None:
    definitions = json_schema()["$defs"]
    for owner, title in (("evolution", "Evolution"), ("voice", "Voice"), ("picture", "Picture"), ("master", "Master")):
        for parameter in section(owner):
            said = definitions[title]["properties"][parameter.key]
            assert parameter.sentence in said["description"]
            if parameter.choices:
                assert said["default"] == parameter.shown(parameter.default)
                assert {"enum": list(parameter.choices), "type": "string"} in said["anyOf"]
                continue
            assert said["default"] == parameter.default
            if parameter.curve != "switch":
                assert (said["minimum"], said["maximum"]) == (parameter.minimum, parameter.maximum)


def test_every_key_of_the_json_schema_is_explained() -> None:
    schema = json_schema()
    for title, definition in {"Scene": schema, **schema["$defs"]}.items():
        assert definition["additionalProperties"] is False, title
        assert definition.get("description"), title
        for key, said in definition["properties"].items():
            assert said.get("description") or "$ref" in str(said), f"{title}.{key} is not explained"


def test_scenes_are_immutable_and_travel_between_processes() -> None:
    scene = Scene.model_validate(
        {
            "name": "x",
            "latents": {"0": {"bias": 1}},
            "picture": {"mappings": [{"from": "rms", "to": "glow"}]},
            "midi": [{"device": "n", "controls": {"cc 1": "/voice/gain"}}],
        }
    )
    assert pickle.loads(pickle.dumps(scene)) == scene
    with pytest.raises(ValidationError):
        scene.name = "y"  # type: ignore[misc]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("cc 0", ("cc", 0, None)),
        ("cc 127", ("cc", 127, None)),
        ("note 60", ("note", 60, None)),
        ("cc 2 channel 16", ("cc", 2, 16)),
    ],
)
def test_controls_are_read(text: str, wanted: tuple[str, int, int | None]) -> None:
    control = midi_control(text)
    assert control and (control.kind, control.number, control.channel) == wanted


@pytest.mark.parametrize(
    "text", ["", "cc", "cc 128", "cc -1", "cc 01", "cc  1", "note 60 channel 0", "note 60 channel 17", "CC 1", "cc ١"]
)
def test_other_controls_are_not(text: str) -> None:
    assert midi_control(text) is None


def test_devices_are_known_by_a_part_of_their_name_or_a_pattern() -> None:
    name = "nanoKONTROL2:nanoKONTROL2 nanoKONTROL2 _ CTRL 20:0"
    for wanted in ("nanokontrol", "nano*CTRL", "KONTROL2 _"):
        assert Midi(device=wanted, controls={}).matches(name)
    for other in ("launch", "nano?CTRL"):
        assert not Midi(device=other, controls={}).matches(name)


def test_latents_and_targets_without_a_model_are_those_any_model_may_have() -> None:
    last = LATENTS_AT_MOST - 1
    Scene.model_validate({"name": "x", "latents": {str(last): {}}})
    with pytest.raises(ValidationError, match="outside"):
        Scene.model_validate({"name": "x", "latents": {str(last + 1): {}}})


SHIPPED = scene_files()


def test_three_scenes_and_more_are_shipped() -> None:
    assert len(SHIPPED) >= 3


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_shipped_scenes_explain_themselves(path: Path) -> None:
    lines = path.read_text("utf-8").splitlines()
    assert sum(line.lstrip().startswith("#") or " # " in line for line in lines) >= 8
    assert yaml.safe_load(path.read_text("utf-8"))["name"]

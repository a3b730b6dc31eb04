"""The README says what there is: every command, option, parameter and make target, and nothing that is not."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator
from pathlib import Path

from installation.__main__ import command_line
from installation.actions import ACTIONS, RECALL, RECORD, RESTORE, REVIVE, SNAPSHOT
from installation.features import reference
from installation.parameters import declared
from installation.picture.heard import HEARD
from installation.picture.textures import RESERVED
from installation.picture.uniforms import NUMBERED
from installation.track import FEATURES

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text("utf-8")
PICTURE = (ROOT / "docs" / "picture.md").read_text("utf-8")
MAKEFILE = (ROOT / "Makefile").read_text("utf-8")


def commands(parser: argparse.ArgumentParser, name: str = "") -> Iterator[tuple[str, list[str]]]:
    """Every command by its words, with its options."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for word, sub in action.choices.items():
                yield from commands(sub, f"{name} {word}".strip())
            return
    yield name, [option for action in parser._actions for option in action.option_strings if option.startswith("--")]


def test_every_command_and_its_options_are_documented() -> None:
    for name, options in commands(command_line()):
        word = name.split()[-1]
        assert f"installation {name}" in README or f"`{word}`" in README, name
        for option in options if not name.startswith("models") else []:
            assert option in ("--help",) or f"`{option}" in README or f"{option} " in README, f"{name} {option}"


def test_every_command_shown_is_one() -> None:
    known = {name for name, _ in commands(command_line())} | {"models", "shaders"}
    for shown in re.findall(r"installation ((?:models |shaders )?[a-z]+)\b", README):
        first = shown.split()[0]
        if first in {name.split()[0] for name in known}:
            assert shown in known, shown


def test_every_parameter_stands_in_the_table_with_its_range() -> None:
    for address, parameter in declared(1).items():
        shown = address.replace("/latent/0/", "/latent/<n>/")
        span = "0, 1" if parameter.curve == "switch" else parameter.allowed
        assert f"| `{shown}` | {span} | {parameter.shown(parameter.default)} | {parameter.unit} |" in README, address


def test_every_action_is_documented() -> None:
    for address in (*ACTIONS, RECALL, RECORD, RESTORE, REVIVE, SNAPSHOT):
        assert f"`{address}" in README, address


def test_everything_a_shader_may_ask_for_is_documented() -> None:
    assert reference() in PICTURE
    for name in (*RESERVED, *NUMBERED, *HEARD):
        assert f"`{name}`" in PICTURE or name in FEATURES, name


def test_every_make_target_named_is_one() -> None:
    targets = set(re.findall(r"^([a-z-]+):", MAKEFILE, re.M))
    for named in re.findall(r"(?:`|^)make ([a-z-]+)", README, re.M):
        assert named in targets, named


def test_every_file_named_is_there() -> None:
    for named in re.findall(r"`((?:scenes|models|shaders|docs|bench)/[\w./-]+\.\w+)`", README):
        assert (ROOT / named).exists(), named
    for linked in re.findall(r"\]\(((?!http)[^)]+)\)", README):
        assert (ROOT / linked).exists(), linked

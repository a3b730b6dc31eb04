"""A scene file → a Scene, or every fault in it at once, each at the author's own line and column.

Imports no torch, OpenGL, PortAudio: `installation check` must run on any laptop, and in an editor on every save.
"""

from __future__ import annotations

import argparse
import json
import sys
import typing
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from installation import model, tree
from installation.errors import Fault, ModelError, SceneError
from installation.field import kind
from installation.parameters import PARTS, nearest
from installation.scene import Scene
from installation.surroundings import SCENES, SHADERS, Inputs, Surroundings


def scene_files(folder: Path = SCENES) -> tuple[Path, ...]:
    """The scene files of `folder`, in the order of the show: by name."""
    return tuple(sorted(folder.glob("*.yaml")))


def load(path: Path, models: Path = model.MODELS, shaders: Path = SHADERS, inputs: Inputs | None = None) -> Scene:
    """The scene in the file `path`; SceneError holds every fault. `inputs` holds mappings against the shader."""
    try:
        content = _content(path)
    except OSError as error:
        raise SceneError((Fault(str(path), 1, 1, "file", f"can't be read: {error.strerror}"),)) from error
    return read(content, path, models, shaders, inputs)


def _content(path: Path) -> bytes:
    """The file, or of a larger one enough to be refused."""
    with path.open("rb") as file:
        return file.read(tree.BYTES_AT_MOST + 1)


def read(
    content: bytes,
    path: Path,
    models: Path = model.MODELS,
    shaders: Path = SHADERS,
    inputs: Inputs | None = None,
) -> Scene:
    """The scene in `content`, the bytes of the file `path`."""
    found = tree.read(content)
    faults = [_fault(path, place, where, message) for place, where, message in found.faults]
    if found.value is None and not faults:
        faults.append(Fault(str(path), 1, 1, "scene", "is empty; a scene needs at least a name"))
    if found.value is None:
        raise SceneError(tuple(faults))
    try:
        scene = Scene.model_validate(found.value, context=_surroundings(found.value, path, models, shaders, inputs))
    except ValidationError as error:
        faults.extend(_translated(path, found, each) for each in error.errors())
        raise SceneError(_sorted(faults)) from None
    if faults:
        raise SceneError(_sorted(faults))
    return scene


def check(paths: Iterable[Path], inputs: Inputs | None = None) -> list[Fault]:
    """Every fault of every file."""
    faults: list[Fault] = []
    for path in paths:
        try:
            load(path, inputs=inputs)
        except SceneError as error:
            faults.extend(error.faults)
    return faults


def json_schema() -> dict[str, Any]:
    """What a scene file may say, as JSON Schema (2020-12), for editors."""
    schema = Scene.model_json_schema(by_alias=True)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema"} | schema


def _surroundings(value: Any, path: Path, models: Path, shaders: Path, inputs: Inputs | None) -> Surroundings:
    """What lies around the scene, as far as what it says of it can be understood before it is validated."""
    folder = path.resolve().parent
    mapping = value if isinstance(value, dict) else {}
    named = _named(mapping)
    found = {name: _model(name, models, folder) for name in named if name}
    return Surroundings(folder, found, named, shaders, inputs)


def _named(mapping: dict[str, Any]) -> tuple[str, ...]:
    """The models of the scene's parts as it writes them, the voice's first; nothing for what is no name."""
    orchestra = mapping.get("orchestra")
    parts = orchestra[: PARTS - 1] if isinstance(orchestra, list) else []
    written = [
        mapping.get("model", "bronze"),
        *(part.get("model") if isinstance(part, dict) else None for part in parts),
    ]
    return tuple(name if isinstance(name, str) else "" for name in written)


def _model(name: str, models: Path, folder: Path) -> model.Model | str:
    """The model called `name`, or why there is none."""
    try:
        return model.load(name, models, folder)
    except ModelError as error:
        return str(error).removeprefix("model: ")


def _sorted(faults: list[Fault]) -> tuple[Fault, ...]:
    return tuple(sorted(faults, key=lambda fault: (fault.line, fault.column)))


def _fault(path: Path, place: tree.Place, where: tree.Path, message: str) -> Fault:
    """A fault in one line, however much of the file it quotes."""
    named = ".".join(map(str, where)) or "scene"
    return Fault(str(path), place.line, place.column, _shortened(named, 80), _shortened(message, 400))


def _shortened(text: str, characters: int) -> str:
    line = "".join(each if each.isprintable() else " " for each in text)
    return line if len(line) <= characters else f"{line[: characters - 3]}..."


def _translated(path: Path, found: tree.Tree, error: Any) -> Fault:
    """A fault of pydantic's, in the scene's own words and at its place."""
    where: tree.Path = error["loc"]
    if where[-1:] == ("[key]",):
        return _fault(path, found.key(where[:-1]), where[:-1], error["msg"])
    if error["type"] == "extra_forbidden":
        message = f"unknown key{nearest(str(where[-1]), _keys(where[:-1]))}"
        return _fault(path, found.key(where), where, message)
    if error["type"] == "missing":
        return _fault(path, found.place(where[:-1]), where, "is missing")
    place = found.place(where)
    return _fault(path, place, where, _message(error, place.written))


def _message(error: Any, written: str) -> str:
    got = error["input"]
    if error["type"] == "string_type":
        return (
            f'{written} is {kind(got)}; for text write "{written}"' if written else f"got {kind(got)}, allowed is text"
        )
    if error["type"] == "too_long":
        return f"has {error['ctx']['actual_length']}, allowed are {error['ctx']['max_length']} at the most"
    if error["type"] == "bool_type":
        return f"{written or kind(got)} is not true or false"
    if error["type"] == "literal_error":
        allowed = error["ctx"]["expected"].replace("'", "").replace(" or ", ", ")
        return f"{written or kind(got)} is not allowed; allowed are {allowed}"
    wanted = _WANTED.get(error["type"])
    return f"got {kind(got)}, allowed is {wanted}" if wanted else str(error["msg"])


_WANTED = {
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
    "dict_type": "a mapping",
    "tuple_type": "a list",
    "string_too_short": "at least one character",
    "string_too_long": "at most 200 characters",
}


def _keys(where: tree.Path) -> tuple[str, ...]:
    """The keys allowed at `where`. A section is reached through its key; list places and latents' numbers stay."""
    here: type[BaseModel] = Scene
    for step in where:
        named = {field.alias or name: field.annotation for name, field in here.model_fields.items()}
        if step in named:
            here = next(iter(_sections(named[str(step)])), here)
    return tuple(field.alias or name for name, field in here.model_fields.items())


def _sections(annotation: Any) -> list[type[BaseModel]]:
    """The sections an annotation speaks of, however it wraps them."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [section for part in typing.get_args(annotation) for section in _sections(part)]


def add_check_command(subparsers: argparse._SubParsersAction[Any], inputs: Inputs | None = None) -> None:
    """`installation check [FILES]`."""
    parser = subparsers.add_parser("check", help="say what is wrong in scene files")
    parser.add_argument("files", nargs="*", type=Path, metavar="FILES", help="scene files (default: all of scenes/)")
    parser.add_argument("--schema", action="store_true", help="print the JSON schema of scene files, for editors")
    parser.set_defaults(run=lambda arguments: _run(arguments, inputs))


def _run(arguments: argparse.Namespace, inputs: Inputs | None) -> int:
    if arguments.schema:
        print(json.dumps(json_schema(), indent=2))
        return 0
    files = tuple(arguments.files) or scene_files()
    if not files:
        print(f"{SCENES}: no scene files", file=sys.stderr)
        return 1
    faults = check(files, inputs)
    for fault in faults:
        print(fault)
    if faults:
        return 1
    print("1 scene is well" if len(files) == 1 else f"{len(files)} scenes are well")
    return 0

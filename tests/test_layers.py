"""Who may import whom, and where heavy libraries live: every import of every file is looked at, also the lazy ones."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent / "installation"

FOLDERS = ("evolution", "sound", "analysis", "picture", "control", "show", "training")
LAYERS = (
    ("errors",),
    (
        "commands",
        "features",
        "field",
        "link",
        "model",
        "parameters",
        "probe",
        "ramps",
        "ring",
        "track",
        "tree",
        "trust",
        "urgency",
    ),
    ("actions", "snapshot", "surroundings", "controls", "osc_section", "picture_section", "scene", "schema"),
    FOLDERS,
    (
        "child",
        "album",
        "hanging",
        "inputs",
        "listener",
        "outbox",
        "company",
        "report",
        "setups",
        "board",
        "keeping",
        "conductor",
        "part",
        "performance",
        "loading",
        "incoming",
        "voice",
        "stage",
        "instrument",
        "breeder_setup",
        "breeder",
        "render",
        "evolve",
        "evolve_command",
        "retrospect",
        "generate",
        "preview",
        "shaders",
        "spectrograms",
        "transfer",
        "turning",
    ),
    ("__main__",),
)
"""A file may import those of the layers before its own, and of its own; but no folder another."""
LEVELS = {name: level for level, names in enumerate(LAYERS) for name in names}

HOMES = {
    "torch": (
        "sound/conversion/",
        "sound/rave_cuda.py",
        "sound/rave_export.py",
        "sound/rave_torch.py",
        "sound/rave_torch_encoder.py",
        "sound/torchscript.py",
        "training/",
        "evolution/embedding/",
    ),
    "tensorflow": ("evolution/embedding/",),
    "tensorflow_hub": ("evolution/embedding/",),
    "openvino": ("sound/rave_openvino.py",),
    "ray": ("evolution/cluster.py", "evolution/session.py"),
    "faiss": ("evolution/large.py",),
    "noisereduce": ("sound/denoising.py",),
    "transformers": ("evolution/embedding/",),
    "safetensors": ("evolution/embedding/",),
    "onnxruntime": ("sound/rave_onnx.py", "training/", "evolution/embedding/"),
    "sounddevice": ("sound/devices.py",),
    "moderngl": ("picture/canvas.py",),
    "pygame": ("picture/wall/window.py",),
    "pythonosc": ("control/osc.py",),
    "starlette": ("control/oscquery_server.py",),
    "uvicorn": ("control/oscquery_server.py",),
    "mido": ("control/midi.py",),
    "rtmidi": ("control/midi.py",),
    "av": ("picture/films/film.py", "sound/files.py"),
    "syphon": ("picture/wall/sharing.py",),
    "SpoutGL": ("picture/wall/sharing.py",),
    "NDIlib": ("picture/wall/sharing.py",),
    "rave": ("training/",),
    "matplotlib": ("training/", "evolution/"),
}
LAZY = (
    "starlette",
    "uvicorn",
    "mido",
    "rtmidi",
    "matplotlib",
    "openvino",
    "ray",
    "faiss",
    "noisereduce",
    "transformers",
    "safetensors",
    "tensorflow",
    "torch",
    "syphon",
    "SpoutGL",
    "NDIlib",
)
"""Imported inside the function that uses them: too slow, or too dangerous, to come with their home."""

FILES = sorted(path.relative_to(ROOT).as_posix() for path in ROOT.rglob("*.py") if path.name != "__init__.py")


def part(file: str) -> str:
    """The layer's name for a file: its folder, or its stem at the top."""
    return file.split("/")[0].removesuffix(".py")


PARTS = {part(file) for file in FILES}


def imports(file: str, only_top: bool = False) -> Iterator[tuple[int, str]]:
    """(line, module) of every import of a file, relative ones written out."""
    module = ["installation", *file.removesuffix(".py").split("/")]
    tree = ast.parse((ROOT / file).read_text("utf-8"))
    for node in tree.body if only_top else ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            source = ".".join([*(module[: -node.level] if node.level else []), *([node.module] if node.module else [])])
            yield node.lineno, source
            yield from ((node.lineno, f"{source}.{alias.name}") for alias in node.names)


def may(importer: str, imported: str) -> bool:
    """Whether a file of part `importer` may import from part `imported`."""
    if importer == imported:
        return True
    if importer in FOLDERS and imported in FOLDERS:
        return False
    return LEVELS[imported] <= LEVELS[importer]


def test_the_files_are_found() -> None:
    assert {"errors.py", "scene.py", "schema.py", "control/osc.py"} <= set(FILES)


@pytest.mark.parametrize("file", FILES)
def test_a_file_imports_only_what_lies_before_it(file: str) -> None:
    assert part(file) in LEVELS, f"{file} has no layer: give it one here, and in the design"
    for line, module in imports(file):
        words = module.split(".")
        if words[0] == "installation" and words[1:] and words[1] in PARTS:
            assert words[1] in LEVELS, f"{file}:{line}: {module} has no layer"
            assert may(part(file), words[1]), f"{file}:{line}: {part(file)} must not import {words[1]}"


@pytest.mark.parametrize("file", FILES)
def test_heavy_libraries_are_imported_at_home_only(file: str) -> None:
    for line, module in imports(file):
        homes = HOMES.get(module.split(".")[0])
        assert homes is None or file.startswith(homes), f"{file}:{line}: {module} lives in {' and '.join(homes)}"


@pytest.mark.parametrize("file", [file for file in FILES if not file.startswith("training/")])
def test_slow_libraries_are_imported_only_when_used(file: str) -> None:
    for line, module in imports(file, only_top=True):
        assert module.split(".")[0] not in LAZY, f"{file}:{line}: import {module} inside the function that uses it"


def test_the_conductor_comes_without_torch_gl_portaudio_or_rtmidi() -> None:
    program = "import sys, installation.conductor; print(*sorted(set(sys.argv[1:]) & set(sys.modules)))"
    heavy = ("torch", "moderngl", "pygame", "sounddevice", "onnxruntime", "mido", "rtmidi", "av")
    imported = subprocess.run([sys.executable, "-c", program, *heavy], capture_output=True, text=True, check=True)
    assert imported.stdout.split() == []


def test_the_rules_themselves_forbid_and_allow() -> None:
    assert may("control", "scene") and may("stage", "picture") and may("scene", "errors") and may("link", "commands")
    assert not may("control", "picture") and not may("scene", "control") and not may("errors", "commands")
    assert not may("sound", "voice") and not may("model", "scene")

"""What a scene is held against: the models it names, its shader, the folder it lies in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from installation import parameters
from installation.model import Model
from installation.parameters import Parameter
from installation.track import LATENTS_AT_MOST

SCENES = Path(__file__).resolve().parent.parent / "scenes"
SHADERS = Path(__file__).resolve().parent.parent / "shaders"


@dataclass(frozen=True)
class Surroundings:
    """What a scene is held against: its `folder`, the models it names, by what it writes, or why there is none, those
    it plays in the order of its parts, the shaders, and if they are known the inputs of its own."""

    folder: Path
    models: Mapping[str, Model | str] = field(default_factory=dict)
    parts: tuple[str, ...] = ("bronze",)
    shaders: Path = SHADERS
    shader_inputs: tuple[str, ...] | None = None
    shader_fault: str | None = None

    def model(self, written: str) -> Model | None:
        """The model called, or lying in the folder, `written`, if there is one."""
        for name, found in self.models.items():
            if isinstance(found, Model) and written in (name, str(found.folder.resolve())):
                return found
        return None

    def latent_dim(self, written: str) -> int:
        """How many latents it has; as many as can be if it is not known."""
        found = self.model(written)
        return found.latent_dim if found else LATENTS_AT_MOST

    def declared(self) -> dict[str, Parameter]:
        """Every parameter of the scene."""
        first, *others = (self.latent_dim(written) for written in self.parts)
        return parameters.declared(first, tuple(others))


def find_shader(written: str, folder: Path, shaders: Path = SHADERS) -> Path | None:
    """A shader's file: one of `shaders`, or one relative to the scene's `folder`."""
    found = (path for path in (shaders / written, folder / written) if path.is_file())
    path = next(found, None)
    return path.resolve() if path else None

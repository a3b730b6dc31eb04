"""What a scene is held against: the models it names, its shaders, the folder it lies in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from installation import parameters
from installation.model import Model
from installation.parameters import Parameter
from installation.track import LATENTS_AT_MOST

SCENES = Path(__file__).resolve().parent.parent / "scenes"
SHADERS = Path(__file__).resolve().parent.parent / "shaders"


Known = Mapping[str, tuple[Parameter, ...]]
"""The inputs of a shader by name, and the parameters that turn each; none for what can't be turned."""
Inputs = Callable[[Path, str], Known]
"""The inputs of a shader's file, and what their addresses begin with; raises InstallationError if it is none. What
pictures know and scenes don't."""


@dataclass
class Here:
    """The shader whose keys are being read, as far as its inputs are known, how many effects there were until now, and
    every parameter of the shaders' inputs."""

    inputs: Known | None = None
    effects: int = 0
    parameters: dict[str, Parameter] = field(default_factory=dict)


@dataclass(frozen=True)
class Surroundings:
    """What a scene is held against: its `folder`, the models it names, by what it writes, or why there is none, those
    it plays in the order of its parts, the shaders, and if they can be known the inputs of each."""

    folder: Path
    models: Mapping[str, Model | str] = field(default_factory=dict)
    parts: tuple[str, ...] = ("bronze",)
    shaders: Path = SHADERS
    inputs: Inputs | None = None
    here: Here = field(default_factory=Here)

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

    def enter(self, shader: Path | None, effect: bool = False) -> None:
        """What is read from here on speaks of `shader`; InstallationError if that is none."""
        here = self.here
        here.inputs = None
        here.effects += effect
        if self.inputs is not None and shader is not None:
            prefix = f"{parameters.EFFECT}/{here.effects}" if effect else parameters.INPUT
            here.inputs = self.inputs(shader, prefix)
            here.parameters.update({each.address: each for parts in here.inputs.values() for each in parts})

    def declared(self) -> dict[str, Parameter]:
        """Every parameter of the scene, as far as it has been read."""
        first, *others = (self.latent_dim(written) for written in self.parts)
        return parameters.declared(first, tuple(others)) | self.here.parameters


def find_shader(written: str, folder: Path, shaders: Path = SHADERS) -> Path | None:
    """A shader's file: one of `shaders`, or one relative to the scene's `folder`."""
    found = (path for path in (shaders / written, folder / written) if path.exists())
    path = next(found, None)
    return path.resolve() if path else None

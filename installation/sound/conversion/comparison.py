"""Whether a converted file plays what the TorchScript file plays: one row at a time there, several at once here, in
blocks of every kind."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from installation.errors import ModelError
from installation.sound.conversion.explicit import Explicit, is_past, rows_first
from installation.sound.conversion.files import Blocks, play
from installation.sound.conversion.interpreter import always
from installation.sound.torchscript import SEED

Floats = npt.NDArray[np.float32]

TOLERANCE = 1e-5
BLOCKS: tuple[Blocks, ...] = ((16,), (1,) * 16, (3, 3, 3, 3, 4), (1, 7, 2, 6))
"""Ways to play sixteen steps."""
STEPS = sum(BLOCKS[0])


class Script:
    """A TorchScript module that begins anew whenever it is asked to: its caches empty, its other buffers as it came."""

    def __init__(self, module: Any) -> None:
        self.module = module
        self._first = {name: each.new_zeros(each.shape) if is_past(name) else each.clone()
                       for name, each in module.named_buffers()}  # fmt: skip
        self.begin()

    def begin(self) -> None:
        for name, buffer in self.module.named_buffers():
            buffer.copy_(self._first[name])

    def play(self, method: str, signal: Any, blocks: Blocks, unit: int) -> Floats:
        """What `method` makes of each row of `signal` (batch, channels, steps * unit) alone."""
        import torch

        made = []
        for row in signal.split(1):
            self.begin()
            torch.manual_seed(SEED)
            parts = row.split([steps * unit for steps in blocks], -1)
            made.append(torch.cat([rows_first(getattr(self.module, method)(part), 1) for part in parts], -1))
        self.begin()
        return np.asarray(torch.cat(made).numpy())


def play_explicit(network: Explicit, signal: Any, blocks: Blocks, unit: int) -> Floats:
    """The same of a network before it is a file."""
    import torch

    rows = []
    for row in signal.split(1):
        torch.manual_seed(SEED)
        state, made = torch.zeros(1, network.size), []
        for part in row.split([steps * unit for steps in blocks], -1):
            out, state = network(part, state)
            made.append(out)
        rows.append(torch.cat(made, -1))
    return np.asarray(torch.cat(rows).numpy())


def same_as_script(path: Path, script: Script, method: str, signal: Any, given: Any, unit: int) -> float:
    """The largest difference of the file in `path` from `method`, for which `given` is what `signal` is to the file."""
    return max(
        difference(path.name, script.play(method, given, blocks, unit), play(path, signal.numpy(), blocks, unit))
        for blocks in BLOCKS
    )


def same_as_mean(path: Path, script: Script, drawn: Explicit, signal: Any, given: Any, unit: int) -> float:
    """The same where the method draws: given the same numbers `drawn` must play what the script does, what is drawn
    must only be added to a mean, and the file must give that mean."""
    name, blocks = drawn.method.name, BLOCKS[-1]
    told = difference(path.name, script.play(name, given, blocks, unit), play_explicit(drawn, given, blocks, unit))
    above, mean, below = (replace(drawn, draw=always(by)) for by in (1.0, 0.0, -1.0))
    sides = play_explicit(above, given, blocks, unit) + play_explicit(below, given, blocks, unit)
    middle = play_explicit(mean, given, blocks, unit)
    added = difference(f"{path.name}: what {name} draws is not just added to a mean: it", middle, sides / 2.0)
    differences = [
        difference(path.name, play_explicit(mean, given, blocks, unit), play(path, signal.numpy(), blocks, unit))
        for blocks in BLOCKS
    ]
    return max(told, added, *differences)


def difference(name: str, expected: Floats, got: Floats) -> float:
    """The largest difference, in units of full scale (sound) or of the largest latent if that is above 1; ModelError if
    it is above TOLERANCE."""
    if expected.shape != got.shape:
        raise ModelError(f"{name} gives {got.shape} where the TorchScript file gives {expected.shape}")
    if not np.isfinite(expected).all():
        raise ModelError(f"for {name}: the TorchScript file gives numbers that are not finite")
    found = float(np.abs(expected - got).max() / max(1.0, float(np.abs(expected).max())))
    if not found <= TOLERANCE:
        raise ModelError(f"{name} differs from the TorchScript file by {found:.2e}, allowed is {TOLERANCE:.0e}")
    return found

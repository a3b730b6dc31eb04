"""What a run of a recipe will be, before it begins: how large, and on which machine.

    python -m installation.training.prospect --out FILE --gpu N [--override BINDING …]

Runs in the training environment only.
"""

from __future__ import annotations

import argparse
import importlib
import json
import sys
from pathlib import Path
from typing import Any

from installation.training import acids

CONFIGS = ("configs/v2.gin", "configs/causal.gin")


def weights(module: Any) -> int:
    """Numbers in a module: its parameters and buffers."""
    return sum(int(each.numel()) for each in (*module.parameters(), *module.buffers()))


def card(number: int) -> dict[str, Any]:
    """The graphics card of that number as torch sees it: its name, and its memory in bytes."""
    import torch

    if number < 0 or not torch.cuda.is_available() or number >= torch.cuda.device_count():
        return {"card": None, "cards": torch.cuda.device_count() if torch.cuda.is_available() else 0}
    free, whole = torch.cuda.mem_get_info(number)
    return {"card": torch.cuda.get_device_name(number), "free_bytes": free, "whole_bytes": whole}


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="prospect", description="How large a run will be, and where.")
    parser.add_argument("--out", type=Path, required=True, help="where it is written, as JSON")
    parser.add_argument("--gpu", type=int, default=-1)
    parser.add_argument("--override", action="append", default=[], help="a gin binding, as `rave train` takes it")
    options = parser.parse_args(arguments)
    acids.mend()
    import gin
    import rave
    import scripts

    for needed in ("lmdb", "udls.generated"):
        importlib.import_module(needed)
    missing = [each for each in acids.ALLOWED if not (Path(scripts.__path__[0]) / f"{each}.py").is_file()]
    if missing:
        raise SystemExit(f"acids-rave has no {' and no '.join(missing)}")
    gin.parse_config_files_and_bindings(CONFIGS, options.override)
    model = rave.RAVE(n_channels=1)
    sizes = {name: weights(getattr(model, name)) for name in ("encoder", "decoder", "discriminator")}
    said = {**sizes, "weights": weights(model), **card(options.gpu)}
    options.out.write_text(json.dumps(said) + "\n", "utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])

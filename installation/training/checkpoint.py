"""A run of acids-rave read back: its settings, its weights, the model they make.

Runs in the training environment only.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn


def build(run: Path, weights: dict[str, Tensor] | None) -> Any:
    """The RAVE of a run's `config.gin` with cached convolutions, its caches in place and empty, with `weights` or as
    it is initialised; and its ratio."""
    import cached_conv
    import gin
    import rave

    cached_conv.use_cached_conv(True)
    gin.parse_config_file(str(run / "config.gin"))
    torch.manual_seed(1)
    model = rave.RAVE(n_channels=1)
    if weights is not None:
        missing = [key for key in model.state_dict() if key not in weights and not key.endswith((".pad", ".cache"))]
        if missing:
            raise SystemExit(f"not checkpoints of {run / 'config.gin'}: they lack {missing[:3]}")
        model.load_state_dict(weights, strict=False)
    model.eval()
    for module in model.modules():
        if hasattr(module, "weight_g"):
            nn.utils.remove_weight_norm(module)
    ratio = probe(model)
    forget(model)
    return model, ratio


def probe(model: Any) -> int:
    """Run the model once, so that its caches exist; samples per latent."""
    sound = torch.zeros(1, 1, 2**15)
    latents = model.encoder.encoder(model.pqmf(sound)).chunk(2, 1)[0]
    model.decode(latents)
    return int(sound.shape[-1] // latents.shape[-1])


def forget(module: nn.Module) -> None:
    """Empty every cache."""
    for name, buffer in module.named_buffers():
        if name.rpartition(".")[2] in ("pad", "cache"):
            buffer.zero_()


def average(checkpoints: list[Path]) -> tuple[dict[str, Tensor], int]:
    """The mean of the weights of checkpoints of one descent, and the last one's step (Izmailov et al., "Averaging
    Weights Leads to Wider Optima and Better Generalization", arXiv:1803.05407)."""
    loaded = [torch.load(path, map_location="cpu", weights_only=False) for path in checkpoints]
    weights = dict(loaded[0]["state_dict"])
    for name, value in weights.items():
        if value.is_floating_point():
            weights[name] = torch.stack([each["state_dict"][name] for each in loaded]).mean(0)
    return weights, max(int(each["global_step"]) for each in loaded)


def newest(run: Path) -> Path:
    """The newest checkpoint of a run."""
    found = sorted(run.rglob("*.ckpt"), key=lambda path: path.stat().st_mtime)
    if not found:
        raise SystemExit(f"{run}: no checkpoint in it yet")
    return found[-1]

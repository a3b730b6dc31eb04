"""A run that inherits begins as the model it inherits from, layer by layer, or says why it can't."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402

from installation.training import export, inheritance  # noqa: E402
from tests.small_rave import LATENT_DIM, RATIO, CachedConv1d, SmallRave  # noqa: E402


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Path]:
    """A model as it was exported, weights rounded, and the folder of its files."""
    out, rave = tmp_path_factory.mktemp("exported"), SmallRave()
    heard = [np.random.default_rng(1).normal(0.0, 0.1, 40 * RATIO).astype(np.float32)]
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        export.export(rave, RATIO, heard, out, "small")
    return rave, out


def normalised(rave: SmallRave) -> SmallRave:
    """The model as acids-rave trains it, every kernel a direction and a length."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for layer in inheritance.layers(rave.encoder) + inheritance.layers(rave.decoder):
            nn.utils.weight_norm(layer)
    return rave


def reconstruct(rave: Any) -> Any:
    """Both halves of the posterior, and the sound of its mean."""
    sound = 0.1 * torch.randn(1, 1, 20 * RATIO, generator=torch.Generator().manual_seed(5))
    with torch.no_grad():
        posterior = rave.encoder.encoder(rave.pqmf(sound))
        return posterior, rave.decode(posterior[:, :LATENT_DIM])


@pytest.mark.parametrize("kind", ["plain", "normalised"])
def test_the_first_reconstruction_is_the_models_own(exported: tuple[Any, Path], kind: str) -> None:
    rave, folder = exported
    heir = SmallRave(seed=2) if kind == "plain" else normalised(SmallRave(seed=2))
    before = reconstruct(heir)
    layers = len(inheritance.layers(heir.encoder)) + len(inheritance.layers(heir.decoder))
    heir.pqmf.load_state_dict(rave.pqmf.state_dict())
    assert inheritance.inherit(heir, folder) == layers
    for ours, theirs, other in zip(reconstruct(heir), reconstruct(rave), before, strict=True):
        torch.testing.assert_close(ours, theirs, atol=1e-6, rtol=1e-5)
        assert not torch.allclose(other, theirs, atol=1e-3)


def test_a_model_of_another_shape_is_refused(exported: tuple[Any, Path]) -> None:
    heir = SmallRave(seed=2)
    heir.decoder.net[0] = CachedConv1d(5, 8, 3, past=2)
    with pytest.raises(SystemExit, match=r"another shape: 8 layers, number 8 .* \[8, 3, 3\]; .* \[8, 5, 3\]"):
        inheritance.inherit(heir, exported[1])


def test_a_bias_that_has_no_place_is_a_misfit_and_one_not_given_is_zero() -> None:
    given = inheritance.Given(torch.ones(2, 2, 1), torch.ones(2))
    assert not inheritance.fits(nn.Conv1d(2, 2, 1, bias=False), given)
    layer = nn.Conv1d(2, 2, 1)
    assert inheritance.fits(layer, given)
    inheritance.put(layer, given)
    assert layer.bias.tolist() == [1.0, 1.0]
    inheritance.put(layer, inheritance.Given(given.kernel, None))
    assert layer.bias.tolist() == [0.0, 0.0]


def test_what_fits_is_taken_from_the_sound_inwards(exported: tuple[Any, Path]) -> None:
    rave, folder = exported
    heir = SmallRave(seed=2)
    heir.decoder.net[0] = CachedConv1d(5, 8, 3, past=2)
    inner = heir.decoder.net[0].weight.clone()
    inheritance.inherit(heir, folder, what_fits=True)
    ours, theirs = (inheritance.layers(each.decoder) for each in (heir, rave))
    for layer, other in zip(ours[1:], theirs[1:], strict=True):
        torch.testing.assert_close(layer.weight, other.weight)
    torch.testing.assert_close(heir.decoder.net[0].weight, inner)


def test_a_folder_without_the_exporters_files_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=r"no encoder\.onnx in it; what can be inherited"):
        inheritance.inherit(SmallRave(), tmp_path)


class Optimized(nn.Module):
    """As acids-rave's model: two optimizers, one with a schedule."""

    def __init__(self) -> None:
        super().__init__()
        self.net = nn.Linear(2, 2)

    def configure_optimizers(self) -> tuple[dict[str, Any], dict[str, Any]]:
        optimizers = [torch.optim.Adam(self.parameters(), 1e-3) for _ in range(2)]
        schedule = torch.optim.lr_scheduler.LinearLR(optimizers[0], 1.0, 0.1, total_iters=10)
        return {"optimizer": optimizers[0], "lr_scheduler": {"scheduler": schedule}}, {"optimizer": optimizers[1]}


def test_the_learning_rate_falls_from_the_one_asked_for_to_a_tenth() -> None:
    """The checkpoint restored into a model's own optimizers and schedule, and ten steps taken."""
    stored = inheritance.start(Optimized(), 3e-4, 20)
    generator, discriminator = Optimized().configure_optimizers()
    optimizer, schedule = generator["optimizer"], generator["lr_scheduler"]["scheduler"]
    optimizer.load_state_dict(stored["optimizer_states"][0])
    schedule.load_state_dict(stored["lr_schedulers"][0])
    discriminator["optimizer"].load_state_dict(stored["optimizer_states"][1])
    rates = [optimizer.param_groups[0]["lr"]]
    for _ in range(10):
        optimizer.step()
        schedule.step()
        rates.append(optimizer.param_groups[0]["lr"])
    np.testing.assert_allclose(rates, 3e-4 * np.linspace(1.0, 0.1, 11), rtol=1e-6)
    assert discriminator["optimizer"].param_groups[0]["lr"] == 1e-3
    assert stored["callbacks"]["BetaWarmupCallback"]["training_steps"] == 20

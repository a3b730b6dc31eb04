"""RAVE's spectral distance by hand: its value is the evaluation's, its derivative automatic differentiation's."""

from __future__ import annotations

import numpy as np
import pytest

from installation.training import evaluation

torch = pytest.importorskip("torch")

from torch import Tensor  # noqa: E402

from installation.training import spectra  # noqa: E402

WINDOWS = (256, 64, 32)
EPSILON = 1e-3


def automatic(wanted: Tensor, made: Tensor, size: int) -> Tensor:
    """The distance at one window by torch's own transform, sounds (rows, samples)."""
    window = torch.hann_window(size, dtype=made.dtype)
    theirs, ours = (
        torch.stft(each, size, size // 4, window=window, return_complex=True, pad_mode="reflect").abs()
        for each in (wanted, made)
    )
    logarithms = torch.log(theirs + EPSILON) - torch.log(ours + EPSILON)
    return ((theirs - ours) ** 2).mean() / (theirs**2).mean() + logarithms.abs().mean()


@pytest.mark.parametrize("shape", [(2, 1, 1024), (1, 4, 300), (3, 2, 257)], ids=str)
def test_value_and_gradient_are_those_of_automatic_differentiation(shape: tuple[int, ...]) -> None:
    rng = torch.Generator().manual_seed(2)
    wanted, made = (0.1 * torch.randn(shape, generator=rng, dtype=torch.float64) for _ in range(2))
    made.requires_grad_()
    windows = [torch.hann_window(size, dtype=torch.float64) for size in WINDOWS]
    ours = spectra.distance(wanted, made, windows, EPSILON)
    theirs = sum(automatic(wanted.flatten(0, 1), made.flatten(0, 1), size) for size in WINDOWS)
    torch.testing.assert_close(ours, theirs, rtol=1e-10, atol=0.0)
    gradients = [torch.autograd.grad(3.0 * each, made)[0] for each in (ours, theirs)]
    torch.testing.assert_close(gradients[0], gradients[1], rtol=1e-8, atol=1e-10)


def test_pulling_back_is_the_transpose_of_the_spectra() -> None:
    """⟨spectra(x), s⟩ = ⟨x, pull_back(s)⟩ for any sound x and any slopes s."""
    rng = torch.Generator().manual_seed(3)
    window = torch.hann_window(64, dtype=torch.float64)
    sound = torch.randn(2, 500, generator=rng, dtype=torch.float64)
    found = spectra.spectra(sound, window)
    slopes = torch.complex(*(torch.randn(found.shape, generator=rng, dtype=torch.float64) for _ in range(2)))
    along = (found.real * slopes.real + found.imag * slopes.imag).sum()
    torch.testing.assert_close((sound * spectra.pull_back(slopes, window, 500)).sum(), along)


def test_it_is_the_distance_that_models_are_judged_by() -> None:
    rng = np.random.default_rng(4)
    original, made = (0.1 * rng.standard_normal(8_192).astype(np.float32) for _ in range(2))
    windows = [torch.hann_window(size) for size in evaluation.SCALES]
    given = [torch.from_numpy(each)[None, None] for each in (original, made)]
    found = float(spectra.distance(*given, windows, evaluation.LOG_EPSILON))
    assert found == pytest.approx(evaluation.spectral_distance(original, made), rel=1e-4)


def test_silence_has_a_finite_gradient() -> None:
    made = torch.zeros(1, 1, 256, requires_grad=True)
    spectra.distance(torch.ones(1, 1, 256), made, [torch.hann_window(64)], EPSILON).backward()
    assert made.grad is not None and torch.isfinite(made.grad).all()

"""Principal components: laws that hold for any points, and an oracle by eigenvectors."""

from __future__ import annotations

import json

import numpy as np
import pytest

from installation.evolution.embedding.pca import Pca


def points(count: int, size: int, seed: int = 0) -> np.ndarray:
    """Stretched and turned, far from the origin."""
    rng = np.random.default_rng(seed)
    turned = np.linalg.qr(rng.standard_normal((size, size)))[0]
    spread = rng.standard_normal((count, size)) * np.geomspace(5, 0.1, size)
    return (spread @ turned + rng.uniform(-50, 50, size)).astype(np.float32)


def distances(some: np.ndarray) -> np.ndarray:
    some = some.astype(np.float64)
    return np.linalg.norm(some[:, None] - some[None], axis=2)


@pytest.mark.parametrize(("count", "size"), [(40, 12), (12, 40), (1, 5), (2, 2)])
def test_with_all_components_distances_are_those_of_the_points(count: int, size: int) -> None:
    some = points(count, size)
    pca = Pca.fit(some, 10**6)
    assert pca.components == min(count, size)
    assert np.allclose(distances(pca.project(some)), distances(some), atol=1e-4)


def test_components_are_the_eigenvectors_of_the_covariance() -> None:
    some = points(300, 8)
    projected = Pca.fit(some, 3).project(some)
    values, vectors = np.linalg.eigh(np.cov(some.astype(np.float64), rowvar=False))
    expected = (some - some.mean(axis=0, dtype=np.float64)) @ vectors[:, ::-1][:, :3]
    assert np.allclose(projected.var(axis=0, ddof=1), values[::-1][:3], rtol=1e-4)
    assert np.allclose(np.abs(projected), np.abs(expected), atol=1e-4)


def test_signs_do_not_depend_on_the_order_of_the_points() -> None:
    some = points(60, 10)
    shuffled = np.random.default_rng(1).permutation(some)
    assert np.allclose(Pca.fit(some, 5).project(some), Pca.fit(shuffled, 5).project(some), atol=1e-3)
    axes = Pca.fit(some, 5).axes
    assert (np.take_along_axis(axes, np.abs(axes).argmax(axis=0)[None], axis=0) > 0).all()


def test_fewer_points_than_components_give_as_many_as_there_are_and_any_point_can_be_projected() -> None:
    pca = Pca.fit(points(4, 30), 8)
    assert pca.project(points(9, 30, seed=1)).shape == (9, 4) and pca.components == 4


def test_json_gives_the_same_projection_bit_for_bit() -> None:
    some = points(50, 20)
    pca = Pca.fit(some, 6)
    again = Pca.of(json.loads(json.dumps(pca.state())))
    assert np.array_equal(again.project(some), pca.project(some)) and pca.project(some).dtype == np.float32
    assert np.array_equal(again.axes, pca.axes) and np.array_equal(again.mean, pca.mean)


def test_what_cannot_be_projected_is_refused() -> None:
    for some, components in ((points(4, 3), 0), (np.zeros((0, 3), np.float32), 2), (np.zeros(3, np.float32), 2)):
        with pytest.raises(ValueError, match="allowed"):
            Pca.fit(some, components)
    with pytest.raises(ValueError, match="allowed"):
        Pca.of({"mean": [0.0, 0.0], "axes": [[1.0]]})

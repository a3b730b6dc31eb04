"""The bound decoders are held against: counted by hand for a decoder of one convolution."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.roofline import FLOAT_BYTES, Layer, Machine, layers_of
from installation import model
from tests.test_decoder import CHANNELS, DIM, RATIO, write_onnx


@pytest.mark.parametrize(("rows", "steps"), [(1, 1), (3, 1), (2, 5)])
def test_a_convolution_is_counted_as_by_hand(rows: int, steps: int, tmp_path: Path) -> None:
    """Each of its outputs is DIM × 2 products and as many sums; it reads two taps' line and all weights once."""
    [layer] = layers_of(write_onnx(tmp_path / "small.onnx"), rows, steps)
    made, weights = rows * steps * CHANNELS * RATIO, CHANNELS * RATIO * DIM * 2
    assert layer.operations == 2 * made * DIM * 2
    assert layer.bytes == FLOAT_BYTES * (weights + rows * DIM * (steps + 1) + made)


def test_the_shipped_decoders_work_grows_with_its_latents() -> None:
    decoder = model.load("bronze").decoder
    once, often = (sum(each.operations for each in layers_of(decoder, *shape)) for shape in ((1, 1), (4, 8)))
    assert often == 32 * once > 1e6


def test_a_layer_takes_as_long_as_what_takes_longest() -> None:
    machine = Machine(operations_s=1000.0, bytes_s=100.0)
    assert machine.least_ms([Layer(500.0, 1.0), Layer(10.0, 20.0)]) == pytest.approx(1e3 * (0.5 + 0.2))

"""One contract for every encoder that streams, on files so small that what they compute can be written out beside them,
and on the default model's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from installation import model
from installation.errors import ModelError
from installation.sound.decoder import open_decoder
from installation.sound.encoder import ENCODER_STREAMS, ENCODERS, EncoderStream, open_encoder, open_encoder_stream

Floats = npt.NDArray[np.float32]

DIM, RATIO, RATE_HZ, ROWS = 3, 8, 8_000, 4
WEIGHT = np.random.default_rng(5).normal(0.0, 0.6, (DIM, 2 * RATIO)).astype(np.float32)
BRONZE = model.load("bronze")


def oracle(sound: Floats) -> Floats:
    """What every small file computes: each step's samples and those of the step before, one matrix, through tanh."""
    batch, samples, _ = sound.shape
    steps = sound.reshape(batch, samples // RATIO, RATIO)
    before = np.concatenate([np.zeros_like(steps[:, :1]), steps[:, :-1]], 1)
    return np.asarray(np.tanh(np.concatenate([before, steps], 2) @ WEIGHT.T), np.float32)


def write_onnx(path: Path, left_out: tuple[str, ...] = ()) -> Path:
    """An encoder of one step's memory as an ONNX file with an explicit state."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    numbers = {"past_shape": (0, 1, RATIO), "state_shape": (0, RATIO), "last": (-RATIO,), "end": (2**31,), "axis": (2,)}
    tensors = [numpy_helper.from_array(np.array(each, np.int64), name) for name, each in numbers.items()]
    tensors.append(numpy_helper.from_array(WEIGHT[:, None], "weight"))
    nodes = [
        helper.make_node("Reshape", ["state", "past_shape"], ["past"]),
        helper.make_node("Concat", ["past", "sound"], ["joined"], axis=2),
        helper.make_node("Conv", ["joined", "weight"], ["turned"], strides=[RATIO]),
        helper.make_node("Tanh", ["turned"], ["latents"]),
        helper.make_node("Slice", ["joined", "last", "end", "axis"], ["kept"]),
        helper.make_node("Reshape", ["kept", "state_shape"], ["next_state"]),
    ]
    shapes = {"sound": ["b", 1, "n"], "state": ["b", RATIO], "latents": ["b", DIM, "m"], "next_state": ["b", RATIO]}
    values = [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in shapes.items()]
    made = helper.make_model(
        helper.make_graph(nodes, "small", values[:2], values[2:], tensors),
        opset_imports=[helper.make_opsetid("", 17)],
        ir_version=8,
    )
    stated = {"sample_rate_hz": RATE_HZ, "ratio": RATIO, "latent_dim": DIM, "channels": 1, "state_size": RATIO}
    for key, value in stated.items():
        if key not in left_out:
            made.metadata_props.add(key=key, value=str(value))
    onnx.save(made, str(path))
    return path


def write_torchscript(path: Path, kind: str = "Encoding", channels: int = 1) -> Path:
    """The same encoder as a TorchScript file of ROWS rows, with a dirty cache as real exports have them."""
    torch = pytest.importorskip("torch")
    from tests import small_encoder, small_torchscript

    made = getattr(small_encoder, kind)(torch.from_numpy(WEIGHT), RATE_HZ, ROWS, channels)
    return small_torchscript.save(torch.jit.script(made), path)


WRITERS: dict[str, Any] = {
    "small.onnx": write_onnx,
    "small.ts": write_torchscript,
    "two channels.ts": lambda path: write_torchscript(path, channels=2),
    "unstated.ts": lambda path: write_torchscript(path, "Unstated"),
}


@pytest.fixture(scope="module", params=sorted(WRITERS))
def stream(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> EncoderStream:
    return open_encoder_stream(WRITERS[request.param](tmp_path_factory.mktemp("small") / request.param), "cpu")


@pytest.fixture(scope="module", params=["encoder.onnx", "bronze.ts"])
def bronze(request: pytest.FixtureRequest) -> Path:
    return BRONZE.folder / str(request.param)


def sound_of(batch: int, steps: int, seed: int = 1, ratio: int = RATIO) -> Floats:
    return np.random.default_rng(seed).uniform(-0.5, 0.5, (batch, steps * ratio, 1)).astype(np.float32)


def heard(stream: EncoderStream, sound: Floats, blocks: tuple[int, ...]) -> Floats:
    """The latents of `sound` encoded in blocks of so many steps, from the beginning."""
    state, made, at = stream.start(len(sound)), [], 0
    for steps in blocks:
        latents, state = stream.encode(sound[:, at * stream.ratio : (at + steps) * stream.ratio], state)
        made.append(latents)
        at += steps
    return np.concatenate(made, 1)


def test_every_ending_that_encodes_streams() -> None:
    assert ENCODER_STREAMS.keys() == ENCODERS.keys()


def test_says_what_it_is(stream: EncoderStream) -> None:
    assert (stream.sample_rate_hz, stream.ratio, stream.latent_dim) == (RATE_HZ, RATIO, DIM)


@pytest.mark.parametrize("blocks", [(12,), (1,) * 12, (3,) * 4, (1, 5, 0, 2, 4)], ids=str)
def test_any_blocks_give_what_the_weights_say(stream: EncoderStream, blocks: tuple[int, ...]) -> None:
    sound = sound_of(2, 12)
    latents = heard(stream, sound, blocks)
    assert latents.dtype == np.float32
    np.testing.assert_allclose(latents, oracle(sound), atol=1e-5)


@pytest.mark.parametrize("batch", [2, ROWS, ROWS + 1, 2 * ROWS + 3])
def test_rows_of_a_batch_do_not_hear_each_other(stream: EncoderStream, batch: int) -> None:
    """Also with more rows than the file encodes at once."""
    sound = sound_of(batch, 5)
    np.testing.assert_allclose(heard(stream, sound, (2, 3)), oracle(sound), atol=1e-5)


def test_a_state_is_a_snapshot(stream: EncoderStream) -> None:
    """Encoding something else in between, and encoding twice from one state, changes nothing."""
    first, second, other = sound_of(1, 3, 1), sound_of(1, 2, 2), sound_of(1, 7, 3)
    made, state = stream.encode(first, stream.start())
    kept = made.copy()
    expected, _ = stream.encode(second, state)
    stream.encode(other, stream.start())
    stream.encode(other, state)
    again, _ = stream.encode(second, state)
    np.testing.assert_array_equal(again, expected)
    np.testing.assert_array_equal(made, kept)


def test_sound_of_another_shape_is_refused(stream: EncoderStream) -> None:
    for wrong in (sound_of(1, 3)[:, :-1], sound_of(1, 3)[:, :, 0], np.zeros((1, RATIO, 2), np.float32)):
        with pytest.raises(ModelError, match=rf"sound is \(batch, steps \* {RATIO}, 1\), got"):
            stream.encode(wrong, stream.start())
    with pytest.raises(ModelError, match="the state is that of 2 encoders, got sound for 3"):
        stream.encode(sound_of(3, 1), stream.start(2))
    with pytest.raises(ModelError, match="a batch is 1 or more, got 0"):
        stream.start(0)


def test_what_is_drawn_is_drawn_alike_in_every_step(tmp_path: Path) -> None:
    """An export that draws from its posterior: still pure, still of any blocks, and a repeated step is repeated."""
    stream = open_encoder_stream(write_torchscript(tmp_path / "drawing.ts", "Drawing"), "cpu")
    sound = np.tile(sound_of(2, 1), (1, 6, 1))
    latents = heard(stream, sound, (6,))
    np.testing.assert_array_equal(heard(stream, sound, (1, 3, 2)), latents)
    np.testing.assert_allclose(latents[:, 2:], latents[:, 1:-1], atol=1e-6)
    off = latents - oracle(sound)
    assert 0.01 < np.abs(off).max() < 0.5
    np.testing.assert_allclose(off[1], off[0], atol=1e-6)


@pytest.mark.parametrize("blocks", [(9,), (1,) * 9, (2, 4, 3)], ids=str)
def test_the_default_model_streams_what_it_encodes_at_once(bronze: Path, blocks: tuple[int, ...]) -> None:
    stream = open_encoder_stream(bronze, "cpu")
    assert (stream.sample_rate_hz, stream.ratio, stream.latent_dim) == (48_000, 2048, BRONZE.latent_dim)
    sound = sound_of(2, 9, ratio=BRONZE.ratio)
    whole = open_encoder(bronze, "cpu")(sound[:, :, 0])
    np.testing.assert_allclose(heard(stream, sound, blocks), whole, atol=1e-5)


def test_what_the_default_model_plays_it_hears_as_what_was_played() -> None:
    """Encoding is the inverse of decoding, nearly: the loudest latents of an excerpt come back, two steps later."""
    decoder = open_decoder(BRONZE.decoder, "cpu")
    excerpt = BRONZE.excerpts()[:200]
    sound, _ = decoder.decode(excerpt[None], decoder.start())
    stream = open_encoder_stream(BRONZE.folder / "encoder.onnx", "cpu")
    again = heard(stream, sound, (40,) * 5)[0]
    late = max(range(5), key=lambda late: np.corrcoef(again[late + 9 :, 0], excerpt[9 : 200 - late, 0])[0, 1])
    assert np.corrcoef(again[late + 9 :, 0], excerpt[9 : 200 - late, 0])[0, 1] > 0.9


def test_what_streams_no_encoder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"an encoder maps \['sound', 'state'\]"):
        open_encoder_stream(BRONZE.decoder, "cpu")
    with pytest.raises(ModelError, match="its metadata lack 'state_size'"):
        open_encoder_stream(write_onnx(tmp_path / "x.onnx", ("state_size",)), "cpu")
    with pytest.raises(ModelError, match="encoders end in"):
        open_encoder_stream(tmp_path / "x.wav", "cpu")
    with pytest.raises(ModelError, match="no such file"):
        open_encoder_stream(tmp_path / "none.onnx", "cpu")

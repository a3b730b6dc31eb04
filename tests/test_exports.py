"""One contract for every shape a TorchScript export comes in, recorded calls included, against what is in it."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from installation.errors import ModelError
from installation.sound.decoder import open_decoder
from installation.sound.encoder import open_encoder

torch = pytest.importorskip("torch")

from installation.sound.rave_torch import TorchScriptDecoder, torchscript_prior  # noqa: E402
from tests import small_torchscript  # noqa: E402

Floats = npt.NDArray[np.float32]

DIM, RATIO, ROWS = 3, 4, 4


def weight(channels: int, ratio: int = RATIO) -> Floats:
    return np.random.default_rng(5).normal(0.0, 0.6, (channels * ratio, DIM, 2)).astype(np.float32)


def made(kind: str, path: Path, channels: int = 1, ratio: int = RATIO, rate_hz: int = 48_000, **more: float) -> Path:
    """The file of that kind, with the weights its channels need."""
    weights = torch.from_numpy(weight(channels, ratio))
    return small_torchscript.save(getattr(small_torchscript, kind)(weights, ratio, rate_hz, ROWS, **more), path)


def plain(latents: Floats, channels: int = 1, ratio: int = RATIO) -> Floats:
    """Each latent and the one before it, one matrix each, through tanh."""
    weights = weight(channels, ratio)
    before = np.concatenate([np.zeros_like(latents[:, :1]), latents[:, :-1]], 1)
    sound = np.tanh(before @ weights[:, :, 0].T + latents @ weights[:, :, 1].T)
    batch, steps, _ = latents.shape
    return sound.reshape(batch, steps, channels, ratio).transpose(0, 1, 3, 2).reshape(batch, steps * ratio, channels)


def late(latents: Floats) -> Floats:
    """Two channels, a sample later."""
    sound = plain(latents, 2)
    return np.concatenate([np.zeros_like(sound[:, :1]), sound[:, :-1]], 1)


def filled(latents: Floats) -> Floats:
    """The latent that is left out is zero."""
    return plain(np.concatenate([latents, np.zeros_like(latents[..., :1])], 2))


def counting(latents: Floats) -> Floats:
    loudness = np.repeat(1.0 - 0.01 * np.arange(latents.shape[1]), RATIO)[None, :, None]
    return (plain(latents) * loudness).astype(np.float32)


def mixing(latents: Floats) -> Floats:
    """A row decoded alone hears itself twice."""
    return plain(2.0 * latents)


def stereo(latents: Floats) -> Floats:
    return plain(latents, 2)


def doubled(latents: Floats) -> Floats:
    return np.repeat(plain(latents), 2, axis=2)


KINDS: dict[str, tuple[Callable[[Floats], Floats], int, int]] = {
    "Streaming": (plain, 1, ROWS),
    "Stacked": (late, 2, ROWS),
    "Doubled": (doubled, 1, 1),
    "Filled": (filled, 1, ROWS),
    "Flat": (plain, 1, 1),
    "Swapped": (plain, 1, 1),
    "Encoding": (plain, 1, ROWS),
    "Counting": (counting, 1, 1),
    "Prior": (plain, 1, ROWS),
    "Mixing": (mixing, 1, 1),
    "Raising": (plain, 1, ROWS),
}
"""Kind → what it sounds like, its weights' channels, rows that go at once."""


@pytest.fixture(scope="module", params=[(kind, recorded) for kind in KINDS for recorded in (False, True)], ids=str)
def subject(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, TorchScriptDecoder]:
    kind, recorded = request.param
    path = made(kind, tmp_path_factory.mktemp("exports") / "export.ts", KINDS[kind][1])
    return kind, TorchScriptDecoder(path, "cpu", recorded)


def latents_of(decoder: TorchScriptDecoder, batch: int, steps: int, seed: int = 1) -> Floats:
    return np.random.default_rng(seed).normal(size=(batch, steps, decoder.latent_dim)).astype(np.float32)


def play(decoder: TorchScriptDecoder, latents: Floats, blocks: tuple[int, ...]) -> Floats:
    state, sounds, at = decoder.start(len(latents)), [], 0
    for steps in blocks:
        sound, state = decoder.decode(latents[:, at : at + steps], state)
        sounds.append(sound)
        at += steps
    return np.concatenate(sounds, 1)


@pytest.mark.parametrize("blocks", [(12,), (1,) * 12, (5, 0, 1, 4, 2)], ids=str)
@pytest.mark.parametrize("batch", [1, 2, ROWS + 1])
def test_any_blocks_and_any_rows_give_what_is_in_it(subject: Any, batch: int, blocks: tuple[int, ...]) -> None:
    kind, decoder = subject
    latents = latents_of(decoder, batch, 12)
    sound = play(decoder, latents, blocks)
    assert sound.dtype == np.float32 and decoder.traits.rows == KINDS[kind][2]
    np.testing.assert_allclose(sound, KINDS[kind][0](latents), atol=1e-5)


def test_a_state_is_a_snapshot(subject: Any) -> None:
    """Whatever is decoded in between, from other states or the same, with as many rows or more."""
    _, decoder = subject
    first, second = latents_of(decoder, 1, 3, 1), latents_of(decoder, 1, 2, 2)
    _, state = decoder.decode(first, decoder.start())
    expected, following = decoder.decode(second, state)
    after, _ = decoder.decode(first, following)
    decoder.decode(latents_of(decoder, 3, 7, 3), decoder.start(3))
    decoder.decode(first, state)
    again, following_again = decoder.decode(second, state)
    np.testing.assert_array_equal(again, expected)
    np.testing.assert_array_equal(decoder.decode(first, following_again)[0], after)
    np.testing.assert_array_equal(decoder.decode(first, following)[0], after)


def test_the_callers_generator_does_not_notice(subject: Any) -> None:
    _, decoder = subject
    before = torch.random.get_rng_state()
    play(decoder, latents_of(decoder, 2, 4), (1, 3))
    assert torch.equal(before, torch.random.get_rng_state())


@pytest.mark.parametrize("recorded", [False, True])
def test_loading_does_not_draw_from_the_callers_generator_either(recorded: bool, tmp_path: Path) -> None:
    path = made("Noisy", tmp_path / "noisy.ts")
    before = torch.random.get_rng_state()
    TorchScriptDecoder(path, "cpu", recorded)
    assert torch.equal(before, torch.random.get_rng_state())


@pytest.mark.parametrize("recorded", [False, True])
@pytest.mark.parametrize("kind", ["Noisy", "AlwaysFilled"])
def test_chance_is_the_same_again_but_not_all_the_time(kind: str, recorded: bool, tmp_path: Path) -> None:
    """What a file draws depends on the position: a step decoded again is the same; the next is not its repetition."""
    decoder = TorchScriptDecoder(made(kind, tmp_path / "chance.ts"), "cpu", recorded)
    latents = np.zeros((1, 6, decoder.latent_dim), np.float32)
    one, two = play(decoder, latents, (1,) * 6), play(decoder, latents, (1,) * 6)
    np.testing.assert_array_equal(one, two)
    steps = one.reshape(6, RATIO)
    assert min(float(np.abs(a - b).max()) for a, b in pairwise(steps[1:])) > 1e-3
    assert (decoder.traits.draws, decoder.traits.fills) == (kind == "Noisy", kind == "AlwaysFilled")


@pytest.mark.parametrize(("ratio", "rate_hz"), [(2048, 48_000), (1024, 44_100), (512, 44_100), (128, 48_000)])
@pytest.mark.parametrize("kind", ["Streaming", "Flat"])
def test_sizes_are_read_or_found(kind: str, ratio: int, rate_hz: int, tmp_path: Path) -> None:
    decoder = TorchScriptDecoder(made(kind, tmp_path / "sizes.ts", ratio=ratio, rate_hz=rate_hz), "cpu")
    found = (decoder.sample_rate_hz, decoder.ratio, decoder.latent_dim, decoder.channels)
    assert found == (rate_hz, ratio, DIM, 1)
    latents = latents_of(decoder, 1, 3)
    np.testing.assert_allclose(play(decoder, latents, (1, 2)), plain(latents, ratio=ratio), atol=1e-5)


def test_what_is_stated_is_kept_apart_from_what_shows(tmp_path: Path) -> None:
    dirty = TorchScriptDecoder(made("Encoding", tmp_path / "dirty.ts"), "cpu").traits
    assert dirty.dirty and dirty.memories == 1 and dirty.methods == ("encode", "decode")
    assert TorchScriptDecoder(made("Filled", tmp_path / "f.ts"), "cpu").traits.full_latent_dim == DIM
    assert TorchScriptDecoder(made("Apart", tmp_path / "a.ts"), "cpu").traits.memories == 0
    old = TorchScriptDecoder(made("Flat", tmp_path / "o.ts"), "cpu").traits
    assert (old.rate_named, old.states_shape) == ("sampling_rate", False)


@pytest.mark.parametrize(("kind", "before", "after"), [("Apart", 1, 0), ("Centred", 1, 1)])
@pytest.mark.parametrize("blocks", [(12,), (1,) * 12, (5, 0, 1, 4, 2)], ids=str)
def test_what_keeps_nothing_is_joined(kind: str, before: int, after: int, blocks: Any, tmp_path: Path) -> None:
    """Later by the latents it has to wait for; in place of those before the beginning are zeros."""
    decoder: Any = open_decoder(made(kind, tmp_path / "apart.ts"), "cpu")
    assert (decoder.before, decoder.after) == (before, after)
    latents = latents_of(decoder, 2, 12)
    around = np.concatenate([latents, np.zeros((2, 1, DIM), np.float32)], 1)
    heard = latents if kind == "Apart" else np.concatenate([around[:, :1], around[:, :-1] + around[:, 1:]], 1)[:, :12]
    np.testing.assert_allclose(play(decoder, latents, blocks), plain(heard), atol=1e-5)
    _, state = decoder.decode(latents[:, :3], decoder.start(2))
    again, _ = decoder.decode(latents[:, 3:], state)
    decoder.decode(9.0 * latents, decoder.start(2))
    np.testing.assert_array_equal(decoder.decode(latents[:, 3:], state)[0], again)
    with pytest.raises(ModelError, match=r"apart.ts: latents are"):
        decoder.decode(latents[..., :2], state)


@pytest.mark.parametrize("batch", [1, ROWS + 1])
def test_an_encoder_begins_anew_in_every_call(batch: int, tmp_path: Path) -> None:
    """And what a decoder of the same file holds is not changed by it."""
    path = made("Encoding", tmp_path / "encoding.ts")
    encode = open_encoder(path, "cpu")
    sound = np.random.default_rng(2).normal(size=(batch, 5 * RATIO + 1)).astype(np.float32)
    level = sound[:, : 5 * RATIO].reshape(batch, 5, RATIO).mean(2)
    expected = level + 0.5 * np.concatenate([np.zeros((batch, 1)), level[:, :-1]], 1)
    for _ in range(2):
        np.testing.assert_allclose(encode(sound), np.repeat(expected[..., None], DIM, 2), atol=1e-6)
    decoder = TorchScriptDecoder(path, "cpu")
    latents = latents_of(decoder, 1, 4)
    first, state = decoder.decode(latents[:, :2], decoder.start())
    decoder.encode(sound)
    second, _ = decoder.decode(latents[:, 2:], state)
    np.testing.assert_allclose(np.concatenate([first, second], 1), plain(latents), atol=1e-6)


def test_a_file_without_an_encoder_says_so(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no method encode"):
        open_encoder(made("Streaming", tmp_path / "mute.ts"), "cpu")


@pytest.mark.parametrize("recorded", [False, True])
@pytest.mark.parametrize(
    ("kind", "says"), [("Raising", "too loud for me"), ("Shortening", "(gave sound of shape|size of tensor)")]
)
def test_a_fault_in_mid_stream_is_a_model_error_and_leaves_no_trace(
    kind: str, says: str, recorded: bool, tmp_path: Path
) -> None:
    decoder = TorchScriptDecoder(made(kind, tmp_path / "fault.ts"), "cpu", recorded)
    latents = latents_of(decoder, 1, 4)
    first, state = decoder.decode(latents[:, :2], decoder.start())
    with pytest.raises(ModelError, match=rf"fault.ts: .*{says}"):
        decoder.decode(np.full((1, 2, DIM), 99.0, np.float32), state)
    second, _ = decoder.decode(latents[:, 2:], state)
    np.testing.assert_allclose(np.concatenate([first, second], 1), plain(latents), atol=1e-6)


def test_what_is_not_a_number_is_passed_on_for_the_guard_to_stop(tmp_path: Path) -> None:
    decoder = TorchScriptDecoder(made("Streaming", tmp_path / "nan.ts"), "cpu")
    latents = np.full((1, 1, DIM), np.nan, np.float32)
    sound, _ = decoder.decode(latents, decoder.start())
    assert np.isnan(sound).all()
    clean = latents_of(decoder, 1, 2)
    np.testing.assert_allclose(play(decoder, clean, (2,)), plain(clean), atol=1e-6)


def test_shapes_are_recorded_up_to_a_bound_and_others_called(tmp_path: Path) -> None:
    from installation.sound.rave_cuda import MOST_LATENTS, SHAPES

    decoder = TorchScriptDecoder(made("Streaming", tmp_path / "many.ts"), "cpu", recorded=True)
    for steps in (1, 2, 3, 4, 5, 6, MOST_LATENTS + 1):
        latents = latents_of(decoder, 1, steps)
        np.testing.assert_allclose(play(decoder, latents, (steps,)), plain(latents), atol=1e-6)
    graphs = decoder._graphs
    assert graphs is not None and len(graphs._calls) == SHAPES and graphs.fault is None


def test_a_recording_that_fails_is_said_and_calls_go_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from installation.sound import rave_cuda

    def refused(*_: Any) -> None:
        raise RuntimeError("operation not permitted when stream is capturing")

    monkeypatch.setattr(rave_cuda.Recorded, "_body", refused)
    decoder = TorchScriptDecoder(made("Streaming", tmp_path / "refused.ts"), "cpu", recorded=True)
    assert decoder.fault is not None and "not permitted when stream is capturing" in decoder.fault
    latents = latents_of(decoder, 2, 5)
    np.testing.assert_allclose(play(decoder, latents, (2, 3)), plain(latents), atol=1e-6)


def test_a_prior_is_the_same_for_a_seed_and_as_wide_as_its_temperature(tmp_path: Path) -> None:
    prior = torchscript_prior(made("Prior", tmp_path / "prior.ts"), "cpu")
    one = prior(40, 1.0, 7)
    assert one.shape == (40, DIM)
    np.testing.assert_array_equal(prior(40, 1.0, 7), one)
    assert np.abs(prior(40, 1.0, 8) - one).max() > 0.1
    start = 3.0 * 0.9 ** np.arange(1, 41)[:, None]
    for temperature in (0.01, 0.5, 2.0, 50.0):
        np.testing.assert_allclose(prior(40, temperature, 7) - start, temperature * (one - start), rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("kind", ["Streaming", "WithoutPrior"])
def test_a_file_without_a_prior_says_so(kind: str, tmp_path: Path) -> None:
    path = made(kind, tmp_path / "none.ts")
    with pytest.raises(ModelError, match=r"none.ts: has no prior"):
        torchscript_prior(path, "cpu")
    assert "prior" not in TorchScriptDecoder(path, "cpu").traits.methods


@pytest.mark.parametrize(("steps", "temperature"), [(0, 1.0), (4, 0.0), (4, float("nan")), (4, 1e9)])
def test_a_prior_refuses_what_is_no_temperature(steps: int, temperature: float, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"temperature in 0..100"):
        torchscript_prior(made("Prior", tmp_path / "prior.ts"), "cpu")(steps, temperature, 1)

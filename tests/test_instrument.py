"""The decoders and encoders a search hears with, on the default model: quick ones are the slow ones, only quicker."""

from __future__ import annotations

import wave
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import av
import numpy as np
import pytest

from installation.errors import ModelError, SoundFileError
from installation.instrument import REFERENCE_SOUNDS, Instrument, open_instrument
from installation.model import load
from installation.sound.decoder import open_decoder, open_quickest
from installation.sound.encoder import LEAD_STEPS, encode_whole, open_encoder
from installation.sound.files import read, sound_files
from installation.sound.rave_openvino import OpenVinoDecoder

BRONZE = load("bronze")


def latents(batch: int, steps: int, seed: int = 0) -> np.ndarray:
    drawn = np.random.default_rng(seed).standard_normal((batch, steps, BRONZE.latent_dim))
    return (BRONZE.mean + BRONZE.deviation * drawn).astype(np.float32)


def sound(steps: int, seed: int = 1) -> np.ndarray:
    """What bronze makes of a path, (samples,): sound its encoder knows."""
    decoder = open_decoder(BRONZE.decoder, "cpu")
    made, _ = decoder.decode(latents(1, steps, seed), decoder.start())
    return made[0, :, 0]


# ---- OpenVINO


@pytest.fixture(scope="module")
def quick() -> OpenVinoDecoder:
    return OpenVinoDecoder(BRONZE.decoder, threads=2)


def test_the_quickest_on_a_processor_is_openvino_on_as_many_threads_as_are_asked_for() -> None:
    decoder, threads = open_quickest(BRONZE.decoder, "cpu", 2)
    assert isinstance(decoder, OpenVinoDecoder) and threads == 2
    _, threads = open_quickest(BRONZE.folder / "bronze.ts", "cpu", 2)
    assert threads == 1


def test_on_a_graphics_processor_the_model_s_torchscript_file_decodes(monkeypatch: pytest.MonkeyPatch) -> None:
    """There is none here: what is opened is told by the refusal of that file."""
    with pytest.raises(ModelError, match=r"decoder.onnx: device cuda was asked for and there is none"):
        open_instrument("bronze", "cuda")
    monkeypatch.setattr("installation.sound.decoder.on_cuda", lambda: True)
    with pytest.raises(ModelError, match=r"bronze.ts: device cuda was asked for and there is none"):
        open_instrument("bronze", "cuda")


@pytest.mark.parametrize(("batch", "steps"), [(1, 1), (3, 5), (8, 12)])
def test_it_decodes_as_onnx_runtime_does_sound_and_state(quick: OpenVinoDecoder, batch: int, steps: int) -> None:
    plain = open_decoder(BRONZE.decoder, "cpu")
    given = latents(batch, steps)
    expected, expected_state = plain.decode(given, plain.start(batch))
    got, state = quick.decode(given, quick.start(batch))
    assert got.shape == expected.shape and np.abs(got - expected).max() < 1e-5
    assert np.abs(state - expected_state).max() < 1e-4 * np.abs(expected_state).max()


def test_once_is_from_the_start_with_nothing_after(quick: OpenVinoDecoder) -> None:
    for batch, steps in ((1, 1), (6, 9)):
        given = latents(batch, steps)
        whole, _ = quick.decode(given, quick.start(batch))
        assert np.abs(quick.once(given) - whole).max() < 1e-5
        assert np.array_equal(quick.once(given, 1), quick.once(given)[:, BRONZE.ratio :])
    assert quick.once(latents(2, 3)[:, :0]).shape == (2, 0, 1)


def test_in_two_halves_it_sounds_as_at_once(quick: OpenVinoDecoder) -> None:
    given = latents(2, 9)
    whole, _ = quick.decode(given, quick.start(2))
    first, state = quick.decode(given[:, :4], quick.start(2))
    second, _ = quick.decode(given[:, 4:], state)
    assert np.abs(np.concatenate([first, second], axis=1) - whole).max() < 1e-5


def test_threads_do_not_disturb_each_other_and_shapes_come_and_go(quick: OpenVinoDecoder) -> None:
    jobs = [latents(1 + n % 2, 2 + n % 3, n) for n in range(18)]
    alone = [quick.decode(job, quick.start(len(job)))[0] for job in jobs]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda job: quick.decode(job, quick.start(len(job)))[0], jobs))
    assert all(np.array_equal(a, b) for a, b in zip(alone, together, strict=True))


def test_it_refuses_what_is_not_a_decoder_and_latents_of_another_shape(quick: OpenVinoDecoder, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="a decoder maps"):
        OpenVinoDecoder(BRONZE.folder / "encoder.onnx")
    (tmp_path / "x.onnx").write_bytes(b"nothing")
    with pytest.raises(ModelError, match="not an ONNX model"):
        OpenVinoDecoder(tmp_path / "x.onnx")
    with pytest.raises(ModelError, match="latents are"):
        quick.decode(np.zeros((1, 2, 3), np.float32), quick.start())
    assert quick.decode(latents(1, 3)[:, :0], quick.start())[0].shape == (1, 0, 1)


# ---- encoders


@pytest.fixture(scope="module", params=["encoder.onnx", "bronze.ts"])
def encoder(request: pytest.FixtureRequest) -> Path:
    return BRONZE.folder / str(request.param)


def test_every_call_begins_from_nothing_and_rows_do_not_meet(encoder: Path) -> None:
    encode = open_encoder(encoder, "cpu")
    both = np.stack([sound(8, 1), sound(8, 2)])
    first = encode(both)
    assert first.shape == (2, 8, BRONZE.latent_dim) and np.isfinite(first).all()
    encode(both[::-1])
    assert np.array_equal(encode(both), first)
    assert np.allclose(encode(both[1:]), first[1:], atol=1e-4)


def test_the_two_files_of_the_model_encode_alike() -> None:
    given = sound(12)[None]
    onnx, script = (open_encoder(BRONZE.folder / name, "cpu")(given) for name in ("encoder.onnx", "bronze.ts"))
    assert np.abs(onnx - script).max() < 1e-4 * np.abs(onnx).max()


def test_what_is_less_than_a_step_is_left_out(encoder: Path) -> None:
    encode = open_encoder(encoder, "cpu")
    given = sound(5)
    longer = np.concatenate([given, np.ones(BRONZE.ratio - 1, np.float32)])
    assert np.array_equal(encode(longer[None]), encode(given[None]))


def test_in_pieces_a_long_sound_has_the_latents_it_has_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    encode = open_encoder(BRONZE.folder / "encoder.onnx", "cpu")
    long = sound(90)
    whole = encode_whole(long, BRONZE.ratio, encode)
    assert np.array_equal(whole, encode(long[None])[0])
    monkeypatch.setattr("installation.sound.encoder.PIECE_STEPS", 25)
    pieces = encode_whole(long, BRONZE.ratio, encode)
    assert pieces.shape == whole.shape and LEAD_STEPS < 25
    assert np.abs(pieces - whole).max() < 0.02 * np.ptp(whole)
    assert encode_whole(long[:100], BRONZE.ratio, encode).shape == (0, BRONZE.latent_dim)


def test_what_holds_no_encoder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="an encoder maps"):
        open_encoder(BRONZE.decoder, "cpu")
    with pytest.raises(ModelError, match=r"encoders end in .onnx or .ts, got .wav"):
        open_encoder(tmp_path / "x.wav")
    with pytest.raises(ModelError, match="no such file"):
        open_encoder(tmp_path / "x.onnx")


# ---- sound files


def _write(path: Path, channels: np.ndarray, rate_hz: int) -> None:
    """(channels, samples) as a file of the format its name ends in."""
    codec = {".wav": "pcm_s16le", ".flac": "flac"}[path.suffix]
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=rate_hz, layout="mono" if len(channels) == 1 else "stereo")
        interleaved = np.round(channels.T * 32767).astype(np.int16).reshape(1, -1)
        frame = av.AudioFrame.from_ndarray(interleaved, "s16", "mono" if len(channels) == 1 else "stereo")
        frame.rate = rate_hz
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            container.mux(packet)


@pytest.mark.parametrize("ending", [".wav", ".flac"])
@pytest.mark.parametrize("rate_hz", [48_000, 44_100, 16_000])
def test_any_format_and_rate_is_read_as_the_same_mono_sound(tmp_path: Path, ending: str, rate_hz: int) -> None:
    tone = 0.5 * np.sin(2 * np.pi * 440 * np.arange(rate_hz) / rate_hz)
    _write(tmp_path / f"x{ending}", np.stack([tone, 0.5 * tone]), rate_hz)
    got = read(tmp_path / f"x{ending}", 48_000)
    expected = 0.375 * np.sin(2 * np.pi * 440 * np.arange(48_000) / 48_000)
    assert got.dtype == np.float32 and abs(len(got) - 48_000) <= 32
    middle = slice(2_000, 46_000)
    late = range(-24, 25)
    best = min(np.abs(got[2_000 + n : 46_000 + n] - expected[middle]).max() for n in late)
    assert best < 0.03


def test_what_is_no_sound_is_said(tmp_path: Path) -> None:
    (tmp_path / "letter.wav").write_text("dear me")
    with pytest.raises(SoundFileError, match=r"letter.wav: can't be read"):
        read(tmp_path / "letter.wav", 48_000)
    with wave.open(str(tmp_path / "empty.wav"), "wb") as file:
        file.setparams((1, 2, 48_000, 0, "NONE", ""))
    with pytest.raises(SoundFileError, match="holds no sound"):
        read(tmp_path / "empty.wav", 48_000)
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / ".hidden").touch()
    with pytest.raises(SoundFileError, match="nothing in it"):
        sound_files(tmp_path / "folder")


def test_files_are_found_in_order_in_all_folders_and_hidden_ones_are_not(tmp_path: Path) -> None:
    for name in ("b.wav", "a/c.flac", ".git/x.wav", "a/.y.wav"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert sound_files(tmp_path) == [tmp_path / "a/c.flac", tmp_path / "b.wav"]
    assert sound_files(tmp_path / "b.wav") == [tmp_path / "b.wav"]


# ---- the instrument


@pytest.fixture(scope="module")
def instrument() -> Instrument:
    return open_instrument("bronze", "cpu", 2)


def test_the_reference_is_always_the_same_and_stays_in_bounds(instrument: Instrument) -> None:
    reference = instrument.reference(16)
    assert reference.shape == (REFERENCE_SOUNDS, 16, BRONZE.latent_dim)
    assert np.array_equal(reference, open_instrument("bronze", "cpu", 1).reference(16))
    assert (reference >= instrument.space.low).all() and (reference <= instrument.space.high).all()


def test_a_calibrated_embedding_is_the_same_whenever_it_is_made(instrument: Instrument) -> None:
    first, second = (instrument.calibrated("texture", 8, 3) for _ in range(2))
    assert first.calibration == second.calibration != instrument.calibrated("texture", 8, 4).calibration

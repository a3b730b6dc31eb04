"""Shadertoy's shaders: files and folders, what their channels are, the names they know, and the sound to the byte."""

from __future__ import annotations

import cmath
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from installation.errors import ShaderError
from installation.picture.frame import Frame
from installation.picture.shading import shaders, shadertoy
from installation.picture.shading.shadertoy_audio import AudioTexture
from tests.pictures import Picture, picture

SIZE = (8, 6)
SHOWN = "void mainImage(out vec4 colour, in vec2 at) { colour = texture(iChannel0, at / iResolution.xy); }"


@pytest.fixture
def canvas() -> Iterator[Picture]:
    with picture(SIZE) as held:
        yield held


def written(folder: Path, **texts: str) -> Path:
    """A folder with these passes, and channels.yaml if `channels` is given."""
    folder.mkdir(exist_ok=True)
    for name, text in texts.items():
        (folder / ("channels.yaml" if name == "channels" else f"{name}.frag")).write_text(text)
    return folder


def drawn(canvas: Picture, path: Path, frames: int = 1, textures: Any = None, **values: Any) -> np.ndarray:
    """The last of some frames a quarter of a second apart, (height, width, 3), row 0 at the bottom."""
    canvas.show(shaders.load(path))
    for index in range(frames):
        canvas.draw(Frame(index / 4, 0.25 * (index > 0), index, (2031.0, 2.0, 3.0, 4.5), values, textures or {}))
    return canvas.read()[::-1]


# What is read


def test_a_file_is_one_pass_that_hears(tmp_path: Path) -> None:
    (tmp_path / "one.frag").write_text(SHOWN)
    shader = shaders.load(tmp_path / "one.frag")
    assert [(each.name, each.kind) for each in shader.inputs] == [("audio", "shadertoyAudio")]
    assert [each.image for each in shader.passes[0].channels] == ["audio", "nothing", "nothing", "nothing"]
    assert shader.kind == "generator"
    assert shaders.files(tmp_path / "one.frag") == (tmp_path / "one.frag",)


def test_a_folder_is_its_buffers_in_order_and_then_the_image(tmp_path: Path) -> None:
    folder = written(tmp_path / "toy", image=SHOWN, buffer_c=SHOWN, buffer_a=SHOWN, common="// for all")
    for path in (folder, folder / "image.frag"):
        shader = shaders.load(path)
        assert [each.target for each in shader.passes] == ["buffer_a", "buffer_c", None]
        assert all(each.persistent and each.floating for each in shader.passes[:-1])
        sampled = [[channel.image for channel in each.channels] for each in shader.passes]
        assert sampled[0] == ["buffer_a", "buffer_c", "nothing", "nothing"]
        assert sampled[1] == ["buffer_c", "buffer_a", "nothing", "nothing"]
        assert sampled[2] == ["buffer_a", "buffer_c", "nothing", "nothing"]
    names = [path.name for path in shaders.files(folder)]
    assert names == ["image.frag", "buffer_a.frag", "buffer_c.frag", "common.frag"]


def test_channels_are_what_the_file_says_and_otherwise_what_goes_without_saying(tmp_path: Path) -> None:
    channels = """
image:
  iChannel1: {source: grain.png, filter: nearest, wrap: clamp, vflip: false}
  iChannel2: audio
  iChannel3: picture
buffer_a:
  iChannel0: grain.png
"""
    folder = written(tmp_path / "toy", image=SHOWN, buffer_a=SHOWN, channels=channels)
    Image.new("RGB", (2, 2)).save(folder / "grain.png")
    shader = shaders.load(folder)
    buffer, image = shader.passes
    assert [(each.image, each.smoothing, each.edge) for each in image.channels] == [
        ("buffer_a", "linear", "clamp"),
        ("image0", "nearest", "clamp"),
        ("audio", "linear", "clamp"),
        ("inputImage", "linear", "clamp"),
    ]
    assert (buffer.channels[0].image, buffer.channels[0].smoothing, buffer.channels[0].edge) == (
        "image1",
        "mipmap",
        "repeat",
    )
    assert [each.upright for each in shader.imported] == [False, True]
    assert shader.kind == "filter"
    (folder / "channels.yaml").rename(folder / "channels.json")
    (folder / "channels.json").write_text('{"image": {"iChannel0": "audio"}}')
    assert shaders.load(folder).passes[-1].channels[0].image == "audio"


@pytest.mark.parametrize(
    ("channels", "words", "line"),
    [
        ("image:\n  iChannel0: keyboard", "no keyboard", 2),
        ("image:\n  iChannel0: cubemap", "cube maps", 2),
        ("image:\n  iChannel4: audio", "'iChannel4' is none of iChannel0", 2),
        ("imgae:\n  iChannel0: audio", "did you mean image?", 1),
        ("buffer_b:\n  iChannel0: audio", "'buffer_b' is none of image, buffer_a", 1),
        ("image:\n  iChannel0: bufer_a", "did you mean buffer_a?", 2),
        ("image:\n  iChannel0: ../../x.png", "leads out", 2),
        ("image:\n  iChannel0: {source: audio,\n    filter: smooth}", "'smooth' is none of nearest, linear, mipmap", 3),
        ("image:\n  iChannel0: {filter: linear}", "a channel has a source", 2),
        ("image:\n  iChannel0: [audio]", "each with its value", 2),
        ("image:\n  iChannel0: audio\n  iChannel0: audio", "given twice", 3),
        ("image: audio", "each with its value", 1),
        ("- image", "each with its value", 1),
        ("image: [", "is not YAML", 1),
        ("? [a]\n: b", "a word is expected", 1),
    ],
)
def test_what_is_wrong_with_channels_is_said_at_its_line(tmp_path: Path, channels: str, words: str, line: int) -> None:
    folder = written(tmp_path / "toy", image=SHOWN, buffer_a=SHOWN, channels=channels)
    with pytest.raises(ShaderError) as caught:
        shaders.load(folder)
    assert words in caught.value.message
    assert (caught.value.file, caught.value.line) == ("toy/channels.yaml", line)


def test_no_image_and_no_main_are_said(tmp_path: Path) -> None:
    with pytest.raises(ShaderError, match="no shader: a folder holds image"):
        shaders.load(written(tmp_path / "toy", buffer_a=SHOWN))
    folder = written(tmp_path / "toy", image=SHOWN, buffer_a="void main() {}")
    with pytest.raises(ShaderError, match="there is no void mainImage") as caught:
        shaders.load(folder)
    assert caught.value.file == "toy/buffer_a.frag"


# What is drawn


@pytest.mark.gl
def test_every_name_has_its_value(canvas: Picture, tmp_path: Path) -> None:
    body = """
        bool right = iTime == 0.25 && iTimeDelta == 0.25 && iFrame == 1 && iFrameRate == 4.0
            && iResolution == vec3(8.0, 6.0, 1.0) && iDate == vec4(2031.0, 1.0, 3.0, 4.5)
            && iChannelTime[3] == 0.25 && iChannelResolution[0].xy == vec2(512.0, 2.0) && iSampleRate == 44100.0
            && iMouse == vec4(2.0, 3.0, -2.0, -3.0) && at == gl_FragCoord.xy;
        colour = vec4(vec3(right ? 1.0 : 0.0), 0.0);"""
    (tmp_path / "x.frag").write_text(f"void mainImage(out vec4 colour, in vec2 at) {{{body}}}")
    textures = {"audio": np.zeros((2, 512), np.uint8)}
    values = {"iMouse": (0.25, 0.5), "iMouseDown": False, "iSampleRate": 44100.0}
    assert drawn(canvas, tmp_path / "x.frag", 2, textures, **values).min() == 255


@pytest.mark.gl
def test_the_mouse_is_an_input_and_is_held_while_it_is_down(canvas: Picture, tmp_path: Path) -> None:
    (tmp_path / "x.frag").write_text(
        "void mainImage(out vec4 c, vec2 at) { c = iMouse.z > 0.0 ? vec4(1.0) : vec4(0.0); }"
    )
    shader = shaders.load(tmp_path / "x.frag")
    assert {"iMouse": "point2D", "iMouseDown": "bool"}.items() <= {
        each.name: each.kind for each in shader.inputs
    }.items()
    for down in (True, False):
        light = drawn(canvas, tmp_path / "x.frag", iMouse=(0.5, 0.5), iMouseDown=down)
        assert light.min() == light.max() == 255 * down


@pytest.mark.gl
def test_buffers_read_what_each_drew_last(canvas: Picture, tmp_path: Path) -> None:
    """A counts; B, after it, sees this frame's A; A sees the last frame's B."""
    count = """void mainImage(out vec4 c, vec2 at) {
        c = vec4(texelFetch(iChannel0, ivec2(at), 0).r + one(), texelFetch(iChannel1, ivec2(at), 0).r, 0.0, 0.0);
    }"""
    after = "void mainImage(out vec4 c, vec2 at) { c = texelFetch(iChannel1, ivec2(at), 0); }"
    one = "float one() { return 1.0; }"
    folder = written(tmp_path / "toy", image=SHOWN, buffer_a=count, buffer_b=after, common=one)
    drawn(canvas, folder, frames=5)
    assert canvas.target("buffer_a")[0, 0].tolist() == [5.0, 4.0, 0.0, 0.0]
    assert canvas.target("buffer_b")[0, 0].tolist() == [5.0, 4.0, 0.0, 0.0]


@pytest.mark.gl
def test_channels_are_sampled_as_they_say(canvas: Picture, tmp_path: Path) -> None:
    """One image of two columns, black and white, through four channels."""
    channels = """
image:
  iChannel0: {source: x.png, filter: nearest, wrap: clamp}
  iChannel1: {source: x.png, filter: linear, wrap: clamp}
  iChannel2: {source: x.png, filter: nearest, wrap: repeat}
  iChannel3: {source: x.png, filter: mipmap}
"""
    body = """void mainImage(out vec4 c, vec2 at) {
        c = vec4(texture(iChannel0, vec2(0.45, 0.5)).r, texture(iChannel1, vec2(0.5)).r, 0.0, 1.0);
        c.b = texture(iChannel2, vec2(1.1, 0.5)).r;
        if (at.y > 1.0) c = textureLod(iChannel3, vec2(0.1), 8.0);
    }"""
    folder = written(tmp_path / "toy", image=body, channels=channels)
    Image.fromarray(np.array([[0, 255], [0, 255]], np.uint8)).save(folder / "x.png")
    light = drawn(canvas, folder)
    np.testing.assert_allclose(light[0, 0], [0, 127.5, 0], atol=1.0)
    np.testing.assert_allclose(light[3, 0], [127.5] * 3, atol=1.0)


@pytest.mark.gl
def test_an_image_stands_upright_unless_it_is_not_to(canvas: Picture, tmp_path: Path) -> None:
    folder = written(tmp_path / "toy", image=SHOWN)
    Image.fromarray(np.array([[255], [0]], np.uint8)).save(folder / "x.png")
    for upright in (True, False):
        said = f"image:\n  iChannel0: {{source: x.png, filter: nearest, vflip: {str(upright).lower()}}}\n"
        light = drawn(canvas, written(folder, channels=said))
        assert light[-1, 0, 0] == 255 * upright
        assert light[0, 0, 0] == 255 * (not upright)


@pytest.mark.gl
@pytest.mark.parametrize("name", ["image", "buffer_a", "common"])
def test_a_fault_is_said_in_its_own_file(canvas: Picture, tmp_path: Path, name: str) -> None:
    folder = written(tmp_path / "toy", image=SHOWN, buffer_a=SHOWN, common="float one() { return 1.0; }\n")
    with (folder / f"{name}.frag").open("a") as file:
        file.write("\n\nfloat wrong() { return oops; }\n")
    line = (folder / f"{name}.frag").read_text().splitlines().index("float wrong() { return oops; }") + 1
    with pytest.raises(ShaderError, match="oops") as caught:
        canvas.show(shaders.load(folder))
    assert (caught.value.file, caught.value.line) == (f"toy/{name}.frag", line)


@pytest.mark.gl
def test_the_picture_is_opaque_whatever_the_image_says(canvas: Picture, tmp_path: Path) -> None:
    (tmp_path / "x.frag").write_text("void mainImage(out vec4 c, vec2 at) { c = vec4(1.0, 0.0, 1.0, 0.0); }")
    assert np.unique(drawn(canvas, tmp_path / "x.frag").reshape(-1, 3), axis=0).tolist() == [[255, 0, 255]]


# The sound


def plainly(blocks: list[np.ndarray]) -> list[list[list[int]]]:
    """The Web Audio API's AnalyserNode, word for word: each frame's 2048 samples through a Blackman window, a Fourier
    transform by halves, smoothing over time, decibels, bytes."""

    def transform(values: list[complex]) -> list[complex]:
        if len(values) == 1:
            return values
        even, odd = transform(values[::2]), transform(values[1::2])
        turned = [cmath.exp(-2j * math.pi * k / len(values)) * odd[k] for k in range(len(odd))]
        return [e + o for e, o in zip(even, turned, strict=True)] + [e - o for e, o in zip(even, turned, strict=True)]

    frames, smooth = [], [0.0] * 512
    for block in blocks:
        mono = [sum(float(value) for value in sample) / len(sample) for sample in block]
        mono = ([0.0] * 2048 + mono)[-2048:]
        windowed = []
        for n, value in enumerate(mono):
            turn = 2.0 * math.pi * n / 2048
            windowed.append(complex(value * (0.42 - 0.5 * math.cos(turn) + 0.08 * math.cos(2.0 * turn))))
        spectrum = transform(windowed)
        smooth = [0.8 * old + 0.2 * abs(spectrum[k]) / 2048 for k, old in enumerate(smooth)]
        row = []
        for value in smooth:
            level_db = 20.0 * math.log10(value) if value > 0.0 else -math.inf
            row.append(0 if level_db < -100.0 else min(255, math.floor(255.0 / 70.0 * (level_db + 100.0))))
        wave = [min(255, max(0, math.floor(128.0 * (1.0 + value)))) for value in mono[:512]]
        frames.append([row, wave])
    return frames


def sound(rate_hz: int, seconds: float, seed: int = 0) -> np.ndarray:
    """A chord over noise, fading in, (samples, 2)."""
    rng = np.random.default_rng(seed)
    time_s = np.arange(int(rate_hz * seconds)) / rate_hz
    tones = sum(np.sin(2 * np.pi * f * time_s + k) for k, f in enumerate((110.0, 331.7, 1234.5))) / 3
    noise = rng.normal(0.0, 0.01, (len(time_s), 2))
    return ((tones * np.minimum(1.0, 4 * time_s))[:, None] * [0.9, 1.3] + noise).astype(np.float32)


@pytest.mark.parametrize("rate_hz", [44_100, 48_000])
@pytest.mark.parametrize("fps", [24.0, 60.0])
def test_the_sound_is_that_of_shadertoy_to_the_byte(rate_hz: int, fps: float) -> None:
    heard = sound(rate_hz, 0.4)
    ends = [round(rate_hz * frame / fps) for frame in range(1, int(0.4 * fps))]
    blocks = [heard[max(0, end - 4096) : end] for end in ends]
    texture = AudioTexture()
    found = np.array([texture.push(block) for block in blocks])
    np.testing.assert_array_equal(found, np.array(plainly(blocks)))
    assert found[-1, 0].max() > 200 and found[:, 1].min() < 20


def test_silence_is_no_spectrum_and_a_wave_in_the_middle() -> None:
    texture = AudioTexture()
    for silent in (np.zeros((0, 2), np.float32), np.zeros((5000, 1), np.float32)):
        found = texture.push(silent)
        assert (found.shape, found.dtype) == ((2, 512), np.uint8)
        assert not found[0].any()
        assert np.unique(found[1]).tolist() == [128]


@settings(max_examples=30, deadline=None)
@given(st.lists(st.floats(width=32), max_size=60))
def test_whatever_is_heard_is_bytes_and_is_forgotten(samples: list[float]) -> None:
    texture = AudioTexture()
    texture.push(np.array(samples, np.float32).reshape(-1, 1))
    for _ in range(80):
        last = texture.push(np.zeros((2048, 2), np.float32))
    assert not last[0].any()


def test_only_the_last_2048_samples_count_wherever_the_blocks_end() -> None:
    heard = sound(48_000, 0.3)
    np.testing.assert_array_equal(AudioTexture().push(heard), AudioTexture().push(heard[-2048:]))


def test_paths_are_told_apart(tmp_path: Path) -> None:
    assert shadertoy.is_shadertoy(tmp_path)
    assert shadertoy.is_shadertoy(Path("x.FRAG"))
    assert not shadertoy.is_shadertoy(Path("x.fs"))

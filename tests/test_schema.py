"""Scene files: every fault at once, each where the author put it; and checking imports nothing heavy."""

from __future__ import annotations

import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from installation import schema, tree
from installation.errors import SceneError, ShaderError
from installation.inputs import shader_inputs
from installation.parameters import Parameter
from installation.scene import Scene
from installation.surroundings import Known

CARD = """\
name: tiny
sample_rate_hz: 48000
ratio: 2048
latent_dim: 4
latents: {mean: [0, 0, 0, 0], deviation: [1, 1, 1, 1], low: [-3, -3, -3, -3], high: [3, 3, 3, 3]}
"""


@pytest.fixture(scope="module")
def around(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a model of four latents, a shader, and room for scenes."""
    folder = tmp_path_factory.mktemp("around")
    for path, content in {
        "models/tiny/card.yaml": CARD,
        "models/broken/card.yaml": "name: broken",
        "shaders/glow.fs": '/*{"INPUTS": [{"NAME": "warmth", "TYPE": "float"}]}*/ void main() {}',
        "scenes/own.fs": "void main() {}",
    }.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(content, "utf-8")
    return folder


def inputs(path: Path, prefix: str) -> Known:
    if path.name == "own.fs":
        raise ShaderError(path.name, "no header", 1)
    sentence = "An input of glow.fs."
    parts = {"warmth": ("",), "grain": ("",), "tint": ("/red", "/green", "/blue", "/alpha"), "rms": ()}
    return {
        name: tuple(Parameter(f"{prefix}/{name}{part}", 0.0, 1.0, 0.5, "", "linear", sentence) for part in own)
        for name, own in parts.items()
    }


def scene(around: Path, content: str | bytes) -> Scene:
    raw = content if isinstance(content, bytes) else textwrap.dedent(content).encode()
    path = around / "scenes" / "a.yaml"
    return schema.read(raw, path, around / "models", around / "shaders", inputs)


def faults(around: Path, content: str | bytes) -> list[str]:
    with pytest.raises(SceneError) as caught:
        scene(around, content)
    prefix = f"{around / 'scenes' / 'a.yaml'}:"
    assert all(str(fault).startswith(prefix) for fault in caught.value.faults)
    return [str(fault).removeprefix(prefix) for fault in caught.value.faults]


WELL = """\
name: Well
model: tiny
seed: 0x10
picture: {shader: glow.fs}
"""


def test_a_scene_that_is_well_is_a_scene(around: Path) -> None:
    content = WELL + textwrap.dedent(
        """\
        evolution:
          sigma: 1e0
          running: true
          operator: iso-line
          recombination: none
          selection: 2
        voice:
        latents:
          0: {bias: -1}
          3: {freeze: 1, evolve: false}
        midi:
          - device: nano
            controls:
              cc 1: /latent/3/bias
              note 2: /scene/recall slow bronze
              note 3: /voice/hold toggle
              note 4: /scene/next
              note 5: /evolution/never
        """
    )
    found = scene(around, content)
    assert found.values() == {
        "/evolution/sigma": 1.0,
        "/evolution/running": 1.0,
        "/evolution/operator": 3.0,
        "/evolution/recombination": 2.0,
        "/evolution/selection": 2.0,
        "/latent/0/bias": -1.0,
        "/latent/3/freeze": 1.0,
        "/latent/3/evolve": 0.0,
    }
    assert found.seed == 16
    assert Path(found.picture.shader) == (around / "shaders" / "glow.fs").resolve()
    assert Path(found.model) == (around / "models" / "tiny").resolve()


def test_every_fault_is_told_at_once_at_its_own_place(around: Path) -> None:
    content = """\
        name: 2024
        modle: bronze
        model: tiny
        evolution:
          mutation_rate: 1.7
          sgima: 1
          neighbours: 3.5
          init: datset
          running: no
          interval: 1:30
          operator: isoline
          selection: [nearest]
          embedding:
        voice:
          gain: 3
          gain: 4
          ahead_ms:
        latents:
          4: {bias: 1}
          3: {bais: 1, scale: 9}
          x: {}
        picture:
          shader: glow.fs
          fullscreen: yes
          mappings:
            - {from: loud, to: warmth}
            - {from: rms, to: warmht, lo: 3}
            - to: grain
        midi:
          - device: nano
            controls:
              cc 300: /voice/gain
              note 4: /voice/gain toggle
              cc 1: /voice/gian
              cc 2: /latent/4/bias
        osc: {port: 99999, host: &x h}
        master: [1]
        """
    assert faults(around, content) == [
        '1:7: name: 2024 is a number; for text write "2024"',
        "2:1: modle: unknown key (did you mean model?)",
        "5:18: evolution.mutation_rate: 1.7 is outside 0..1",
        "6:3: evolution.sgima: unknown key (did you mean sigma?)",
        "7:15: evolution.neighbours: 3.5 is not a whole number of 1..64",
        "8:9: evolution.init: datset is not allowed; allowed are random, normal, dataset",
        "9:12: evolution.running: 'no' is text, write false",
        "10:13: evolution.interval: '1:30' is text, not a number; for so many minutes and seconds write 90",
        "11:13: evolution.operator: 'isoline' is none of its names (did you mean iso-line?); allowed are step, span, "
        "drift, iso-line, replace, stretch, mixed",
        "12:14: evolution.selection: got a list, allowed are nearest, farthest, dominated, local",
        "13:13: evolution.embedding: is empty, allowed are texture, mfcc, rave, vggish, clap",
        "16:3: voice.gain: stands twice; the first is at line 15",
        "17:12: voice.ahead_ms: is empty, allowed are 20..5000",
        "19:3: latents.4: latent 4 is outside 0..3",
        "20:7: latents.3.bais: unknown key (did you mean bias?)",
        "20:23: latents.3.scale: 9 is outside 0..4",
        "21:3: latents.x: 'x' is not the number of a latent; allowed are 0..3",
        "24:15: picture.fullscreen: yes is not true or false",
        "26:14: picture.mappings.0.from: 'loud' is not heard (did you mean loudness?); allowed are rms, centroid, "
        "flux, onset, band0..7, loudness, loudness_lufs, centroid_hz, spread_hz, rolloff_hz, flatness, onset_db, "
        "presence, silence, beat, beat_phase, tempo_bpm, tempo_confidence, hits0..7, time0..7, presence0..7, "
        "chroma0..11, mfcc0..12, sparseness, age, progress",
        "27:23: picture.mappings.1.to: the shader has no input 'warmht' (did you mean warmth?); it has warmth, grain, "
        "tint, rms",
        "27:31: picture.mappings.1.lo: unknown key (did you mean low?)",
        "28:7: picture.mappings.2.from: is missing",
        "32:7: midi.0.controls.cc 300: 'cc 300' is no control; allowed are cc 0..127 or note 0..127, and after it "
        "channel 1..16",
        "33:15: midi.0.controls.note 4: /voice/gain is not a switch and can't be toggled",
        "34:13: midi.0.controls.cc 1: /voice/gian: no such parameter or action (did you mean /voice/gain?)",
        "35:13: midi.0.controls.cc 2: /latent/4/bias: no such parameter or action (did you mean /latent/3/bias?)",
        "36:13: osc.port: 99999 is outside 0..65535",
        "36:26: osc.host: &x: anchors are not used in scenes",
        "37:9: master: got a list, allowed is a mapping",
    ]


@pytest.mark.parametrize(
    ("content", "wanted"),
    [
        ("", "1:1: scene: is empty; a scene needs at least a name"),
        ("# only this\n", "1:1: scene: is empty; a scene needs at least a name"),
        ("[1]", "1:1: scene: got a list, allowed is a mapping"),
        ("just words", "1:1: scene: got text, allowed is a mapping"),
        ("model: tiny\npicture: {shader: glow.fs}", "1:1: name: is missing"),
        ("name: a\n  b: c", "2:4: scene: not YAML: mapping values are not allowed here"),
        ("name: 'a\nb", "2:2: scene: not YAML: while scanning a quoted scalar found unexpected end of stream"),
        ("name: a\n---\nname: b", "2:1: scene: a second document; a scene file holds one"),
        (
            "name: a\n\tb: 1",
            "2:1: scene: not YAML: while scanning for the next token found character '\\t' that cannot",
        ),
        ("name: a\x01b", "1:8: scene: a character that YAML does not allow"),
        (b"name: a\nseed: \xff\xfe", "2:7: scene: byte 0xff is not UTF-8"),
        ("name: ünïcödé \udcff".encode("utf-8", "surrogateescape"), "1:15: scene: byte 0xff is not UTF-8"),
        ("a: &a [1]\nb: *a", "2:4: b: *a: aliases are not used in scenes; write the value out"),
        (
            "name: !!python/object/apply:os.system [ls]",
            "1:7: name: tag:yaml.org,2002:python/object/apply:os.system: tags",
        ),
        ("? [a]\n: b", "1:3: scene: a key must be a word or a number"),
        ("[" * 5000, "1:18: scene: nested deeper than 16"),
        ("a: " * 3 + "b", "1:5: scene: not YAML: mapping values are not allowed here"),
        (b"x" * 65_537, "1:1: scene: 65537 bytes are more than the 65536 a scene may have"),
        (b"\0\1\2\3", "1:1: scene: a character that YAML does not allow"),
        (WELL + "seed: 1", "5:1: seed: stands twice; the first is at line 3"),
        (WELL.replace("0x10", "9" * 5000), "3:7: seed: '999"),
        (WELL.replace("0x10", "1.5"), "3:7: seed: 1.5 is not a whole number of"),
        (WELL.replace("0x10", ".nan"), "3:7: seed: nan is not a finite number"),
        (WELL.replace("0x10", "-.inf"), "3:7: seed: -inf is not a finite number"),
        (WELL.replace("0x10", "true"), "3:7: seed: true is not a number"),
        (WELL.replace("0x10", "'3'"), "3:7: seed: '3' is text, not a number"),
        (WELL.replace("name: Well", "name: true"), '1:7: name: true is true or false; for text write "true"'),
        (WELL.replace("name: Well", "name: ''"), "1:7: name: got text, allowed is at least one character"),
        (WELL.replace("name: Well", "name:"), "1:6: name: got nothing, allowed is text"),
        (WELL.replace("tiny", "tony"), "2:8: model: no model 'tony' in"),
        (WELL.replace("tiny", "broken"), "2:8: model: "),
        (WELL.replace("glow.fs", "glow.sf"), "4:19: picture.shader: no shader 'glow.sf' in"),
        (WELL.replace("glow.fs", "own.fs"), "4:19: picture.shader: own.fs:1: no header"),
        (WELL + "orchestra: [{model: tony}]", "5:21: orchestra.0.model: no model 'tony' in"),
        (WELL + "orchestra: [{gain: 1}]", "5:13: orchestra.0.model: is missing"),
        (WELL + "orchestra: [{model: tiny, latents: {4: {bias: 1}}}]", "5:37: orchestra.0.latents.4: latent 4 is"),
        (WELL + "orchestra: [{model: tiny, pan: 2}]", "5:32: orchestra.0.pan: 2 is outside -1..1"),
        (WELL + "orchestra:" + 4 * "\n- model: tiny", "6:1: orchestra: has 4, allowed are 3 at the most"),
        (WELL + "input: {mix: 2}", "5:14: input.mix: 2 is outside 0..1"),
        (WELL + "midi: [{device: n, controls: {cc 1: /part/2/gain}}]", "5:37: midi.0.controls.cc 1: /part/2/gain: no"),
    ],
)
def test_a_fault_is_told_at_its_place(around: Path, content: str | bytes, wanted: str) -> None:
    raw = content if isinstance(content, bytes) else content.encode()
    assert any(fault.startswith(wanted) for fault in faults(around, raw)), faults(around, raw)


def test_words_that_older_yaml_bends_mean_what_they_say(around: Path) -> None:
    for word in ("no", "1:30", "2024-01-01", "Yes", "1_000", "0b1", "é"):
        assert scene(around, WELL.replace("Well", word)).name == word


def test_a_byte_order_mark_is_no_fault(around: Path) -> None:
    assert scene(around, b"\xef\xbb\xbf" + WELL.encode()).name == "Well"


def test_a_file_that_can_t_be_read_is_a_fault(tmp_path: Path) -> None:
    for path in (tmp_path / "none.yaml", tmp_path):
        (fault,) = schema.check([path])
        assert str(fault).startswith(f"{path}:1:1: file: can't be read: ")


@settings(max_examples=150, deadline=None, derandomize=True)
@given(st.one_of(st.binary(max_size=120), st.text("abn:-[]{}&*!?|>'\"#%@,\n\t 1.", max_size=60).map(str.encode)))
def test_no_file_raises_anything_but_its_faults(content: bytes) -> None:
    try:
        schema.read(content, Path("a.yaml"))
    except SceneError as error:
        assert error.faults
        assert all(fault.line >= 1 and fault.column >= 1 and "\n" not in str(fault) for fault in error.faults)


@pytest.mark.parametrize("unit", [b"- ", b"a: 1\n", b"&a ", b"[],", b"? ", b"'", b"| \n", b"#\n", b"{a: 1}\n"])
def test_the_longest_file_is_refused_in_seconds(unit: bytes) -> None:
    begun_s = time.perf_counter()
    tree.read(unit * (tree.BYTES_AT_MOST // len(unit)))
    assert time.perf_counter() - begun_s < 8.0


@pytest.mark.parametrize("path", schema.scene_files(), ids=lambda path: path.stem)
def test_shipped_scenes_are_well_and_map_to_what_their_shaders_have(path: Path) -> None:
    assert [str(fault) for fault in schema.check([path], shader_inputs)] == []


HEAVY = ("torch", "moderngl", "pygame", "sounddevice", "onnxruntime", "mido", "rtmidi", "pythonosc", "av")


def test_check_imports_nothing_heavy_and_exits_by_what_it_found(tmp_path: Path) -> None:
    broken = tmp_path / "broken.yaml"
    broken.write_text("name: 1\nmodel: none\n", "utf-8")
    program = f"""if True:
        import argparse, sys
        from installation.schema import add_check_command
        parser = argparse.ArgumentParser()
        add_check_command(parser.add_subparsers())
        arguments = parser.parse_args(sys.argv[1:])
        status = arguments.run(arguments)
        heavy = [name for name in {HEAVY!r} if name in sys.modules]
        sys.exit(f"imported {{heavy}}" if heavy else status)
    """
    check = [sys.executable, "-c", program, "check"]
    found = subprocess.run([*check, str(broken)], capture_output=True, text=True)
    assert (found.returncode, found.stderr) == (1, "")
    assert found.stdout.splitlines()[0] == f'{broken}:1:7: name: 1 is a number; for text write "1"'
    printed = subprocess.run([*check, "--schema"], capture_output=True, text=True)
    assert (printed.returncode, printed.stderr) == (0, "")
    assert '"mutation_rate"' in printed.stdout


def test_check_says_how_many_are_well(around: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import argparse

    path = around / "scenes" / "well.yaml"
    model, shader = around / "models" / "tiny", around / "shaders" / "glow.fs"
    path.write_text(f"name: Well\nmodel: {model}\npicture: {{shader: {shader}}}\n", "utf-8")
    parser = argparse.ArgumentParser()
    schema.add_check_command(parser.add_subparsers(), inputs)
    for files, said in (([path], "1 scene is well\n"), ([path, path], "2 scenes are well\n")):
        arguments = parser.parse_args(["check", *map(str, files)])
        assert arguments.run(arguments) == 0
        assert capsys.readouterr().out == said

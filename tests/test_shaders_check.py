"""`installation shaders check`: what is good, what is not, at which line; one bad file never stops the rest."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from installation import shaders
from installation.__main__ import main

pytestmark = pytest.mark.gl

OURS = Path(__file__).resolve().parent / "isf"
GOOD = "/*{}*/\nvoid main() { gl_FragColor = vec4(isf_FragNormCoord, 0.0, 1.0); }\n"
ENDLESS = """/*{}*/
void main() {
    float sum = 0.0;
    for (int i = 0; i < 2000000000; i++) sum += sin(float(i) + sum + isf_FragNormCoord.x);
    gl_FragColor = vec4(sum);
}
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Good and bad shaders of both formats."""
    made = tmp_path_factory.mktemp("shaders")
    (made / "deep" / "toy").mkdir(parents=True)
    (made / "a good.fs").write_text(GOOD)
    (made / "b wrong.fs").write_text(GOOD.replace("vec4(", "vec4(oops, "))
    (made / "c no header.fs").write_text("void main() {}")
    (made / "d vertex.fs").write_text(GOOD)
    (made / "d vertex.vs").write_text("\nvoid main() { isf_vertShaderInit(); oops; }\n")
    (made / "deep" / "e.frag").write_text("void mainImage(out vec4 c, vec2 at) { c = vec4(1.0); }")
    for name in ("image", "buffer_a"):
        shutil.copy(made / "deep" / "e.frag", made / "deep" / "toy" / f"{name}.frag")
    (made / "deep" / "toy" / "image.frag").write_text("// two\nvoid mainImage(out vec4 c, vec2 at) { c = oops; }")
    (made / "deep" / "z lost.fs").write_text(GOOD.replace("isf_FragNormCoord, 0.0", "sqrt(-1.0 - TIME * vec3(1.0))"))
    (made / "notes.txt").write_text("no shader")
    return made


def test_every_shader_of_a_folder_is_found_once(folder: Path) -> None:
    names = [str(path.relative_to(folder)) for path in shaders.found([folder])]
    assert names == [
        "a good.fs",
        "b wrong.fs",
        "c no header.fs",
        "d vertex.fs",
        "deep/e.frag",
        "deep/toy",
        "deep/z lost.fs",
    ]
    toy = folder / "deep" / "toy"
    assert list(shaders.found([toy, folder / "a good.fs"])) == [toy, folder / "a good.fs"]


def test_each_fault_is_said_at_its_file_and_line_and_the_rest_is_checked(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["shaders", "check", str(folder)]) == 1
    *faults, last = capsys.readouterr().out.splitlines()
    assert last == "2 of 7 shaders are good"
    assert [fault.removeprefix(f"{folder}/").split(" ", 2)[:2] for fault in faults] == [
        ["b", "wrong.fs:2:"],
        ["c", "no"],
        ["d", "vertex.vs:2:"],
        ["deep/toy/image.frag:2:", "`oops'"],
        ["deep/z", "lost.fs:"],
    ]
    assert "100 % of a frame are no numbers" in faults[-1]


def test_json_says_it_to_a_program(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = [folder / "a good.fs", folder / "b wrong.fs", folder / "missing.fs"]
    assert main(["shaders", "check", "--json", *map(str, files)]) == 1
    said = json.loads(capsys.readouterr().out)
    assert (said["total"], said["passed"], list(said)) == (3, 1, ["total", "passed", "files"])
    assert said["files"][0] == {"path": str(files[0]), "ok": True, "error": None, "line": None}
    assert [(each["ok"], each["line"], list(each)) for each in said["files"][1:]] == [
        (False, 2, ["path", "ok", "error", "line"]),
        (False, None, ["path", "ok", "error", "line"]),
    ]
    assert "oops" in said["files"][1]["error"]


def test_our_own_shader_of_every_feature_is_good(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["shaders", "check", str(OURS)]) == 0
    count = len(list(OURS.glob("*.fs")))
    assert capsys.readouterr().out == f"{count} of {count} shaders are good\n"


def test_a_shader_that_hangs_is_given_up_and_the_next_is_drawn(tmp_path: Path) -> None:
    (tmp_path / "a.fs").write_text(ENDLESS)
    (tmp_path / "b.fs").write_text(GOOD)
    hung, good = shaders.check(sorted(tmp_path.iterdir()), deadline_s=1.5)
    assert not hung.ok and hung.error == f"{tmp_path}/a.fs: hangs: not drawn within 1.5 s"
    assert good.ok


def test_a_process_that_dies_is_a_fault_of_the_shader_it_drew(tmp_path: Path) -> None:
    (tmp_path / "a.fs").write_text(GOOD)
    worker = shaders._Worker()
    worker._process.kill()
    worker._process.join()
    assert worker.check(tmp_path / "a.fs", 5.0) is None
    assert worker.end(5.0) == "ended the process that drew it (signal 9)"


def test_a_pass_of_a_folder_stands_for_its_folder(folder: Path) -> None:
    toy = folder / "deep" / "toy"
    whole, image = shaders.check([toy, toy / "image.frag"])
    assert whole.error == image.error == f"{toy}/image.frag:2: `oops' undeclared"


def test_nothing_to_check_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["shaders", "check", str(tmp_path)]) == 1
    assert "no shaders" in capsys.readouterr().err

"""What changes of the picture leave behind: nothing in OpenGL, next to nothing in memory. See `bench.changes`, which
does the same for an hour of them."""

from __future__ import annotations

import moderngl
import psutil
import pytest

from bench.changes import SIZE, Kept, hour
from installation.picture.canvas import Canvas
from installation.picture.draw import Draw
from installation.picture.shading import glsl

pytestmark = pytest.mark.gl

GROWN_MB = 15.0
"""A program that is forgotten keeps some tens of kB on a software renderer, and these changes compile hundreds."""


def test_changes_of_any_kind_leave_no_object_and_hardly_memory() -> None:
    process = psutil.Process()
    with Canvas(SIZE):
        alone = Kept().count()
    with hour(seed=7) as changing:
        changing.change()
        first = changing.held()
        for _ in range(20):
            changing.change()
        rss_bytes = process.memory_info().rss
        for _ in range(40):
            changing.change()
        assert changing.held() == first
        assert (process.memory_info().rss - rss_bytes) / 1e6 < GROWN_MB
        assert changing.refused > 5
        changing.close()
        assert Kept().count() == alone


@pytest.mark.parametrize(
    "fragment",
    [
        "#version 330 core\nout vec4 colour;\nvoid main() { colour = nonsense; }",
        "#version 330 core\nvec4 missing();\nout vec4 colour;\nvoid main() { colour = missing(); }",
    ],
    ids=["that does not compile", "that does not link"],
)
def test_a_shader_leaves_nothing_and_takes_nothing_with_it(fragment: str) -> None:
    with Canvas((4, 4)) as canvas:
        kept, before = Kept(), Draw(canvas.context, glsl.VERTEX, glsl.COPY, {"picture": 0})
        first = kept.count()
        for _ in range(3):
            with pytest.raises(moderngl.Error, match="GLSL"):
                Draw(canvas.context, glsl.VERTEX, fragment, {})
            assert kept.count() == first
        after = Draw(canvas.context, glsl.VERTEX, glsl.COPY, {"picture": 0})
        for each in (before, after):
            each.render()
            each.release()

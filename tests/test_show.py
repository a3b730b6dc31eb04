"""The show: from scene to scene in order, by name or place, and never out of a scene into nothing."""

from __future__ import annotations

import pytest

from installation.commands import Refused
from installation.errors import Fault, SceneError
from installation.scene import Scene
from installation.show import Show

NAMES = {"a": "Alpha", "b": "Beta", "c": "Gamma"}


class Folder:
    """Scenes by stem; those in `broken` can't be loaded. Remembers what was asked for."""

    def __init__(self, *broken: str) -> None:
        self.broken = set(broken)
        self.asked: list[str] = []

    def load(self, stem: str) -> Scene:
        self.asked.append(stem)
        if stem in self.broken:
            raise SceneError((Fault(f"{stem}.yaml", 1, 1, "name", "is missing"),))
        return Scene(name=NAMES[stem])


def show(*broken: str, start: str | None = None) -> tuple[Show, Folder]:
    folder = Folder()
    begun = Show(NAMES, folder.load, start)
    folder.broken |= set(broken)
    return begun, folder


def test_a_show_begins_with_its_first_scene_or_the_one_asked_for() -> None:
    assert (show()[0].stem, show()[0].scene.name) == ("a", "Alpha")
    assert show(start="c")[0].scene.name == "Gamma"


def test_what_can_t_begin_says_so() -> None:
    with pytest.raises(SceneError, match=r"a\.yaml:1:1: name: is missing"):
        Show(NAMES, Folder("a").load)
    with pytest.raises(ValueError, match="no scene 'd'"):
        Show(NAMES, Folder().load, "d")
    with pytest.raises(ValueError, match="at least one"):
        Show((), Folder().load)


def test_next_goes_round() -> None:
    playing, _ = show()
    seen = []
    for _ in range(4):
        assert isinstance(playing.next(), Scene)
        seen.append(playing.stem)
    assert seen == ["b", "c", "a", "b"]


def test_a_broken_scene_is_passed_over_and_tried_again_when_mended() -> None:
    playing, folder = show("b")
    assert isinstance(playing.next(), Scene) and playing.stem == "c"
    folder.broken.clear()
    playing.next()
    assert isinstance(playing.next(), Scene) and playing.stem == "b"


def test_when_no_other_can_be_loaded_the_scene_stays() -> None:
    playing, _ = show("b", "c")
    before = playing.scene
    assert playing.next() == Refused("b.yaml:1:1: name: is missing\nc.yaml:1:1: name: is missing")
    assert playing.recall("b") == Refused("b.yaml:1:1: name: is missing")
    assert playing.scene is before and playing.stem == "a"
    alone = Show(["a"], Folder().load)
    assert isinstance(alone.next(), Refused) and alone.stem == "a"


@pytest.mark.parametrize("name", ["b", "1", "Beta", "beta"])
def test_a_scene_is_recalled_by_stem_place_or_a_name_once_heard(name: str) -> None:
    playing, _ = show()
    playing.next()
    playing.next()
    changed = playing.recall(name)
    assert isinstance(changed, Scene) and changed.name == "Beta" and playing.stem == "b"


@pytest.mark.parametrize("name", ["d", "3", "-1", "", "٣", "9" * 5000, "../a"])
def test_an_unknown_scene_is_refused_and_nothing_is_loaded_for_it(name: str) -> None:
    playing, folder = show()
    folder.asked.clear()
    assert isinstance(playing.recall(name), Refused)
    assert folder.asked == [] and playing.stem == "a"


def test_a_refusal_names_the_nearest() -> None:
    playing, _ = show()
    assert playing.recall("Alphaa") == Refused("/scene/recall: no scene 'Alphaa' (did you mean Alpha?)")


def test_the_scene_that_is_on_is_read_anew_when_recalled() -> None:
    playing, folder = show()
    before = playing.scene
    assert playing.recall("a") is not before
    assert folder.asked == ["a", "a"]


def test_a_scene_whose_file_is_gone_stays_on_and_the_next_is_the_first() -> None:
    playing, _ = show(start="b")
    playing.reorder(["a", "c"])
    assert playing.stem == "b"
    playing.next()
    assert playing.stem == "a"

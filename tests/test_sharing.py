"""Sharing the picture: one contract for Syphon, Spout and NDI. Their libraries are stood in for by small ones that keep
to their documented calls, and read a picture as late as the real ones may; NDI's own is used too where it is installed.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from installation.errors import InstallationError
from installation.picture.canvas import Canvas
from installation.picture.wall.sharing import SHARINGS, Shared, opened

pytestmark = pytest.mark.alone

Pixels = npt.NDArray[np.uint8]
SIZE = (32, 18)
PLATFORMS = {"syphon": "darwin", "spout": "win32", "ndi": sys.platform}
MODULES = {"syphon": "syphon", "spout": "SpoutGL", "ndi": "NDIlib"}


class Receiver:
    """Whoever looks: the names that are seen now, and each picture that came."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.pictures: list[Pixels] = []


def _module(name: str, **contents: Any) -> ModuleType:
    module = ModuleType(name)
    vars(module).update(contents)
    return module


def fake_syphon(receiver: Receiver) -> dict[str, ModuleType]:
    """syphon-python 0.2: a Metal server, a texture of its device, a copy into it."""

    class SyphonMetalServer:
        def __init__(self, name: str) -> None:
            self.name, self.device = name, "a Mac's card"
            receiver.names.append(name)

        def publish_frame_texture(self, texture: SimpleNamespace) -> None:
            receiver.pictures.append(texture.held)

        def stop(self) -> None:
            receiver.names.remove(self.name)

    def create_mtl_texture(device: str, width: int, height: int) -> SimpleNamespace:
        assert device == "a Mac's card"
        return SimpleNamespace(size=(width, height), held=None)

    def copy_image_to_mtl_texture(image: Pixels, texture: SimpleNamespace) -> None:
        assert image.shape == (*texture.size[::-1], 4) and image.dtype == np.uint8
        texture.held = image.copy()

    return {
        "syphon": _module("syphon", SyphonMetalServer=SyphonMetalServer),
        "syphon.utils": _module("syphon.utils"),
        "syphon.utils.raw": _module("syphon.utils.raw", create_mtl_texture=create_mtl_texture),
        "syphon.utils.numpy": _module("syphon.utils.numpy", copy_image_to_mtl_texture=copy_image_to_mtl_texture),
    }


def fake_spout(receiver: Receiver, takes: bool = True) -> dict[str, ModuleType]:
    """SpoutGL 0.1: a sender with a name, images by their size and format; nothing is seen before the first image."""

    class SpoutSender:
        name, seen = "", False

        def setSenderName(self, name: str) -> None:  # noqa: N802
            self.name = name

        def sendImage(  # noqa: N802
            self, pixels: Pixels, width: int, height: int, form: int, invert: bool, buffer: int
        ) -> bool:
            assert (form, invert, buffer) == (0x1908, False, 0) and pixels.flags.c_contiguous
            if not self.seen:
                receiver.names.append(self.name)
                self.seen = True
            receiver.pictures.append(np.frombuffer(pixels.tobytes(), np.uint8).reshape(height, width, 4))
            return takes

        def releaseSender(self) -> None:  # noqa: N802
            if self.seen:
                receiver.names.remove(self.name)

    return {"SpoutGL": _module("SpoutGL", SpoutSender=SpoutSender)}


def fake_ndi(receiver: Receiver, runs: bool = True, free: bool = True) -> dict[str, ModuleType]:
    """ndi-python 6: a frame that is sent asynchronously is read until the next one is, or the sender is gone."""
    held: list[SimpleNamespace] = []
    state = SimpleNamespace(running=0)

    def read() -> None:
        if held:
            receiver.pictures.append(held.pop().data.copy())

    def initialize() -> bool:
        state.running += runs
        return runs

    def send_create(wanted: SimpleNamespace) -> SimpleNamespace | None:
        assert state.running and wanted.clock_video is False
        if free:
            receiver.names.append(wanted.ndi_name)
        return SimpleNamespace(name=wanted.ndi_name) if free else None

    def send_async(sender: SimpleNamespace, frame: SimpleNamespace) -> None:
        assert sender.name in receiver.names and frame.FourCC == "RGBX"
        read()
        held.append(frame)

    def send_destroy(sender: SimpleNamespace) -> None:
        read()
        receiver.names.remove(sender.name)

    def destroy() -> None:
        state.running -= 1

    return {
        "NDIlib": _module(
            "NDIlib",
            state=state,
            initialize=initialize,
            SendCreate=SimpleNamespace,
            VideoFrameV2=SimpleNamespace,
            FOURCC_VIDEO_TYPE_RGBX="RGBX",
            send_create=send_create,
            send_send_video_async_v2=send_async,
            send_destroy=send_destroy,
            destroy=destroy,
        )
    }


FAKES: dict[str, Callable[[Receiver], dict[str, ModuleType]]] = {
    "syphon": fake_syphon,
    "spout": fake_spout,
    "ndi": fake_ndi,
}


@pytest.fixture
def install(monkeypatch: pytest.MonkeyPatch) -> Callable[[dict[str, ModuleType]], None]:
    def put(modules: dict[str, ModuleType]) -> None:
        for name, module in modules.items():
            monkeypatch.setitem(sys.modules, name, module)

    return put


@pytest.fixture(params=SHARINGS)
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Each way to share, on a machine of its own platform."""
    name = str(request.param)
    monkeypatch.setattr("installation.picture.wall.sharing.sys", SimpleNamespace(platform=PLATFORMS[name]))
    return name


@pytest.fixture
def receiver(way: str, install: Callable[[dict[str, ModuleType]], None]) -> Receiver:
    receiver = Receiver()
    install(FAKES[way](receiver))
    return receiver


def pictures(count: int) -> list[Pixels]:
    rng = np.random.default_rng(5)
    made = [rng.integers(0, 256, (SIZE[1], SIZE[0], 4), dtype=np.uint8) for _ in range(count)]
    for each in made:
        each[:, :, 3] = 255
    return made


def test_every_way_has_a_stand_in() -> None:
    assert set(FAKES) == set(SHARINGS) == set(PLATFORMS) == set(MODULES)


def test_pictures_arrive_whole_in_their_order_and_are_copied(way: str, receiver: Receiver) -> None:
    sharing = SHARINGS[way]()
    sharing.open("blue hour", SIZE, 29.97)
    sent = pictures(4)
    page = np.empty_like(sent[0])
    for each in sent:
        np.copyto(page, each)
        sharing.send(page)
        page[:] = 7  # whoever sends may use its page again at once
        assert receiver.names == ["blue hour"]
    sharing.close()
    assert receiver.names == []
    np.testing.assert_array_equal(receiver.pictures, sent)


def test_it_can_be_opened_again(way: str, receiver: Receiver) -> None:
    for name in ("one", "two"):
        sharing = SHARINGS[way]()
        sharing.open(name, SIZE, 60.0)
        sharing.send(pictures(1)[0])
        assert receiver.names == [name]
        sharing.close()
    assert receiver.names == [] and len(receiver.pictures) == 2


def test_without_its_library_it_says_what_to_install(way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, MODULES[way], None)
    with pytest.raises(InstallationError, match=rf"{way}: .*pip install 'installation\[{way}\]'"):
        SHARINGS[way]().open("show", SIZE, 60.0)


@pytest.mark.parametrize(("name", "called"), [("syphon", "macOS"), ("spout", "Windows")])
def test_on_another_platform_that_is_said(name: str, called: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("installation.picture.wall.sharing.sys", SimpleNamespace(platform="linux"))
    with pytest.raises(InstallationError, match=f"{name}: only on {called}; this is linux"):
        SHARINGS[name]().open("show", SIZE, 60.0)


@pytest.mark.parametrize(("lacks", "sentence"), [("runs", "does not run on this"), ("free", "'show'; is that name")])
def test_ndi_that_does_not_begin_is_refused_and_leaves_nothing(
    lacks: str, sentence: str, install: Callable[[dict[str, ModuleType]], None]
) -> None:
    modules = fake_ndi(Receiver(), **{lacks: False})
    install(modules)
    with pytest.raises(InstallationError, match=f"ndi: .*{sentence}"):
        SHARINGS["ndi"]().open("show", SIZE, 60.0)
    assert modules["NDIlib"].state.running == 0


@pytest.fixture
def canvas() -> Iterator[Canvas]:
    with Canvas(SIZE) as canvas:
        yield canvas


def write(canvas: Canvas, picture: Pixels) -> None:
    """Make it what is seen: row 0 on top."""
    canvas.seen.write(np.ascontiguousarray(picture[::-1]).tobytes())


@pytest.mark.gl
def test_what_is_seen_is_what_others_get_two_frames_later(canvas: Canvas, way: str, receiver: Receiver) -> None:
    shared = opened(way, canvas.context, "blue hour", SIZE, 60.0)
    sent = pictures(6)
    for each in sent:
        write(canvas, each)
        shared.share(canvas.seen)
    assert shared.sent == len(sent) - 2
    shared.close()
    assert receiver.names == []
    assert np.abs(np.array(receiver.pictures, int) - np.array(sent[:4], int)).max() <= 1
    assert len(receiver.pictures) == 4


@pytest.mark.gl
def test_a_frame_that_is_not_taken_is_said_and_the_next_is_tried(
    canvas: Canvas, monkeypatch: pytest.MonkeyPatch, install: Callable[[dict[str, ModuleType]], None]
) -> None:
    monkeypatch.setattr("installation.picture.wall.sharing.sys", SimpleNamespace(platform="win32"))
    receiver = Receiver()
    install(fake_spout(receiver, takes=False))
    shared = opened("spout", canvas.context, "show", SIZE, 60.0)
    for _ in range(5):
        shared.share(canvas.seen)
    assert shared.sent == 0 and len(receiver.pictures) == 3
    assert shared.fault == "spout: the driver does not take the picture"
    shared.close()


@pytest.mark.gl
def test_a_picture_of_another_size_is_fitted(canvas: Canvas, install: Callable[[dict[str, ModuleType]], None]) -> None:
    receiver = Receiver()
    install(fake_ndi(receiver))
    shared = opened("ndi", canvas.context, "show", (64, 36), 60.0)
    write(canvas, np.full((SIZE[1], SIZE[0], 4), 120, np.uint8))
    for _ in range(4):
        shared.share(canvas.seen)
    shared.close()
    assert [each.shape for each in receiver.pictures] == [(36, 64, 4)] * 2
    assert np.unique(receiver.pictures[0][:, :, :3]).tolist() == [120]
    assert np.unique(receiver.pictures[0][:, :, 3]).tolist() == [255]


def test_ndi_itself_carries_a_picture_to_a_receiver_on_this_machine() -> None:
    ndi = pytest.importorskip("NDIlib", reason="NDI's library is an extra: pip install 'installation[ndi]'")
    picture = np.zeros((90, 160, 4), np.uint8)
    picture[:45], picture[45:], picture[:, :80, 2] = (200, 50, 0, 255), (20, 120, 60, 255), 90
    sharing = SHARINGS["ndi"]()
    sharing.open("installation under test", (160, 90), 30.0)
    try:
        seen = _received(ndi, "installation under test", lambda: sharing.send(picture))
    finally:
        sharing.close()
    assert np.abs(seen[10:35, 10:70].astype(int) - picture[20, 20]).max() <= 6, "NDI compresses"
    assert np.abs(seen[60:80, 90:150].astype(int) - picture[70, 100]).max() <= 6


def _received(ndi: Any, name: str, send: Callable[[], None], seconds: float = 20.0) -> Pixels:
    """A picture of the source `name`, while `send` sends it."""
    until_s = time.monotonic() + seconds
    looking = ndi.FindCreate()
    looking.show_local_sources, looking.extra_ips = True, "127.0.0.1"
    finder = ndi.find_create_v2(looking)
    found: list[Any] = []
    while not found and time.monotonic() < until_s:
        ndi.find_wait_for_sources(finder, 500)
        found = [each for each in ndi.find_get_current_sources(finder) if name in each.ndi_name]
    assert found, "it is not seen"
    wanted = ndi.RecvCreateV3()
    wanted.source_to_connect_to, wanted.color_format = found[0], ndi.RECV_COLOR_FORMAT_RGBX_RGBA
    receiver = ndi.recv_create_v3(wanted)
    try:
        while time.monotonic() < until_s:
            send()
            kind, video, _, _ = ndi.recv_capture_v2(receiver, 50)
            if kind == ndi.FRAME_TYPE_VIDEO:
                seen = np.copy(video.data)
                ndi.recv_free_video_v2(receiver, video)
                return seen
    finally:
        ndi.recv_destroy(receiver)
        ndi.find_destroy(finder)
    raise AssertionError("no picture came")


def test_shared_is_what_opened_gives(canvas: Canvas, install: Callable[[dict[str, ModuleType]], None]) -> None:
    install(fake_ndi(Receiver()))
    shared = opened("ndi", canvas.context, "show", SIZE, 60.0)
    assert isinstance(shared, Shared) and shared.fault is None
    shared.close()

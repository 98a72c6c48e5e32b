"""The streams of the simulated cameras: played over a raw socket, decoded, counted, and misbehaving on order."""

import asyncio
import os
import re
import struct
import time
from collections import Counter
from dataclasses import replace
from itertools import pairwise

import cv2
import numpy as np
import pytest
from rtsp_viewer import PATHS, Viewer, decode, sets_of, watch

from lab import walkers
from lab.clips import Studio
from lab.personas import persona
from lab.scenes import scene_of
from lab.services.playback import Line
from lab.site import Site
from lab.streams import Orders, StreamMode

NAMES = ("axis", "hanwha", "bosch", "flir", "dahua-tpc")
SECONDS = "16"
HURRY = 500.0


def network(number):
    """A network of this process's own, so that two runs on one machine do not meet."""
    return f"127.{120 + number}.{os.getpid() % 250 + 1}.0/24"


def short(name, **options):
    one = persona(name)
    return replace(one, options={**one.options, "scene_seconds": SECONDS, **options})


@pytest.fixture(scope="module")
def films(tmp_path_factory):
    return tmp_path_factory.mktemp("site")


@pytest.fixture(scope="module")
def crew(films):
    with Site.loopback(network(0), films, [*map(short, NAMES), persona("xiongmai")]) as running:
        yield running


@pytest.fixture
def site(crew):
    """The site with every stream in order and in a hurry."""
    for name in NAMES:
        crew.stream_mode(name, StreamMode.NORMAL)
        crew.slow(name, fps=HURRY)
    return crew


# --- what comes over the wire ----------------------------------------------------------------------------------------

def boxes(frame, background):
    """The people in one frame: blobs that differ from the background and are as tall as somebody."""
    mask = (cv2.absdiff(frame, background) > 18).astype(np.uint8)
    mask = cv2.morphologyEx(cv2.morphologyEx(mask, cv2.MORPH_OPEN, np.ones((3, 3))), cv2.MORPH_CLOSE, np.ones((15, 5)))
    _, _, stats, _ = cv2.connectedComponentsWithStats(mask)
    return [(left, top, wide, high) for left, top, wide, high, _ in stats[1:].tolist() if high > frame.shape[0] / 8]


def greys(frames):
    return [frame.to_ndarray(format="gray") for frame in frames]


def test_the_people_in_the_pictures_are_those_of_the_schedule(site):
    scene, truth = scene_of(site.persona("axis")), site.truth("axis")
    pictures = greys(watch(site, "axis", scene.pictures))
    background = np.median(np.stack(pictures[::7]), axis=0).astype(np.uint8)
    compared = 0
    for number, picture in enumerate(pictures):
        people = truth.people(number / float(scene.fps))
        if any(not 0.08 < one.x < 0.92 for one in people):
            continue                                   # half of somebody is neither nobody nor one
        found = boxes(picture, background)
        assert len(found) == len(people), number
        for one, (left, top, wide, high) in zip(sorted(people, key=lambda one: one.feet),
                                                sorted(found, key=lambda box: box[1]), strict=True):
            assert abs((left + wide / 2) / scene.width - one.x) < 0.03
            assert abs((top + high) / scene.height - one.feet) < 0.03
            assert abs(high / scene.height - one.height) < 0.05
        compared += len(people)
    assert compared > 50


def crossings_by_eye(pictures, background):
    """Line crossings in decoded pictures: in each half of the height there is one person at most."""
    height, width = background.shape
    counts, sides_before = Counter(), [None, None]
    for picture in pictures:
        found = [None, None]
        for left, top, wide, high in boxes(picture, background):
            found[int(top + high > 0.7 * height)] = left + wide / 2 < width / 2
        for lane, side in enumerate(found):
            if side is not None and sides_before[lane] not in (None, side):
                counts[sides_before[lane]] += 1
        sides_before = found
    return walkers.Crossings(counts[True], counts[False])


@pytest.mark.parametrize("name", ["axis", "flir"])
def test_crossings_can_be_counted_beyond_the_loop(site, name):
    scene, truth = scene_of(site.persona(name)), site.truth(name)
    total = scene.pictures * 3 // 2
    pictures = greys(watch(site, name, total))
    background = np.median(np.stack(pictures[::9]), axis=0).astype(np.uint8)
    expected = truth.crossings(0, total / float(scene.fps))
    assert min(expected.left_to_right, expected.right_to_left) >= 1
    assert crossings_by_eye(pictures, background) == expected


def test_warm_people_on_a_cold_background(site):
    pictures = greys(watch(site, "dahua-tpc", 100))
    truth = site.truth("dahua-tpc")
    busy = next(number for number in range(100) if any(0.2 < one.x < 0.8 for one in truth.people(number / 12.5)))
    assert pictures[0].shape == (512, 640)
    assert pictures[0].max() < 110
    assert pictures[busy].max() > 200


@pytest.mark.parametrize(("name", "hevc", "size", "control", "base"), [
    ("axis", False, (640, 360), "{uri}/stream=0", "{uri}/"),
    ("hanwha", True, (640, 360), "trackID=v", "{uri}/"),
    ("bosch", False, (640, 360), "stream=1", "{uri}/"),
    ("flir", False, (640, 480), "trackID=1", "{uri}/"),
    ("dahua-tpc", False, (640, 512), "trackID=1", "{uri}/"),
])
def test_each_family_streams_in_its_own_words(site, name, hevc, size, control, base):
    scene = scene_of(site.persona(name))
    with Viewer(site, name) as viewer:
        described, played = viewer.play()
        uri = viewer.uri.partition("?")[0]
        assert described.headers["content-base"] == base.format(uri=uri)
        assert described.body.splitlines()[-1] == f"a=control:{control.format(uri=uri)}"
        assert f"a=rtpmap:96 {'H265' if hevc else 'H264'}/90000" in described.body
        assert played.status == 200
        assert played.headers["session"] == viewer.session
        pictures = viewer.pictures(40, hevc=hevc)
    steps = {(after.timestamp - before.timestamp) & 0xFFFFFFFF for before, after in pairwise(pictures)}
    assert steps == {int(90_000 / scene.fps)}
    assert f"rtptime={pictures[0].timestamp}" in played.headers["rtp-info"]
    assert pictures[0].nals[:len(sets_of(described))] == sets_of(described)
    assert len(sets_of(described)) == (3 if hevc else 2)
    frames = decode(pictures, hevc=hevc)
    assert len(frames) == 40
    assert {(frame.width, frame.height) for frame in frames} == {size}
    assert sum(bool(frame.key_frame) for frame in frames) == (2 if name != "bosch" else 1)


def test_sets_travel_together_large_units_in_pieces_small_ones_alone(site):
    with Viewer(site, "axis") as viewer:
        played = viewer.play()[1]
        packets = viewer.payloads(60)
        assert viewer.reports[0][:2] == b"\x80\xc8"
    kinds = Counter(payload[0] & 31 for *_, payload in packets)
    assert kinds[24] >= 1
    assert kinds[28] > 10
    assert kinds[1] >= 1
    assert max(len(payload) for *_, payload in packets) <= 1402
    assert f"seq={packets[0][1]};rtptime={packets[0][2]}" in played.headers["rtp-info"]
    report = struct.unpack_from(">BBHIIIIII", viewer.reports[0])
    assert report[6] == packets[0][2]
    assert abs(report[4] - 2_208_988_800 - time.time()) < 60


def test_the_same_pictures_for_everybody_who_watches_and_all_are_noted(site):
    before = len(site.sessions("axis"))
    viewers = [Viewer(site, "axis", source=f"127.0.0.{number}") for number in range(2, 7)]
    for viewer in viewers:
        viewer.play()
    films = [[picture.nals for picture in viewer.pictures(30)] for viewer in viewers]
    assert all(film == films[0] for film in films)
    seen = site.sessions("axis")[before:]
    assert sorted(one.peer for one in seen) == [f"127.0.0.{number}" for number in range(2, 7)]
    assert all(one.running and one.pictures >= 29 and one.path.startswith(PATHS["axis"]) for one in seen)
    for viewer in viewers:
        assert viewer.ask("TEARDOWN").status == 200
        viewer.until_closed()
        viewer.socket.close()
    assert not any(one.running for one in site.sessions("axis")[before:])


def test_nothing_is_played_without_the_login(site):
    failed, played = site.failed_logins("axis"), len(site.sessions("axis"))
    with Viewer(site, "axis") as viewer:
        assert viewer.ask("OPTIONS", login=False).status == 200
        for method in ("DESCRIBE", "SETUP", "PLAY", "GET_PARAMETER"):
            assert viewer.ask(method, login=False).status == 401
        viewer.challenge = 'Digest realm="AXIS_B8A44F2C7013", nonce="made up"'
        assert viewer._exchange("DESCRIBE", viewer.uri, (), True).status == 401
    assert site.failed_logins("axis") == failed
    with Viewer(site, "axis", password="guess") as viewer:
        assert viewer.describe().status == 401
        assert site.failed_logins("axis") == failed + 1
    assert len(site.sessions("axis")) == played


def test_a_session_is_kept_by_its_rules(site):
    with Viewer(site, "axis") as viewer:
        description = viewer.describe()
        track = viewer.track(description)
        assert viewer.ask("PLAY").status == 455
        for transport in ("RTP/AVP;unicast;client_port=5000-5001", "RTP/AVP/UDP;unicast", "",
                          "RTP/AVP/TCP;unicast;interleaved=255-256"):
            assert viewer.set_up(track, transport).status == 461
        assert viewer.set_up(viewer.uri + "/elsewhere").status == 404
        answer = viewer.set_up(track, "RTP/AVP;unicast;client_port=5000-5001,RTP/AVP/TCP;unicast;interleaved=6-7")
        assert answer.headers["session"].endswith(";timeout=60")
        assert "RTP/AVP/TCP;unicast;interleaved=6-7;ssrc=" in answer.headers["transport"]
        right, viewer.session = viewer.session, "DEADBEEF"
        assert viewer.ask("PLAY").status == 454
        viewer.session = right
        assert viewer.ask("PLAY").status == 200
        assert viewer.ask("OPTIONS").status == viewer.ask("GET_PARAMETER").status == 200
        viewer.socket.sendall(b"$\x07\x00\x08\x80\xc9\x00\x01\x00\x00\x00\x00")        # a receiver's report
        assert viewer.set_up(track).status == 455
        assert viewer.ask("PAUSE").status == 200
        count = len(viewer.packets)
        assert viewer.ask("GET_PARAMETER").status == 200
        assert len(viewer.packets) == count
        assert viewer.ask("PLAY").status == 200
        assert len(viewer.pictures(5)) == 5
        assert viewer.ask("TEARDOWN").status == 200
        assert viewer.until_closed() == 0


def test_a_device_without_a_scene_sets_nothing_up(site):
    uri = "rtsp://h/user=admin_password=tlJwpbo6_channel=1_stream=0.sdp?real_stream"
    with Viewer(site, "xiongmai") as viewer:
        assert viewer.ask("DESCRIBE", uri).status == 200
        assert viewer.set_up(f"{uri}/trackID=1").status == 461
        assert viewer.ask("PLAY", uri).status == 501


# --- misbehaving on order --------------------------------------------------------------------------------------------

@pytest.mark.parametrize(("name", "mode"), [("axis", "frozen"), ("axis", "black"), ("hanwha", "grey")])
def test_a_still_picture(site, name, mode):
    site.stream_mode(name, mode)
    pictures = greys(watch(site, name, 12, hevc=name == "hanwha"))
    assert len(pictures) == 12
    assert all(np.array_equal(picture, pictures[0]) for picture in pictures)
    spread = int(pictures[0].max()) - int(pictures[0].min())
    assert spread > 100 if mode == "frozen" else spread <= 2
    assert abs(float(pictures[0].mean()) - {"frozen": 110, "black": 0, "grey": 128}[mode]) < 20


def key_picture(viewer, wanted):
    """Read on to a key picture that is as wanted, and return its RTP time."""
    for _ in range(5000):
        (picture,) = viewer.pictures(1)
        frames = greys(decode([picture])) if len(picture.nals) > 1 else []
        if frames and wanted(frames[0]):
            return picture.timestamp
    raise AssertionError("it never came")


def test_the_mode_changes_while_somebody_watches_and_rtp_time_runs_on(site):
    with Viewer(site, "axis") as viewer:
        viewer.play()
        times = [key_picture(viewer, lambda grey: grey.max() > 100)]
        site.stream_mode("axis", StreamMode.BLACK)
        times.append(key_picture(viewer, lambda grey: grey.max() < 30))
        site.stream_mode("axis", StreamMode.NORMAL)
        times.append(key_picture(viewer, lambda grey: grey.max() > 100))
    steps = [(after - before) & 0xFFFFFFFF for before, after in pairwise(times)]
    assert all(0 < step < 2**31 and step % 7200 == 0 for step in steps)


def test_the_size_changes_after_so_many_pictures(site):
    site.stream_mode("axis", "resolution_change", after=7)
    frames = watch(site, "axis", 20)
    assert [(frame.width, frame.height) for frame in frames] == [(640, 360)] * 7 + [(480, 270)] * 13


def test_garbage_in_place_of_slices(site):
    clean = [picture.nals for picture in _take(site, "axis", 12)]
    site.stream_mode("axis", StreamMode.GARBAGE_NAL)
    dirty = [picture.nals for picture in _take(site, "axis", 12)]
    assert [[len(nal) for nal in nals] for nals in dirty] == [[len(nal) for nal in nals] for nals in clean]
    assert [[nal[:2] for nal in nals] for nals in dirty] == [[nal[:2] for nal in nals] for nals in clean]
    assert dirty[0][-1] != clean[0][-1]
    assert dirty[0][:2] == clean[0][:2]


def _take(site, name, count, *, hevc=False):
    with Viewer(site, name) as viewer:
        viewer.play()
        return viewer.pictures(count, hevc=hevc)


@pytest.mark.parametrize(("name", "hevc"), [("axis", False), ("hanwha", True)])
def test_a_picture_of_a_hundred_megapixels(site, name, hevc):
    site.stream_mode(name, StreamMode.HUGE)
    with Viewer(site, name) as viewer:
        description, _ = viewer.play()
        pictures = viewer.pictures(1, hevc=hevc)
    assert pictures[0].nals[:len(sets_of(description))] == sets_of(description)
    (frame,) = decode(pictures, hevc=hevc)
    assert frame.width * frame.height > 100_000_000


def test_one_byte_at_a_time(site):
    site.stream_mode("axis", StreamMode.DRIP)
    with Viewer(site, "axis") as viewer:
        viewer.play()
        while len(viewer.buffer) < 2:
            viewer._more()
        assert viewer.buffer[:2] == b"$\x01"
        assert len(viewer.buffer) < 20                # a report alone has fifty, and a picture thousands


def test_a_slow_line_delivers_in_small_pieces(monkeypatch):
    written, slept = [], []

    class Writer:
        def write(self, data):
            written.append(data)

        async def drain(self):
            pass

        def get_extra_info(self, _name):
            return "127.0.0.2", 1

    async def sleep(seconds):
        slept.append(seconds)

    monkeypatch.setattr("lab.services.playback.asyncio.sleep", sleep)
    asyncio.run(Line(Writer()).send(bytes(1050), 2000.0))
    assert [len(piece) for piece in written] == [200] * 5 + [50]
    assert slept == [0.1] * 5 + [0.025]
    asyncio.run(Line(Writer()).send(bytes(1050)))
    assert len(written.pop()) == 1050
    assert len(slept) == 6


@pytest.mark.parametrize("method", ["DESCRIBE", "SETUP", "PLAY"])
def test_a_redirect_comes_before_the_login(site, method):
    site.stream_mode("dahua-tpc", StreamMode.REDIRECT, target="127.0.0.9:8554")
    with Viewer(site, "dahua-tpc") as viewer:
        answer = viewer.ask(method, login=False)
    assert answer.status == 302
    assert answer.headers["location"] == f"rtsp://127.0.0.9:8554{PATHS['dahua-tpc']}"


@pytest.mark.parametrize(("mode", "control"), [
    ("foreign_control", "rtsp://10.9.9.9/axis-media/media.amp/stream=0"), ("file_control", "file:///etc/passwd"),
])
def test_a_control_address_that_leads_elsewhere(site, mode, control):
    site.stream_mode("axis", mode)
    with Viewer(site, "axis") as viewer:
        description = viewer.describe()
        assert viewer.track(description) == control
        assert viewer.set_up(f"{viewer.uri}/stream=0").status == 200           # the path at the pinned address works
        assert viewer.ask("PLAY").status == 200
        assert len(viewer.pictures(3)) == 3


def test_the_connection_drops_after_so_many_pictures(site):
    site.stream_mode("axis", StreamMode.DROP_AFTER_N, after=9)
    for _ in range(2):
        with Viewer(site, "axis") as viewer:
            viewer.play()
            assert len(viewer.pictures(9)) == 9
            viewer.until_closed()
            assert viewer.packets == []
        assert site.sessions("axis")[-1].pictures == 9


def test_a_session_with_sound_and_no_pictures(site):
    site.stream_mode("axis", StreamMode.NO_VIDEO)
    with Viewer(site, "axis") as viewer:
        description, played = viewer.play()
        assert "m=video" not in description.body
        assert "m=audio 0 RTP/AVP 0" in description.body
        assert played.status == 200
        assert viewer.ask("GET_PARAMETER").status == 200
        assert viewer.packets == []


def test_silence_until_told_otherwise(site):
    site.stream_mode("bosch", StreamMode.SILENT)
    with Viewer(site, "bosch") as viewer:
        assert viewer.play()[1].status == 200
        assert viewer.ask("GET_PARAMETER").status == 200
        assert viewer.packets == []
        site.stream_mode("bosch", StreamMode.NORMAL)
        assert len(viewer.pictures(5)) == 5


def test_orders_that_make_no_sense(site):
    for wrong in ({"mode": "upside_down"}, {"mode": "drop_after_n", "after": -1}):
        with pytest.raises(ValueError, match=r"\w"):
            site.stream_mode("axis", **wrong)
    for wrong in ({"fps": 0}, {"bytes_per_second": -1}):
        with pytest.raises(ValueError, match="pace"):
            site.slow("axis", **wrong)
    for call in (site.sessions, site.failed_logins, site.truth, site.slow):
        with pytest.raises(KeyError):
            call("nobody")
    with pytest.raises(KeyError, match="streams nothing"):
        site.truth("xiongmai")


# --- devices that go and come ----------------------------------------------------------------------------------------

@pytest.fixture
def pair(films):
    """A site of its own whose films are those of the others."""
    personas = [short("axis", session_timeout="1"), short("bosch", stream_mode="drop_after_n", stream_after="4")]
    with Site.loopback(network(1), films, personas) as running:
        running.slow("axis", fps=HURRY)
        yield running


def test_a_reboot_breaks_what_plays_and_the_device_comes_back(pair):
    with Viewer(pair, "axis") as viewer:
        viewer.play()
        viewer.pictures(2)
        pair.reboot("axis", 0.3)
        viewer.until_closed()
    with pytest.raises(ConnectionRefusedError):
        Viewer(pair, "axis")
    deadline = time.monotonic() + 20
    while not _answers(pair, "axis") and time.monotonic() < deadline:
        time.sleep(0.05)
    assert len(watch(pair, "axis", 3)) == 3
    assert [one.pictures >= 1 for one in pair.sessions("axis")] == [True, True]
    pair.reboot("axis", 60)
    pair.revive("axis")
    assert len(watch(pair, "axis", 3)) == 3
    pair.reboot("axis", 60)                       # the site ends before the device is back


def _answers(site, name):
    try:
        Viewer(site, name).socket.close()
    except ConnectionRefusedError:
        return False
    return True


def test_an_upgrade_breaks_what_plays_and_changes_the_firmware_alone(pair):
    before = pair.persona("axis")
    pair.stream_mode("axis", StreamMode.FROZEN)
    with Viewer(pair, "axis") as viewer:
        viewer.play()
        viewer.pictures(2)
        pair.upgrade("axis", "12.6.1")
        viewer.until_closed()
    assert pair.persona("axis") == replace(before, firmware="12.6.1")
    assert len(watch(pair, "axis", 3)) == 3
    assert len(pair.sessions("axis")) == 2
    assert len({picture.tobytes() for picture in greys(watch(pair, "axis", 4))}) == 1


def test_another_device_has_a_record_of_its_own(pair):
    watch(pair, "axis", 2)
    pair.replace("axis", replace(persona("lorex"), host=19))
    assert len(pair.sessions("axis")) == 1
    assert pair.sessions("lorex") == ()
    assert pair.failed_logins("lorex") == 0


def test_a_persona_brings_its_stream_mode_along(pair):
    with Viewer(pair, "bosch") as viewer:
        viewer.play()
        assert len(viewer.pictures(4)) == 4
        viewer.until_closed()


def test_a_viewer_that_says_nothing_is_let_go(pair):
    pair.slow("axis")
    with Viewer(pair, "axis") as viewer:
        assert viewer.set_up(viewer.track(viewer.describe())).headers["session"].endswith(";timeout=1")
        viewer.ask("PLAY")
        viewer.until_closed()


def test_a_machine_without_the_encoder_describes_and_sets_nothing_up(tmp_path, monkeypatch):
    monkeypatch.setattr(Studio, "is_equipped", staticmethod(lambda: False))
    with Site.loopback(network(2), tmp_path, [short("axis")]) as bare, Viewer(bare, "axis") as viewer:
        description = viewer.describe()
        assert description.status == 200
        assert viewer.set_up(viewer.track(description)).status == 461
        assert not (tmp_path / "films").exists()


def test_orders_are_normal_until_told():
    assert Orders() == Orders(StreamMode.NORMAL, 25, "10.9.9.9", None, None)
    assert re.fullmatch(r"[a-z_]+", StreamMode.RESOLUTION_CHANGE)

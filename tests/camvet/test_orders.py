"""Orders: what the command line may say, and where a stream is taken to be."""

import json
from dataclasses import replace

import pytest
from inventory_samples import NOW, observation

from analytics.gate import AppOrder, AttachOrder
from camvet.context import UsageError
from camvet.decisions import acting, days
from camvet.inventory import AttachmentRow, AttachmentState
from camvet.orders import app_orders, file_of, order_of, stream_path, stream_port, to_json
from scanner import clock

LINE = {"line": [[0.5, 0], [0.5, 1]]}
HERE = "10.0.0.1"


def described(path, status):
    return replace(observation(HERE, "rtsp", {"path": path, "status": status}, port=554), probe="rtsp.describe")


@pytest.mark.parametrize(("text", "number"), [("30d", 30), ("30", 30), (" 7D ", 7), ("0d", 0)])
def test_days(text, number):
    assert days(text, "--retention") == number


@pytest.mark.parametrize("text", ["", "d", "-1d", "1.5d", "30 days", "²", "1000000d", "forever"])
def test_what_is_no_number_of_days(text):
    with pytest.raises(UsageError, match="--retention"):
        days(text, "--retention")


@pytest.mark.parametrize("name", ["", "   ", "x" * 121])
def test_somebody_has_to_act(name):
    with pytest.raises(UsageError, match="--actor"):
        acting(name)


def test_apps_come_with_their_configuration(tmp_path):
    file = tmp_path / "zone.json"
    file.write_text(json.dumps({"zone": [[0, 0], [1, 0], [1, 1]]}))
    found = app_orders([f"people_count={json.dumps(LINE)}", f"people_count=@{file}"], "")
    assert [one.config for one in found] == [LINE, {"zone": [[0, 0], [1, 0], [1, 1]]}]


@pytest.mark.parametrize(("single", "joined", "said"), [
    (["people_count"], "", "line or a zone"),
    ([], "people_count,nothing", "line or a zone"),
    ([], "nothing", "no app"),
    (["people_count={"], "", "not JSON"),
    (["people_count=" + "[" * 100_000], "", "not JSON"),
    (["people_count=[1]"], "", "JSON object"),
    (["people_count=@/does/not/exist"], "", "No such file"),
    (['people_count={"line": "x"}'], "", "points"),
    (['people_count={"face": 1}'], "", "not face"),
    ([f"people_count={json.dumps(LINE)}"] * 17, "", "at most"),
])
def test_a_wrong_app_is_one_line(single, joined, said):
    with pytest.raises(UsageError, match=said) as caught:
        app_orders(single, joined)
    assert "\n" not in str(caught.value)


def test_an_order_survives_being_stored(tmp_path):
    order = AttachOrder("d1", HERE, "count", [AppOrder("people_count", LINE)], 30, "D-1", "env:CAM", "/live?x=1", 8554)
    kept = json.loads(json.dumps(to_json(order, tmp_path / "map.json", None)))
    row = AttachmentRow("d1", HERE, kept, "a" * 64, AttachmentState.ATTACHED, "", "", clock.stamp(NOW), "bob")
    assert order_of(row) == order
    assert file_of(None, row, "port_map") == tmp_path / "map.json"
    assert file_of(tmp_path / "other", row, "port_map") == tmp_path / "other"
    assert file_of(None, row, "neighbours") is None


@pytest.mark.parametrize(("seen", "path"), [
    ([], "/"),
    ([observation(HERE, "onvif", {"stream_uri": "rtsp://10.0.0.1:554/axis-media/media.amp?x=1&y"})],
     "/axis-media/media.amp?x=1&y"),
    ([observation(HERE, "onvif", {"stream_uri": "rtsp://198.51.100.7/elsewhere"})], "/elsewhere"),   # never the host
    ([observation(HERE, "onvif", {"stream_uri": "file:///etc/passwd"})], "/"),
    ([observation(HERE, "onvif", {"stream_uri": "http://10.0.0.1/x"})], "/"),
    ([observation(HERE, "onvif", {"stream_uri": "rtsp://["})], "/"),
    ([described("/live/ch0", 200)], "/live/ch0"),
    ([described("/live/ch0", 401)], "/"),                                  # a door that asks first knows no path
    ([described("live", 200)], "/"),
])
def test_where_the_stream_is(seen, path):
    assert stream_path(seen) == path


def test_the_port_is_the_one_that_answered():
    assert stream_port([]) == 554
    assert stream_port([observation(HERE, "http", {}, port=80), observation(HERE, "rtsp", {}, port=8554)]) == 8554

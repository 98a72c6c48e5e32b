"""Fakes that stand in for sockets and child processes where a test is about decisions."""

import pytest

from analytics import gate, source
from tests.analytics.gate_world import FakeDecoder, FakeStream


@pytest.fixture
def streams(monkeypatch):
    """The gate opens fake streams, decoded by nobody; gives the list of those that were made."""
    monkeypatch.setattr(gate, "Stream", FakeStream)
    monkeypatch.setattr(source, "Decoder", FakeDecoder)
    monkeypatch.setattr(FakeStream, "made", [])
    monkeypatch.setattr(FakeStream, "ends_with", None)
    return FakeStream.made

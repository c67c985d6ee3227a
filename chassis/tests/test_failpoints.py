"""Failpoints do what they say, where they say it, and cost production nothing."""

import pytest

from didflow_chassis import failpoints
from didflow_chassis.running import opened
from didflow_chassis.service import Service
from didflow_chassis.settings import Settings, SettingsError


async def test_nothing_is_set_by_default() -> None:
    """Without the variable every place is passed."""
    assert not failpoints.is_set()
    await failpoints.hit("relay.read")


async def test_a_point_strikes_at_its_time_and_word_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """`@2~a`: the second time that the word is there."""
    monkeypatch.setattr(failpoints, "_POINTS", failpoints.parse("stage.decide=raise@2~a;relay.read=sleep:0"))
    await failpoints.hit("relay.read")
    for about in ("b", "a", "b"):
        failpoints.hit_now("stage.decide", about)
    with pytest.raises(failpoints.FailpointHit):
        failpoints.hit_now("stage.decide", "cab")
    failpoints.hit_now("stage.decide", "a")


def test_what_cannot_be_read_is_an_error() -> None:
    """A typo does not pass for a failpoint that never strikes."""
    with pytest.raises(ValueError, match="no failpoint"):
        failpoints.parse("relay.read=explode")


async def test_production_refuses_them(monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:
    """A process with failpoints does not start in production."""
    monkeypatch.setattr(failpoints, "_POINTS", failpoints.parse("relay.read=kill"))
    settings = Settings(kafka="localhost:9", postgres="postgresql://u:p@localhost:9/d", production=True)
    service = Service(name="counting", main=object, kinds=(), events={}, commands={}, migrations=tmp_path)
    with pytest.raises(SettingsError, match="not in production"):
        async with opened(service, settings, "worker"):
            pass

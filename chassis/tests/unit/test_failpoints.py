"""Failpoints fail at the listed places only, and never in production."""

import pytest

from didflow_chassis import failpoints
from didflow_chassis.settings import Settings, SettingsError, load


async def test_no_failpoint_is_set_by_default() -> None:
    """Every place is passed."""
    await failpoints.hit("relay.read")


async def test_a_failpoint_applies_to_the_nth_pass_with_its_word_only(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """`@2~a` means the second pass whose `about` contains `a`."""
    monkeypatch.setattr(failpoints, "_POINTS", failpoints.parse("stage.decide=raise@2~a;relay.read=sleep:0"))
    await failpoints.hit("relay.read")
    for about in ("b", "a", "b"):
        failpoints.hit_now("stage.decide", about)
    with pytest.raises(failpoints.FailpointHit):
        failpoints.hit_now("stage.decide", "cab")
    failpoints.hit_now("stage.decide", "a")


def test_a_failpoint_that_cannot_be_read_is_an_error() -> None:
    """A typo is not a failpoint that never applies."""
    with pytest.raises(ValueError, match="part 2 is not a failpoint") as caught:
        failpoints.parse("relay.read=kill;relay.read=explode")
    assert "explode" not in str(caught.value), "no message contains the value of a setting"


@pytest.mark.parametrize(
    ("spec", "production", "problem"),
    [
        ("relay.read=kill", True, "must not be set in production"),
        ("relay.read=explode", False, "is not a failpoint"),
    ],
)
def test_a_process_does_not_start_with_wrong_failpoints(spec: str, production: bool, problem: str) -> None:
    """Failpoints in production, or failpoints that cannot be read, are a problem of the settings."""
    with pytest.raises(SettingsError, match=problem):
        load(
            Settings,
            kafka="localhost:9",
            postgres="postgresql://u:p@localhost:9/d",
            production=production,
            failpoints=spec,
        )

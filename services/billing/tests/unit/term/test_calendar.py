"""Periods are calendar months in UTC, counted from the anchor. Source: spec lifecycle, Term."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

IN_A_YEAR = [31, 30, 31, 30, 31, 31, 30, 31, 30, 31, 31]


def ends(billing: Any) -> list[datetime]:
    """Return the instants at which periods ended."""
    return [event.expired_at for event in billing.published_data("cycle.expired")]


def utc(text: str) -> datetime:
    """Return an instant."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def test_a_number_of_31_january_ends_on_the_last_day_of_short_months_for_two_years(start: Any) -> None:
    """28 and 29 February do not move the later ends: they are counted from 31 January."""
    billing = start(at=utc("2027-01-31T12:30:00"))
    billing.run_timers(utc("2029-01-31T12:30:00"))
    assert [end.day for end in ends(billing)] == [28, *IN_A_YEAR, 29, *IN_A_YEAR]
    assert [(end.year, end.month) for end in ends(billing)] == [
        (2027 + n // 12, n % 12 + 1) for n in range(1, 25)
    ]
    assert {end.time().isoformat() for end in ends(billing)} == {"12:30:00"}


def test_a_monthly_number_of_29_february_keeps_its_day_over_8_years(start: Any) -> None:
    """Only February of a year that is no leap year ends on the 28th."""
    billing = start(at=utc("2028-02-29T23:59:59"))
    billing.run_timers(utc("2036-02-29T23:59:59"))
    assert len(ends(billing)) == 96
    short = [end for end in ends(billing) if end.day != 29]
    assert [(end.year, end.month, end.day) for end in short] == [
        (year, 2, 28) for year in (2029, 2030, 2031, 2033, 2034, 2035)
    ]


def test_a_yearly_number_of_29_february_is_back_on_the_29th_in_each_leap_year(start: Any) -> None:
    """The years between end on 28 February."""
    billing = start(at=utc("2028-02-29T00:00:00"), billing_period=12)
    billing.run_timers(utc("2036-02-29T00:00:00"))
    assert [(end.year, end.day) for end in ends(billing)] == [
        (2029, 28),
        (2030, 28),
        (2031, 28),
        (2032, 29),
        (2033, 28),
        (2034, 28),
        (2035, 28),
        (2036, 29),
    ]


@pytest.mark.parametrize(
    ("months", "expected"),
    [
        (1, ["2026-09-30", "2026-10-31", "2026-11-30", "2026-12-31", "2027-01-31", "2027-02-28"]),
        (3, ["2026-11-30", "2027-02-28", "2027-05-31", "2027-08-31"]),
        (6, ["2027-02-28", "2027-08-31", "2028-02-29"]),
        (12, ["2027-08-31", "2028-08-31"]),
    ],
)
def test_each_billing_period_has_its_months(start: Any, months: int, expected: list[str]) -> None:
    """A purchase on 31 August, with 1, 3, 6 and 12 months. Each period starts where the last one ended."""
    billing = start(at=utc("2026-08-31T00:00:00"), billing_period=months)
    billing.run_timers(utc(f"{expected[-1]}T00:00:00"))
    assert [end.date().isoformat() for end in ends(billing)] == expected
    paid = [entry for entry in billing.ledger if entry.kind != "setup"]
    assert all(one.period_end == next_.period_start for one, next_ in pairwise(paid))


@pytest.fixture(params=["Europe/Berlin", "America/New_York", "Pacific/Apia"])
def zone(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The time zone of the process, which nothing may depend on."""
    with monkeypatch.context() as patch:
        patch.setenv("TZ", request.param)
        time.tzset()
        assert datetime(2026, 1, 1, tzinfo=UTC).astimezone().utcoffset() != timedelta(0)
        yield request.param
    time.tzset()


@pytest.mark.parametrize(
    ("purchased_at", "expected"),
    [
        ("2026-02-28T01:30:00+01:00", ["2026-03-28T00:30:00Z", "2026-04-28T00:30:00Z"]),
        ("2026-02-08T02:30:00-05:00", ["2026-03-08T07:30:00Z", "2026-04-08T07:30:00Z"]),
        ("2026-10-25T02:30:00+02:00", ["2026-11-25T00:30:00Z", "2026-12-25T00:30:00Z"]),
        ("2011-11-30T12:00:00-10:00", ["2011-12-30T22:00:00Z", "2012-01-30T22:00:00Z"]),
        ("2026-02-01T01:00:00+02:00", ["2026-02-28T23:00:00Z", "2026-03-31T23:00:00Z"]),
        ("2026-01-31T23:00:00-05:00", ["2026-03-01T04:00:00Z", "2026-04-01T04:00:00Z"]),
    ],
)
def test_daylight_saving_and_offsets_change_no_end(
    start: Any, zone: str, purchased_at: str, expected: list[str]
) -> None:
    """The day of purchase is the day in UTC. Ends lie beside changes of clocks, and on a day that Apia skipped."""
    at = datetime.fromisoformat(purchased_at).astimezone(UTC)
    billing = start(at=at, purchased_at=purchased_at, billing_cycles=1)
    billing.run_timers(billing.term.expires_at)
    billing.run_timers(billing.term.expires_at)
    changed = billing.published_data("cycle.expired")
    assert [event.wire()["expired_at"] for event in changed] == expected
    assert changed[-1].aging_until - changed[-1].expires_at == timedelta(days=34)
    assert {event.time.utcoffset() for event in billing.published()} == {timedelta(0)}


@pytest.mark.parametrize(
    ("actions", "expected"),
    [
        (["set_cycles"], ["2026-02-28", "2026-03-31"]),
        (["cancel", "restore"], ["2026-02-28", "2026-03-31"]),
        (["renew"], ["2026-03-31", "2026-04-30"]),
        (["renew", "renew", "cancel", "restore"], ["2026-04-30", "2026-05-31"]),
    ],
)
def test_the_anchor_is_kept_while_paid_time_is_left(
    start: Any, make: Any, actions: list[str], expected: list[str]
) -> None:
    """No change before the end of the period makes the ends leave the 31st."""
    billing = start()
    for action in actions:
        billing.process(make.set_cycles(9) if action == "set_cycles" else getattr(make, action)())
    billing.run_timers(billing.term.expires_at)
    assert [ends(billing)[-1].date().isoformat(), billing.term.expires_at.date().isoformat()] == expected

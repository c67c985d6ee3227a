"""A span of time is split into months, days, hours and what remains, without a gap and without an overlap."""

from datetime import UTC, datetime, timedelta, timezone
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from didflow_billing.domain.balance_periods import Pieces, pieces
from didflow_billing.domain.invoice import closed_at, month_span

FIRST = datetime(2026, 1, 10, 5, tzinfo=UTC)
LAST = datetime(2026, 5, 20, 9, tzinfo=UTC)
KNOWN = (FIRST, LAST)


def at(text: str) -> datetime:
    """Return an instant of UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def span_of(period: str) -> tuple[datetime, datetime]:
    """Return the beginning and the end of a month, a day or an hour."""
    if len(period) == 7:
        return month_span(period)
    begin = at(period)
    return begin, begin + (timedelta(hours=1) if "T" in period else timedelta(days=1))


def test_a_span_is_named_by_months_days_and_hours_each_as_long_as_possible() -> None:
    """The two ends are parts of an hour."""
    split = pieces(at("2026-01-30T21:30"), at("2026-04-02T02:06"), KNOWN, only_days=False)
    assert split.periods == (
        *("2026-01-30T22", "2026-01-30T23", "2026-01-31"),
        *("2026-02", "2026-03", "2026-04-01", "2026-04-02T00", "2026-04-02T01"),
    )
    assert split.parts == (
        (at("2026-01-30T21:30"), at("2026-01-30T22:00")),
        (at("2026-04-02T02:00"), at("2026-04-02T02:06")),
    )


def test_with_only_days_the_ends_are_parts_of_a_day() -> None:
    """A month is named by its days."""
    split = pieces(at("2026-01-30T12:00"), at("2026-03-02T06:00"), KNOWN, only_days=True)
    assert (len(split.periods), split.periods[:2]) == (30, ("2026-01-31", "2026-02-01"))
    assert split.parts == (
        (at("2026-01-30T12:00"), at("2026-01-31T00:00")),
        (at("2026-03-02T00:00"), at("2026-03-02T06:00")),
    )


@pytest.mark.parametrize("only_days", [True, False])
def test_a_span_within_one_hour_is_one_part(only_days: bool) -> None:
    """Nothing is named."""
    span = (at("2026-02-01T01:10"), at("2026-02-01T01:50"))
    assert pieces(*span, KNOWN, only_days=only_days) == Pieces(parts=(span,))


@pytest.mark.parametrize(
    ("since", "until"),
    [
        ("2026-03-01T00:00", "2026-03-01T00:00"),
        ("2026-03-02T00:00", "2026-03-01T00:00"),
        ("2026-05-21T00:00", None),
        (None, "2026-01-10T00:00"),
        ("9999-12-31T23:59", "9999-12-31T23:59"),
    ],
)
def test_a_span_that_holds_nothing_has_no_pieces(since: str | None, until: str | None) -> None:
    """Also one before the first or after the last entry."""
    assert pieces(since and at(since), until and at(until), KNOWN, only_days=False) == Pieces()


def test_an_open_span_names_no_more_than_the_days_with_entries() -> None:
    """However far a limit is away."""
    assert pieces(at("0001-01-01"), None, KNOWN, only_days=True) == pieces(None, None, KNOWN, only_days=True)
    assert pieces(None, None, KNOWN, only_days=False).periods[0] == "2026-01-10"


def test_instants_of_other_zones_are_split_by_the_days_of_utc() -> None:
    """Midnight in Auckland is noon in UTC."""
    midnight = datetime(2026, 2, 2, tzinfo=timezone(timedelta(hours=13)))
    assert pieces(midnight, at("2026-02-02"), KNOWN, only_days=True).parts == (
        (at("2026-02-01T11:00"), at("2026-02-02T00:00")),
    )


BEGIN = datetime(2025, 12, 1, tzinfo=UTC)
INSTANTS = st.integers(0, 210 * 86_400).map(lambda seconds: BEGIN + timedelta(seconds=seconds))


@given(st.none() | INSTANTS, st.none() | INSTANTS, st.booleans())
def test_the_pieces_follow_one_another_without_a_gap(
    since: datetime | None, until: datetime | None, only_days: bool
) -> None:
    """They begin and end with the span, or with the first and the last day that has entries."""
    split = pieces(since, until, KNOWN, only_days=only_days)
    spans = sorted([*map(span_of, split.periods), *split.parts])
    begin = max(since or FIRST, at("2026-01-10"))
    end = min(until or LAST + timedelta(days=1), at("2026-05-21"))
    if begin >= end:
        assert spans == []
        return
    assert all(one[1] == other[0] for one, other in pairwise(spans))
    assert spans[-1][1] == end
    assert spans[0][0] == (begin if since is not None and since > at("2026-01-10") else at("2026-01-10"))


@pytest.mark.parametrize(
    ("month", "begin", "end"),
    [
        ("2026-02", "2026-02-01", "2026-03-01"),
        ("2028-02", "2028-02-01", "2028-03-01"),
        ("2026-12", "2026-12-01", "2027-01-01"),
    ],
)
def test_a_month_ends_where_the_next_begins_and_is_closed_an_hour_later(
    month: str, begin: str, end: str
) -> None:
    """Also February of a leap year, and December."""
    assert month_span(month) == (at(begin), at(end))
    assert closed_at(at(end)) == at(end) + timedelta(hours=1)

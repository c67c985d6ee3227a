"""A span of time is split into months, days, hours and what remains, without a gap and without an overlap."""

from datetime import UTC, datetime, timedelta, timezone
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from didflow_billing.domain.balance_periods import Days, Pieces, pieces, whole_days
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
    split = pieces(at("2026-01-30T21:30"), at("2026-04-02T02:06"), KNOWN)
    assert split.periods == (
        *("2026-01-30T22", "2026-01-30T23", "2026-01-31"),
        *("2026-02", "2026-03", "2026-04-01", "2026-04-02T00", "2026-04-02T01"),
    )
    assert split.parts == (
        (at("2026-01-30T21:30"), at("2026-01-30T22:00")),
        (at("2026-04-02T02:00"), at("2026-04-02T02:06")),
    )


def test_whole_days_have_no_limit_where_the_span_has_none() -> None:
    """What remains are the parts of a day at its ends."""
    noon = at("2026-01-30T12:00")
    assert whole_days(None, None) == Days(None, None)
    assert whole_days(noon, None) == Days(at("2026-01-31"), None, ((noon, at("2026-01-31")),))
    assert whole_days(None, noon) == Days(None, at("2026-01-30"), ((at("2026-01-30"), noon),))
    assert whole_days(at("2026-01-30"), at("2026-03-01")) == Days(at("2026-01-30"), at("2026-03-01"))


def test_a_span_within_one_hour_is_one_part() -> None:
    """Nothing is named, and it has no whole day."""
    span = (at("2026-02-01T01:10"), at("2026-02-01T01:50"))
    assert pieces(*span, KNOWN) == Pieces(parts=(span,))
    days = whole_days(*span)
    assert (days.first, days.parts) == (days.end, (span,))


def test_a_span_that_ends_before_it_begins_has_no_days() -> None:
    """Nor one that ends when it begins."""
    noon = at("2026-01-30T12:00")
    for until in (noon, at("2026-01-30"), at("2026-01-02T03:00")):
        days = whole_days(noon, until)
        assert (days.first, days.parts) == (days.end, ())


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
    assert pieces(since and at(since), until and at(until), KNOWN) == Pieces()


def test_an_open_span_names_no_more_than_the_days_with_entries() -> None:
    """However far a limit is away."""
    assert pieces(at("1970-01-01"), None, KNOWN) == pieces(None, None, KNOWN)
    assert pieces(None, None, KNOWN).periods[0] == "2026-01-10"


def test_instants_of_other_zones_are_split_by_the_days_of_utc() -> None:
    """Midnight in Auckland is noon in UTC."""
    midnight = datetime(2026, 2, 2, tzinfo=timezone(timedelta(hours=13)))
    assert whole_days(midnight, None).parts == ((at("2026-02-01T11:00"), at("2026-02-02T00:00")),)
    evening = datetime(2026, 2, 1, 19, tzinfo=timezone(timedelta(hours=-5)))
    assert str(whole_days(evening, None).first) == "2026-02-02 00:00:00+00:00"


BEGIN = datetime(2025, 12, 1, tzinfo=UTC)
INSTANTS = st.integers(0, 210 * 86_400).map(lambda seconds: BEGIN + timedelta(seconds=seconds))


@given(st.none() | INSTANTS, st.none() | INSTANTS)
def test_the_pieces_follow_one_another_without_a_gap(since: datetime | None, until: datetime | None) -> None:
    """They begin and end with the span, or with the first and the last day that has entries."""
    split = pieces(since, until, KNOWN)
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

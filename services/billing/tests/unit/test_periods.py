"""Calendar months, counted from an anchor."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from didflow_billing.domain.periods import months_after

INSTANTS = st.datetimes(datetime(1990, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


@pytest.mark.parametrize(
    ("anchor", "months", "end"),
    [
        ("2026-01-31T12:30:00", 1, "2026-02-28T12:30:00"),
        ("2028-01-31T12:30:00", 1, "2028-02-29T12:30:00"),
        ("2026-01-31T12:30:00", 2, "2026-03-31T12:30:00"),
        ("2026-01-31T12:30:00", 3, "2026-04-30T12:30:00"),
        ("2026-08-31T00:00:00", 6, "2027-02-28T00:00:00"),
        ("2028-02-29T23:59:59", 12, "2029-02-28T23:59:59"),
        ("2028-02-29T23:59:59", 48, "2032-02-29T23:59:59"),
        ("2026-12-15T00:00:00", 1, "2027-01-15T00:00:00"),
        ("2026-12-31T00:00:00", 0, "2026-12-31T00:00:00"),
    ],
)
def test_a_period_ends_on_the_day_of_the_anchor_or_on_the_last_day_of_a_shorter_month(
    anchor: Any, months: Any, end: Any
) -> None:
    """An anchor on the 31st gives 28 or 29 February and then 31 March, at the same time of day."""
    at = datetime.fromisoformat(anchor).replace(tzinfo=UTC)
    assert months_after(at, months) == datetime.fromisoformat(end).replace(tzinfo=UTC)


@settings(deadline=None)
@given(anchor=INSTANTS, months=st.integers(0, 600))
def test_no_month_is_skipped_or_counted_twice(anchor: datetime, months: int) -> None:
    """The end lies exactly that many months later, never on a later day of the month than the anchor."""
    end = months_after(anchor, months)
    assert (end.year * 12 + end.month) - (anchor.year * 12 + anchor.month) == months
    assert end.day <= anchor.day
    assert end.timetz() == anchor.timetz()


@settings(deadline=None)
@given(anchor=INSTANTS, months=st.integers(0, 600))
def test_more_months_end_later(anchor: datetime, months: int) -> None:
    """A period is therefore never empty."""
    assert months_after(anchor, months) < months_after(anchor, months + 1)


def test_a_period_past_the_last_instant_ends_there() -> None:
    """No later end can be stored."""
    assert months_after(datetime(2199, 12, 1, tzinfo=UTC), 1) == datetime(2200, 1, 1, tzinfo=UTC)
    assert months_after(datetime(2199, 12, 2, tzinfo=UTC), 1) == datetime(2200, 1, 1, tzinfo=UTC)

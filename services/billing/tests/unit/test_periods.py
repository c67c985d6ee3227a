"""Calendar months, counted from an anchor."""

from datetime import UTC, datetime

from hypothesis import given, settings
from hypothesis import strategies as st

from didflow_billing.domain.periods import months_after

INSTANTS = st.datetimes(datetime(1990, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


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

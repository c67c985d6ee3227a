"""Which entries an invoice has: those that were recorded in a month of UTC, once the month is closed."""

from datetime import UTC, datetime, timedelta
from typing import Final

from didflow_billing.domain.balance_periods import Span, month_after

CLOSING_TIME: Final = timedelta(hours=1)
"""How long after its end a month is closed. What was recorded in it is committed by then. Source: spec billing."""


def month_span(month: str) -> Span:
    """Return the beginning and the end of a month such as `2026-01`."""
    begin = datetime.strptime(month, "%Y-%m").replace(tzinfo=UTC)
    return begin, month_after(begin)


def closed_at(end: datetime) -> datetime:
    """Return when a month with this end is closed."""
    return end + CLOSING_TIME

"""A span of time as whole months, whole days and the parts of days that remain at its ends, all in UTC."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

DAY = timedelta(days=1)
ALL = "all"
"""The period of a total over all time."""

Span = tuple[datetime, datetime]
"""Two instants. The first is inclusive, the second exclusive."""


class Pieces(NamedTuple):
    """The names of whole months (`2026-01`) and days (`2026-01-31`), and the spans that are no whole days."""

    periods: tuple[str, ...] = ()
    parts: tuple[Span, ...] = ()


def pieces(since: datetime | None, until: datetime | None, known: Span, *, by_month: bool) -> Pieces:
    """Split the time from `since` until `until` into pieces that do not overlap.

    None means no limit. `known` are the first and the last instant of what is summed up; nothing outside of their days
    is named. Without `by_month`, months are split into days.
    """
    begin, end = day_of(known[0]), day_of(known[1]) + DAY
    begin = begin if since is None else max(begin, since.astimezone(UTC))
    end = end if until is None else min(end, until.astimezone(UTC))
    if begin >= end:
        return Pieces()
    first_day, last_day = day_of(begin), day_of(end)
    if first_day < begin:
        first_day += DAY
    if first_day > last_day:
        return Pieces(parts=((begin, end),))
    parts = tuple((a, b) for a, b in ((begin, first_day), (last_day, end)) if a < b)
    return Pieces(tuple(_periods(first_day, last_day, by_month=by_month)), parts)


def day_of(instant: datetime) -> datetime:
    """Return the beginning of the day of an instant, in UTC."""
    return instant.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def month_after(day: datetime) -> datetime:
    """Return the first day of the next month."""
    return (day.replace(day=1) + timedelta(days=31)).replace(day=1)


def _periods(day: datetime, end: datetime, *, by_month: bool) -> Iterator[str]:
    while day < end:
        following = month_after(day)
        if by_month and day.day == 1 and following <= end:
            yield f"{day:%Y-%m}"
            day = following
        else:
            yield f"{day:%Y-%m-%d}"
            day += DAY

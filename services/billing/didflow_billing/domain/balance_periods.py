"""A span of time as whole months, days and hours and the parts that remain at its ends, all in UTC."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
ALL = "all"
"""The period of a total over all time."""

Span = tuple[datetime, datetime]
"""Two instants. The first is inclusive, the second exclusive."""


class Pieces(NamedTuple):
    """The names of whole months (`2026-01`), days (`2026-01-31`) and hours (`2026-01-31T23`), and what remains."""

    periods: tuple[str, ...] = ()
    parts: tuple[Span, ...] = ()


def pieces(since: datetime | None, until: datetime | None, known: Span) -> Pieces:
    """Split the time from `since` until `until` into pieces that do not overlap.

    None means no limit. `known` are the first and the last instant of what is summed up; nothing outside of their days
    is named.
    """
    begin, end = day_of(known[0]), day_of(known[1]) + DAY
    begin = begin if since is None else max(begin, since.astimezone(UTC))
    end = end if until is None else min(end, until.astimezone(UTC))
    if begin >= end:
        return Pieces()
    first, last = _next(begin, _hour_of(begin), HOUR), _hour_of(end)
    if first > last:
        return Pieces(parts=((begin, end),))
    parts = tuple((a, b) for a, b in ((begin, first), (last, end)) if a < b)
    return Pieces(tuple(_periods(first, last)), parts)


class Days(NamedTuple):
    """The whole days from `first` until `end`, without a limit if None, and what remains."""

    first: datetime | None
    end: datetime | None
    parts: tuple[Span, ...] = ()


def whole_days(since: datetime | None, until: datetime | None) -> Days:
    """Split the time from `since` until `until` into whole days and what remains. None means no limit."""
    first = None if since is None else _next(since, day_of(since), DAY)
    end = None if until is None else day_of(until)
    if since is not None and until is not None:
        if since >= until:
            return Days(first, first)
        if first is not None and end is not None and first > end:
            return Days(first, first, ((since, until),))
    before = ((since, first),) if since is not None and first is not None and since < first else ()
    after = ((end, until),) if until is not None and end is not None and end < until else ()
    return Days(first, end, (*before, *after))


def day_of(instant: datetime) -> datetime:
    """Return the beginning of the day of an instant, in UTC."""
    return _hour_of(instant).replace(hour=0)


def month_after(day: datetime) -> datetime:
    """Return the first day of the next month."""
    return (day.replace(day=1) + timedelta(days=31)).replace(day=1)


def _next(instant: datetime, begin: datetime, step: timedelta) -> datetime:
    """Return the beginning of a period if it is the instant itself, else that of the next one."""
    return begin if instant == begin else begin + step


def _hour_of(instant: datetime) -> datetime:
    return instant.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def _periods(begin: datetime, end: datetime) -> Iterator[str]:
    """Yield the names of the periods from `begin` until `end`, each as long as possible."""
    while begin < end:
        is_day = begin == day_of(begin)
        if is_day and begin.day == 1 and month_after(begin) <= end:
            yield f"{begin:%Y-%m}"
            begin = month_after(begin)
        elif is_day and begin + DAY <= end:
            yield f"{begin:%Y-%m-%d}"
            begin += DAY
        else:
            yield f"{begin:%Y-%m-%dT%H}"
            begin += HOUR

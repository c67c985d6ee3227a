"""The life of an example as a table in Markdown: one row for each instant."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import groupby
from typing import Any, Final, NamedTuple

from didflow.terms_page.life import Example, Moment, moments
from didflow.terms_page.messages import instant
from didflow_billing.domain.commands import Cancel, Renew, Restore, SetCycles, SetPrice
from didflow_billing.domain.effect import is_uncompleted
from didflow_billing.domain.ledger import LedgerEntry
from didflow_billing.domain.term import Term, is_running
from didflow_chassis.decision import Command, Refused, Unchanged
from didflow_contracts.event_data import EventData
from didflow_contracts.events import (
    CycleExpired,
    DidChanged,
    DidPortingStarted,
    DidPurchased,
    DidRemoved,
    DidWithdrawn,
    PurchaseRefused,
    TermExpiring,
)
from didflow_contracts.events.purchase import Price
from didflow_contracts.events.registration import RegistrationAxis

HEAD: Final = (
    "| instant (UTC) | what happens | state | cycles | `expires_at` | `aging_until` | entries |\n"
    "|---|---|---|---|---|---|---|\n"
)
ENDS: Final = {
    "renewed": "paid time ends: the next period is charged",
    "delayed_removal": "paid time ends: the last period is charged",
    "extended": "paid time ends: one more day, free of charge",
    "removed": "paid time ends: the DID is removed",
}
"""Outcome of the end of paid time -> what happens."""

EXPIRED: Final = {
    "aging": "paid time ends: calls stop",
    "canceled": "paid time ends: from now on a restoration needs a renewal",
}
"""State after the end of paid time, for the outcome `expired` -> what happens."""

SHORT: Final = 4
"""The longest series of equal rows that is shown whole. Of a longer one, the first two and the last are shown."""


class Row(NamedTuple):
    """One row. `axis` are the cells of the term. `series` is equal for rows that say the same."""

    at: str
    what: str
    axis: str
    entries: str = ""
    series: object = None


def table(example: Example) -> str:
    """Return the table of an example."""
    rows = [_row(moment, example) for moment in moments(example) if not _is_hidden(moment, example)]
    return HEAD + "".join(
        f"| {row.at} | {row.what} | {row.axis} | {row.entries} |\n" for row in _shortened(rows)
    )


def at(when: datetime | None) -> str:
    """Return an instant in UTC, with seconds if they are not zero; nothing for None."""
    if when is None:
        return ""
    return f"{when:%Y-%m-%d %H:%M:%S}" if when.second else f"{when:%Y-%m-%d %H:%M}"


def said(command: Command) -> str:
    """Return a command as a caller writes it."""
    match command:
        case SetCycles():
            left = "null" if command.billing_cycles is None else command.billing_cycles
            return f"`set-cycles` {left}"
        case Renew():
            return f"`renew` for {_months(command.billing_period)}"
        case Cancel():
            return "`cancel` with `remove`" if command.remove else "`cancel`"
        case Restore():
            months = command.billing_period
            return f"`restore` with `billing_period` {months}" if months else "`restore`"
        case SetPrice():
            return f"price list: {_monthly(command.price)} from {at(command.effective_from)} on"
    raise TypeError(f"No words for {type(command).__name__}.")


def _is_hidden(moment: Moment, example: Example) -> bool:
    """Return True for what follows the first step at once, and for reminders that the example does not show."""
    data = getattr(moment.message, "data", None)
    is_first_answer = (
        isinstance(data, RegistrationAxis)
        and example.answer is not None
        and moment.at == instant(example.steps[0][0])
    )
    is_reminder = moment.message is None and isinstance(moment.events[0], TermExpiring)
    return isinstance(data, DidChanged) or is_first_answer or (is_reminder and not example.reminders)


def _row(moment: Moment, example: Example) -> Row:
    what, term = f"{_what(moment, example)}{_result(moment)}", moment.after
    series = (what, term.state) if moment.message is None and term else None
    return Row(
        at=at(moment.at),
        what=what,
        axis=_axis(term),
        entries="<br>".join(map(_entry, moment.entries)),
        series=series,
    )


def _result(moment: Moment) -> str:
    """Return what came of a message, if its name does not say it."""
    before, after = moment.before, moment.after
    if isinstance(moment.decision, Refused):
        return f": refused, `{moment.decision.code}`"
    if isinstance(moment.decision, Unchanged):
        return ": unchanged"
    if before is None and after and after.state == "closed":
        return ": the DID is removed, `no_price`"
    if not isinstance(moment.message, Command) or before is None or after is None:
        return ""
    if after.state == "closed":
        return ": the DID is removed"
    if is_running(before) == is_running(after) or is_uncompleted(after):
        return ""
    return ": calls start again" if is_running(after) else ": calls stop"


def _axis(term: Term | None) -> str:
    """Return the cells of the term: state, cycles, `expires_at`, `aging_until`."""
    if term is None or term.state in ("none", "closed"):
        return f"{f'`{term.state}`' if term else ''} |  |  | "
    left = "unlimited" if term.cycles_left is None else term.cycles_left
    return f"`{term.state}` | {left} | {at(term.expires_at)} | {at(term.aging_until)}"


def _what(moment: Moment, example: Example) -> str:
    if moment.message is None:
        return _timer(moment)
    if isinstance(moment.message, Command):
        return said(moment.message)
    answer = f"; registration `{example.answer}`" if example.answer and moment.before is None else ""
    return f"{_event(moment.message.data)}{answer}"


def _timer(moment: Moment) -> str:
    """Return what a timer did."""
    for event in moment.events:
        if isinstance(event, CycleExpired):
            return ENDS.get(event.outcome) or EXPIRED[event.state]
        if isinstance(event, TermExpiring):
            days = "1 day" if event.days == 1 else f"{event.days} days"
            return f"reminder: {days} before {at(event.ends_at)}, `{event.reason}`"
        if isinstance(event, DidRemoved):
            return "34 days are over: the DID is removed"
    raise ValueError(f"No words for {moment.events}.")


def _event(data: EventData) -> str:
    match data:
        case DidPurchased():
            return _purchase(data)
        case DidPortingStarted():
            return "porting starts"
        case PurchaseRefused():
            return "inventory refuses the purchase"
        case DidWithdrawn():
            return f"inventory withdraws the DID: `{data.reason}`"
        case RegistrationAxis():
            return f"registration `{data.registration}`"
    raise TypeError(f"No words for {type(data).__name__}.")


def _purchase(data: DidPurchased) -> str:
    if data.billing_period is None:
        return "handed out, without a price"
    left = data.billing_cycles
    cycles = "" if left is None else f", `billing_cycles` {left}"
    price = f"at {_monthly(data.price)}" if data.price else "that names no price"
    return f"purchase for {_months(data.billing_period)} {price}{cycles}"


def _monthly(price: Price) -> str:
    return f"{price.recurring.amount} {price.recurring.currency} per month"


def _entry(entry: LedgerEntry) -> str:
    sign = "-" if entry.amount < 0 else ""
    amount = f"`{entry.kind}` {sign}{abs(entry.amount)} {entry.currency}"
    if entry.period_start is None:
        return amount
    return f"{amount}, {at(entry.period_start)[:10]} to {at(entry.period_end)[:10]}"


def _months(months: Any) -> str:
    return "1 month" if months == 1 else f"{months} months"


def _shortened(rows: Sequence[Row]) -> Iterator[Row]:
    """Yield the rows. Of a long series of equal ones, yield the first two, how many follow, and the last."""
    for series, grouped in groupby(rows, key=lambda row: row.series or row):
        equal = list(grouped)
        if series is equal[0] or len(equal) <= SHORT:
            yield from equal
            continue
        yield from equal[:2]
        yield Row(at="…", what=f"{len(equal) - 3} more times the same", axis=_axis(None))
        yield equal[-1]

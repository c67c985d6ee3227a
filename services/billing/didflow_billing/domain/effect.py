"""What an action does to a DID besides its money: until when calls go on, and when the DID is removed.

Every instant is the one that follows if nothing else is done. It is exclusive: at that instant it has happened.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from didflow_billing.domain.periods import AGING_TIME, FREE_DAY
from didflow_billing.domain.term import MAX_FREE_DAYS, Term, is_running
from didflow_contracts.bounds import INSTANT
from didflow_contracts.instants import later, months_after

CallsEffect = Literal["go_on", "start_now", "stop_now", "stop_later", "stopped"]
"""What the term does to calls and messages. They also need a registration, a carrier and a target."""


@dataclass(frozen=True, kw_only=True)
class Effect:
    """What follows from an action, or from leaving the term as it is.

    `calls_stop_at` is None if calls go on without end or are stopped already. `removed` is True if the action removes
    the DID at once. `removed_at` is None if nothing will remove the DID. A canceled term can be restored free of charge
    until `restore_free_until`, and with a renewal until `restore_until`.
    """

    calls: CallsEffect
    calls_stop_at: datetime | None
    removed: bool
    removed_at: datetime | None
    restore_free_until: datetime | None
    restore_until: datetime | None


def effect(before: Term, after: Term, at: datetime) -> Effect:
    """Return what follows from an action at `at` that turns the term `before` into `after`."""
    calls, stop_at = _calls(before, after, at)
    removed_at = at if after.state == "closed" else _removed_at(after)
    is_canceled = after.state == "canceled"
    return Effect(
        calls=calls,
        calls_stop_at=stop_at,
        removed=after.state == "closed",
        removed_at=removed_at,
        restore_free_until=after.expires_at if is_canceled and after.aging_until is None else None,
        restore_until=removed_at if is_canceled else None,
    )


def ends_at(term: Term) -> datetime | None:
    """Return when a running term ends if nothing else is done. None if it renews without limit.

    Source: spec lifecycle, Term and Registration never completed.
    """
    if not is_running(term) or term.expires_at is None:
        return None
    if is_uncompleted(term):
        days = MAX_FREE_DAYS - term.free_days if term.registration == "pending" else 0
        return later(term.expires_at, FREE_DAY * days)
    if term.cycles_left is None or term.anchor is None:
        return None
    months = term.anchor_months + term.cycles_left * (term.billing_period or 0)
    end = months_after(term.anchor, months)
    return end if end < INSTANT.most else None


def is_uncompleted(term: Term) -> bool:
    """Return True if the end of paid time removes the DID because its registration is not completed by then."""
    return term.registration is not None and not term.completed


def _calls(before: Term, after: Term, at: datetime) -> tuple[CallsEffect, datetime | None]:
    """Return what happens to calls, and when they stop."""
    if not _lets_calls(after):
        return ("stop_now", at) if _lets_calls(before) else ("stopped", None)
    stop_at = ends_at(after)
    if not _lets_calls(before):
        return "start_now", stop_at
    return "go_on" if stop_at is None else "stop_later", stop_at


def _lets_calls(term: Term) -> bool:
    return is_running(term) or term.state == "none"


def _removed_at(term: Term) -> datetime | None:
    if term.aging_until is not None:
        return term.aging_until
    if is_running(term):
        end = ends_at(term)
        return end if end is None or is_uncompleted(term) else later(end, AGING_TIME)
    return later(term.expires_at, AGING_TIME) if term.expires_at is not None else None

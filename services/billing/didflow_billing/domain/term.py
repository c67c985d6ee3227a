"""The term of a DID: its state, its transition table, and when it is due.

Every change of state goes through `transition`. It refuses what the table does not list and sets `due_at`.
"""

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final
from uuid import UUID

from msgspec import Struct, field
from msgspec.structs import replace

from didflow_billing.domain.reminders import Ending, Reminded, Reminder, next_reminder
from didflow_contracts.events.purchase import Price
from didflow_contracts.money import Money
from didflow_contracts.vocabulary import BillingPeriod, Registration, TermState

TRANSITIONS: Final[Mapping[TermState | None, frozenset[TermState]]] = MappingProxyType(
    {
        None: frozenset({"none", "active", "delayed_removal"}),
        "none": frozenset({"active", "delayed_removal", "closed"}),
        "active": frozenset({"delayed_removal", "canceled", "aging", "closed"}),
        "delayed_removal": frozenset({"active", "canceled", "aging", "closed"}),
        "canceled": frozenset({"active", "delayed_removal", "closed"}),
        "aging": frozenset({"delayed_removal", "closed"}),
        "closed": frozenset(),
    }
)
"""State -> the states that can follow it. None is the state before the start. Source: spec lifecycle, The axes."""

COMPLETED: Final[frozenset[Registration]] = frozenset({"approved", "not_required", "expired"})
"""States that prove that the registration was completed once. Only an approved registration can expire."""


MAX_FREE_DAYS: Final = 30
"""By how many days at most the first period is extended. Source: spec lifecycle, Registration never completed."""


class ForbiddenTransitionError(Exception):
    """A decision tried a transition that is not in the table. This is a defect in the code."""

    code = "forbidden_transition"


class Charge(Struct, frozen=True, kw_only=True):
    """A posted charge that may still be refunded."""

    entry_id: UUID
    money: Money
    period_start: datetime | None
    period_end: datetime | None
    posted_at: datetime


class Term(Struct, frozen=True, kw_only=True):
    """The paid life of a DID.

    `account` holds the DID, as last received; `payer` purchased it and is charged. `expires_at` is always
    `anchor` plus `anchor_months`. `aging_until` is set only while the DID ages. `free_days` counts the days
    by which the first period was extended at no charge. `registration` is None until verification has answered.
    `accepted` is True once inventory has given the number to this DID. `charges` holds the charges that may
    still be refunded. `entry_count` counts all ledger entries of the DID. `sequences` holds the last applied
    sequence of each axis. `changed_at` is the latest instant at which the term changed; no reminder is earlier.
    `reminded` is the last reminder that was published.
    """

    did_id: UUID
    number: str
    account: str
    payer: str
    order_id: str | None = None
    state: TermState = "none"
    price: Price | None = None
    billing_period: BillingPeriod | None = None
    cycles_left: int | None = None
    purchased_at: datetime | None = None
    period: int = 0
    period_start: datetime | None = None
    expires_at: datetime | None = None
    aging_until: datetime | None = None
    anchor: datetime | None = None
    anchor_months: int = 0
    free_days: int = 0
    registration: Registration | None = None
    completed: bool = False
    accepted: bool = False
    charges: tuple[Charge, ...] = ()
    entry_count: int = 0
    sequences: Mapping[str, int] = field(default_factory=dict)
    changed_at: datetime | None = None
    reminded: Reminded | None = None
    due_at: datetime | None = None


def transition(term: Term, to: TermState, at: datetime, **changes: Any) -> Term:
    """Return the term in the state `to`, which may be its present state, with other fields changed at `at`.

    `at` is the instant that the change belongs to: the time of the event, the instant at which a timer was due.

    Raises ForbiddenTransitionError if the table does not list the transition.
    """
    if to not in TRANSITIONS[term.state] and to != term.state:
        raise ForbiddenTransitionError(f"{term.state} -> {to}")
    changed_at = at if term.changed_at is None else max(at, term.changed_at)
    after = replace(term, state=to, changed_at=changed_at, **changes)
    return replace(after, due_at=due_at_of(after), charges=after.charges if is_refundable(after) else ())


def is_refundable(term: Term) -> bool:
    """Return True if the purchase can still be refused or the registration was never completed."""
    return not (term.completed and term.accepted)


def running_state(cycles_left: int | None) -> TermState:
    """Return the state of a running term. Without renewals left it is in its last period."""
    return "delayed_removal" if cycles_left == 0 else "active"


def is_running(term: Term) -> bool:
    """Return True if the term has a price and has not ended."""
    return term.state in ("active", "delayed_removal")


def is_extended(term: Term) -> bool:
    """Return True if the end of the period brings a free day, because the registration is pending.

    Source: spec lifecycle, Registration never completed.
    """
    is_pending = term.registration == "pending" and not term.completed
    return is_running(term) and is_pending and term.free_days < MAX_FREE_DAYS


def reminder_of(term: Term) -> Reminder | None:
    """Return the next reminder of the term, or None. A purchase that can still be refused has none."""
    ending = ending_of(term) if term.accepted else None
    return next_reminder(ending, term.changed_at, term.reminded) if ending is not None else None


def ending_of(term: Term) -> Ending | None:
    """Return the end of the term if nothing else happens, or None if that does not end it or is not known yet.

    A term that is canceled while paid time is left ends 34 days after that time. Only that end has reminders.
    Source: spec events, `term.expiring`.
    """
    if term.registration is None or term.expires_at is None:
        return None
    if term.aging_until is not None:
        return Ending(term.aging_until, "canceled" if term.state == "canceled" else "aging")
    if not is_running(term):
        return None
    if not term.completed:
        return None if is_extended(term) else Ending(term.expires_at, "registration_not_completed")
    return Ending(term.expires_at, "cycles_used_up") if term.cycles_left == 0 else None


def due_at_of(term: Term) -> datetime | None:
    """Return when the term is due: at its next reminder, or the end of its paid time or aging, whichever is earlier.

    It is never due before verification has answered. Source: spec lifecycle, Settle first.
    """
    if term.registration is None or term.state in ("none", "closed"):
        return None
    reminder = reminder_of(term)
    return reminder.at if reminder is not None else term.aging_until or term.expires_at

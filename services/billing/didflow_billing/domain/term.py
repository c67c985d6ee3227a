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


class ForbiddenTransitionError(Exception):
    """A decision tried a transition that is not in the table. This is a defect in the code."""

    code = "forbidden_transition"


class Charge(Struct, frozen=True, kw_only=True):
    """A posted charge that may still be refunded."""

    entry_id: UUID
    money: Money
    period_start: datetime | None
    period_end: datetime | None


class Term(Struct, frozen=True, kw_only=True):
    """The paid life of a DID.

    `account` holds the DID, as last received; `payer` purchased it and is charged. `expires_at` is always
    `anchor` plus `anchor_months`. `aging_until` is set only while the DID ages. `free_days` counts the days
    by which the first period was extended at no charge. `registration` is None until verification has answered.
    `accepted` is True once inventory has given the number to this DID. `charges` holds the charges that may
    still be refunded. `entry_count` counts all ledger entries of the DID. `sequences` holds the last applied
    sequence of each axis.
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
    due_at: datetime | None = None


def transition(term: Term, to: TermState, **changes: Any) -> Term:
    """Return the term in the state `to`, which may be its present state, with other fields changed.

    Raises ForbiddenTransitionError if the table does not list the transition.
    """
    if to not in TRANSITIONS[term.state] and to != term.state:
        raise ForbiddenTransitionError(f"{term.state} -> {to}")
    after = replace(term, state=to, **changes)
    return replace(after, due_at=_due_at(after), charges=after.charges if is_refundable(after) else ())


def is_refundable(term: Term) -> bool:
    """Return True if the purchase can still be refused or the registration was never completed."""
    return not (term.completed and term.accepted)


def running_state(cycles_left: int | None) -> TermState:
    """Return the state of a running term. Without renewals left it is in its last period."""
    return "delayed_removal" if cycles_left == 0 else "active"


def is_running(term: Term) -> bool:
    """Return True if the term has a price and has not ended."""
    return term.state in ("active", "delayed_removal")


def _due_at(term: Term) -> datetime | None:
    """Return when the term is due. It is never due before verification has answered.

    Source: spec lifecycle, Settle first.
    """
    if term.registration is None or term.state in ("none", "closed"):
        return None
    return term.aging_until or term.expires_at

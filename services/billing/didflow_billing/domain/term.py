"""The term of a DID: its state, its closed table, and the instant at which the clock wants it.

Every change of state goes through `moved`, so nothing leaves the table and `due_at` always fits the rest.
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
"""Where a term may go from each state; None is before its start. Source: spec lifecycle, The axes."""

COMPLETED: Final[frozenset[Registration]] = frozenset({"approved", "not_required", "expired"})
"""Registrations that prove that it was completed once (only what was approved can expire)."""


class ForbiddenTransitionError(Exception):
    """A decision tried a way that is not in the table: a defect of ours, never a caller's fault."""

    code = "forbidden_transition"


class Charge(Struct, frozen=True, kw_only=True):
    """A posted charge that may still have to be taken back."""

    entry_id: UUID
    money: Money
    period_start: datetime | None
    period_end: datetime | None


class Term(Struct, frozen=True, kw_only=True):
    """How long a DID lives and what it has cost so far.

    `account` holds the DID, as last heard; `payer` purchased it and pays. `expires_at` is always
    `anchor` + `anchor_months`. `aging_until` is set exactly while the term is in the pool. `extended` counts
    the free days that a pending registration was given. `registration` is None until verification spoke.
    `accepted` says that inventory gave the number to this DID. `charges` are kept while they may have to be
    taken back; `entries` counts all ledger entries ever posted. `seen` has the last sequence of each axis.
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
    extended: int = 0
    registration: Registration | None = None
    completed: bool = False
    accepted: bool = False
    charges: tuple[Charge, ...] = ()
    entries: int = 0
    seen: Mapping[str, int] = field(default_factory=dict)
    due_at: datetime | None = None


def moved(term: Term, to: TermState, **changes: Any) -> Term:
    """Take a term to a state, the same one included, with other fields changed, and set when it is due.

    Raises ForbiddenTransitionError for a way that the table does not have.
    """
    if to not in TRANSITIONS[term.state] and to != term.state:
        raise ForbiddenTransitionError(f"{term.state} -> {to}")
    after = replace(term, state=to, **changes)
    return replace(after, due_at=_due_at(after), charges=after.charges if is_refundable(after) else ())


def is_refundable(term: Term) -> bool:
    """Say whether its charges may still have to be taken back: refused, or registration never completed."""
    return not (term.completed and term.accepted)


def running_state(cycles_left: int | None) -> TermState:
    """Name the state of a running term: with no renewal left it is in its last period."""
    return "delayed_removal" if cycles_left == 0 else "active"


def is_running(term: Term) -> bool:
    """Say whether paid time runs and can run on: neither ended nor without a price."""
    return term.state in ("active", "delayed_removal")


def _due_at(term: Term) -> datetime | None:
    """Nothing is due before verification has spoken. Source: spec lifecycle, Settle first."""
    if term.registration is None or term.state in ("none", "closed"):
        return None
    return term.aging_until or term.expires_at

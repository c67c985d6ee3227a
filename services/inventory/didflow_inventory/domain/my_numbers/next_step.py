"""The next step of a DID: what is missing until it is active, who must act, and by when."""

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import lru_cache
from typing import Final

from didflow_contracts.events.holding import NextStep
from didflow_contracts.vocabulary import AdditionalService, NextAction, Responsible, ServiceState
from didflow_inventory.domain.holding import Holding
from didflow_inventory.domain.my_numbers.condition import (
    TERMINATED,
    Condition,
    Predicate,
    condition_of,
)
from didflow_inventory.domain.views import RUNNING, Views

NEXT_STEPS: Final[tuple[tuple[NextAction, Responsible, Predicate], ...]] = (
    ("none", "nobody", lambda c: not c.is_live),
    ("await_porting", "carrier", lambda c: c.stock == "porting_in"),
    ("restore", "account", lambda c: c.term == "canceled"),
    ("renew", "account", lambda c: c.term == "aging"),
    ("unblock", "blocker", lambda c: c.stock == "blocked"),
    ("reactivate_package", "reseller", lambda c: c.stock == "on_hold" and c.held_by == "package"),
    ("await_hold_end", "reseller", lambda c: c.stock == "on_hold"),
    ("await_requirement", "nobody", lambda c: not c.is_answered),
    ("assign_end_user_details", "account", lambda c: c.registration == "awaiting"),
    ("fix_end_user_details", "account", lambda c: c.registration in ("rejected", "expired")),
    ("await_review", "reviewer", lambda c: c.registration == "pending"),
    ("retry_carrier", "operator", lambda c: c.carrier == "failed"),
    ("await_carrier", "carrier", lambda c: c.carrier in ("inactive", "activating", "suspended")),
    ("assign_voice_trunk", "account", lambda c: c.lacks == "assign_voice_trunk"),
    ("assign_capacity", "account", lambda c: c.lacks == "assign_capacity"),
    ("assign_sms_trunk", "account", lambda c: c.lacks == "assign_sms_trunk"),
    ("set_billing_cycles", "account", lambda c: c.term == "delayed_removal"),
    ("none", "nobody", lambda _: True),
)
"""The first line that matches is the next step. A DID that is not live needs nothing.

Source: spec lifecycle, `next_step`.
"""

DEADLINES: Final[Mapping[NextAction, Callable[[Holding, Views], datetime | None]]] = {
    "reactivate_package": lambda holding, _: holding.until,
    "await_hold_end": lambda holding, _: holding.until,
    "assign_end_user_details": lambda _, views: views.registration.grace_until,
    "fix_end_user_details": lambda _, views: views.registration.grace_until,
    "await_review": lambda _, views: views.registration.grace_until,
}
"""The instant at which the condition of a DID gets worse unless the action is taken. Other actions have none.

The end of the term counts too, whatever the action is: see `end_of_term`.
Source: spec lifecycle, `next_step`, `by`.
"""

OPEN: Final[frozenset[ServiceState]] = frozenset(
    ("new", "in_process", "changes_required", "pending", "cancelation_pending")
)
"""The states of a service in which a request for it is open."""


def next_step(holding: Holding, views: Views, now: datetime) -> NextStep:
    """Return what is missing first, who must act and by when: the first deadline that has not passed."""
    condition = condition_of(holding, views)
    action, who = action_of(condition)
    deadlines = _deadlines(action, holding, views) if condition.is_live else ()
    return NextStep(
        action=action,
        who=who,
        by=min((by for by in deadlines if by is not None and by > now), default=None),
        also=open_services(views) if condition.is_live else (),
    )


def end_of_term(views: Views) -> datetime | None:
    """Return the instant at which the term ends, or goes on to its next end; None if it will not end by itself.

    A canceled term expires, and is removed when it has aged. Once the registration was completed, a term without
    cycles left ends at its expiry. Before that, the expiry removes the DID while it awaits details or is rejected; it
    extends the term while a review is pending. Nothing is due before verification has answered.
    Source: spec lifecycle, Term and `next_step`.
    """
    term, registration = views.term, views.registration
    if term.state in TERMINATED:
        return term.aging_until or term.expires_at
    if term.state not in RUNNING or not registration.is_answered:
        return None
    if registration.completed:
        return term.expires_at if term.state == "delayed_removal" else None
    return term.expires_at if registration.state in ("awaiting", "rejected") else None


@lru_cache(maxsize=1_024)
def action_of(condition: Condition) -> tuple[NextAction, Responsible]:
    """Return what is missing first, and who must act."""
    return next((action, who) for action, who, holds in NEXT_STEPS if holds(condition))


def open_services(views: Views) -> tuple[AdditionalService, ...]:
    """Return the services with an open request, in alphabetical order."""
    return tuple(sorted(name for name, service in views.services.items() if service.state in OPEN))


def _deadlines(action: NextAction, holding: Holding, views: Views) -> tuple[datetime | None, ...]:
    of_action = DEADLINES.get(action)
    return of_action(holding, views) if of_action else None, end_of_term(views)

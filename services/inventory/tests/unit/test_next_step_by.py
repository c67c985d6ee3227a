"""The field `by` of the next step: the instant at which the condition of a DID gets worse."""

from datetime import timedelta
from typing import Any

import pytest

from didflow_inventory.domain.my_numbers.next_step import next_step

WEEK = timedelta(days=7)


@pytest.mark.parametrize(
    ("state", "action", "instants"),
    [
        ("canceled", "restore", {"expires_at": WEEK}),
        ("canceled", "restore", {"expires_at": -WEEK, "aging_until": WEEK}),
        ("aging", "renew", {"expires_at": -WEEK, "aging_until": WEEK}),
    ],
)
def test_a_canceled_or_aging_term_gets_worse_at_its_end(
    purchased: Any, make: Any, state: Any, action: Any, instants: Any
) -> None:
    """A canceled term with time left expires first; then both are removed at `aging_until`."""
    purchased.decide(make.term(state, **{name: make.zero + after for name, after in instants.items()}))
    step = next_step(purchased.did.holding, purchased.did.views, make.zero)
    assert (step.action, step.by) == (action, make.zero + WEEK)


@pytest.mark.parametrize(
    ("held_by", "action"), [("package", "reactivate_package"), ("hand", "await_hold_end")]
)
def test_a_hold_gets_worse_at_its_end(purchased: Any, make: Any, held_by: Any, action: Any) -> None:
    """`held_by` says which action ends the hold."""
    purchased.change_did(stock="on_hold", held_by=held_by, until=make.zero + WEEK)
    step = next_step(purchased.did.holding, purchased.did.views, make.zero)
    assert (step.action, step.by) == (action, make.zero + WEEK)


@pytest.mark.parametrize(
    ("state", "action"), [("rejected", "fix_end_user_details"), ("pending", "await_review")]
)
def test_a_lapsed_registration_gets_worse_when_its_grace_ends(
    purchased: Any, make: Any, state: Any, action: Any
) -> None:
    """During the grace, calls still flow. Once it has ended there is nothing to be late for."""
    purchased.decide(make.registration(state, grace_until=make.zero + WEEK))
    step = next_step(purchased.did.holding, purchased.did.views, make.zero)
    assert (step.action, step.by) == (action, make.zero + WEEK)
    assert next_step(purchased.did.holding, purchased.did.views, make.zero + WEEK).by is None


def test_a_term_in_its_last_period_gets_worse_at_its_expiry(purchased: Any, make: Any) -> None:
    """The published status carries the same instant."""
    purchased.decide(make.routing("active"))
    purchased.decide(make.registration("not_required"))
    purchased.decide(make.term("delayed_removal", 1, cycles_left=0))

    published = purchased.published("did.status_changed")[-1].data.next_step
    assert (published.action, published.by) == ("set_billing_cycles", make.zero + timedelta(days=31))


def test_a_step_without_a_deadline_has_no_by(purchased: Any, make: Any) -> None:
    """A missing trunk never gets worse by itself."""
    purchased.decide(make.registration("not_required"))
    purchased.decide(make.routing("active", voice=None))
    step = next_step(purchased.did.holding, purchased.did.views, make.zero)
    assert (step.action, step.by) == ("assign_voice_trunk", None)


@pytest.mark.parametrize(
    ("state", "action"), [("awaiting", "assign_end_user_details"), ("rejected", "fix_end_user_details")]
)
def test_a_registration_that_was_never_completed_says_when_the_did_will_be_removed(
    purchased: Any, make: Any, state: Any, action: Any
) -> None:
    """At the end of the first period the DID is removed and refunded, however many cycles are left."""
    purchased.decide(make.registration(state))
    purchased.decide(make.term("active", expires_at=make.zero + WEEK))
    assert step_at(purchased, make.zero) == (action, make.zero + WEEK)


def test_a_review_of_a_new_did_has_no_deadline_because_its_term_is_extended(
    purchased: Any, make: Any
) -> None:
    """While the registration is pending, the end of the first period does not remove the DID."""
    purchased.decide(make.registration("pending"))
    purchased.decide(make.term("delayed_removal", cycles_left=0, expires_at=make.zero + WEEK))
    assert step_at(purchased, make.zero) == ("await_review", None)


def test_once_completed_a_rejection_removes_nothing(purchased: Any, make: Any) -> None:
    """The term renews, so nothing is due."""
    purchased.decide(make.registration("approved"))
    purchased.decide(make.registration("rejected", 2))
    purchased.decide(make.term("active", expires_at=make.zero + WEEK))
    assert step_at(purchased, make.zero) == ("fix_end_user_details", None)


@pytest.mark.parametrize(
    ("routing", "action"),
    [
        (("active", {"voice": None}), "assign_voice_trunk"),
        (("active", {"capacity": None}), "assign_capacity"),
        (("failed", {}), "retry_carrier"),
        (("suspended", {}), "await_carrier"),
    ],
)
def test_a_term_in_its_last_period_says_when_it_ends_whatever_else_is_missing(
    purchased: Any, make: Any, routing: Any, action: Any
) -> None:
    """The label is Delayed Service Removal, and the step is what is missing first: both get worse at the expiry."""
    purchased.decide(make.registration("not_required"))
    carrier_state, changes = routing
    purchased.decide(make.routing(carrier_state, **changes))
    purchased.decide(make.term("delayed_removal", cycles_left=0, expires_at=make.zero + WEEK))
    assert step_at(purchased, make.zero) == (action, make.zero + WEEK)


@pytest.mark.parametrize(("grace", "end"), [(1, 2), (2, 1)])
def test_the_earlier_one_of_a_grace_and_the_end_of_the_term_counts(
    purchased: Any, make: Any, grace: Any, end: Any
) -> None:
    """When the first has passed, the other one is due."""
    purchased.decide(make.registration("approved"))
    purchased.decide(make.registration("expired", 2, grace_until=make.zero + grace * WEEK))
    purchased.decide(make.term("delayed_removal", cycles_left=0, expires_at=make.zero + end * WEEK))
    assert step_at(purchased, make.zero) == ("fix_end_user_details", make.zero + WEEK)
    assert step_at(purchased, make.zero + WEEK) == ("fix_end_user_details", make.zero + 2 * WEEK)


def test_a_term_that_has_ended_and_is_not_settled_yet_has_no_instant_in_the_past(
    purchased: Any, make: Any
) -> None:
    """Billing settles it a moment later. Until then nothing is named."""
    purchased.decide(make.registration("not_required"))
    purchased.decide(make.routing("active"))
    purchased.decide(make.term("delayed_removal", cycles_left=0, expires_at=make.zero + WEEK))
    assert step_at(purchased, make.zero + WEEK) == ("set_billing_cycles", None)


def test_before_verification_has_answered_nothing_of_a_term_is_due(purchased: Any, make: Any) -> None:
    """Billing settles nothing until then. Source: spec lifecycle, Settle first."""
    purchased.decide(make.term("delayed_removal", cycles_left=0, expires_at=make.zero + WEEK))
    assert step_at(purchased, make.zero) == ("await_requirement", None)


def step_at(stage: Any, now: Any) -> Any:
    """Return action and instant of the next step."""
    step = next_step(stage.did.holding, stage.did.views, now)
    return step.action, step.by

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

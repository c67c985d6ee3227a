"""No instant, however late, makes a decision raise. Long gaps are settled in steps."""

from datetime import timedelta
from typing import Any

import pytest

from didflow_billing.domain.purchase import on_purchased
from didflow_chassis.decision import Decided, Known, Refused
from didflow_chassis.stage.entity_queue import MAX_SETTLED, UNSETTLED
from didflow_contracts.bounds import AMOUNT, INSTANT

LAST = INSTANT.most
PRICE = {
    "setup": {"amount": "0", "currency": "EUR"},
    "recurring": {"amount": "1000000000", "currency": "EUR"},
}


@pytest.mark.parametrize("months", [1, 3, 6, 12])
@pytest.mark.parametrize("before", [timedelta(0), timedelta(microseconds=1), timedelta(days=20)])
def test_a_purchase_at_the_last_instant_is_decided(make: Any, months: int, before: timedelta) -> None:
    """Its first period ends at the last instant, because no later one can be stored."""
    event = make.purchased(LAST - before, billing_period=months)
    decision = on_purchased(None, event, LAST - before, Known())
    assert isinstance(decision, Decided)
    assert decision.state is not None
    assert decision.state.expires_at == LAST


def test_a_stop_of_a_hundred_years_is_settled_in_steps(running: Any, make: Any) -> None:
    """A message waits until all periods before it are settled. Each period is charged once, none is left out."""
    late = make.zero.replace(year=2126)
    refused = running.process(make.set_cycles(0), late)
    assert isinstance(refused, Refused)
    assert refused.code == "not_ready"
    assert running.term.period == 1 + MAX_SETTLED
    event = make.did_changed(late, sequence=2, account="master/acme/shop")
    assert running.process(event, late) is None
    assert [message.missing for message in running.parked()] == [UNSETTLED]
    running.run_timers(late)
    assert (running.term.period, running.term.account) == (1 + 100 * 12, "master/acme/shop")
    assert len(running.ledger) == 2 + 100 * 12
    assert running.parked() == []
    assert isinstance(running.process(make.set_cycles(0), late), Decided)


def test_a_term_ends_and_ages_at_the_last_instant(running: Any, make: Any) -> None:
    """A term that ages in the last month of time never raises."""
    running.process(make.set_cycles(0), make.zero)
    running.set_time(LAST - timedelta(days=1))
    running.run_due_timers()
    assert running.term.state == "closed"


@pytest.mark.parametrize("state", ["running", "aging"])
def test_a_renewal_whose_cost_has_no_allowed_amount_is_refused(billing: Any, make: Any, state: str) -> None:
    """A month costs the highest amount, so two of them cannot be charged. The term is as it was."""
    cycles = 0 if state == "aging" else None
    billing.receive(
        make.purchased(price=PRICE, billing_cycles=cycles),
        make.did_changed(),
        make.registration("not_required"),
    )
    now = make.zero
    if state == "aging":
        now = billing.term.expires_at
        billing.run_timers(now)
    before = billing.term
    assert before.state in (state, "active")
    decision = billing.process(make.renew(12), now)
    assert isinstance(decision, Refused)
    assert (decision.code, decision.field) == ("out_of_range", "billing_period")
    assert billing.term == before
    assert isinstance(billing.process(make.renew(1), now), Decided)
    assert billing.ledger[-1].amount == AMOUNT.most


def test_a_renewal_past_the_last_instant_is_refused(running: Any, make: Any) -> None:
    """Nobody pays for time that no term can have."""
    near_the_end = LAST - timedelta(days=40)
    running.set_time(near_the_end)
    while running.term.due_at is not None and running.term.due_at <= near_the_end:
        running.run_due_timers()
    decision = running.process(make.renew(12), near_the_end)
    assert isinstance(decision, Refused)
    assert (decision.code, decision.field) == ("out_of_range", "billing_period")

"""Every handler: too early, delivered twice, and after the term is closed."""

from collections.abc import Callable
from typing import Any, get_args

import pytest
from msgspec.structs import replace

from didflow_billing.domain.term import Term
from didflow_billing.handlers import COMMANDS, DUE, EVENTS
from didflow_chassis.decision import Decided, TooEarly, Unchanged
from didflow_contracts.topics import BILLING, topics_read_by
from didflow_contracts.vocabulary import Registration

STARTING: dict[str, Callable[[Any], Any]] = {
    "did.purchased": lambda make: make.purchased(),
    "did.porting_started": lambda make: make.porting_started(),
}
LATER: dict[str, Callable[[Any], Any]] = {
    "purchase.refused": lambda make: make.purchase_refused(),
    "did.changed": lambda make: make.did_changed(),
    "did.withdrawn": lambda make: make.withdrawn(),
} | {
    f"verification {state}": (lambda make, s=state: make.registration(s)) for state in get_args(Registration)
}


def test_billing_handles_the_topics_that_it_reads() -> None:
    """The table of handlers equals the table of topics in the contracts."""
    assert set(EVENTS) == {topic.event for topic in topics_read_by(BILLING)}


@pytest.mark.parametrize("name", LATER)
def test_an_event_before_its_purchase_is_parked_until_the_purchase(
    billing: Any, make: Any, name: str
) -> None:
    """The decision names the missing event."""
    assert billing.process(LATER[name](make)) == TooEarly("did.purchased")
    assert (billing.term, billing.published(), billing.ledger) == (None, [], [])
    billing.process(make.purchased())
    assert billing.parked() == []
    assert billing.term != Term(did_id=make.did, number=make.number, account=make.account, payer=make.account)


@pytest.mark.parametrize("name", [*STARTING, *LATER])
def test_the_same_event_under_another_id_changes_nothing(billing: Any, make: Any, name: str) -> None:
    """Nothing is stored, charged or published the second time."""
    billing.process(make.purchased())
    event = (STARTING | LATER)[name](make)
    billing.process(event)
    before = (replace(billing.term, sequences={}), billing.topics(), billing.ledger)
    assert isinstance(billing.process(make.again(event)), Unchanged | Decided)
    assert (replace(billing.term, sequences={}), billing.topics(), billing.ledger) == before


@pytest.mark.parametrize("name", [*STARTING, *LATER])
def test_events_for_a_refused_did_are_not_parked_and_do_not_reopen_it(
    billing: Any, make: Any, name: str
) -> None:
    """The term stays closed, and nothing is charged or published."""
    billing.process(make.purchased())
    billing.process(make.purchase_refused())
    published, entries = len(billing.published()), len(billing.ledger)
    outcome = billing.process(make.again((STARTING | LATER)[name](make)))
    assert isinstance(outcome, Unchanged | Decided)
    assert (billing.term.state, len(billing.published()), len(billing.ledger)) == (
        "closed",
        published,
        entries,
    )


@pytest.mark.parametrize("model", [model for model, handler in COMMANDS.items() if handler.model is None])
def test_a_command_for_an_unknown_did_is_refused(make: Any, model: type) -> None:
    """Commands are never parked."""
    commands = (make.set_cycles(1), make.renew(), make.cancel(), make.restore())
    command = next(each for each in commands if type(each) is model)
    assert COMMANDS[model].decide(None, command, make.zero).code == "not_found"


def test_a_timer_that_runs_twice_takes_effect_once(running: Any) -> None:
    """The second run at the same instant finds nothing due."""
    at = running.term.due_at
    running.run_timers(at)
    assert DUE[Term].decide(running.term, at) == Unchanged()

"""For every handler: too early, delivered twice, and what comes after the end."""

from collections.abc import Callable
from typing import Any, get_args

import pytest
from msgspec.structs import replace

from didflow_billing.domain.term import Term
from didflow_billing.handlers import COMMANDS, DUE, EVENTS
from didflow_chassis.decision import Decided, TooEarly, Unchanged
from didflow_contracts.topics import BILLING, topics_read_by
from didflow_contracts.vocabulary import Registration

OPENING: dict[str, Callable[[Any], Any]] = {
    "did.purchased": lambda say: say.purchased(),
    "did.porting_started": lambda say: say.porting_started(),
}
FOLLOWING: dict[str, Callable[[Any], Any]] = {
    "purchase.refused": lambda say: say.refused(),
    "did.changed": lambda say: say.holding(),
    "did.withdrawn": lambda say: say.withdrawn(),
} | {f"verification {word}": (lambda say, w=word: say.registration(w)) for word in get_args(Registration)}


def test_billing_listens_to_what_the_topics_say_that_it_reads() -> None:
    """The subscription table and the contract's table of readers are one."""
    assert set(EVENTS) == {topic.event for topic in topics_read_by(BILLING)}


@pytest.mark.parametrize("name", FOLLOWING)
def test_what_needs_a_purchase_waits_for_it(billing: Any, say: Any, name: str) -> None:
    """Too early: parked, with what is missing, and applied when the purchase comes."""
    assert billing.process(FOLLOWING[name](say)) == TooEarly("did.purchased")
    assert (billing.term, billing.published(), billing.ledger) == (None, [], [])
    billing.process(say.purchased())
    assert billing.parked() == []
    assert billing.term != Term(did_id=say.did, number=say.number, account=say.account, payer=say.account)


@pytest.mark.parametrize("name", [*OPENING, *FOLLOWING])
def test_what_is_said_again_under_another_id_changes_nothing(billing: Any, say: Any, name: str) -> None:
    """Delivered twice: the second time nothing is written, charged or said."""
    billing.process(say.purchased())
    event = (OPENING | FOLLOWING)[name](say)
    billing.process(event)
    before = (replace(billing.term, seen={}), billing.topics(), billing.ledger)
    assert isinstance(billing.process(say.again(event)), Unchanged | Decided)
    assert (replace(billing.term, seen={}), billing.topics(), billing.ledger) == before


@pytest.mark.parametrize("name", [*OPENING, *FOLLOWING])
def test_what_comes_for_a_refused_did_never_waits_and_never_revives(
    billing: Any, say: Any, name: str
) -> None:
    """After the refusal everything is recorded at most: closed, nothing charged, nothing said."""
    billing.process(say.purchased())
    billing.process(say.refused())
    said, lines = len(billing.published()), len(billing.ledger)
    outcome = billing.process(say.again((OPENING | FOLLOWING)[name](say)))
    assert isinstance(outcome, Unchanged | Decided)
    assert (billing.term.state, len(billing.published()), len(billing.ledger)) == ("closed", said, lines)


@pytest.mark.parametrize("model", COMMANDS)
def test_a_wish_for_an_unknown_did_is_refused_and_never_waits(say: Any, model: type) -> None:
    """HTTP does not park."""
    wishes = (say.set_cycles(1), say.renew(), say.cancel(), say.restore())
    wish = next(w for w in wishes if type(w) is model)
    assert COMMANDS[model].decide(None, wish, say.zero).code == "not_found"


def test_the_clock_asked_twice_does_once(running: Any) -> None:
    """The second strike at the same instant finds nothing due."""
    at = running.term.due_at
    running.run_timers(at)
    assert DUE[Term].decide(running.term, at) == Unchanged()

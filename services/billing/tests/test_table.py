"""The closed table of terms: each decision, from each state, goes only where the table says."""

from datetime import timedelta
from itertools import product
from typing import Any, get_args

import pytest
from msgspec.structs import replace

from didflow_billing.domain.expiry import on_due
from didflow_billing.domain.periods import POOL
from didflow_billing.domain.term import TRANSITIONS, ForbiddenTransitionError, Term, moved
from didflow_billing.handlers import COMMANDS, EVENTS
from didflow_chassis.decision import Command, Decided
from didflow_contracts.vocabulary import Registration, TermState

STATES: tuple[TermState, ...] = get_args(TermState)
REGISTRATIONS: tuple[Registration | None, ...] = (
    None,
    "awaiting",
    "pending",
    "rejected",
    "approved",
    "expired",
)


def terms(running: Any) -> list[Term]:
    """Every state, with each registration and count of cycles that can stand beside it."""
    base: Term = running.term
    end = base.expires_at or base.purchased_at
    assert end is not None
    shapes: list[Term] = []
    for state, registration, done in product(STATES, REGISTRATIONS, (True, False)):
        left = {"active": (None, 1, 2), "delayed_removal": (0,), "aging": (0,)}.get(state, (None, 1, 0))
        for cycles, pooled in product(left, (False, True)):
            if pooled != (state == "aging") and state != "canceled":
                continue
            shapes.append(
                replace(
                    base,
                    state=state,
                    registration=registration,
                    completed=done or registration in ("approved", "expired"),
                    accepted=False,
                    cycles_left=cycles,
                    aging_until=end + POOL if pooled else None,
                    due_at=None if state in ("none", "closed") else end + POOL if pooled else end,
                )
            )
    return shapes


def messages(say: Any) -> list[Any]:
    """One of each message that billing takes, commands in all their kinds."""
    wishes = [say.set_cycles(n) for n in (None, 0, 7)]
    wishes += [say.renew(3), say.cancel(), say.cancel(remove=True), say.restore(), say.restore(1)]
    heard = [say.registration(r, say.zero, 99) for r in ("awaiting", "pending", "rejected", "approved")]
    others = [say.purchased(), say.porting_started(), say.holding(say.zero, 99), say.refused()]
    return [*wishes, *heard, *others, say.withdrawn()]


def test_no_decision_leaves_the_table(running: Any, say: Any) -> None:
    """From every state, every message and the clock end in a state that the table lists, or in the same one."""
    for term in terms(running):
        outcomes = [on_due(term, term.due_at or say.zero)]
        for message in messages(say):
            table: Any = COMMANDS if isinstance(message, Command) else EVENTS
            kind = type(message if isinstance(message, Command) else message.data)
            outcomes.append(table[kind].decide(term, message, say.zero + timedelta(days=1)))
        for outcome in outcomes:
            if isinstance(outcome, Decided) and outcome.state is not None:
                assert outcome.state.state in TRANSITIONS[term.state] | {term.state}, (term, outcome)


def test_every_change_of_state_is_said_as_a_whole(running: Any, say: Any) -> None:
    """A term never changes in silence: each new state comes with a term.changed that carries it."""
    for term in terms(running):
        for message in messages(say):
            table: Any = COMMANDS if isinstance(message, Command) else EVENTS
            kind = type(message if isinstance(message, Command) else message.data)
            outcome: Any = table[kind].decide(term, message, say.zero + timedelta(days=1))
            state = (getattr(outcome, "state", None) or term).state
            if state != term.state:
                said = [event for event in outcome.events if event.topic == "term.changed"]
                assert [event.state for event in said] == [state]


@pytest.mark.parametrize(("here", "there"), list(product(STATES, STATES)))
def test_a_way_that_is_not_in_the_table_is_a_defect(running: Any, here: TermState, there: TermState) -> None:
    """All pairs of states: listed ways and staying are open, every other raises."""
    term = replace(running.term, state=here)
    if there == here or there in TRANSITIONS[here]:
        assert moved(term, there).state == there
    else:
        with pytest.raises(ForbiddenTransitionError):
            moved(term, there)


def test_closed_leads_nowhere() -> None:
    """The end is the end, and every other state can come to it."""
    assert TRANSITIONS["closed"] == frozenset()
    assert all("closed" in TRANSITIONS[state] for state in STATES if state != "closed")

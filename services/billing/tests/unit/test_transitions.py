"""The transition table of terms: no decision leaves it."""

from datetime import datetime, timedelta
from itertools import product
from typing import Any, get_args

import pytest
from msgspec.structs import replace

from didflow_billing.domain.periods import AGING_TIME
from didflow_billing.domain.term import TRANSITIONS, ForbiddenTransitionError, Term, transition
from didflow_billing.domain.timers import on_due
from didflow_billing.handlers import COMMANDS, EVENTS
from didflow_chassis.decision import Command, Decided, Known
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
    """Return terms in every state, with each registration and count of cycles that is possible there."""
    base: Term = running.term
    end = base.expires_at or base.purchased_at
    assert end is not None
    shapes: list[Term] = []
    for state, registration, done in product(STATES, REGISTRATIONS, (True, False)):
        left = {"active": (None, 1, 2), "delayed_removal": (0,), "aging": (0,)}.get(state, (None, 1, 0))
        for cycles, aging in product(left, (False, True)):
            if aging != (state == "aging") and state != "canceled":
                continue
            shapes.append(
                replace(
                    base,
                    state=state,
                    registration=registration,
                    completed=done or registration in ("approved", "expired"),
                    accepted=False,
                    cycles_left=cycles,
                    aging_until=end + AGING_TIME if aging else None,
                    due_at=None if state in ("none", "closed") else end + AGING_TIME if aging else end,
                )
            )
    return shapes


def messages(make: Any) -> list[Any]:
    """Return one of each event and command that billing handles."""
    commands = [make.set_cycles(n) for n in (None, 0, 7)]
    commands += [make.renew(3), make.cancel(), make.cancel(remove=True), make.restore(), make.restore(1)]
    registrations = [
        make.registration(r, make.zero, 99) for r in ("awaiting", "pending", "rejected", "approved")
    ]
    others = [
        make.purchased(),
        make.porting_started(),
        make.did_changed(make.zero, 99),
        make.purchase_refused(),
    ]
    return [*commands, *registrations, *others, make.withdrawn()]


def decided(term: Term, message: Any, now: datetime) -> Any:
    """Decide a message about a term. None of them needs another state."""
    table: Any = COMMANDS if isinstance(message, Command) else EVENTS
    handler = table[type(message if isinstance(message, Command) else message.data)]
    return handler.decide(term, message, now, *([Known()] if handler.needs else []))


def test_no_decision_leaves_the_table(running: Any, make: Any) -> None:
    """From every state, every message and timer leads to a state that the table lists, or changes nothing."""
    for term in terms(running):
        outcomes = [on_due(term, term.due_at or make.zero)]
        outcomes += [decided(term, message, make.zero + timedelta(days=1)) for message in messages(make)]
        for outcome in outcomes:
            if isinstance(outcome, Decided) and outcome.state is not None:
                assert outcome.state.state in TRANSITIONS[term.state] | {term.state}, (term, outcome)


def test_every_change_of_state_is_published(running: Any, make: Any) -> None:
    """Each new state has a `term.changed` event."""
    for term in terms(running):
        for message in messages(make):
            outcome = decided(term, message, make.zero + timedelta(days=1))
            state = (getattr(outcome, "state", None) or term).state
            if state != term.state:
                published = [event for event in outcome.events if event.topic == "term.changed"]
                assert [event.state for event in published] == [state]


@pytest.mark.parametrize(("before", "after"), list(product(STATES, STATES)))
def test_a_transition_that_is_not_in_the_table_raises(
    running: Any, make: Any, before: TermState, after: TermState
) -> None:
    """All pairs of states are tried."""
    term = replace(running.term, state=before)
    if after == before or after in TRANSITIONS[before]:
        assert transition(term, after, make.zero).state == after
    else:
        with pytest.raises(ForbiddenTransitionError):
            transition(term, after, make.zero)


def test_a_closed_term_stays_closed() -> None:
    """Every other state can lead to closed."""
    assert TRANSITIONS["closed"] == frozenset()
    assert all("closed" in TRANSITIONS[state] for state in STATES if state != "closed")

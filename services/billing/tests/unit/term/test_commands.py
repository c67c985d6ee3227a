"""Every command in every state of the term: where it leads, or its refusal. Source: spec lifecycle, Term."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from didflow_chassis.decision import Refused, Unchanged

DAY = timedelta(days=1)

COMMANDS: dict[str, Callable[[Any], Any]] = {
    "set 3": lambda make: make.set_cycles(3),
    "set 0": lambda make: make.set_cycles(0),
    "renew": lambda make: make.renew(3),
    "cancel": lambda make: make.cancel(),
    "restore": lambda make: make.restore(),
    "restore with a period": lambda make: make.restore(3),
}

TABLE: dict[str, tuple[str, ...]] = {
    # state:                (set 3, set 0, renew, cancel, restore, restore with a period)
    "none": ("no_term",) * 6,
    "no answer yet": (
        "active",
        "delayed_removal",
        "active",
        "not_ready",
        "not_canceled",
        "not_canceled",
    ),
    "active": ("active", "delayed_removal", "active", "canceled", "not_canceled", "not_canceled"),
    "delayed_removal": (
        "active",
        "unchanged",
        "delayed_removal",
        "canceled",
        "not_canceled",
        "not_canceled",
    ),
    "canceled": ("term_ended", "term_ended", "restore_first", "unchanged", "active", "active"),
    "canceled and aging": (
        "term_ended",
        "term_ended",
        "restore_first",
        "unchanged",
        "renewal_needed",
        "active",
    ),
    "aging": ("term_ended", "term_ended", "delayed_removal", "term_ended", "not_canceled", "not_canceled"),
    "closed": ("not_found",) * 6,
}
NAMED = {"canceled and aging": "canceled", "no answer yet": "active"}
"""The state that a refusal names, where the table has another name."""


def in_state(start: Any, make: Any, state: str) -> tuple[Any, datetime]:
    """Return billing with a term in this state, and the present."""
    if state == "none":
        return start(acquired="assigned", price=None, billing_period=None), make.zero
    billing = start(None if state == "no answer yet" else "not_required")
    if state in ("delayed_removal", "aging"):
        billing.process(make.set_cycles(0))
    if state.startswith("canceled"):
        billing.process(make.cancel())
    now = make.zero
    if state in ("aging", "canceled and aging"):
        now = billing.term.expires_at + 10 * DAY
    if state == "closed":
        billing.process(make.withdrawn())
    billing.run_timers(now)
    return billing, now


@pytest.mark.parametrize("state", TABLE)
@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_leads_where_the_table_says(start: Any, make: Any, state: str, command: str) -> None:
    """A refused or unchanged command publishes nothing and charges nothing."""
    billing, now = in_state(start, make, state)
    expected = TABLE[state][list(COMMANDS).index(command)]
    before = (billing.term, billing.topics(), billing.ledger)
    decision = billing.process(COMMANDS[command](make), now)
    if isinstance(decision, Refused):
        assert decision.code == expected
    elif decision == Unchanged():
        assert expected == "unchanged"
    else:
        assert (billing.term.state, billing.topics() != before[1]) == (expected, True)
        return
    assert (billing.term, billing.topics(), billing.ledger) == before


@pytest.mark.parametrize("state", [state for state in TABLE if state != "closed"])
@pytest.mark.parametrize(
    ("command", "attempt"),
    [
        ("set 3", "cycles"),
        ("renew", "renew"),
        ("cancel", "cancel"),
        ("restore", "restore"),
    ],
)
def test_a_refusal_names_the_state_and_the_attempt(
    start: Any, make: Any, state: str, command: str, attempt: str
) -> None:
    """A caller knows from the message alone why it was refused. `not_found` tells nothing, on purpose."""
    billing, now = in_state(start, make, state)
    decision = billing.process(COMMANDS[command](make), now)
    if isinstance(decision, Refused) and decision.code != "not_ready":
        assert NAMED.get(state, state) in decision.message
        assert attempt in decision.message


@pytest.mark.parametrize("cycles", [None, 0, 1, 999])
def test_cycles_are_0_to_999_or_null(start: Any, make: Any, cycles: int | None) -> None:
    """0 is delayed removal at once, everything else leaves it. The period and its end stay, and nothing is charged."""
    billing = start(billing_cycles=5 if cycles == 0 else 0)
    before = billing.term
    billing.process(make.set_cycles(cycles))
    after = billing.term
    assert (after.state, after.cycles_left) == ("delayed_removal" if cycles == 0 else "active", cycles)
    assert (after.expires_at, after.period, billing.bill()) == (before.expires_at, 1, "8.00")
    assert billing.published_data("term.changed")[-1].reason == "cycles_set"
    assert billing.process(make.set_cycles(cycles)) == Unchanged()


@pytest.mark.parametrize("cycles", [-1, 1000])
def test_other_cycles_are_refused(start: Any, make: Any, cycles: int) -> None:
    """The refusal names the field."""
    outcome = start().process(make.set_cycles(cycles))
    assert (outcome.code, outcome.field) == ("out_of_range", "billing_cycles")


@pytest.mark.parametrize(
    ("cycles", "set_to", "before", "afterwards"),
    [(0, 3, "renewed", "expired"), (0, None, "renewed", "expired"), (None, 0, "expired", "renewed")],
)
def test_cycles_that_are_set_at_the_end_of_a_period_come_too_late_for_it(
    *,
    start: Any,
    make: Any,
    moment: timedelta,
    cycles: int | None,
    set_to: int | None,
    before: str,
    afterwards: str,
) -> None:
    """A second earlier they decide what the end of the period brings."""
    billing = start(billing_cycles=cycles)
    end = billing.term.expires_at
    billing.process(make.set_cycles(set_to), end + moment)
    billing.run_timers(end + moment + DAY)
    assert billing.outcomes() == [before if moment < timedelta(0) else afterwards]

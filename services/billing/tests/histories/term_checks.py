"""Compare billing with what is expected: the term, the ledger, what is published, quotes, and the offered actions."""

from collections.abc import Sequence
from dataclasses import astuple
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any, Final

from term_expectation import RUNNING, ExpectedTerm, Result
from term_world import OPERATOR

from didflow_billing.api.quotes import QuoteResult
from didflow_billing.domain.commands import Cancel, Renew, Restore, SetCycles
from didflow_billing.domain.quote import DECISIONS
from didflow_chassis.decision import Decided, Refused
from didflow_contracts.envelope import Event

SOON: Final = 13
"""The fewest cycles whose end is not looked for: it lies years ahead."""

CALLING: Final = ("none", *RUNNING)
LIVE: Final = (*CALLING, "canceled", "aging")
MICROSECOND: Final = timedelta(microseconds=1)

TERM_FIELDS: Final = {
    "state": "state",
    "account": "account",
    "payer": "payer",
    "order_id": "order_id",
    "cycles_left": "cycles",
    "billing_period": "months",
    "purchased_at": "purchased_at",
    "period": "period",
    "period_start": "start",
    "expires_at": "end",
    "aging_until": "aging_until",
    "free_days": "free_days",
    "registration": "registration",
    "completed": "completed",
    "accepted": "accepted",
}
"""Field of a term -> field of the expected term."""


def check_against(expected: ExpectedTerm, term: Any, entries: Sequence[Any], events: Sequence[Any]) -> None:
    """Check the term, the ledger and the published events of one DID."""
    assert (term is None) == (expected.state is None)
    if term is None:
        assert (list(entries), list(events)) == ([], [])
        return
    found = {name: getattr(term, name) for name in TERM_FIELDS}
    assert found == {name: getattr(expected, other) for name, other in TERM_FIELDS.items()}
    positions = {each.entry_id: each.position for each in entries}
    assert [entry_of(each, positions) for each in entries] == [astuple(each) for each in expected.ledger]
    published: dict[str, list[Any]] = {}
    for event in events:
        published.setdefault(event.data.topic, []).append(event)
    assert published.keys() == expected.published.keys()
    for topic, wanted in expected.published.items():
        assert [values_of(each, wanted[0], positions) for each in published[topic]] == wanted


def entry_of(entry: Any, positions: Any) -> tuple[Any, ...]:
    """Return an entry of the ledger in the form of an expected entry."""
    return (
        entry.position,
        entry.kind,
        str(entry.money.amount),
        entry.currency,
        entry.period_start,
        entry.period_end,
        entry.reverses and positions[entry.reverses],
        entry.posted_at,
        entry.payer,
        entry.order_id,
    )


def values_of(event: Event[Any], wanted: Any, positions: Any) -> dict[str, Any]:
    """Return what is expected of an event: some fields of its data, and its time."""
    special = {"at": event.time}
    if event.data.topic == "ledger.posted":
        special["position"] = positions[event.data.entry_id]
    return {name: special[name] if name in special else getattr(event.data, name) for name in wanted}


def check_quote(quoted: QuoteResult, result: Result, expected: ExpectedTerm, now: datetime) -> None:
    """Check that the quote of a command is what the command has done, and what follows if nothing else is done."""
    check_amounts(quoted, result)
    if quoted.charge is not None:
        (entry,) = result.entries
        assert (quoted.charge.period_start, quoted.charge.period_end) == (entry.start, entry.end)
    if quoted.after is None:
        assert result.outcome == "not_found"
        return
    after = quoted.after.model_dump()
    axis = expected.axis()
    assert after == {name: axis[name] for name in after}
    assert quoted.removed == (expected.state == "closed")
    if not quoted.removed and expected.registration is not None and (expected.cycles or 0) < SOON:
        _check_future(quoted, expected, now)


def check_amounts(quoted: QuoteResult, result: Result) -> None:
    """Check that a quote has the outcome, the charge and the refund of the command."""
    assert (quoted.outcome if quoted.outcome != "refused" else quoted.code) == result.outcome
    for total, refunds in ((quoted.charge, False), (quoted.refund, True)):
        posted = [each for each in result.entries if (each.kind == "refund") is refunds]
        assert (total is None) == (posted == [])
        assert Fraction(str(total.amount) if total else 0) == result.sum_of(refunds=refunds)


def _check_future(quoted: QuoteResult, expected: ExpectedTerm, now: datetime) -> None:
    """Check that calls stop and that the DID is removed when the quote says so, if nothing else is done."""
    stops, removed = quoted.calls_stop_at, quoted.removed_at
    if quoted.calls == "stop_now":
        assert stops == now
        stops = None
    for instant, states in ((stops, CALLING), (removed, LIVE)):
        if instant is not None:
            assert expected.left_alone(instant - MICROSECOND).state in states
            assert expected.left_alone(instant).state not in states
    if removed is None:
        assert expected.left_alone(now + timedelta(days=1_000)).state in CALLING
    assert (expected.state in CALLING) == (quoted.calls in ("go_on", "stop_later", "start_now"))


def check_offers(expected: ExpectedTerm, term: Any, now: datetime) -> None:
    """Check that the lines of `actions` hold exactly when the decision does it. Source: spec roles, actions."""
    due = expected.due()
    if term is None or (due is not None and due <= now):
        return
    running = expected.state in RUNNING
    can_cancel = running and expected.registration is not None
    offered = {
        "set_cycles": running,
        "renew": running or expected.state == "aging",
        "restore": expected.state == "canceled",
        "cancel": can_cancel,
        "remove": can_cancel
        and not expected.completed
        and expected.registration in ("awaiting", "rejected", "pending"),
    }
    named = {"entity_id": term.did_id, "subject": term.number, "caller": OPERATOR}
    other = 5 if expected.cycles is None else None
    commands = {
        "set_cycles": SetCycles(**named, billing_cycles=other),
        "renew": Renew(**named, billing_period=1),
        "restore": Restore(**named, billing_period=1),
        "cancel": Cancel(**named),
        "remove": Cancel(**named, remove=True),
    }
    for name, command in commands.items():
        decision = DECISIONS[type(command)](term, command, now)
        does = isinstance(decision, Decided)
        if name == "remove" and isinstance(decision, Decided):
            does = decision.state.state == "closed"
        assert does == offered[name], name
        assert does or not offered[name] or not isinstance(decision, Refused), name

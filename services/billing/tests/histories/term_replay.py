"""Replay the inputs of a history with other clocks. The same inputs give the same events, entries and terms."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from didflow_billing.domain.ledger import LedgerEntry
from didflow_billing.domain.term import Term
from didflow_contracts.envelope import Event

LATE: Final = timedelta(seconds=1)
"""How much later than its time an event is late. The clock of a database goes on between the two."""


def check_replays(
    history: Any,
    terms: Mapping[UUID, Any],
    ledger: Mapping[UUID, Sequence[Any]],
    published: Mapping[UUID, Sequence[Event[Any]]],
) -> None:
    """Check that a clock that steps and a clock that jumps do what the clock of the history has done.

    An event that is received after its time is settled up to its time only, so the clock between matters then.
    """
    if any(
        isinstance(message, Event) and at - message.time >= LATE for at, message in _firsts(history.inputs)
    ):
        return
    for clock in ("steps", "jumps"):
        stage = history.replay_on(history.start)
        for at, message in history.inputs:
            _move(stage, at, clock)
            if isinstance(message, Event):
                stage.receive(message)
            else:
                stage.run(message)
        _move(stage, history.now(), clock)
        stage.run_due_timers()
        found = outputs(stage.published())
        for did_id, term in terms.items():
            assert stage.state(Term, did_id) == term
            assert found[did_id] == outputs(published[did_id])[did_id]
        rows: dict[UUID, list[Any]] = {}
        for row in stage.rows(LedgerEntry):
            rows.setdefault(row.did_id, []).append(row)
        assert rows == dict(ledger)


def outputs(published: Sequence[Event[Any]]) -> dict[UUID, list[Any]]:
    """Return the data, time and sequence of all events by their DID, in order."""
    found: dict[UUID, list[Any]] = {}
    for event in published:
        found.setdefault(event.data.entity_id, []).append((event.time, event.sequence, event.data))
    return found


def _firsts(inputs: Sequence[tuple[Any, Any]]) -> list[tuple[Any, Any]]:
    """Return the inputs without the repeats of an event."""
    found: dict[Any, tuple[Any, Any]] = {}
    for at, message in inputs:
        found.setdefault(message.id if isinstance(message, Event) else len(found), (at, message))
    return list(found.values())


def _move(stage: Any, at: Any, clock: str) -> None:
    if clock == "steps":
        stage.advance(max(at - stage.now(), timedelta(0)))
    else:
        stage.set_time(at)

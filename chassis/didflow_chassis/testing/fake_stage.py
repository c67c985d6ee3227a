"""The stage in memory: the real stage and the real timers on tables in memory, without an event loop."""

from collections.abc import Coroutine, Hashable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from didflow_chassis.decision import Command, Decision
from didflow_chassis.records import Headers
from didflow_chassis.service import Service
from didflow_chassis.testing.decision_log import LoggedDecision
from didflow_chassis.testing.memory import MemoryDatabase
from didflow_chassis.testing.service_under_test import (
    HEADERS,
    DeadRecord,
    ParkedMessage,
    ServiceUnderTest,
)
from didflow_contracts.envelope import Event
from didflow_contracts.sources import RegisteredSource

M = TypeVar("M")
T = TypeVar("T")

START = datetime(2026, 1, 1, tzinfo=UTC)
"""The time of a fake stage unless the test gives another."""


class FakeStage:
    """A service in memory. Each method does what the method of the same name of `ServiceUnderTest` does."""

    def __init__(self, service: Service, *, now: datetime = START) -> None:
        self._tested = ServiceUnderTest(service, MemoryDatabase(service, now))

    def receive(self, *events: Event[Any]) -> Decision | None:
        """Receive events as one batch. Return the decision about the last one, or None if there was none."""
        return _result(self._tested.receive(*events))

    def register(self, *sources: RegisteredSource) -> None:
        """Let these registered sources be in force. Others may still say everything that their topics allow."""
        self._tested.register(*sources)

    def receive_twice(self, *events: Event[Any]) -> None:
        """Receive events as one batch, and the same records again."""
        _result(self._tested.receive_twice(*events))

    def receive_record(
        self, topic: str, value: bytes | None, *, key: bytes | None = None, headers: Headers = HEADERS
    ) -> None:
        """Receive one record as given."""
        _result(self._tested.receive_record(topic, value, key=key, headers=headers))

    def run(self, command: Command) -> Decision:
        """Run one command. Raises what its decision raises."""
        return _result(self._tested.run(command))

    def run_batch(self, commands: Sequence[Command]) -> list[Decision]:
        """Run commands in one transaction. Return one decision for each command, in order."""
        return _result(self._tested.run_batch(commands))

    def now(self) -> datetime:
        """Return the service's time."""
        return _result(self._tested.now())

    def set_time(self, instant: datetime) -> None:
        """Set the service's time. No timer runs."""
        _result(self._tested.set_time(instant))

    def advance(self, by: timedelta) -> None:
        """Advance the time. Each timer and retry that becomes due runs at its own instant."""
        _result(self._tested.advance(by))

    def run_due_timers(self) -> None:
        """Run all timers and retries that are due now."""
        _result(self._tested.run_due_timers())

    def run_timer(self, model: type, key: Hashable) -> None:
        """Run the due timers of one state only."""
        _result(self._tested.run_timer(model, key))

    def store(self, *states: Any) -> None:
        """Store states and append-only rows directly."""
        _result(self._tested.store(*states))

    def state(self, model: type[M], key: Hashable) -> M | None:
        """Return the state of this key, or None."""
        return _result(self._tested.state(model, key))

    def states(self, model: type[M]) -> list[M]:
        """Return all states of a kind, in the order of their keys."""
        return _result(self._tested.states(model))

    def all_states(self) -> dict[tuple[type, Hashable], Any]:
        """Return the states of all kinds by model class and key."""
        return _result(self._tested.all_states())

    def rows(self, model: type[M]) -> list[M]:
        """Return all rows of an append-only kind, in the order in which they were inserted."""
        return _result(self._tested.rows(model))

    def published(self, topic: str | None = None) -> list[Event[Any]]:
        """Return the published events in order, of one topic or of all."""
        return _result(self._tested.published(topic))

    def published_data(self, topic: str | None = None) -> list[Any]:
        """Return the data of the published events in order, of one topic or of all."""
        return _result(self._tested.published_data(topic))

    def topics(self) -> list[str]:
        """Return the topics of the published events, in order."""
        return _result(self._tested.topics())

    def parked(self) -> list[ParkedMessage]:
        """Return the parked messages in the order in which they were parked."""
        return _result(self._tested.parked())

    def dead_letters(self) -> list[DeadRecord]:
        """Return the dead letters, the oldest first."""
        return _result(self._tested.dead_letters())

    def decisions(self) -> list[LoggedDecision]:
        """Return all committed decisions in order."""
        return self._tested.decisions()

    def refusals(self) -> list[str]:
        """Return the codes of all refused messages, in order."""
        return self._tested.refusals()


def _result(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end. It never waits: everything that it awaits is in memory."""
    try:
        work.send(None)
    except StopIteration as end:
        result: T = end.value
        return result
    work.close()
    raise RuntimeError("The stage in memory awaited something outside of memory. Test this on PostgreSQL.")

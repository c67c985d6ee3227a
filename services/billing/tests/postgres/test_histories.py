"""Random histories on PostgreSQL, with commands and quotes over HTTP. The tables are compared at the end."""

import asyncio
import os
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from harness.fixtures import DatabaseFor
from harness.migrations import migration_of
from harness.postgres import reader_for
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test
from term_checks import check_amounts
from term_history import TermHistory

from didflow_billing.api.quotes import QuoteResult
from didflow_billing.service import service
from didflow_billing.settings import BillingSettings
from didflow_chassis.decision import Command
from didflow_chassis.testing import FakeStage, ServiceOnPostgres
from didflow_chassis.testing.decision_log import LoggedDecision
from didflow_contracts.bounds import CYCLES
from didflow_contracts.envelope import Event

EXAMPLES: Final = os.environ.get("DIDFLOW_HISTORIES")
SERVICE = service(BillingSettings.placeholder())
SETTINGS: Final = settings(
    max_examples=max(4, int(EXAMPLES or 0) // 20),
    stateful_step_count=50,
    derandomize=EXAMPLES is None,
    database=None,
    deadline=None,
    print_blob=True,
    phases=(Phase.generate,),
    suppress_health_check=[*HealthCheck],
)


class BillingOnPostgres:
    """The stage of a history, on PostgreSQL. Each method waits for the one of the same name of the service."""

    def __init__(self, loop: asyncio.AbstractEventLoop, database_for: DatabaseFor, start: datetime) -> None:
        self._loop = loop
        self._exits = AsyncExitStack()
        self._running: Any = self.wait(self._opened(database_for, start))

    async def _opened(self, database_for: DatabaseFor, start: datetime) -> Any:
        dsn = await database_for(SERVICE.name, migration_of(SERVICE))
        opening = ServiceOnPostgres.open(SERVICE, dsn, now=start, migrate=False, reader=reader_for(dsn))
        return await self._exits.enter_async_context(opening)

    def wait(self, work: Coroutine[Any, Any, Any]) -> Any:
        """Run a coroutine in the loop of the test, and return its result."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._running, name)
        return lambda *values, **named: self.wait(method(*values, **named))

    def post(self, caller: Any, path: str, body: Any, key: str = "") -> Any:
        """Send a request as a caller, and return the result of its only DID. With a key, it is sent twice."""
        client = self._running.client(caller.account, caller.role, caller.subject)
        headers = {"Idempotency-Key": key} if key else {}
        answers = [self.wait(client.post(path, json=body, headers=headers)) for _ in range(2 if key else 1)]
        assert [each.status_code for each in answers] == [200] * len(answers), answers[0].text
        assert answers[0].content == answers[-1].content
        return answers[0].json()["results"][0]

    def log(self) -> list[LoggedDecision]:
        """Return all decisions in order."""
        found: list[LoggedDecision] = self._running.decisions()
        return found

    def close(self) -> None:
        """Close the service."""
        self.wait(self._exits.aclose())


class HistoryInTables(TermHistory):
    """A history on PostgreSQL that is checked at its end. Every event is received when it is published."""

    stage: BillingOnPostgres
    checks_each_step = False

    def send(self, event: Event[Any], *, late: bool) -> None:
        """Deliver an event."""
        super().send(event, late=False)

    def timed(self, work: Callable[[], Any]) -> tuple[datetime, Any]:
        """Let a message be decided. The clock of the database goes on, so its instant is that of the last decision."""
        before = len(self.stage.log())
        result = work()
        log = self.stage.log()
        return log[-1].at if len(log) > before else self.now(), result

    def run(self, command: Command, name: str, **body: Any) -> None:
        """Quote a command over HTTP, and send it twice with one idempotency key."""
        cycles, did_id = body.get("billing_cycles"), command.entity_id
        assert isinstance(did_id, UUID)
        if cycles is not None and cycles not in CYCLES:
            return
        action, request = name.replace("_", "-"), {"dids": [str(did_id)], **body}
        quoted = self.stage.post(command.caller, "/v1/terms/quote", request | {"action": action})
        path = f"/v1/terms/batch/{action}"
        key = f"k-{len(self.inputs)}-{did_id}"
        now, found = self.timed(lambda: self.stage.post(command.caller, path, request, key))
        self.count(now, command)
        result = self.expected[did_id].command(name, command.caller, now, **body)
        assert (found["outcome"] if found["outcome"] != "refused" else found["code"]) == result.outcome
        check_amounts(QuoteResult.model_validate(quoted), result)

    def teardown(self) -> None:
        """Compare the tables with what is expected and with the replay in memory, and close."""
        try:
            super().teardown()
        finally:
            if self.inputs:
                self.stage.close()


async def test_the_tables_after_every_history_have_what_the_specification_says(
    database_for: DatabaseFor, make: Any
) -> None:
    """Terms, ledger, outbox and parked messages are as expected, and as in memory. So are the answers over HTTP."""
    loop = asyncio.get_running_loop()

    def history() -> TermHistory:
        return HistoryInTables(
            lambda start: BillingOnPostgres(loop, database_for, start),
            type(make),
            replay_on=lambda start: FakeStage(SERVICE, now=start),
        )

    HistoryInTables.steps = 0
    await asyncio.to_thread(run_state_machine_as_test, history, settings=SETTINGS)
    print(f"{HistoryInTables.steps:,} steps on PostgreSQL")  # noqa: T201 - how much was tried
    assert HistoryInTables.steps >= 100

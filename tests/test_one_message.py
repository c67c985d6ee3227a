"""The page `docs/one-message.md` agrees with the calls that one record makes, on a real PostgreSQL."""

import asyncio
import re
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib import import_module
from operator import attrgetter
from pathlib import Path
from types import FrameType
from typing import Any
from uuid import UUID

import pytest
from aiokafka import ConsumerRecord
from harness.fixtures import DatabaseFor
from harness.migrations import migration_of

from didflow.services import service
from didflow_chassis.consumer import Consumer
from didflow_chassis.database import Database
from didflow_chassis.settings import Settings
from didflow_chassis.stage import Stage
from didflow_chassis.stage.telemetry import StageTelemetry
from didflow_chassis.telemetry.metrics import Metrics
from didflow_chassis.telemetry.tracing import start_tracing
from didflow_contracts.envelope import CONTENT_TYPE, Event, encode
from didflow_contracts.events import DidPurchased

ROOT = Path(__file__).parent.parent


def _full_name(module: str) -> str:
    return module if module.startswith("didflow_") else f"didflow_chassis.{module}"


def purchase(number: int) -> ConsumerRecord:
    """Return the record of a purchase, as an order system publishes it."""
    data = DidPurchased.model_validate(
        {
            "did_id": UUID(int=number),
            "number": f"+353196090{number:02}",
            "account": "master/acme",
            "number_type": "local",
            "features": ["voice_in"],
            "order_id": f"o-{number}",
            "end_user_type": "business",
            "acquired": "purchased",
            "price": {
                "setup": {"amount": "3.00", "currency": "EUR"},
                "recurring": {"amount": "5.00", "currency": "EUR"},
            },
            "billing_period": 1,
        }
    )
    event = Event(id=f"o-{number}", source="/orders/acme", time=datetime.now(UTC), data=data)
    headers = (("content-type", CONTENT_TYPE.encode()),)
    return ConsumerRecord(
        data.topic, 0, number, 0, 0, data.number.encode(), encode(event), None, 0, 0, headers
    )


class Page:
    """The page: its steps, and the modules that it names."""

    text = (ROOT / "docs" / "one-message.md").read_text()
    steps = tuple(
        (_full_name(module), function)
        for module, function in re.findall(r"^\| \d+ \| `([\w.]+)` \| `([\w.]+)` \|", text, re.MULTILINE)
    )
    before_commit = text[: text.index("\n## After the commit")]
    to_commit = steps[: len(re.findall(r"^\| \d+ \|", before_commit, re.MULTILINE))]
    small = frozenset(
        _full_name(module) for module in re.findall(r"^\| `([\w.]+)` \| [^`|]", before_commit, re.MULTILINE)
    )

    @classmethod
    def number(cls, of: str) -> int:
        """Return the number that the page states, such as of `modules`."""
        found = re.search(rf"\*\*(\d+) {of}\*\*", cls.text)
        assert found is not None
        return int(found[1])


class Kafka:
    """Stands in for the aiokafka consumer of the running `Consumer`."""

    def assignment(self) -> frozenset[Any]:
        """Return no partitions, so that no offset is committed."""
        return frozenset()


@dataclass
class Trace:
    """The functions of didflow that were called, each at its first call, and the SQL statements."""

    calls: list[str] = field(default_factory=list)
    statements: list[str] = field(default_factory=list)

    def note(self, frame: FrameType, what: str, _: Any) -> None:
        """Note a call, for `sys.setprofile`. Generated methods of dataclasses are left out."""
        module, name = frame.f_globals.get("__name__", ""), frame.f_code.co_qualname
        if what == "call" and module.startswith("didflow") and not name.startswith("__create_fn__"):
            call = f"{module}:{name}"
            if call not in self.calls:
                self.calls.append(call)

    def position(self, module: str, function: str) -> int:
        """Return the position of a function's first call. Raises ValueError if it was not called."""
        return self.calls.index(f"{module}:{function}")


@pytest.fixture
async def trace(database_for: DatabaseFor, monkeypatch: pytest.MonkeyPatch) -> Trace:
    """Trace one purchase through billing, from the consumer to the commit. A first one has opened the connection."""
    billing, trace = service("billing"), Trace()
    database = Database(await database_for("billing", migration_of("billing")), application="test")
    await database.start()
    telemetry = StageTelemetry(Metrics(), start_tracing(service="billing", process="test", endpoint=None))
    monkeypatch.setattr(Consumer, "kafka", Kafka())
    monkeypatch.setattr(database, "transaction", _logged(database, trace.statements))
    consumer = Consumer(billing, Settings.placeholder(), Stage(billing, database, telemetry))
    consumer._batches.start()
    first, second = purchase(1), purchase(2)
    await _process(consumer, first)
    trace.statements.clear()
    sys.setprofile(trace.note)
    try:
        await _process(consumer, second)
    finally:
        sys.setprofile(None)
    await consumer._batches.stop(consumer._commits.commit_now)
    assert len(await database.fetch("SELECT FROM terms")) == 2
    await database.stop()
    return trace


async def _process(consumer: Consumer, record: ConsumerRecord) -> None:
    await consumer.receive([record])
    await asyncio.wait_for(consumer._batches._idle.wait(), 10)


def _logged(database: Database, statements: list[str]) -> Any:
    transaction = database.transaction

    @asynccontextmanager
    async def logged() -> AsyncIterator[Any]:
        async with transaction() as connection:
            with connection.query_logger(lambda query: statements.append(query.query)):
                yield connection

    return logged


def test_every_function_that_the_page_names_exists() -> None:
    """Also those that are called after the commit."""
    assert len(Page.steps) > 25
    for module, function in Page.steps:
        assert callable(attrgetter(function)(import_module(module)))


async def test_the_functions_are_called_in_the_order_of_the_page(trace: Trace) -> None:
    """Each one's first call comes after that of the step before, up to the commit."""
    first_calls = list(dict.fromkeys(Page.to_commit))
    positions = [trace.position(module, function) for module, function in first_calls]
    assert positions == sorted(positions)


async def test_the_record_crosses_the_modules_that_the_page_names_and_no_others(trace: Trace) -> None:
    """The modules of the steps are counted; those that are called for a small thing are listed beside them."""
    end = trace.position("didflow_chassis.consumer", "Consumer._complete")
    called = {call.partition(":")[0] for call in trace.calls[:end] if call.startswith("didflow_chassis.")}
    crossed = {module for module, _ in Page.to_commit if module.startswith("didflow_chassis.")}
    assert called == crossed | Page.small
    assert not crossed & Page.small
    assert len(crossed) == Page.number("modules")


async def test_the_record_takes_as_many_statements_as_the_page_states(trace: Trace) -> None:
    """Between BEGIN and COMMIT."""
    assert len(trace.statements) == Page.number("SQL statements")

"""Verification on its real stage and tables: early events, repeated events, concurrency, and the cost of a batch."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any
from uuid import uuid4

import pytest

from didflow_chassis.database import Database
from didflow_chassis.migrate import check, upgrade
from didflow_verification.catalogue.files import packaged
from didflow_verification.domain.axes.registration import Registration
from didflow_verification.domain.requirements import CountryRules
from didflow_verification.domain.verifications import submission
from didflow_verification.service import service
from didflow_verification.settings import VerificationSettings
from didflow_verification.store import KINDS, METADATA, REGISTRATIONS, RULES

SERVICE = service(VerificationSettings.placeholder())


async def test_the_migrated_tables_are_those_of_the_code(running: Any) -> None:
    """Every column has the same name and nullability, and every index exists."""
    described = {(t.name, c.name, c.nullable) for t in METADATA.sorted_tables for c in t.columns}
    rows = await running.fetch(
        "SELECT table_name, column_name, is_nullable = 'YES' AS nullable FROM information_schema.columns "
        "WHERE table_name = ANY($1)",
        [t.name for t in METADATA.sorted_tables],
    )
    assert {(r["table_name"], r["column_name"], r["nullable"]) for r in rows} == described
    indexes = await running.fetch("SELECT indexname FROM pg_indexes")
    names = {index.name for t in METADATA.sorted_tables for index in t.indexes}
    assert names <= {row["indexname"] for row in indexes}


async def test_every_kind_has_the_columns_of_its_model() -> None:
    """A field without a column, or a column without a field, would be lost without notice.

    A column that PostgreSQL computes from others needs no field.
    """
    for kind in KINDS:
        stored = {column.name for column in kind.table.columns if column.computed is None}
        assert set(kind.columns) == stored


async def test_the_catalogue_comes_with_the_migrations(running: Any) -> None:
    """Every packaged country is stored. A second migration changes nothing."""
    for rules in packaged():
        assert await running.stored(RULES, rules.country) == rules
    assert await upgrade(running.database.dsn, SERVICE) == ()
    assert (await check(running.database.dsn, SERVICE)).ready


async def test_details_that_come_before_the_purchase_wait_for_it(
    running: Any, build: Any, bakery: Any
) -> None:
    """They are parked and decided in order when the purchase arrives."""
    await running.receive(build.assigned(bakery, bakery), build.did_changed("master/acme/shop"))
    assert (await running.count("parked"), await running.axis_topics()) == (2, [])
    await running.receive(build.purchased())
    assert (await running.count("parked"), await running.axis_topics()) == (0, ["required", "pending"])
    registration = await running.stored(REGISTRATIONS, build.did)
    assert (registration.state, registration.account) == ("pending", "master/acme/shop")


async def test_a_repeated_batch_changes_nothing(running: Any, build: Any, bakery: Any) -> None:
    """Nothing more is published or written."""
    events = [
        build.purchased(),
        build.assigned(bakery, bakery),
        build.did_changed("master/globex"),
        build.removed(),
    ]
    await running.receive(*events)
    before = (await running.outbox(), await running.stored(REGISTRATIONS, build.did))
    await running.receive(*events)
    for event in events:
        await running.receive(event)
    assert (await running.outbox(), await running.stored(REGISTRATIONS, build.did)) == before


async def test_the_sequence_counts_all_events_of_a_did(
    running: Any, build: Any, bakery: Any, rita: Any
) -> None:
    """It counts over all topics. The correlation id is that of the purchase."""
    await running.receive(build.purchased(), build.assigned(bakery, bakery))
    (attempt,) = (await rita.get("/v1/verifications")).json()["items"]
    await rita.post(f"/v1/verifications/{attempt['verification_id']}/approve")
    events = await running.outbox()
    assert [event["sequence"] for event in events] == ["1", "2", "3"]
    assert len({event["correlationid"] for event in events}) == 1


async def test_a_purchase_and_a_removal_at_the_same_time_both_count(running: Any, build: Any) -> None:
    """No effect is lost on a registration that does not exist yet."""
    lives = []
    for n in range(50):
        one = type(build)()
        one.did, one.number = uuid4(), f"+3531960{n:04}"
        lives.append((one.purchased(), one.removed()))
    await asyncio.gather(*(running.receive(event) for life in lives for event in life))
    assert await running.count("registrations", "ended = 'removed'") == 50
    assert await running.count("parked") == 0


async def test_a_batch_with_the_same_details_needs_few_statements(
    running: Any, build: Any, bakery: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The number of statements does not depend on the number of DIDs. The details are evaluated once."""
    evaluated: list[Any] = []
    real = submission.evaluate

    def counted(given: Any) -> Any:
        evaluated.append(given)
        return real(given)

    monkeypatch.setattr(submission, "evaluate", counted)
    numbers = []
    for n in range(300):
        one = type(build)()
        one.did, one.number = uuid4(), f"+3531960{n:04}"
        numbers.append(one)
    await running.receive(*[one.purchased() for one in numbers])
    assigned = [one.assigned(bakery, bakery) for one in numbers]
    counts = []
    for batch in (assigned[:1], assigned[1:]):
        evaluated.clear()
        with counting(monkeypatch) as statements:
            await running.receive(*batch)
        counts.append(len(statements))
        assert len(evaluated) == 1
    assert counts[0] == counts[1]
    assert await running.count("verifications", "status = 'pending'") == 300


@contextmanager
def counting(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Collect every statement that is sent to the database in the meantime."""
    statements: list[str] = []
    real = Database.transaction

    @asynccontextmanager
    async def watched(self: Database) -> AsyncIterator[Any]:
        async with real(self) as connection:
            with connection.query_logger(lambda query: statements.append(query.query)):
                yield connection

    with monkeypatch.context() as patched:
        patched.setattr(Database, "transaction", watched)
        yield statements


async def test_the_rules_of_a_country_are_read_from_the_table(running: Any, build: Any) -> None:
    """The packaged files are only the first content of the table."""
    await running.fetch("DELETE FROM catalogue WHERE country = 'IE'")
    await running.receive(build.purchased())
    registration = await running.stored(REGISTRATIONS, build.did)
    assert isinstance(registration, Registration)
    assert registration.requirement == "any.any"
    assert await running.stored(RULES, "IE") is None
    assert isinstance(await running.stored(RULES, "*"), CountryRules)

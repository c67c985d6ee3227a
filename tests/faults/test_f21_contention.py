"""F21: fifty writers use one number, or overlapping sets of numbers. One writer wins, and no caller sees an error."""

import random
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import asyncpg
import httpx
from faults.example_events import ACCOUNT, ExampleDid
from faults.services_in_process import ServicesInProcess, run_together, services_in_process
from harness.fixtures import DatabaseFor
from harness.postgres import reader_for

from didflow.services import service
from didflow_chassis.decision import Caller
from didflow_chassis.http import Runtime, create_application
from didflow_chassis.read_pool import ReadingDatabase

BEGIN: Final = datetime.now(UTC).replace(microsecond=0) - timedelta(days=2)
WRITERS: Final = 50
NUMBERS: Final = 10


class AcceptEveryToken:
    """Accept every token as one of an operator."""

    async def caller(self, token: str) -> Caller:
        """Return an operator whose subject is the token."""
        return Caller(subject=token, account="master", role="operator")

    def remembered(self, token: str) -> None:
        """Remember nothing."""

    def claimant(self, token: str) -> None:
        """Know nobody."""


@asynccontextmanager
async def api_client(services: ServicesInProcess, name: str) -> AsyncIterator[httpx.AsyncClient]:
    """Open a client of a service's API in this process."""
    stage = services.stages[name]
    dsn = stage.database.dsn
    reads = ReadingDatabase(dsn, application="test", role=reader_for(dsn))
    await reads.start()
    runtime = Runtime(
        service=service(name),
        database=stage.database,
        reads=reads,
        stage=stage,
        authenticator=AcceptEveryToken(),
    )
    transport = httpx.ASGITransport(create_application(service(name), runtime, rate=None))
    headers = {"Authorization": "Bearer test"}
    async with httpx.AsyncClient(transport=transport, base_url="http://test", headers=headers) as client:
        yield client
    await reads.stop()


def dids(count: int) -> list[ExampleDid]:
    """Return DIDs with one number each."""
    return [ExampleDid(name=f"wanted {n}", number=f"+3532120000{n:02}", begin=BEGIN) for n in range(count)]


def purchase_body(did: ExampleDid, buyer: int) -> dict[str, Any]:
    """Return the body of a purchase of the DID's number by one buyer."""
    price = {money: {"amount": "1.00", "currency": "EUR"} for money in ("setup", "recurring")}
    body = {"number": did.number, "number_type": "local", "features": ["voice_in"], "billing_period": 1}
    return body | {
        "account": ACCOUNT,
        "order_id": f"order {buyer}",
        "end_user_type": "business",
        "price": price,
    }


async def test_one_of_fifty_buyers_gets_each_number(database_for: DatabaseFor, seed: int) -> None:
    """F21: fifty purchases of each of ten numbers at once. One of each succeeds; the others get `number_taken`."""
    requests = [(did, buyer) for did in dids(NUMBERS) for buyer in range(WRITERS)]
    random.Random(seed).shuffle(requests)
    async with (
        services_in_process(database_for, "inventory") as services,
        api_client(services, "inventory") as api,
    ):

        async def buy(did: ExampleDid, buyer: int) -> httpx.Response:
            key = {"Idempotency-Key": f"{did.number} {buyer}"}
            return await api.post("/v1/purchases", json=purchase_body(did, buyer), headers=key)

        answers = await run_together(*(buy(did, buyer) for did, buyer in requests))
        assert Counter(answer.status_code for answer in answers) == {
            201: NUMBERS,
            409: NUMBERS * (WRITERS - 1),
        }
        assert {answer.json().get("code") for answer in answers} == {None, "number_taken"}
        sold = Counter(row.state.holding.number for row in (await services.states("inventory")).values())
        assert sold == Counter(did.number for did in dids(NUMBERS))
        published = Counter(record.topic for record in await services.publish())
        assert published["inventory.did.purchased"] == published["did.changed"] == NUMBERS


async def test_batches_over_overlapping_sets_do_not_deadlock(database_for: DatabaseFor, seed: int) -> None:
    """F21: fifty batches over random sets of sixty DIDs, with events about the same DIDs. Every change is done."""
    random_source, all_dids = random.Random(seed), dids(60)
    async with (
        services_in_process(database_for, "billing") as services,
        api_client(services, "billing") as api,
    ):
        await services.receive(
            record
            for did in all_dids
            for record in (
                did.event(0, "did.purchased", purchased_at=BEGIN),
                did.event(1, "verification.not_required", 1, registration="not_required"),
            )
        )

        async def set_cycles(n: int) -> httpx.Response:
            chosen = [
                str(did.did_id) for did in random_source.sample(all_dids, random_source.randrange(20, 60))
            ]
            body = {"dids": chosen, "billing_cycles": 100 + n}
            return await api.post(
                "/v1/terms/batch/set-cycles", json=body, headers={"Idempotency-Key": str(n)}
            )

        async def receive_changes(minute: int) -> None:
            chosen = random_source.sample(all_dids, 30)
            await services.receive(
                did.event(minute, "did.changed", minute, tags=[str(minute)]) for did in chosen
            )

        coroutines = [set_cycles(n) for n in range(WRITERS)] + [
            receive_changes(minute) for minute in range(2, 22)
        ]
        answers = [answer for answer in await run_together(*coroutines) if answer is not None]
        assert [answer.status_code for answer in answers] == [200] * WRITERS
        done = Counter(result["outcome"] for answer in answers for result in answer.json()["results"])
        assert set(done) == {"done"}
        terms = [row.state for row in (await services.states("billing")).values()]
        assert all(100 <= (term.cycles_left or 0) < 100 + WRITERS for term in terms)
        published = [record for record in await services.publish() if record.topic == "term.changed"]
        assert len(published) == done["done"] + len(all_dids)


async def test_a_writer_without_advisory_locks_causes_retries_but_loses_no_effect(
    database_for: DatabaseFor,
) -> None:
    """F21: other transactions change and lock rows without the stage's locks. All forty events have an effect."""
    pair = dids(2)
    async with services_in_process(database_for, "billing") as services:
        await services.receive(did.event(0, "did.purchased", purchased_at=BEGIN) for did in pair)
        dsn = services.stages["billing"].database.dsn
        batches = (
            services.receive([did.event(n, "did.changed", n, account="master") for did in pair])
            for n in range(1, 21)
        )
        changes, *_ = await run_together(change_versions(dsn), lock_in_both_orders(dsn, pair), *batches)
        states = (await services.states("billing")).values()
        assert {max(row.state.sequences.values()) for row in states} == {20}
        effects = await services.count("billing", "inbox", "decision = 'decided'")
        assert sum(row.version for row in states) == effects + changes * len(pair)
        assert await services.count("billing", "inbox") == 42


async def change_versions(dsn: str) -> int:
    """Raise the version of all rows thirty times. Return how often it succeeded."""
    connection, changes = await asyncpg.connect(dsn), 0
    for _ in range(30):
        with suppress(asyncpg.DeadlockDetectedError):
            await connection.execute("UPDATE terms SET version = version + 1")
            changes += 1
    await connection.close()
    return changes


async def lock_in_both_orders(dsn: str, pair: list[ExampleDid]) -> None:
    """Lock two rows in one order, then in the other. In a deadlock, PostgreSQL chooses the transaction that fails."""
    connection = await asyncpg.connect(dsn)
    for rows in (pair, pair[::-1]):
        with suppress(asyncpg.DeadlockDetectedError):
            async with connection.transaction():
                for did in rows:
                    await connection.execute("SELECT FROM terms WHERE did_id = $1 FOR UPDATE", did.did_id)
                    await connection.execute("SELECT pg_sleep(0.3)")
    await connection.close()

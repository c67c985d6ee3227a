"""F21: fifty writers on one number, and on overlapping sets of numbers: one winner each, and nobody sees an error."""

import random
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import asyncpg
import httpx
from faults.four import Four, four, together
from faults.lives import ACCOUNT, Life
from harness.fixtures import DatabaseFor

from didflow.services import service
from didflow_chassis.decision import Caller
from didflow_chassis.http import Runtime, create_application

BEGIN: Final = datetime.now(UTC).replace(microsecond=0) - timedelta(days=2)
WRITERS: Final = 50
NUMBERS: Final = 10


class EveryTokenIsGood:
    """Takes any token for the operator's."""

    async def caller(self, token: str) -> Caller:
        """Say who it is."""
        return Caller(subject=token, account="master", role="operator")


@asynccontextmanager
async def calling(house: Four, name: str) -> AsyncIterator[httpx.AsyncClient]:
    """Open the API of a service in this process."""
    stage = house.stages[name]
    running = Runtime(
        service=service(name), database=stage.database, stage=stage, authenticator=EveryTokenIsGood()
    )
    transport = httpx.ASGITransport(create_application(service(name), running, rate=None))
    headers = {"Authorization": "Bearer test"}
    async with httpx.AsyncClient(transport=transport, base_url="http://test", headers=headers) as client:
        yield client


def lives(count: int) -> list[Life]:
    """DIDs with a number each."""
    return [Life(name=f"wanted {n}", number=f"+3532120000{n:02}", begin=BEGIN) for n in range(count)]


def order(one: Life, who: int) -> dict[str, Any]:
    """A purchase of one's number by somebody."""
    price = {money: {"amount": "1.00", "currency": "EUR"} for money in ("setup", "recurring")}
    wish = {"number": one.number, "number_type": "local", "features": ["voice_in"], "billing_period": 1}
    return wish | {
        "account": ACCOUNT,
        "order_id": f"order {who}",
        "end_user_type": "business",
        "price": price,
    }


async def test_of_fifty_buyers_of_each_number_one_gets_it(database_for: DatabaseFor, seed: int) -> None:
    """F21: ten numbers, fifty orders each at once, in any order: one sale a number, a plain refusal for the others."""
    wishes = [(one, who) for one in lives(NUMBERS) for who in range(WRITERS)]
    random.Random(seed).shuffle(wishes)
    async with four(database_for, "inventory") as house, calling(house, "inventory") as api:

        async def buy(one: Life, who: int) -> httpx.Response:
            key = {"Idempotency-Key": f"{one.number} {who}"}
            return await api.post("/v1/purchases", json=order(one, who), headers=key)

        answers = await together(*(buy(one, who) for one, who in wishes))
        assert Counter(answer.status_code for answer in answers) == {
            201: NUMBERS,
            409: NUMBERS * (WRITERS - 1),
        }
        assert {answer.json().get("code") for answer in answers} == {None, "number_taken"}
        sold = Counter(row.state.number for row in (await house.states("inventory")).values())
        assert sold == Counter(one.number for one in lives(NUMBERS))
        said = Counter(record.topic for record in await house.publish())
        assert said["did.purchased"] == said["did.changed"] == NUMBERS


async def test_overlapping_sets_in_any_order_never_deadlock(database_for: DatabaseFor, seed: int) -> None:
    """F21: fifty batches over drawn sets of sixty DIDs, beside events about the same: every one is done, none lost."""
    chance, some = random.Random(seed), lives(60)
    async with four(database_for, "billing") as house, calling(house, "billing") as api:
        await house.receive(
            record
            for one in some
            for record in (
                one.event(0, "did.purchased", purchased_at=BEGIN),
                one.event(1, "verification.not_required", 1, registration="not_required"),
            )
        )

        async def set_cycles(who: int) -> httpx.Response:
            chosen = [str(one.did_id) for one in chance.sample(some, chance.randrange(20, 60))]
            wish = {"dids": chosen, "billing_cycles": 100 + who}
            return await api.post(
                "/v1/terms/batch/set-cycles", json=wish, headers={"Idempotency-Key": str(who)}
            )

        async def hear(minute: int) -> None:
            drawn = chance.sample(some, 30)
            await house.receive(one.event(minute, "did.changed", minute, tags=[str(minute)]) for one in drawn)

        works = [set_cycles(who) for who in range(WRITERS)] + [hear(minute) for minute in range(2, 22)]
        answers = [one for one in await together(*works) if one is not None]
        assert [answer.status_code for answer in answers] == [200] * WRITERS
        done = Counter(result["outcome"] for answer in answers for result in answer.json()["results"])
        assert set(done) == {"done"}
        terms = [row.state for row in (await house.states("billing")).values()]
        assert all(100 <= (term.cycles_left or 0) < 100 + WRITERS for term in terms)
        said = [record for record in await house.publish() if record.topic == "term.changed"]
        assert len(said) == done["done"] + len(some)


async def test_a_writer_that_asks_no_lock_costs_a_retry_and_no_effect(database_for: DatabaseFor) -> None:
    """F21: rows are changed behind the stage's back, and locked against its order: all forty effects are there."""
    pair = lives(2)
    async with four(database_for, "billing") as house:
        await house.receive(one.event(0, "did.purchased", purchased_at=BEGIN) for one in pair)
        dsn = house.stages["billing"].database.dsn
        batches = (
            house.receive([one.event(n, "did.changed", n, account="master") for one in pair])
            for n in range(1, 21)
        )
        changes, *_ = await together(change(dsn), deadlock(dsn, pair), *batches)
        states = (await house.states("billing")).values()
        assert {max(row.state.sequences.values()) for row in states} == {20}
        effects = await house.count("billing", "inbox", "decision = 'decided'")
        assert sum(row.version for row in states) == effects + changes * len(pair)
        assert await house.count("billing", "inbox") == 42


async def change(dsn: str) -> int:
    """Change all rows under the stage's fence, again and again; say how often it went through."""
    connection, changes = await asyncpg.connect(dsn), 0
    for _ in range(30):
        with suppress(asyncpg.DeadlockDetectedError):
            await connection.execute("UPDATE terms SET version = version + 1")
            changes += 1
    await connection.close()
    return changes


async def deadlock(dsn: str, pair: list[Life]) -> None:
    """Lock two rows in one order, and in the other; whom the database then ends is its own choice."""
    connection = await asyncpg.connect(dsn)
    for order_ in (pair, pair[::-1]):
        with suppress(asyncpg.DeadlockDetectedError):
            async with connection.transaction():
                for one in order_:
                    await connection.execute("SELECT FROM terms WHERE did_id = $1 FOR UPDATE", one.did_id)
                    await connection.execute("SELECT pg_sleep(0.3)")
    await connection.close()

"""Messages for the toy service, and queries of its tables."""

import orjson
import toy
from toy_records import named

from didflow_chassis.database import Database
from didflow_chassis.decision import Caller
from didflow_chassis.stage import Answer, HttpCall, IdempotencyKey, Stage

CALLER = Caller(subject="ana", account="master", role="operator")
ACCOUNT = "master/acme"


def opened(number: int) -> toy.Opened:
    did_id, subject = named(number)
    return toy.Opened(did_id=did_id, number=subject, account=ACCOUNT)


def added(number: int, amount: int) -> toy.Added:
    did_id, subject = named(number)
    return toy.Added(did_id=did_id, number=subject, account=ACCOUNT, amount=amount)


async def total(database: Database, number: int) -> int | None:
    rows = await database.fetch("SELECT total FROM counters WHERE did_id = $1", named(number)[0])
    return rows[0][0] if rows else None


async def count(database: Database, table: str, where: str = "true") -> int:
    rows = await database.fetch(f"SELECT count(*) FROM {table} WHERE {where}")
    return rows[0][0]


async def published(database: Database) -> list[dict[str, object]]:
    return [
        orjson.loads(row["value"]) for row in await database.fetch("SELECT value FROM outbox ORDER BY id")
    ]


async def command(
    stage: Stage, *commands: toy.Command, key: str | None = None, digest: bytes = b"d" * 32
) -> Answer:
    def answer(results: object) -> Answer:
        codes = [getattr(r, "code", getattr(r, "answer", None)) for r in results]
        return Answer(status=200, body=orjson.dumps(codes))

    key = IdempotencyKey(account=ACCOUNT, subject="ana", route="/v1/add", value=key, digest=digest)
    return await stage.command(commands, HttpCall(key=key, actor="user:ana", answer=answer))


def add(number: int, amount: int) -> toy.Add:
    did_id, subject = named(number)
    return toy.Add(entity_id=did_id, subject=subject, caller=CALLER, amount=amount)

"""The API of the toy service on the real stage and PostgreSQL, in two applications.

Both use one database, each with its own connection pool, so nothing they share is in memory.
"""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import httpx
import pytest
import sqlalchemy as sa
import toy
from harness.fixtures import DatabaseFor
from held_commit import Held
from pydantic import BaseModel, ConfigDict
from starlette.responses import Response
from things import issuer_keys, world
from toy_records import named, record

from didflow_chassis import failpoints
from didflow_chassis.database import Database
from didflow_chassis.decision import Caller, Refused
from didflow_chassis.http import (
    BatchAnswer,
    Http,
    HttpContext,
    NamedEntity,
    Router,
)
from didflow_chassis.stage.stage import Stage
from didflow_chassis.tenancy import within
from didflow_chassis.testing import ServiceOnPostgres
from didflow_contracts.names import parse_number

__all__ = ["issuer_keys", "world"]

ACME, OTHER = "master/acme", "master/other"
OWNERS = {1: ACME, 2: ACME, 3: OTHER}
"""The account of each counter."""

router = Router()


class Addition(BaseModel):
    """The body of one addition."""

    model_config = ConfigDict(extra="forbid")
    amount: int


class Additions(Addition):
    """The body of a batch of them."""

    counters: list[str]


@router.batch("/counters/batch/add", action="edit", item="counter")
async def add_to_all(http: Http, body: Additions) -> BatchAnswer:
    """Add the same to many counters."""
    return await http.batch(
        body.counters,
        reach,
        lambda entity: _command(http.caller, entity, body.amount),
        absent=Refused("not_found", "No such counter."),
    )


@router.post("/counters/{name}/add", action="edit")
async def add(http: Http, name: str, body: Addition) -> Response:
    """Add to one counter. The call needs a key."""
    found = await reach(http, [name])
    if name not in found:
        raise http.problem(404, "not_found", "No such counter.")
    command = _command(http.caller, found[name], body.amount)
    return await http.run(command, status=201, render=lambda total: {"total": total}, required=True)


async def reach(http: HttpContext, names: list[str]) -> dict[str, NamedEntity]:
    """Find counters by number in the caller's reach."""
    numbers = {name: parse_number(name) or name for name in names}
    columns = toy.COUNTERS.c
    statement = sa.select(columns.did_id, columns.number).where(
        columns.number.in_(numbers.values()), within(columns.account, http.caller)
    )
    found = {
        row["number"]: NamedEntity(entity_id=row["did_id"], subject=row["number"])
        for row in await http.rows(statement)
    }
    return {name: found[number] for name, number in numbers.items() if number in found}


def _command(caller: Caller, entity: NamedEntity, amount: int) -> toy.Add:
    return toy.Add(entity_id=entity.entity_id, subject=entity.subject, caller=caller, amount=amount)


SERVICE = replace(toy.SERVICE, routers=lambda: [router])


class Traces(NamedTuple):
    """What all calls have written, as another connection sees it. The three must agree."""

    total: int
    events: int
    answers: int


@dataclass(frozen=True, kw_only=True)
class Api:
    """The running API. `at` selects the application, `who` is the account of the caller, `sub` its subject."""

    clients: tuple[httpx.AsyncClient, ...]
    database: Database
    stage: Stage

    async def post(
        self,
        path: str,
        content: Any,
        key: str | None = "k",
        *,
        who: str = ACME,
        at: int = 0,
        sub: str = "ann",
    ) -> httpx.Response:
        """Make one call. `content` is the bytes of the body, or its JSON value."""
        headers = {"Authorization": f"Bearer {sub}:{who}:reseller", "Content-Type": "application/json"}
        if key is not None:
            headers["Idempotency-Key"] = key
        body = {"content": content} if isinstance(content, bytes) else {"json": content}
        return await self.clients[at].post(path, headers=headers, **body)

    async def add(self, number: int = 1, amount: int = 1, **how: Any) -> httpx.Response:
        """Add to one counter."""
        return await self.post(f"/v1/counters/{named(number)[1]}/add", {"amount": amount}, **how)

    async def add_to_all(self, *numbers: int, amount: int = 1, **how: Any) -> httpx.Response:
        """Add to many counters in one call."""
        body = {"counters": [named(number)[1] for number in numbers], "amount": amount}
        return await self.post("/v1/counters/batch/add", body, **how)

    async def traces(self) -> Traces:
        """Return what all calls have written. The events of opening the counters are not counted."""
        rows = await self.database.fetch(
            "SELECT (SELECT sum(total) FROM counters), (SELECT count(*) FROM outbox) - $1,"
            " (SELECT count(*) FROM idempotency)",
            len(OWNERS),
        )
        return Traces(*rows[0])


@pytest.fixture
def held(api: Api, monkeypatch: pytest.MonkeyPatch) -> Held:
    """Hold the next call at its commit."""
    made = Held()
    monkeypatch.setattr(failpoints, "hit", made.hit)
    return made


@pytest.fixture
async def api(database_for: DatabaseFor) -> AsyncIterator[Api]:
    """Return the API of this test in two processes, with one counter for each of `OWNERS`."""
    dsn = await database_for("counting", toy.prepare)
    async with AsyncExitStack() as exits:
        first, second = [
            await exits.enter_async_context(ServiceOnPostgres.open(SERVICE, dsn, migrate=False))
            for _ in range(2)
        ]
        for number, account in OWNERS.items():
            did_id, subject = named(number)
            opened = toy.Opened(did_id=did_id, number=subject, account=account)
            await first.stage.records([record(opened, f"opened-{number}")])
        yield Api(clients=(first.client(), second.client()), database=first.database, stage=first.stage)

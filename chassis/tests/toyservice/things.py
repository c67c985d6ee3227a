"""A small service of things behind the real HTTP side. Its stage and database only record what they receive."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID, uuid4

import httpx
import jwt
import orjson
import pytest
import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from fastapi import Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from didflow_chassis.database import compile_statement
from didflow_chassis.decision import Caller, Command, Decided, Refused, Unchanged
from didflow_chassis.http import (
    Authenticator,
    BatchAnswer,
    FieldError,
    Http,
    NamedEntity,
    Page,
    Rate,
    Router,
    Runtime,
    create_application,
    me_router,
)
from didflow_chassis.http.issuer_keys import IssuerKeys
from didflow_chassis.service import Service
from didflow_chassis.stage import Answer, HttpCall, IdempotencyConflict
from didflow_chassis.tenancy import within

ISSUER = "https://issuer.example"
AUDIENCE = "things"
Outcome = Decided[Any] | Unchanged | Refused

METADATA = sa.MetaData()
THINGS = sa.Table(
    "things",
    METADATA,
    sa.Column("thing_id", sa.Uuid, primary_key=True),
    sa.Column("account", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("rank", sa.Integer),
    sa.Column("seen_at", sa.DateTime(timezone=True)),
)


@dataclass(frozen=True, kw_only=True)
class Touch(Command):
    """A command about a thing."""

    colour: str = ""


class Thing(BaseModel):
    """The body of a creation."""

    model_config = ConfigDict(extra="forbid")
    colour: str = Field(max_length=20)
    size: int = Field(default=1, ge=1, le=10)


class ThingQuery(BaseModel):
    """The filter of the list."""

    name: str | None = None


class Things(BaseModel):
    """The body of a batch."""

    model_config = ConfigDict(extra="forbid")
    things: list[str]
    colour: str = "red"


@dataclass
class FakeStage:
    """A stage that answers with `outcome`. It stores answers by key and records the commands it receives."""

    outcome: Callable[[Command], Outcome] = lambda command: Decided(answer={"id": str(command.entity_id)})
    calls: list[tuple[Command, ...]] = field(default_factory=list)
    actors: list[str] = field(default_factory=list)
    kept: dict[tuple[str, ...], tuple[bytes, Answer]] = field(default_factory=dict)
    running: bool = False
    failure: Exception | None = None

    async def command(self, commands: Sequence[Command], call: HttpCall, *, is_batch: bool = False) -> Answer:
        """Decide and store the answer, as the real stage does in one transaction."""
        key = call.key
        if self.failure is not None:
            raise self.failure
        if self.running and key.value is not None:
            raise IdempotencyConflict("idempotency_in_progress")
        self.calls.append(tuple(commands))
        self.actors.append(call.actor)
        made = call.answer([self.outcome(command) for command in commands])
        if key.value is not None:
            self.kept[key.identity] = (key.digest, made)
        return made


@dataclass
class FakeDatabase:
    """Returns the answers that the stage stored. For any other statement it returns `rows` and records it."""

    stage: FakeStage
    rows: list[Any] = field(default_factory=list)
    statements: list[str] = field(default_factory=list)
    failure: Exception | None = None

    async def read(self, statement: sa.Select[Any], _: Caller) -> list[Any]:
        """Return the rows of one statement."""
        if self.failure is not None:
            raise self.failure
        text, values = compile_statement(statement)
        if "FROM idempotency" in text:
            found = self.stage.kept.get(tuple(values))
            if found is None:
                return []
            digest, answer = found
            return [
                {"digest": digest, "status": answer.status, "body": answer.body, "location": answer.location}
            ]
        self.statements.append(text)
        return self.rows


@dataclass
class Issuer:
    """An issuer with one key for each algorithm. A test can change or withhold its JWKS document."""

    keys: Mapping[str, Any] = field(
        default_factory=lambda: {
            "RS256": rsa.generate_private_key(public_exponent=65_537, key_size=2_048),
            "ES256": ec.generate_private_key(ec.SECP256R1()),
            "EdDSA": ed25519.Ed25519PrivateKey.generate(),
        }
    )
    published: set[str] = field(default_factory=lambda: {"RS256", "ES256", "EdDSA"})
    fetches: int = 0
    down: bool = False

    def document(self) -> bytes:
        """Return the JWKS document. The key ids are the names of the algorithms."""
        makers: dict[str, Any] = {
            "RS256": jwt.algorithms.RSAAlgorithm,
            "ES256": jwt.algorithms.ECAlgorithm,
            "EdDSA": jwt.algorithms.OKPAlgorithm,
        }
        entries = [
            {**makers[alg].to_jwk(self.keys[alg].public_key(), as_dict=True), "kid": alg}
            for alg in sorted(self.published)
        ]
        return orjson.dumps({"keys": entries})

    async def load(self) -> bytes:
        """Return the document, as over HTTP."""
        self.fetches += 1
        if self.down:
            raise httpx.ConnectError("issuer.example:443 refused")
        return self.document()

    def token(self, alg: str = "EdDSA", *, without: Sequence[str] = (), **claims: Any) -> str:
        """Return a signed token. It is valid unless the claims make it invalid."""
        valid = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "exp": time.time() + 600,
            "sub": "ann",
            "account": "master/acme",
            "role": "reseller",
        }
        signed = {name: value for name, value in (valid | claims).items() if name not in without}
        return jwt.encode(signed, self.keys[alg], algorithm=alg, headers={"kid": alg})


@dataclass
class World:
    """Everything one test needs."""

    stage: FakeStage
    database: FakeDatabase
    issuer: Issuer
    now: float = 0.0
    client: httpx.AsyncClient = field(init=False)
    app: Any = field(init=False)

    def serve(self, *, database: Any = None, rate: Rate | None = None, **options: Any) -> httpx.AsyncClient:
        """Build the application and return a client of it that sends a valid token of a reseller."""
        keys = IssuerKeys(self.issuer.load, clock=lambda: self.now)
        runtime = Runtime(
            service=SERVICE,
            database=database or self.database,
            reads=database or self.database,
            stage=self.stage,
            authenticator=Authenticator(ISSUER, AUDIENCE, keys),
        )
        self.app = create_application(SERVICE, runtime, rate=rate, **options)
        self.client = self.client_at("127.0.0.1")
        return self.client

    def client_at(self, address: str) -> httpx.AsyncClient:
        """Return a client of the application at an address, with a valid token of a reseller."""
        transport = httpx.ASGITransport(app=self.app, client=(address, 40_000))
        return httpx.AsyncClient(transport=transport, base_url="http://api", headers=self.bearer())

    def bearer(self, **claims: Any) -> dict[str, str]:
        """Return the header of an authenticated caller."""
        return {"Authorization": f"Bearer {self.issuer.token(**claims)}"}


router = Router()


@router.post("/things", action="manage_accounts", status_code=201)
async def create(http: Http, body: Thing) -> Response:
    """Create a thing. The call needs a key."""
    command = Touch(entity_id=uuid4(), subject="s", caller=http.caller, colour=body.colour)
    return await http.run(command, status=201, render=lambda answer: {"thing": answer}, required=True)


@router.get("/things", action="see_numbers")
async def listed(http: Http, query: Annotated[ThingQuery, Query()]) -> Page:
    """List things."""
    mine = sa.select(THINGS.c.thing_id, THINGS.c.name, THINGS.c.rank).where(
        within(THINGS.c.account, http.caller)
    )
    if query.name is not None:
        mine = mine.where(THINGS.c.name == query.name)
    sorts = {
        "name": THINGS.c.name,
        "rank": THINGS.c.rank,
        "seen_at": THINGS.c.seen_at,
        "id": THINGS.c.thing_id,
    }
    return await http.page(mine, sort=sorts, render=lambda row: {"name": row["name"], "rank": row["rank"]})


@router.batch("/things/batch/paint", action="edit", item="thing")
async def paint(http: Http, body: Things) -> BatchAnswer:
    """Paint things."""
    return await http.batch(
        body.things,
        resolve,
        lambda entity: Touch(
            entity_id=entity.entity_id, subject=entity.subject, caller=http.caller, colour=body.colour
        ),
        absent=Refused("not_found", "No such thing."),
    )


@router.patch("/things/{thing_id}", action="edit")
async def change(http: Http, thing_id: UUID, body: Thing) -> Response:
    """Change a thing."""
    return await http.run(Touch(entity_id=thing_id, subject="s", caller=http.caller, colour=body.colour))


@router.delete("/things/{thing_id}", action="edit", status_code=204)
async def remove(http: Http, thing_id: str) -> Response:
    """Remove a thing, if it exists."""
    if thing_id == "gone" or (http.runtime.stage.calls and thing_id == "once"):  # type: ignore[attr-defined]
        raise http.problem(404, "not_found", "No such thing.")
    return await http.run(Touch(entity_id=thing_id, subject="", caller=http.caller), status=204)


@router.get("/secret", action="see_numbers")
async def secret(http: Http) -> dict[str, str]:
    """Fail with an exception that callers must not see."""
    raise RuntimeError("SELECT password FROM users at db.internal:5432")


@router.get("/strict", action="see_numbers")
async def strict(http: Http) -> None:
    """Refuse with a field error of this route."""
    wrong = FieldError(field="who.name", code="unknown", message="nobody")
    raise http.problem(422, "who_unknown", "See errors.", errors=[wrong])


async def resolve(_: Any, names: list[str]) -> dict[str, NamedEntity]:
    """Find things by id (`thing-1`) or by subject (`+1`)."""
    numbers = {name: name.removeprefix("thing-").removeprefix("+") for name in names}
    return {
        name: NamedEntity(entity_id=f"thing-{number}", subject=f"+{number}")
        for name, number in numbers.items()
        if number.isdigit() and int(number) < 5_000
    }


SERVICE = Service(
    name="things",
    main=Thing,
    kinds=(),
    events={},
    commands={},
    routers=lambda: [router, me_router],
    problems={"locked": 423},
    migrations=Path(),
)


@pytest.fixture(scope="session")
def issuer_keys() -> Mapping[str, Any]:
    """Return the keys of the issuer. They are slow to generate, so all tests share them."""
    return Issuer().keys


@pytest.fixture
def world(issuer_keys: Mapping[str, Any]) -> World:
    """Return a new world with its client."""
    stage = FakeStage()
    made = World(stage, FakeDatabase(stage), Issuer(keys=issuer_keys))
    made.serve()
    return made

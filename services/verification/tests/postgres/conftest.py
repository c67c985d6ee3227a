"""Verification on a real PostgreSQL: its own stage and HTTP API, with the time that the test says."""

import asyncio
import base64
import io
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from typing import Any

import httpx
import orjson
import pytest
from PIL import Image
from pypdf import PdfWriter

from didflow_chassis.database import Database
from didflow_chassis.decision import Caller
from didflow_chassis.http import Runtime, create_application
from didflow_chassis.migrate import upgrade
from didflow_chassis.records import Record
from didflow_chassis.stage.stage import Stage
from didflow_chassis.stage.telemetry import StageTelemetry
from didflow_chassis.telemetry.metrics import Metrics
from didflow_chassis.telemetry.tracing import start_tracing
from didflow_contracts.envelope import CONTENT_TYPE, Event, encode
from didflow_verification.api.documents.intake import Intake
from didflow_verification.documents.chunks import DatabaseChunks
from didflow_verification.documents.contents import Contents
from didflow_verification.documents.keys import read_keys
from didflow_verification.domain.evaluation import areas
from didflow_verification.service import service
from didflow_verification.settings import VerificationSettings

SERVICE = service(VerificationSettings.placeholder())

HEADERS = (("content-type", CONTENT_TYPE.encode()),)


class Tokens:
    """Takes `subject:account:role` for a token, so that a test can be anyone."""

    async def caller(self, token: str) -> Caller:
        """Give whose token it is."""
        subject, account, role = token.split(":")
        return Caller(subject=subject, account=account, role=role)


@dataclass
class Office:
    """One verification service: give it records and time, ask it over HTTP, look into its tables."""

    database: Database
    stage: Stage
    app: Any = field(init=False)
    offsets: Any = field(default_factory=count)

    def __post_init__(self) -> None:
        """Build the HTTP side."""
        running = Runtime(service=SERVICE, database=self.database, stage=self.stage, authenticator=Tokens())
        self.app = create_application(SERVICE, running, rate=None)

    def record(self, event: Event[Any]) -> Record:
        """Make the record as its producer would have published it."""
        return Record(event.data.topic, 0, next(self.offsets), event.subject.encode(), encode(event), HEADERS)

    async def take(self, *events: Event[Any]) -> None:
        """Let one batch of events come from Kafka."""
        await self.stage.records([self.record(event) for event in events])

    async def at(self, instant: datetime) -> None:
        """Make it that time; the service's clock goes on from there."""
        await self.database.fetch("UPDATE clock SET shift = $1 - clock_timestamp()", instant)

    async def said(self) -> list[dict[str, Any]]:
        """All that waits in the outbox, in order, each with its topic."""
        rows = await self.database.fetch("SELECT topic, value FROM outbox ORDER BY id")
        return [orjson.loads(row["value"]) | {"topic": row["topic"]} for row in rows]

    async def topics(self) -> list[str]:
        """The topics of all that was said, without `verification.`."""
        return [event["topic"].removeprefix("verification.") for event in await self.said()]

    async def count(self, table: str, where: str = "true") -> int:
        """How many rows a table has."""
        rows = await self.database.fetch(f"SELECT count(*) FROM {table} WHERE {where}")
        number: int = rows[0][0]
        return number

    def caller(
        self, subject: str = "ann", account: str = "master/acme", role: str = "reseller"
    ) -> httpx.AsyncClient:
        """Give a client of the HTTP API for someone."""
        return httpx.AsyncClient(
            transport=httpx.ASGITransport(app=self.app),
            base_url="http://verification",
            headers={"Authorization": f"Bearer {subject}:{account}:{role}"},
        )


async def prepare(dsn: str) -> None:
    """Make verification's tables and fill its catalogue."""
    await upgrade(dsn, SERVICE)


@pytest.fixture
async def office(database_for: Any, say: Any) -> AsyncIterator[Office]:
    """A verification service with a database of its own, an hour after the purchase."""
    await asyncio.to_thread(areas.warm_up)
    database = Database(await database_for("verification", prepare), application="test")
    await database.start()
    watching = StageTelemetry(Metrics(), start_tracing(service="verification", process="test", endpoint=None))
    made = Office(database, Stage(SERVICE, database, watching))
    await made.at(say.zero)
    yield made
    await asyncio.wait_for(database.stop(), 10)


@pytest.fixture
async def ann(office: Office) -> AsyncIterator[httpx.AsyncClient]:
    """A reseller of the account that holds the DID."""
    async with office.caller() as client:
        yield client


@pytest.fixture
async def rita(office: Office) -> AsyncIterator[httpx.AsyncClient]:
    """A reviewer of the whole tree."""
    async with office.caller("rita", "master", "reviewer") as client:
        yield client


@dataclass
class Entered:
    """An identity and an address as they were entered over HTTP, in the shape that `say.assigned` takes."""

    identity_id: str
    address_id: str


@pytest.fixture
async def bakery(ann: httpx.AsyncClient) -> Entered:
    """A business with an address in Dublin, entered over HTTP."""
    body = {"type": "business", "company_name": "Secretive Bakery Ltd", "vat_number": "2813105O"}
    identity = (await ann.post("/v1/identities", json=body)).json()["identity_id"]
    place = {"street": "7 Hidden Lane", "city": "Dublin 2", "postal_code": "D02 X000", "country": "IE"}
    address = await ann.post("/v1/addresses", json=place | {"identity_id": identity})
    return Entered(identity, address.json()["address_id"])


@pytest.fixture
async def pending_id(office: Office, say: Any, bakery: Entered, rita: httpx.AsyncClient) -> str:
    """A purchased number with details that wait for a reviewer; the id of the attempt."""
    await office.take(say.purchased(), say.assigned(bakery, bakery))
    queue = (await rita.get("/v1/verifications")).json()["items"]
    identifier: str = queue[0]["verification_id"]
    return identifier


KEY = base64.b64encode(bytes(range(32))).decode()


@pytest.fixture
def contents(office: Office) -> Contents:
    """What the office keeps documents in: its database, under one key."""
    made = Contents(
        database=office.database,
        keyring=read_keys(f"k1:{KEY}"),
        stores={"database": DatabaseChunks(office.database)},
    )
    office.app.state.intake = Intake(contents=made)
    return made


class Papers:
    """Files as people upload them."""

    def image(self, form: str = "PNG", size: tuple[int, int] = (64, 48)) -> bytes:
        """A picture that can be opened, larger than a chunk where its size is."""
        written = io.BytesIO()
        Image.effect_noise(size, 90).convert("RGB").save(written, form)
        return written.getvalue()

    def pdf(self, *, encrypted: bool = False) -> bytes:
        """A file of three pages."""
        writer, written = PdfWriter(), io.BytesIO()
        for _ in range(3):
            writer.add_blank_page(200, 300)
        if encrypted:
            writer.encrypt("secret")
        writer.write(written)
        return written.getvalue()

    def exe(self) -> bytes:
        """A program."""
        return b"MZ\x90\x00" + bytes(4_000)


@pytest.fixture
def papers() -> Papers:
    """Files to upload."""
    return Papers()


Upload = Callable[..., Awaitable[httpx.Response]]


@pytest.fixture
def upload(contents: Contents, ann: httpx.AsyncClient, papers: Papers) -> Upload:
    """Upload a file (a small picture unless given) of an identity, as a reseller unless another client is given."""

    async def send(
        identity_id: str,
        content: bytes | None = None,
        *,
        client: httpx.AsyncClient = ann,
        name: str = "scan.png",
        key: str | None = None,
        **fields: str,
    ) -> httpx.Response:
        form = {"identity_id": identity_id, "type": "utility_bill"} | fields
        return await client.post(
            "/v1/documents",
            data=form,
            files={"file": (name, papers.image() if content is None else content)},
            headers={"Idempotency-Key": key} if key else {},
        )

    return send

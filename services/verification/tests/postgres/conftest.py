"""Verification on a real PostgreSQL, at the time of the purchase."""

import asyncio
import base64
import io
import struct
import zlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID, uuid4

import httpx
import orjson
import pytest
from harness.fixtures import OnPostgres
from PIL import Image
from pydantic import SecretStr
from pypdf import PdfWriter

from didflow_chassis import failpoints
from didflow_chassis.decision import Caller, NewJob
from didflow_chassis.encryption import read_keys
from didflow_chassis.jobs.job import UNFINISHED, Job, StartJob
from didflow_chassis.jobs.runner import JobRunner
from didflow_chassis.jobs.store import find
from didflow_chassis.pacing import Pacing
from didflow_chassis.testing import ServiceOnPostgres
from didflow_verification.api.documents.upload import Uploads
from didflow_verification.documents.chunks import DatabaseChunks
from didflow_verification.documents.contents import Contents
from didflow_verification.domain.evaluation import numbering_plan
from didflow_verification.jobs import JOBS
from didflow_verification.service import service
from didflow_verification.settings import VerificationSettings
from didflow_verification.store import by_keys, state_of

KEY = base64.b64encode(bytes(range(32))).decode()


def with_keys(keys: str) -> VerificationSettings:
    """Return settings with these keys of documents, or without keys if there are none."""
    update = {"document_keys": SecretStr(keys) if keys else None}
    return VerificationSettings.placeholder().model_copy(update=update)


class VerificationOnPostgres(ServiceOnPostgres):
    """Verification with a database of its own."""

    async def outbox(self) -> list[dict[str, Any]]:
        """Return the records of the outbox in order, each as JSON with its topic."""
        rows = await self.fetch("SELECT topic, value FROM outbox ORDER BY id")
        return [orjson.loads(row["value"]) | {"topic": row["topic"]} for row in rows]

    async def axis_topics(self) -> list[str]:
        """Return the topics of the outbox, without `verification.`."""
        return [event["topic"].removeprefix("verification.") for event in await self.outbox()]

    async def stored(self, kind: Any, key: Any) -> Any:
        """Return the state of a kind as it is in its table, or None."""
        rows = await self.database.fetch(by_keys(kind, [key]))
        return state_of(kind, rows[0]) if rows else None

    def as_caller(
        self, subject: str = "ann", account: str = "master/acme", role: str = "reseller"
    ) -> httpx.AsyncClient:
        """Return an HTTP client for this caller."""
        return self.client(account=account, role=role, subject=subject)


@pytest.fixture
def keys() -> str:
    """The keys of documents that the service has."""
    return f"k1:{KEY}"


@pytest.fixture
async def running(on_postgres: OnPostgres, build: Any, keys: str) -> Any:
    """A verification service without any DID."""
    await asyncio.to_thread(numbering_plan.warm_up)
    caller = Caller(subject="ann", account="master/acme", role="reseller")
    return await on_postgres(
        service(with_keys(keys)), now=build.zero, caller=caller, opened_as=VerificationOnPostgres
    )


@pytest.fixture
def ann(running: VerificationOnPostgres) -> httpx.AsyncClient:
    """A reseller of the account that holds the DID."""
    return running.as_caller()


@pytest.fixture
def rita(running: VerificationOnPostgres) -> httpx.AsyncClient:
    """A reviewer of the whole tree."""
    return running.as_caller("rita", "master", "reviewer")


@dataclass
class CreatedDetails:
    """The ids of an identity and of its address, as `build.assigned` takes them."""

    identity_id: str
    address_id: str


@pytest.fixture
async def bakery(ann: httpx.AsyncClient) -> CreatedDetails:
    """A business with an address in Dublin, created over HTTP."""
    body = {"type": "business", "company_name": "Secretive Bakery Ltd", "vat_number": "2813105O"}
    identity = (await ann.post("/v1/identities", json=body)).json()["identity_id"]
    place = {"street": "7 Hidden Lane", "city": "Dublin 2", "postal_code": "D02 X000", "country": "IE"}
    address = await ann.post("/v1/addresses", json=place | {"identity_id": identity})
    return CreatedDetails(identity, address.json()["address_id"])


@pytest.fixture
async def pending_id(
    running: VerificationOnPostgres, build: Any, bakery: CreatedDetails, rita: httpx.AsyncClient
) -> str:
    """The id of a verification that waits for a reviewer, of a purchased number."""
    await running.receive(build.purchased(), build.assigned(bakery, bakery))
    queue = (await rita.get("/v1/verifications")).json()["items"]
    identifier: str = queue[0]["verification_id"]
    return identifier


class Killed(BaseException):
    """What ends a runner at once, like kill -9."""


class Kills:
    """Kills the runner of a job at every place where a chunk can be interrupted. `look` is called after each kill."""

    PLACES = ("job.page", "stage.commit", "job.committed")
    """Before the work on the items, before the commit, and after the commit."""

    def __init__(self, running: VerificationOnPostgres) -> None:
        self.look: Callable[[], Awaitable[None]] | None = None
        self._running = running
        self._place = ""

    async def hit(self, place: str, about: str = "") -> None:
        """Pass a place in the code."""
        if place == self._place:
            raise Killed

    async def run_through(self, runner: JobRunner, job_id: UUID) -> Job:
        """Run a job to its end. Each of its chunks is killed once at each place. Return the job."""
        while True:
            for place in self.PLACES:
                self._place = place
                with pytest.raises(Killed):
                    await runner.run_chunk(job_id)
                await self._running.fetch("UPDATE jobs SET leased_until = clock_timestamp()")
                if self.look is not None:
                    await self.look()
            self._place = ""
            job = await find(self._running.database, job_id)
            assert job is not None
            if job.state not in UNFINISHED:
                return job


@pytest.fixture
def kills(running: VerificationOnPostgres, monkeypatch: pytest.MonkeyPatch) -> Kills:
    """What kills runners."""
    made = Kills(running)
    monkeypatch.setattr(failpoints, "hit", made.hit)
    return made


class Jobs:
    """Starts and runs jobs as a worker with these settings does."""

    def __init__(self, running: VerificationOnPostgres) -> None:
        self._running = running
        self.settings = with_keys(f"k1:{KEY}")

    async def start(self, kind: str, parameters: Any) -> UUID:
        """Start a job as an operator."""
        caller = Caller(subject="olga", account="", role="operator")
        job = NewJob.of(
            caller, job_id=uuid4(), kind=kind, now=await self._running.now(), parameters=parameters
        )
        await self._running.run(StartJob(entity_id=job.job_id, subject="", caller=caller, job=job))
        return job.job_id

    def runner(self, **changes: Any) -> JobRunner:
        """Return a new runner. `changes` are those of all kinds of jobs."""
        jobs = {name: replace(kind, **changes) for name, kind in JOBS.items()}
        running = self._running
        service = replace(running.service, settings=self.settings, jobs=jobs)
        return JobRunner(service, running.stage, running.database, Pacing(running.database), interval_s=0.01)

    async def finish(self, job_id: UUID, **changes: Any) -> Job:
        """Run a job to its end."""
        return await self.runner(**changes).finish(job_id, lambda _: None)


@pytest.fixture
def jobs(running: VerificationOnPostgres) -> Jobs:
    """Jobs of a process that has the key of the contents."""
    return Jobs(running)


@pytest.fixture
def contents(running: VerificationOnPostgres) -> Contents:
    """The contents of documents: in the database, under one key."""
    made = Contents(
        database=running.database,
        keyring=read_keys(f"k1:{KEY}"),
        stores={"database": DatabaseChunks(running.database)},
    )
    running.application.state.uploads = Uploads(contents=made)
    return made


class Files:
    """Files to upload."""

    def image(self, form: str = "PNG", size: tuple[int, int] = (64, 48)) -> bytes:
        """Return an image that can be opened."""
        written = io.BytesIO()
        Image.effect_noise(size, 90).convert("RGB").save(written, form)
        return written.getvalue()

    def bomb(self, side: int) -> bytes:
        """Return a small PNG of one bit per pixel with this width and height."""
        packer, row = zlib.compressobj(9), bytes(side // 8 + 2)
        pixels = b"".join(packer.compress(row) for _ in range(side)) + packer.flush()
        header = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
        chunks = ((b"IHDR", header), (b"IDAT", pixels), (b"IEND", b""))
        return b"\x89PNG\r\n\x1a\n" + b"".join(
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
            for kind, data in chunks
        )

    def pdf(self, *, encrypted: bool = False) -> bytes:
        """Return a PDF of three pages."""
        writer, written = PdfWriter(), io.BytesIO()
        for _ in range(3):
            writer.add_blank_page(200, 300)
        if encrypted:
            writer.encrypt("secret")
        writer.write(written)
        return written.getvalue()

    def exe(self) -> bytes:
        """Return a program."""
        return b"MZ\x90\x00" + bytes(4_000)


@pytest.fixture
def files() -> Files:
    """Files to upload."""
    return Files()


Upload = Callable[..., Awaitable[httpx.Response]]


@pytest.fixture
def upload(contents: Contents, ann: httpx.AsyncClient, files: Files) -> Upload:
    """Uploads a file of an identity: a small image, as a reseller, unless the test gives others."""

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
            files={"file": (name, files.image() if content is None else content)},
            headers={"Idempotency-Key": key} if key else {},
        )

    return send

"""Verification on a real PostgreSQL, with files to upload."""

import asyncio
import base64
import io
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from harness.fixtures import OnPostgres
from PIL import Image
from pypdf import PdfWriter

from didflow_chassis.testing import ServiceOnPostgres
from didflow_verification.api.documents.intake import Intake
from didflow_verification.documents.chunks import DatabaseChunks
from didflow_verification.documents.contents import Contents
from didflow_verification.documents.keys import read_keys
from didflow_verification.domain.evaluation import areas
from didflow_verification.service import service
from didflow_verification.settings import VerificationSettings

SERVICE = service(VerificationSettings.placeholder())


@pytest.fixture
async def verification(on_postgres: OnPostgres, say: Any) -> ServiceOnPostgres:
    """A verification service with its catalogue, at the time of the purchase."""
    await asyncio.to_thread(areas.warm_up)
    ann = say.caller("ann", "reseller", "master/acme")
    return await on_postgres(SERVICE, now=say.zero, caller=ann)


@pytest.fixture
def ann(verification: ServiceOnPostgres) -> httpx.AsyncClient:
    """A reseller of the account that holds the DID."""
    return verification.client()


@pytest.fixture
def rita(verification: ServiceOnPostgres) -> httpx.AsyncClient:
    """A reviewer of the whole tree."""
    return verification.client("master", "reviewer", "rita")


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
async def pending_id(
    verification: ServiceOnPostgres, say: Any, bakery: Entered, rita: httpx.AsyncClient
) -> str:
    """A purchased number with details that wait for a reviewer; the id of the attempt."""
    await verification.receive(say.purchased(), say.assigned(bakery, bakery))
    queue = (await rita.get("/v1/verifications")).json()["items"]
    identifier: str = queue[0]["verification_id"]
    return identifier


KEY = base64.b64encode(bytes(range(32))).decode()


@pytest.fixture
def contents(verification: ServiceOnPostgres) -> Contents:
    """Where the service stores documents: in its database, under one key."""
    made = Contents(
        database=verification.database,
        keyring=read_keys(f"k1:{KEY}"),
        stores={"database": DatabaseChunks(verification.database)},
    )
    verification.application.state.intake = Intake(contents=made)
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

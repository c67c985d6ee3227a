"""A person with data in every possible place of the database, and the search for it."""

from typing import Any
from uuid import uuid4

import orjson
import pytest
from table_dump import dump, found_in

from didflow_chassis.records import Record

PERSON = {
    "type": "business",
    "company_name": "Quillfeather & Söhne Ltd",
    "company_registration_number": "QF-778899",
    "vat_number": "IE2813105O",
    "first_name": "Seraphina",
    "last_name": "Quillfeather",
    "birth_date": "1961-02-03",
    "passport_number": "XK4410992",
    "contact_email": "seraphina@quillfeather.example",
    "contact_phone": "+353871234567",
}
PLACE = {"street": "77 Nowhere Row", "city": "Ballyquill", "postal_code": "Q11 ZZ99", "country": "IE"}
STATED = {"holder_last_name": "Quillfeather", "national_id": "DOC-555-666"}
VALUES = (
    *(value for name, value in PERSON.items() if name != "type"),
    *(value for name, value in PLACE.items() if name != "country"),
    *STATED.values(),
)


class Traces:
    """The values of the person, and where they are in the database."""

    values = VALUES
    body = PERSON

    def __init__(self, running: Any) -> None:
        self._running = running

    async def dump(self) -> dict[str, bytes]:
        """Return the content of every table."""
        return await dump(self._running)

    async def found(self) -> dict[str, set[str]]:
        """Return the values that are in the database, each with its tables."""
        return found_in(await self.dump(), VALUES)

    async def tables(self) -> set[str]:
        """Return the tables that have a value of the person."""
        return set().union(*(await self.found()).values())


@pytest.fixture
def traces(running: Any) -> Traces:
    """The search for the person."""
    return Traces(running)


def stray(topic: str, **events: Any) -> Record:
    """Return a record of an outside source that should never have contained this data."""
    headers = (("content-type", b"application/cloudevents+json"), ("x-name", b"Seraphina Quillfeather"))
    return Record(topic, 0, uuid4().int % 10**9, b"+35319609036", orjson.dumps(events), headers)


@pytest.fixture
async def person(running: Any, ann: Any, rita: Any, build: Any, *, upload: Any, files: Any) -> dict[str, str]:
    """A person with data in every possible place: details, service requests, texts of reviewers, outside events."""
    made = await ann.post(
        "/v1/identities", json=PERSON | {"first_name": "Sera"}, headers={"Idempotency-Key": "i"}
    )
    identity = made.json()["identity_id"]
    await ann.patch(
        f"/v1/identities/{identity}", json={"first_name": "Seraphina"}, headers={"Idempotency-Key": "p"}
    )
    address = (
        await ann.post("/v1/addresses", json=PLACE | {"city": "Dublin 2", "identity_id": identity})
    ).json()
    document = await upload(
        identity, files.image(), key="d", type="passport", states=orjson.dumps(STATED).decode()
    )
    entered = type("Entered", (), {"identity_id": identity, "address_id": address["address_id"]})()
    early = type(build)()
    early.did, early.number = uuid4(), "+35319609099"
    await running.receive(
        build.purchased(), build.assigned(entered, entered, document_ids=[document.json()["document_id"]])
    )
    waiting = running.record(early.assigned(entered, entered))
    changed = orjson.loads(waiting.value)
    changed["data"]["name"] = "Seraphina Quillfeather, 77 Nowhere Row, Ballyquill"
    await running.stage.records(
        [
            Record(waiting.topic, 0, 5_000, waiting.key, orjson.dumps(changed), waiting.headers),
            stray("enduser.assigned", passport="XK4410992", email="SERAPHINA@QUILLFEATHER.EXAMPLE"),
            stray("did.purchased", company="Quillfeather & Söhne Ltd", city="Ballyquill", zip="Q11 ZZ99"),
        ]
    )
    await ann.patch(f"/v1/addresses/{address['address_id']}", json={"city": "Ballyquill"})
    await running.receive(build.did_changed(features=["voice_in", "emergency"]))
    body = {"did": build.number, "service": "emergency", "address_id": address["address_id"]}
    asked = await ann.post(
        "/v1/service-requests",
        json=body | {"caller_name": "S Quillfeather"},
        headers={"Idempotency-Key": "s"},
    )
    path = f"/v1/service-requests/{asked.json()['request_id']}/decide"
    assert (await rita.post(path, json={"state": "in_process"})).status_code == 200
    words = {"code": "other", "message": "Nobody at 77 Nowhere Row answers to Seraphina."}
    body = {"state": "changes_required", "reasons": [words]}
    assert (await rita.post(path, json=body, headers={"Idempotency-Key": "c"})).status_code == 200
    attempt = (await rita.get("/v1/verifications")).json()["items"][0]["verification_id"]
    words = {"code": "other", "message": "The passport XK4410992 of Seraphina Quillfeather is a copy."}
    rejected = await rita.post(
        f"/v1/verifications/{attempt}/reject", json={"reasons": [words]}, headers={"Idempotency-Key": "r"}
    )
    assert rejected.status_code == 200
    return {"identity": identity, "verification": attempt}

"""The erasure of a person: a dump of every table has the data before the erasure and not after it."""

import asyncio
import base64
from typing import Any
from uuid import uuid4

import orjson
import pytest
from typer.testing import CliRunner, Result

from didflow_chassis.commandline import Program, application
from didflow_chassis.records import Record
from didflow_verification.documents.contents import Contents
from didflow_verification.erasure import PersonalValues
from didflow_verification.service import TOOLS, service
from didflow_verification.settings import VerificationSettings

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
STATED = {"holder_last_name": "Quillfeather", "holder_number": "DOC-555-666"}
VALUES = (
    *(value for name, value in PERSON.items() if name != "type"),
    *(value for name, value in PLACE.items() if name != "country"),
    *STATED.values(),
)


async def dump(running: Any) -> dict[str, bytes]:
    """Return the content of every table: each column of each row, with bytes and decoded base64."""
    tables = await running.fetch(
        "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public' AND table_type = 'BASE TABLE'"
    )
    return {row[0]: b"\n".join([part async for part in _parts(running, row[0])]) for row in tables}


async def _parts(running: Any, table: str) -> Any:
    for row in await running.fetch(f'SELECT * FROM "{table}"'):
        for name, value in row.items():
            if isinstance(value, bytes):
                yield value
            elif value is not None:
                yield str(value).encode()
            if name == "headers" and value is not None:
                yield b"".join(base64.b64decode(text) for _, text in orjson.loads(value) if text)


def found_in(dumped: dict[str, bytes], wanted: Any) -> dict[str, set[str]]:
    """Return the values that are found, each with its tables, however they are escaped."""
    found: dict[str, set[str]] = {}
    for value in wanted:
        ways = {value.encode(), orjson.dumps(value)[1:-1], value.encode("ascii", "backslashreplace")}
        for table, content in dumped.items():
            if any(way in content for way in ways):
                found.setdefault(value, set()).add(table)
    return found


async def erase(running: Any, identity_id: str, *options: str, answer: str = "") -> Result:
    """Run the command as an operator would."""
    app = application(Program("verification", service, VerificationSettings), TOOLS)
    settings = {
        "DIDFLOW_POSTGRES": running.database.dsn,
        "DIDFLOW_KAFKA": "127.0.0.1:1",
        "DIDFLOW_DOCUMENT_KEYS": f"k1:{base64.b64encode(bytes(range(32))).decode()}",
    }
    arguments = ["identity", "erase", identity_id, *options]
    return await asyncio.to_thread(CliRunner().invoke, app, arguments, env=settings, input=answer)


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


async def test_no_byte_of_an_erased_person_is_in_a_dump(
    running: Any, build: Any, ann: Any, rita: Any, *, person: dict[str, str], contents: Contents
) -> None:
    """Every value is found before the erasure and none after it, in any table. The verification stays."""
    await running.receive(build.removed())
    before = await dump(running)
    found = found_in(before, VALUES)
    assert set(found) == set(VALUES)
    places = set().union(*found.values())
    assert places >= {
        "identities",
        "addresses",
        "documents",
        "verifications",
        "registrations",
        "service_requests",
        "parked",
        "dead_letters",
        "outbox",
        "idempotency",
    }
    ciphertext = (await running.fetch("SELECT ciphertext FROM document_chunks"))[0][0]
    assert ciphertext in before["document_chunks"]
    done = await erase(running, person["identity"], "--yes")
    assert done.exit_code == 0, done.stderr
    assert done.stdout.startswith("1 identity of master/acme, 1 addresses, 1 documents, used by 0 live DIDs")
    after = await dump(running)
    assert found_in(after, VALUES) == {}
    assert not any(ciphertext in content for content in after.values())
    assert (await running.count("document_contents"), await running.count("document_chunks")) == (0, 0)
    kept = (await rita.get(f"/v1/verifications/{person['verification']}")).json()
    assert (kept["status"], kept["identity_id"], kept["identity"]) == ("rejected", person["identity"], None)
    assert (await ann.get(f"/v1/identities/{person['identity']}")).status_code == 404
    again = await erase(running, person["identity"], "--yes")
    assert (again.exit_code, again.stdout.splitlines()[-1]) == (
        0,
        "Erased. Personal data was masked in 0 other places.",
    )


async def test_an_erasure_changes_nothing_else(running: Any, build: Any, ann: Any, *, person: Any) -> None:
    """Other persons, the records of the DID and the parked messages stay, and these can still be decided."""
    other = await ann.post(
        "/v1/identities", json={"type": "individual", "last_name": "Quill", "first_name": "Ann"}
    )
    await running.receive(build.removed())
    counts = {
        name: await running.count(name) for name in ("parked", "dead_letters", "outbox", "verifications")
    }
    assert (await erase(running, person["identity"], "--yes")).exit_code == 0
    assert {name: await running.count(name) for name in counts} == counts
    shown = (await ann.get(f"/v1/identities/{other.json()['identity_id']}")).json()
    assert (shown["last_name"], shown["first_name"]) == ("Quill", "Ann")
    early = type(build)()
    parked = (await running.fetch("SELECT entity::uuid AS did FROM parked"))[0]["did"]
    early.did, early.number = parked, "+35319609099"
    await running.receive(early.purchased())
    assert [r["code"] for r in (await running.outbox())[-1]["data"]["reasons"]] == ["not_yours"]
    replayed = await ann.post(
        "/v1/identities", json=PERSON | {"first_name": "Sera"}, headers={"Idempotency-Key": "i"}
    )
    assert (replayed.headers["Idempotent-Replayed"], replayed.json()["identity_id"]) == (
        "true",
        person["identity"],
    )


async def test_a_person_in_use_is_not_erased(running: Any, person: dict[str, str]) -> None:
    """The command fails with `in_use`, and nothing changes."""
    before = await dump(running)
    refused = await erase(running, person["identity"], "--yes")
    assert (refused.exit_code, "in_use" in refused.stderr) == (1, True)
    assert await dump(running) == before


async def test_the_erasure_asks_for_confirmation(running: Any, build: Any, person: dict[str, str]) -> None:
    """Without `--yes` it prints what would be erased. The answer no changes nothing."""
    await running.receive(build.removed())
    declined = await erase(running, person["identity"], answer="n\n")
    assert (declined.exit_code, "Erase the data?" in declined.stdout) == (1, True)
    assert await running.count("identities", "erased_at IS NULL") == 1
    assert (await erase(running, person["identity"], answer="y\n")).exit_code == 0


async def test_an_unknown_id_erases_nobody(running: Any) -> None:
    """The exit code is 1, and the reason is printed."""
    unknown = await erase(running, str(uuid4()), "--yes")
    assert (unknown.exit_code, "not_found" in unknown.stderr) == (1, True)


async def test_an_operator_lists_who_was_shown_a_person(
    running: Any, rita: Any, person: dict[str, str]
) -> None:
    """Reads of the identity, its addresses and its documents are listed, the latest first."""
    document = (await running.fetch("SELECT document_id FROM documents"))[0][0]
    await rita.get(f"/v1/documents/{document}/content")
    app = application(Program("verification", service, VerificationSettings), TOOLS)
    settings = {"DIDFLOW_POSTGRES": running.database.dsn, "DIDFLOW_KAFKA": "127.0.0.1:1"}
    arguments = ["identity", "reads", person["identity"]]
    listed = await asyncio.to_thread(CliRunner().invoke, app, arguments, env=settings)
    lines = listed.stdout.splitlines()
    assert lines[0].endswith(f"content {document} rita reviewer master")
    assert lines[1].endswith(f"document {document} rita reviewer master")


def test_only_values_that_identify_a_person_are_masked() -> None:
    """A city or a first name is masked only in a text that also has a strong value."""
    values = PersonalValues.of([("city", "Dublin"), ("passport_number", "XK-441 0992"), ("last_name", "Li")])
    assert values.masked(b'{"city": "Dublin", "name": "Li"}') is None
    assert (
        values.masked(b'{"city": "DUBLIN", "p": "xk-441 0992"}') == b'{"city": "******", "p": "***********"}'
    )
    assert values.masked(b"XK4410992") == b"*" * 9
    assert values.masked(None) is None

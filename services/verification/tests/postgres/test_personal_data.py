"""No personal data is in an event, a log line, an error or a stored answer, whatever goes wrong for a caller."""

import io
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import asyncpg
import pytest
from harness.postgres import owner_dsn_of
from harness.written_logs import written_logs

from didflow_verification.service import service
from didflow_verification.settings import VerificationSettings

SERVICE = service(VerificationSettings.placeholder())

PERSON = {
    "type": "individual",
    "first_name": "Seraphina",
    "last_name": "Quillfeather",
    "birth_date": "1961-02-03",
    "national_id": "ID-7788-99",
    "passport_number": "XK4410992",
    "contact_email": "seraphina@quill.example",
    "contact_phone": "+353871234567",
}
PLACE = {"street": "77 Nowhere Row", "city": "Ballyquill", "postal_code": "Q11 ZZ99", "country": "IE"}
SECRETS = (*list(PERSON.values())[1:], *list(PLACE.values())[:3], "DOC-555-666", "Quillfeather Papers")
JSON = {"Content-Type": "application/json"}


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """All log lines of this process at the lowest level, as a deployment would write them."""
    with written_logs("verification") as written:
        yield written


def secrets_in(text: str) -> set[str]:
    """Return the secrets in a text."""
    return {secret for secret in SECRETS if secret.casefold() in text.casefold()}


async def test_only_get_returns_personal_data(
    running: Any, ann: Any, rita: Any, build: Any, *, upload: Any, files: Any, log: io.StringIO
) -> None:
    """All kinds of requests are made, right and wrong ones. Events and logs contain only ids."""
    answers = []

    async def ask(client: Any, method: str, path: str, **more: Any) -> Any:
        answers.append(await client.request(method, path, **more))
        return answers[-1]

    async def enter(body: dict[str, Any]) -> Any:
        return (
            await ask(ann, "POST", "/v1/identities", json=body, headers={"Idempotency-Key": str(uuid4())})
        ).json()

    identity = (await enter(PERSON))["identity_id"]
    for spoiled in (
        {"type": PERSON["last_name"]},
        {"birth_date": PERSON["passport_number"]},
    ):
        await enter(PERSON | spoiled)
    await ask(ann, "POST", "/v1/identities", content=b'{"last_name": "Quillfeather', headers=JSON)
    await ask(ann, "POST", "/v1/identities", content=b"Seraphina", headers={"Content-Type": "text/plain"})
    place = await ask(ann, "POST", "/v1/addresses", json=PLACE | {"identity_id": identity})
    await ask(
        ann, "POST", "/v1/addresses", json=PLACE | {"identity_id": identity, "country": PLACE["street"]}
    )
    states = '{"holder_last_name": "Quillfeather", "national_id": "DOC-555-666"}'
    name = "Quillfeather Papers.png"
    document = await upload(identity, files.image(), name=name, type="passport", states=states)
    answers.append(document)
    spoiled = (
        {"states": '["DOC-555-666"]'},
        {"type": "Quillfeather Papers"},
        {"type": "quillfeather"},
        {"issued_on": "XK4410992"},
    )
    answers.extend([await upload(identity, files.image(), **more) for more in spoiled])
    answers.append(await upload(identity, b"Seraphina Quillfeather, XK4410992"))
    entered = type("Entered", (), {"identity_id": identity, "address_id": place.json()["address_id"]})()
    details = {"identity": PERSON, "address": PLACE}
    await ask(
        ann, "POST", "/v1/requirements/evaluate", json=details | {"country": "IE", "number_type": "local"}
    )
    documents = [document.json()["document_id"]]
    await running.receive(build.purchased(), build.assigned(entered, entered, document_ids=documents))
    await ask(ann, "PATCH", f"/v1/addresses/{entered.address_id}", json={"city": "Dublin"})
    await ask(
        ann, "PATCH", f"/v1/identities/{identity}", json={"last_name": "Quillfeather", "first_name": None}
    )
    await running.set_time(build.zero + timedelta(hours=1))
    await running.run_jobs()
    await ask(rita, "GET", "/v1/verifications?status=all")
    attempt = answers[-1].json()["items"][-1]["verification_id"]
    for action in ("claim", "approve", "reject"):
        body = {"json": {"reasons": [{"code": "mismatch"}]}} if action == "reject" else {}
        await ask(rita, "POST", f"/v1/verifications/{attempt}/{action}", **body)
    await ask(ann, "DELETE", f"/v1/identities/{identity}")
    await running.receive(build.removed())
    await ask(ann, "DELETE", f"/v1/identities/{identity}")
    await ask(ann, "GET", f"/v1/identities/{identity}")
    other = (await enter(PERSON))["identity_id"]
    owner = await asyncpg.connect(owner_dsn_of(running.database.dsn))
    await owner.execute("DROP TABLE personal_reads")
    await ask(ann, "GET", f"/v1/identities/{other}")
    await owner.execute("DROP TABLE identities CASCADE")
    await owner.close()
    await enter(PERSON)

    assert len(await running.outbox()) >= 3
    assert {event["topic"]: secrets_in(str(event)) for event in await running.outbox()} == {
        event["topic"]: set() for event in await running.outbox()
    }
    assert {
        str(answer.request.url): secrets_in(answer.text) for answer in answers if secrets_in(answer.text)
    } == {}
    assert {answer.status_code for answer in answers} >= {200, 201, 204, 400, 404, 409, 415, 422, 503}
    assert (len(log.getvalue()) > 0, secrets_in(log.getvalue())) == (True, set())
    stored = await running.fetch("SELECT string_agg(encode(body, 'escape'), ' ') FROM idempotency")
    assert secrets_in(stored[0][0]) == set()

"""After a whole run on a real Kafka, personal data is only in the tables of the persons themselves.

The tests search every record of every topic, the log of every process, error answers, and the databases.
"""

import asyncio
import io
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from aiokafka import AIOKafkaConsumer
from harness.stored_values import tables_with, told
from harness.written_logs import written_logs

from didflow.demo import examples
from didflow.demo.examples import Examples
from didflow.demo.scenario import Options, run_demo
from didflow.idle import idle_check
from didflow.servers import Wanted
from didflow.stack import Stack, running
from didflow.state import ADMIN
from didflow.tail import partitions_of
from didflow_chassis.settings import Settings, load
from didflow_contracts.topics import DEAD_LETTER_TOPICS, TOPICS

PUBLIC = frozenset({"type", "city", "region", "country"})
"""What identities and addresses state that is said elsewhere too: a number's own area and country."""

AT_HOME = frozenset(
    {
        "identities",
        "addresses",
        "documents",
        "document_contents",
        "document_chunks",
        "service_requests",
        "users",
    }
)
"""The tables that personal data belongs in."""

SHORTEST = 6
"""A shorter text may stand anywhere by chance."""

PERSON = {
    "type": "business",
    "company_name": "Zwiebelfeld Kontor",
    "first_name": "Leocadia",
    "last_name": "Wintermorgen",
    "vat_number": "6433435F",
    "contact_email": "leocadia@zwiebelfeld.example",
    "contact_phone": "+353861112223",
}
PLACE = {"street": "19 Quarrelsome Lane", "city": "Dublin", "postal_code": "D19 QRL9", "country": "IE"}
DISPLAY = "ZWIEBELFELD 77"
DUBLIN = "+35319605511"


def stated(bodies: Iterable[dict[str, Any]]) -> set[str]:
    """Return all that end users stated, without short values that can occur by chance."""
    values = {str(value) for body in bodies for name, value in body.items() if name not in PUBLIC}
    return {value for value in values if len(value) >= SHORTEST}


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """Everything that the APIs log. They run in this process and log as in a deployment."""
    with written_logs("stack", "info") as written:
        yield written


@pytest.fixture
def settings(kafka: str, topics: str, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Return the settings for this test's topics."""
    monkeypatch.setenv("DIDFLOW_TOPIC_PREFIX", topics)
    return load(Settings, kafka=kafka, postgres="postgresql://unused/unused", production=False)


async def published(settings: Settings) -> str:
    """Return every record of every topic, with its headers."""
    names = [settings.topic_prefix + name for name in (*TOPICS, *DEAD_LETTER_TOPICS.values())]
    partitions = await partitions_of(settings, names)
    consumer = AIOKafkaConsumer(bootstrap_servers=settings.kafka, group_id=None, enable_auto_commit=False)
    await consumer.start()
    try:
        consumer.assign(partitions)
        ends = await consumer.end_offsets(partitions)
        for partition in partitions:
            consumer.seek(partition, 0)
        texts = []
        while any([await consumer.position(p) < ends[p] for p in partitions]):
            for records in (await consumer.getmany(timeout_ms=500)).values():
                texts += [f"{r.key!r} {r.value!r} {r.headers!r}" for r in records]
    finally:
        await consumer.stop()
    return "\n".join(texts)


def written(folder: Path) -> str:
    """Return the logs of all processes of the run."""
    found = [file.read_text(errors="replace") for file in (folder / "logs").iterdir()]
    assert found
    return "\n".join(found)


async def test_the_main_job_keeps_personal_data_in_verification(
    kafka: str, settings: Settings, tmp_path: Path, log: io.StringIO
) -> None:
    """All examples, from purchase to review: no name, number or street is on a topic or in a log."""
    played: Examples = examples.read()
    public = f"{[one.event for one in played.purchases]} sip:switchboard.example.com"
    bodies = [one.body for one in played.identities.values()] + [
        one.body for one in played.addresses.values()
    ]
    secrets = stated(bodies)
    secrets -= told(public, secrets)
    assert len(secrets) > 10
    options = Options(folder=tmp_path, examples=played, wanted=Wanted(kafka=kafka))
    ended = await run_demo(options, lambda _: None)
    elsewhere = [f"{v.purchase.number}: {v.found}, not {v.expected}" for v in ended.verdicts if not v.ok]
    assert [*elsewhere, *ended.unexpected] == []
    said = await published(settings)
    assert "verification.approved" in said
    assert told(said, secrets) == set()
    assert told(written(tmp_path), secrets) == set()
    assert told(log.getvalue(), secrets) == set()


async def test_failures_reveal_no_personal_data(
    kafka: str, settings: Settings, tmp_path: Path, log: io.StringIO
) -> None:
    """Refused, misspelt, rejected, revoked, canceled: no error, record, log or other table names the person."""
    secrets = stated([PERSON, PLACE]) | {DISPLAY}
    async with running(Wanted(kafka=kafka), tmp_path, tell=lambda _: None, port=0) as stack:
        refused = await _failures(stack)
        dsns = {name: dsn for name, dsn in stack.servers.postgres.items() if name != ADMIN}
        async with idle_check(settings, stack.servers.postgres) as quiet:
            await quiet.wait()
        tables = {
            f"{service}.{name}": found
            for service, dsn in dsns.items()
            for name, found in (await tables_with(dsn, secrets)).items()
            if name not in AT_HOME
        }
    assert [a.text for a in refused if "revoke" in a.request.url.path] == []
    assert {answer.status_code for answer in refused} >= {400, 404, 409, 422}
    assert {a.request.url.path: told(a.text, secrets) for a in refused if told(a.text, secrets)} == {}
    assert tables == {}
    said = await published(settings)
    topics = {name for name in TOPICS if f"didflow.{name}.v1" in said}
    assert topics >= {f"verification.{topic}" for topic in ("required", "rejected", "approved", "expired")}
    assert told(said, secrets) == set()
    assert told(written(tmp_path), secrets) == set()
    assert told(log.getvalue(), secrets) == set()


async def _failures(stack: Stack) -> list[httpx.Response]:
    """Cause every failure in which a person's data takes part. Return all error answers."""
    refused: list[httpx.Response] = []
    async with httpx.AsyncClient(base_url=stack.base, timeout=15, trust_env=False) as client:

        async def ask(
            method: str, path: str, body: Any = None, *, role: str = "reseller", **more: Any
        ) -> Any:
            account = "master" if role == "reviewer" else "master/acme"
            token = stack.issuer.token(role=role, account=account)
            headers = {"Authorization": f"Bearer {token}"} | more.pop("headers", {})
            sent = {"json": body} if body is not None else {}
            answer = await client.request(method, path, headers=headers, **sent, **more)
            if answer.status_code >= 400:
                refused.append(answer)
                return {}
            return answer.json() if answer.content else {}

        identity, address = await _entered(ask)
        await _employed(ask)
        await _bought(ask)
        await _reviewed(ask, {"identity_id": identity, "address_id": address})
        await _served(ask)
    return refused


async def _entered(ask: Any) -> tuple[str, str]:
    """Create the identity and its address, and many invalid variants."""
    key = {"headers": {"Idempotency-Key": "one"}}
    identity = (await ask("POST", "/v1/identities", PERSON, **key))["identity_id"]
    await ask("POST", "/v1/identities", PERSON | {"first_name": "Leocadia W."}, **key)
    for wrong in (
        {"type": PERSON["last_name"]},
        {"birth_date": PERSON["vat_number"]},
        {"nickname": PERSON["first_name"]},
    ):
        await ask("POST", "/v1/identities", PERSON | wrong)
    raw = {"content": b'{"last_name": "Wintermorgen"', "headers": {"Content-Type": "application/json"}}
    await ask("POST", "/v1/identities", **raw)
    address = (await ask("POST", "/v1/addresses", PLACE | {"identity_id": identity}))["address_id"]
    await ask("POST", "/v1/addresses", PLACE | {"identity_id": identity, "country": PLACE["street"]})
    await ask("GET", "/v1/identities", params={"account": PERSON["company_name"]})
    await ask("GET", "/v1/verifications", params={"number": PERSON["last_name"]})
    unsaved = {"identity": PERSON, "address": PLACE, "country": "DE", "number_type": "local"}
    await ask("POST", "/v1/requirements/evaluate", unsaved)
    await ask("POST", "/v1/requirements/evaluate", unsaved | {"number_type": PERSON["company_name"]})
    return identity, address


async def _employed(ask: Any) -> None:
    """Create the person as a user of an enterprise, change it, and delete another one, with invalid variants."""
    firm = "master/acme/firm"
    await ask("POST", "/v1/accounts", {"path": firm, "name": "Firm", "kind": "enterprise"})
    user = {"account": firm, "name": PERSON["company_name"], "kind": "pbx", "email": PERSON["contact_email"]}
    for key in ("kept", "deleted"):
        made = await ask("POST", "/v1/users", user, headers={"Idempotency-Key": key})
        path = f"/v1/users/{made['user_id']}"
        await ask("PATCH", path, {"name": PERSON["last_name"]}, headers={"Idempotency-Key": key})
    await ask("DELETE", path)
    await ask("GET", path)
    await ask("PATCH", path, user | {"name": PERSON["last_name"]})
    await ask("POST", "/v1/users", user | {"account": "master/acme"})
    await ask("POST", "/v1/users", user | {"kind": PERSON["first_name"], "default_did": PERSON["last_name"]})


async def _bought(ask: Any) -> None:
    """Purchase a number in Dublin."""
    price = {
        "setup": {"amount": "0.00", "currency": "EUR"},
        "recurring": {"amount": "1.00", "currency": "EUR"},
    }
    order = {
        "number": DUBLIN,
        "account": "master/acme",
        "order_id": "ORD-7700",
        "number_type": "local",
        "features": ["voice_in", "a2p_sms", "cnam"],
        "end_user_type": "business",
        "price": price,
        "billing_period": 1,
    }
    await ask("POST", "/v1/purchases", order, headers={"Idempotency-Key": "buy"})


async def _reviewed(ask: Any, details: dict[str, str]) -> None:
    """Assign, reject, resubmit, approve, revoke."""
    await ask("POST", "/v1/dids/batch/assign-end-user", {"dids": [DUBLIN], **details, "document_ids": []})
    first = await _waiting(ask)
    reason = {"code": "other", "message": "Please send a newer paper."}
    await ask(
        "POST",
        f"/v1/verifications/{first}/reject",
        {"reasons": [{"code": PERSON["last_name"]}]},
        role="reviewer",
    )
    await ask("POST", f"/v1/verifications/{first}/reject", {"reasons": [reason]}, role="reviewer")
    await ask("POST", f"/v1/verifications/{first}/approve", {}, role="reviewer")
    await ask("POST", f"/v1/verifications/{first}/resubmit", {})
    await ask("POST", f"/v1/verifications/{await _waiting(ask)}/approve", {}, role="reviewer")


async def _served(ask: Any) -> None:
    """Request services with invalid and with valid data, cancel them, and revoke the approval."""
    a2p = {
        "did": DUBLIN,
        "service": "a2p_sms",
        "brand": PERSON["company_name"],
        "use_case": "customer_care",
        "sample_messages": [f"{PERSON['company_name']}: your order is ready."],
        "opt_in_text": f"I agree to messages of {PERSON['company_name']}.",
    }
    await ask("POST", "/v1/service-requests", {"did": DUBLIN, "service": "cnam", "display_name": DISPLAY})
    await ask("POST", "/v1/service-requests", a2p | {"use_case": PERSON["company_name"]})
    request = (await ask("POST", "/v1/service-requests", a2p))["request_id"]
    await ask("POST", "/v1/service-requests", a2p)
    await ask("POST", f"/v1/service-requests/{request}/decide", {"state": "active"}, role="reviewer")
    await ask("POST", f"/v1/service-requests/{request}/cancel", {})
    approved = await ask("GET", "/v1/verifications", params={"status": "approved"})
    (attempt,) = [item["verification_id"] for item in approved["items"]]
    await ask("POST", f"/v1/verifications/{attempt}/revoke", {}, role="reviewer")
    await ask("GET", "/v1/identities/0190a5b6-7c00-7000-8000-000000000001")


async def _waiting(ask: Any) -> str:
    """Wait for the pending verification and return it."""
    for _ in range(200):
        queue = (await ask("GET", "/v1/verifications", role="reviewer"))["items"]
        if queue:
            found: str = queue[0]["verification_id"]
            return found
        await asyncio.sleep(0.1)
    raise AssertionError("nothing came into the queue")

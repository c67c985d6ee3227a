"""SMS trunks over HTTP: their validation, their secrets, who reads them, and two transactions at the same instant."""

import base64
from typing import Any
from uuid import UUID

import pytest
from harness.fixtures import OnPostgres
from harness.routing_calls import on_dids
from harness.secret_keys import settings_with_keys

from didflow_chassis.decision import Caller
from didflow_chassis.testing import ServiceOnPostgres
from didflow_contracts.ids import derived_id
from didflow_provisioning.service import service

NUMBERS = [f"+3531960{n:04}" for n in range(120)]
KEYS = [f"{name}:{base64.b64encode(bytes([n]) * 32).decode()}" for n, name in enumerate(("old", "new"))]
SECRET = "whsec_hiddenSecretOfATrunkThatNobodyReads0"
HTTP = {"http": {"url": "https://sms.example.com/in", "secret": SECRET}}
SMPP = {"smpp": {"host": "smpp.example.com", "system_id": "acme", "password": "hidden-password"}}
EMAIL = {"email": {"address": "sms@example.com"}}


def http(**changes: Any) -> dict[str, Any]:
    """Return the callback with changes."""
    return {"http": HTTP["http"] | changes}


def smpp(**changes: Any) -> dict[str, Any]:
    """Return the SMPP account with changes."""
    return {"smpp": SMPP["smpp"] | changes}


INVALID = [
    ({}, "http", "value_invalid"),
    (EMAIL | HTTP, "http", "value_invalid"),
    (http(url="https://127.0.0.1/"), "http.url", "internal_address"),
    (http(url="https://a:b@example.com/"), "http.url", "url_invalid"),
    (http(url="https://example.com:22/"), "http.url", "port_not_allowed"),
    ({"http": {"url": "https://example.com/"}}, "http.secret", "missing"),
    (http(secret=""), "http.secret", "too_short"),
    (http(secret="hidden-secret"), "http.secret", "secret_invalid"),
    (http(secret="whsec_aGlkZGVu"), "http.secret", "secret_invalid"),
    (http(secret=7), "http.secret", "type_invalid"),
    (smpp(host="127.1"), "smpp.host", "host_invalid"),
    (smpp(host="kafka"), "smpp.host", "internal_address"),
    (smpp(host="10.20.1.1"), "smpp.host", "internal_address"),
    (smpp(port=0), "smpp.port", "out_of_range"),
    (smpp(port=65_536), "smpp.port", "out_of_range"),
    (smpp(port="2775"), "smpp.port", "type_invalid"),
    (smpp(system_id="a" * 16), "smpp.system_id", "format_invalid"),
    (smpp(system_id="\u00e9"), "smpp.system_id", "format_invalid"),
    (smpp(password="hidden\u00e9"), "smpp.password", "secret_invalid"),
    (smpp(password="hidden" * 50), "smpp.password", "too_long"),
    ({"email": {"address": "nobody"}}, "email.address", "email_invalid"),
    ({"email": {"address": "a@kafka.internal"}}, "email.address", "internal_address"),
]
"""A body, the field that is wrong, and the code."""

RESELLER = Caller(subject="ann", account="master/acme", role="reseller")
SMS = {"features": ["voice_in", "sms_in"], "sms_carrier": "texter"}


@pytest.fixture
async def provisioning(on_postgres: OnPostgres) -> ServiceOnPostgres:
    """Provisioning with a key of secrets. The default caller is the reseller `master/acme`."""
    return await on_postgres(service(settings_with_keys(KEYS[0])), caller=RESELLER)


@pytest.fixture
async def received(provisioning: Any, messages: Any) -> Any:
    """Provisioning with a DID that receives messages."""
    await provisioning.receive(messages.purchased(**SMS), messages.did_changed(**SMS))
    return provisioning


async def create(client: Any, destination: dict[str, Any], **changes: Any) -> str:
    """Create an SMS trunk and return its id."""
    answer = await client.post("/v1/sms-trunks", json={"name": "Texts"} | destination | changes)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["sms_trunk_id"])


async def set_sms(client: Any, numbers: list[str], trunk_id: str) -> dict[str, Any]:
    """Deliver the messages of numbers to an SMS trunk. Return the answer of the batch."""
    return await on_dids(client, "set-sms", numbers, sms_trunk_id=trunk_id)


async def test_a_trunk_is_created_changed_listed_and_deleted(provisioning: Any) -> None:
    """The answers have the endpoint and never a secret. A destination is changed whole."""
    client = provisioning.client()
    path = f"/v1/sms-trunks/{await create(client, SMPP)}"
    shown = (await client.get(path)).json()
    settings_shown = {"port": 2775, "system_id": "acme", "tls": True}
    assert shown["endpoint"] == {"kind": "smpp", "address": "smpp.example.com", "settings": settings_shown}
    assert shown["has_secret"] is True
    changed = await client.patch(path, json=EMAIL | {"name": "Mail"})
    assert (changed.status_code, changed.json()["name"], changed.json()["has_secret"]) == (200, "Mail", False)
    assert changed.json()["endpoint"]["address"] == "sms@example.com"
    assert (await client.get("/v1/sms-trunks")).json()["items"] == [changed.json()]
    assert (await client.delete(path)).status_code == 204
    assert (await client.get(path)).status_code == 404


async def test_an_invalid_trunk_is_refused_with_field_and_code(provisioning: Any) -> None:
    """Nothing is created or changed, and the answer repeats no secret."""
    client = provisioning.client()
    path = f"/v1/sms-trunks/{await create(client, EMAIL)}"
    for body, field, code in INVALID:
        named = {"name": "x"} | body
        answers = [await client.post("/v1/sms-trunks", json=named)]
        answers += [await client.patch(path, json=named)] if body else []
        for answer in answers:
            assert answer.status_code == 422, (body, answer.text)
            errors = [(error["field"], error["code"]) for error in answer.json()["errors"]]
            assert errors == [(field, code)], (body, answer.text)
            assert "hidden" not in answer.text
    assert await provisioning.count("sms_trunks", "version = 1") == 1


async def test_callers_below_see_a_trunk_without_its_endpoint(provisioning: Any) -> None:
    """Callers beside do not see it, and neither of them changes it."""
    path = f"/v1/sms-trunks/{await create(provisioning.client(), HTTP)}"
    below, beside = provisioning.client("master/acme/shop"), provisioning.client("master/acme2")
    assert (await below.get(path)).json()["endpoint"] is None
    assert (await beside.get(path)).status_code == 404
    for other in (below, beside):
        assert (await other.patch(path, json={"name": "x"})).status_code == 404
        assert (await other.delete(path)).status_code == 404


async def test_a_change_and_a_replacement_reach_every_did_once(provisioning: Any, messages: Any) -> None:
    """Both are jobs. The former trunk can then be deleted."""
    client = provisioning.client()
    await provisioning.receive(*(messages.purchased(derived_id(n), number=n, **SMS) for n in NUMBERS))
    first, second = [await create(client, EMAIL) for _ in range(2)]
    assert (await set_sms(client, NUMBERS, first))["done"] == len(NUMBERS)
    changed = await client.patch(f"/v1/sms-trunks/{first}", json={"email": {"address": "new@example.com"}})
    assert (changed.status_code, changed.json()["kind"]) == (202, "change_sms_trunk")
    await provisioning.run_jobs()
    replaced = await client.post(f"/v1/sms-trunks/{first}/replace", json={"by": second})
    refused = await client.delete(f"/v1/sms-trunks/{first}")
    assert refused.json()["detail"].startswith("120 live DIDs use this SMS trunk.")
    await provisioning.run_jobs()
    for answer, on in ((changed, first), (replaced, second)):
        row = await provisioning.fetch(
            "SELECT state, done, refused FROM jobs WHERE job_id = $1", UUID(answer.json()["job_id"])
        )
        assert tuple(row[0]) == ("done", 120, 0), on
    on_second = "SELECT count(*) FROM routings WHERE sms -> 'delivery' ->> 'id' = $1"
    assert (await provisioning.fetch(on_second, second))[0][0] == 120
    assert (await client.delete(f"/v1/sms-trunks/{first}")).status_code == 204

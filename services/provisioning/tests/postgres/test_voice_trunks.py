"""Voice trunks over HTTP."""

from typing import Any

import pytest

TRUNK = {"name": "Dublin", "sip": {"uri": "sip:pbx.example.com"}}


async def test_a_trunk_is_created_listed_shown_and_deleted(provisioning: Any, create_trunk: Any) -> None:
    """The endpoints are in the order in which they are tried, with their settings."""
    client = provisioning.client()
    failover = {"forward_to": "+35319609000"}
    trunk_id = await create_trunk(client, priority=5, ring_timeout_s=20, failover=failover)
    shown = (await client.get(f"/v1/voice-trunks/{trunk_id}")).json()
    listed = (await client.get("/v1/voice-trunks")).json()
    deleted = await client.delete(f"/v1/voice-trunks/{trunk_id}")
    after = await client.get(f"/v1/voice-trunks/{trunk_id}")
    assert [item["voice_trunk_id"] for item in listed["items"]] == [trunk_id]
    assert (shown["account"], shown["name"]) == ("master/acme", "Dublin")
    sip, pstn = shown["endpoints"]
    assert (sip["kind"], sip["address"]) == ("sip", "sip:pbx.example.com:5061")
    assert sip["settings"] == {
        "transport": "tls",
        "codecs": ["opus"],
        "priority": 5,
        "weight": 1,
        "ring_timeout_s": 20,
    }
    assert (pstn["kind"], pstn["address"]) == ("pstn", "+35319609000")
    assert (deleted.status_code, after.status_code) == (204, 404)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"name": "x"}, "sip"),
        ({"name": "x", "sip": {"uri": "sip:a.example"}, "forward_to": "+35319609000"}, "sip"),
        ({"name": "x", "sip": {"uri": "http://a.example"}}, "sip.uri"),
        ({"name": "x", "sip": {"uri": "sip:user:secret@a.example"}}, "sip.uri"),
        ({"name": "x", "sip": {"uri": "sip:a.example", "transport": "smoke"}}, "sip.transport"),
        ({"name": "x", "forward_to": "12345"}, "forward_to"),
        ({"name": "", "forward_to": "+35319609000"}, "name"),
        ({"name": "x", "forward_to": "+35319609000", "colour": "red"}, "colour"),
        ({"name": "x", "forward_to": "+35319609000", "weight": -1}, "weight"),
    ],
)
async def test_an_invalid_trunk_is_refused_with_the_field_that_is_wrong(
    provisioning: Any, body: dict[str, Any], field: str
) -> None:
    """No trunk is created, and the field is never empty. An error about both destinations names the first one."""
    response = await provisioning.client().post("/v1/voice-trunks", json=body)
    assert response.status_code == 422
    errors = response.json()["errors"]
    assert [error["field"] for error in errors] == [field]
    assert all("^" not in error["message"] for error in errors)
    assert await provisioning.count("voice_trunks") == 0


async def test_the_message_about_a_sip_uri_says_what_to_send(provisioning: Any) -> None:
    """It is a sentence with an example, and no regular expression."""
    body = {"name": "x", "sip": {"uri": "pbx.example.com"}}
    response = await provisioning.client().post("/v1/voice-trunks", json=body)
    (error,) = response.json()["errors"]
    assert error["message"].startswith("Write a SIP URI without a password, such as sip:")


async def test_a_creation_with_the_same_key_creates_one_trunk(provisioning: Any) -> None:
    """The same key and body return the first answer again."""
    client = provisioning.client()
    key = {"Idempotency-Key": "k1"}
    first = await client.post("/v1/voice-trunks", json=TRUNK, headers=key)
    again = await client.post("/v1/voice-trunks", json=TRUNK, headers=key)
    assert first.json() == again.json()
    assert again.headers["Idempotent-Replayed"] == "true"
    assert await provisioning.count("voice_trunks") == 1


async def test_a_trunk_serves_its_account_and_the_accounts_below(
    provisioning: Any, create_trunk: Any
) -> None:
    """Callers below see it without endpoints and cannot delete it. Callers beside do not see it."""
    trunk_id = await create_trunk(provisioning.client("master/acme"))
    path = f"/v1/voice-trunks/{trunk_id}"
    below = provisioning.client("master/acme/shop", "enterprise_admin")
    assert (await below.get(path)).json()["endpoints"] is None
    listed = (await below.get("/v1/voice-trunks")).json()["items"]
    assert [item["voice_trunk_id"] for item in listed] == [trunk_id]
    assert (await below.delete(path)).status_code == 404
    beside = provisioning.client("master/acme2")
    assert (await beside.get(path)).status_code == 404
    assert (await beside.get("/v1/voice-trunks")).json()["items"] == []
    assert (await beside.delete(path)).status_code == 404
    above = provisioning.client("master", "master_reseller")
    assert (await above.get(path)).json()["endpoints"]


async def test_a_trunk_is_created_only_for_an_account_that_the_caller_reaches(provisioning: Any) -> None:
    """A foreign account is not found. An account below is accepted."""
    client = provisioning.client()
    foreign = await client.post("/v1/voice-trunks", json=TRUNK | {"account": "master/other"})
    below = await client.post("/v1/voice-trunks", json=TRUNK | {"account": "master/acme/shop"})
    assert (foreign.status_code, foreign.json()["code"]) == (404, "not_found")
    assert below.status_code == 201


async def test_a_trunk_that_numbers_use_is_not_deleted(
    purchased: Any, messages: Any, create_trunk: Any
) -> None:
    """409 `in_use` says how many live DIDs use it and what to do. After that is done, the trunk is deleted."""
    client = purchased.client()
    trunk_id = await create_trunk(client)
    target = {"dids": [messages.number], "voice_trunk_id": trunk_id}
    await client.post("/v1/routing/batch/set-voice", json=target)
    refused = await client.delete(f"/v1/voice-trunks/{trunk_id}")
    await client.post("/v1/routing/batch/clear", json={"dids": [messages.number]})
    deleted = await client.delete(f"/v1/voice-trunks/{trunk_id}")
    assert (refused.status_code, refused.json()["code"]) == (409, "in_use")
    assert refused.json()["detail"].startswith("1 live DID uses this voice trunk.")
    assert deleted.status_code == 204

"""Voice trunks over HTTP."""

from typing import Any

from harness.internal_addresses import INTERNAL

from didflow_webhooks.addresses import networks

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


FORWARD = {"name": "x", "forward_to": "+35319609000"}


def sip(uri: str, **more: Any) -> dict[str, Any]:
    """Return a trunk with a SIP endpoint."""
    return {"name": "x", "sip": {"uri": uri} | more}


INVALID = [
    ({"name": "x"}, "sip", "value_invalid"),
    (sip("sip:a.example") | FORWARD, "sip", "value_invalid"),
    (sip("http://a.example"), "sip.uri", "format_invalid"),
    (sip("sip:user:secret@a.example"), "sip.uri", "format_invalid"),
    (sip("sip:a.example:05060"), "sip.uri", "format_invalid"),
    (sip("sip:a%0d%0a@a.example"), "sip.uri", "format_invalid"),
    (sip("sip:a.example?Route=b"), "sip.uri", "format_invalid"),
    (sip("sip:a.example\n"), "sip.uri", "format_invalid"),
    (sip("sip:a.example:65536"), "sip.uri", "out_of_range"),
    (sip("sip:a.example;maddr=127.0.0.1"), "sip.uri", "sip_parameter_not_allowed"),
    (sip("sip:a.example;lr;LR"), "sip.uri", "sip_parameter_not_allowed"),
    (sip("sip:a.example;transport=tls"), "sip.uri", "sip_parameter_not_allowed"),
    (sip("sip:0x7f.1"), "sip.uri", "host_invalid"),
    (sip("sip:a..example"), "sip.uri", "host_invalid"),
    (sip("sip:[1::2::3]"), "sip.uri", "host_invalid"),
    (sip("sip:10.20.0.1"), "sip.uri", "internal_address"),
    (sip("sip:pbx@[fd12::1]:5060"), "sip.uri", "internal_address"),
    (sip("sip:a.example", transport="smoke"), "sip.transport", "not_allowed"),
    (sip("sips:a.example", transport="udp"), "sip.transport", "value_invalid"),
    (sip("sip:a.example", codecs=["mp3"]), "sip.codecs.0", "not_allowed"),
    (sip("sip:a.example", codecs=["pcmu", "pcmu"]), "sip.codecs", "value_invalid"),
    (FORWARD | {"forward_to": "12345"}, "forward_to", "format_invalid"),
    (FORWARD | {"forward_to": "+35300000000"}, "forward_to", "invalid_number"),
    (FORWARD | {"name": ""}, "name", "too_short"),
    (FORWARD | {"colour": "red"}, "colour", "unknown_field"),
    (FORWARD | {"weight": -1}, "weight", "out_of_range"),
    (FORWARD | {"priority": 65_536}, "priority", "out_of_range"),
    (FORWARD | {"priority": True}, "priority", "type_invalid"),
    (FORWARD | {"ring_timeout_s": 0}, "ring_timeout_s", "out_of_range"),
    (FORWARD | {"failover": {"sip": {"uri": "sip:kafka"}}}, "failover.sip.uri", "internal_address"),
    (FORWARD | {"failover": {"forward_to": "+9"}}, "failover.forward_to", "format_invalid"),
]
"""A body, the field that is wrong, and the code."""


async def test_an_invalid_trunk_is_refused_with_the_field_that_is_wrong(
    provisioning: Any, create_trunk: Any
) -> None:
    """No trunk is created or changed, and the field is never empty. An error about both destinations names one."""
    client = provisioning.client()
    path = f"/v1/voice-trunks/{await create_trunk(client)}"
    for body, field, code in INVALID:
        answers = [await client.post("/v1/voice-trunks", json=body)]
        answers += [await client.patch(path, json=body)] if len(body) > 1 else []
        for answer in answers:
            assert answer.status_code == 422, (body, answer.text)
            errors = answer.json()["errors"]
            assert [(error["field"], error["code"]) for error in errors] == [(field, code)], body
            assert all("^" not in error["message"] for error in errors)
    assert await provisioning.count("voice_trunks", "version = 1") == 1


async def test_no_internal_host_is_a_place_for_calls_or_messages(provisioning: Any) -> None:
    """A SIP endpoint, a failover and an SMPP server. A network of the settings is allowed, and nothing else is."""
    client = provisioning.client()

    async def codes_for(host: str) -> list[str]:
        uri = f"sip:pbx@[{host}]:5060" if ":" in host else f"sip:pbx@{host}:5060"
        smpp = {"name": "x", "smpp": {"host": host, "system_id": "a", "password": "b"}}
        bodies = [
            ("voice", sip(uri)),
            ("voice", FORWARD | {"failover": {"sip": {"uri": uri}}}),
            ("sms", smpp),
        ]
        answers = [await client.post(f"/v1/{kind}-trunks", json=body) for kind, body in bodies]
        fields = ["sip.uri", "failover.sip.uri", "smpp.host"]
        errors = [answer.json().get("errors", [{}])[0] for answer in answers]
        assert [error.get("field", field) for error, field in zip(errors, fields, strict=True)] == fields
        return [
            error.get("code", str(answer.status_code)) for error, answer in zip(errors, answers, strict=True)
        ]

    assert {host for host in INTERNAL if await codes_for(host) != ["internal_address"] * 3} == set()
    assert await provisioning.count("voice_trunks") == 0
    allowed = provisioning.service.settings.model_copy(update={"trunk_networks": networks("10.20.0.0/16")})
    object.__setattr__(provisioning.service, "settings", allowed)
    assert await codes_for("10.20.1.1") == ["201", "201", "503"]  # an SMPP account needs a key of secrets
    assert await codes_for("pbx.lan") == ["201", "201", "503"]
    for host in ("10.21.1.1", "127.0.0.1", "localhost", "169.254.169.254", "::ffff:10.20.1.1"):
        assert await codes_for(host) == ["internal_address"] * 3, host


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

"""Carrier commands over HTTP."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from didflow_provisioning.settings import CarrierTiming


async def test_a_failed_command_is_listed_and_retried(purchased: Any, messages: Any, issued: Any) -> None:
    """It is found by its state, with its last failure. The retry sends a new command."""
    await purchased.receive(messages.registration())
    command = (await issued())[0]
    await purchased.receive(messages.failure(command, code="number_unknown", message="no such number"))
    operator = purchased.client("master", "operator")
    query = {"state": "failed", "did": messages.number}
    (failed,) = (await operator.get("/v1/commands", params=query)).json()["items"]
    assert failed["last_failure"] == {"code": "number_unknown", "message": "no such number"}
    retried = await operator.post(f"/v1/commands/{failed['command_id']}/retry")
    again = await operator.post(f"/v1/commands/{failed['command_id']}/retry")
    items = (await operator.get("/v1/commands")).json()["items"]
    assert retried.status_code == 200
    assert retried.json()["command_id"] == items[0]["command_id"] != failed["command_id"]
    assert [item["state"] for item in items] == ["out", "failed"]
    assert (again.status_code, again.json()["code"]) == (409, "not_failed")


async def test_a_retry_that_cannot_be_sent_yet_is_answered_with_the_id_of_the_new_command(
    purchased: Any, messages: Any, issued: Any
) -> None:
    """The number is blocked. The same retry again is answered alike. Unblocked, it is activated once, with this id."""
    await purchased.receive(messages.registration())
    command = (await issued())[0]
    await purchased.receive(messages.failure(command), messages.did_changed("blocked", 2))
    operator = purchased.client("master", "operator")
    path = f"/v1/commands/{command.command_id}/retry"
    retried, again = [await operator.post(path) for _ in range(2)]
    assert (retried.status_code, again.status_code, again.json()) == (200, 200, retried.json())
    await purchased.receive(messages.did_changed("assigned", 3))
    await purchased.timers.run_due()
    assert [each.action for each in await issued()] == ["activate", "activate"]
    assert retried.json() == {"command_id": str((await issued())[-1].command_id)}


async def test_commands_of_a_carrier_with_a_rate_are_retried_with_the_ids_that_the_answer_has(
    with_carriers: Any, messages: Any, numbers_of: Any
) -> None:
    """The ids are known before the turns of the commands. A setting that was made meanwhile does not take one."""
    provisioning = await with_carriers(simulator=CarrierTiming(rate_per_s=1000))
    await provisioning.receive(*numbers_of(3))
    await provisioning.advance(timedelta(seconds=1))
    failed = [each.data for each in await provisioning.published("provisioning.commands")]
    await provisioning.receive(*(messages.failure(command) for command in failed))
    operator = provisioning.client("master", "operator")
    body = {"commands": [str(each.command_id) for each in failed]}
    answer = (await operator.post("/v1/commands/batch/retry", json=body)).json()
    set_capacity = {"dids": [each.number for each in failed], "capacity": 2}
    changed = (await operator.post("/v1/routing/batch/set-capacity", json=set_capacity)).json()
    assert changed["done"] == 3, changed
    await provisioning.advance(timedelta(seconds=2))
    again = [each.data for each in await provisioning.published("provisioning.commands")][3:]
    promised = {result["command"]: result["command_id"] for result in answer["results"]}
    number_of = {str(each.command_id): each.number for each in failed}
    assert {number_of[old]: new for old, new in promised.items()} == {
        each.number: str(each.command_id) for each in again
    }
    assert {each.parameters.capacity for each in again} == {2}


@pytest.mark.parametrize("role", ["reseller", "master_reseller", "enterprise_admin"])
async def test_only_operators_and_services_retry_commands(
    purchased: Any, messages: Any, issued: Any, role: str
) -> None:
    """Other roles see the commands of their numbers and cannot retry them."""
    await purchased.receive(messages.registration())
    command = (await issued())[0]
    client = purchased.client(role=role)
    assert len((await client.get("/v1/commands")).json()["items"]) == 1
    refused = await client.post(f"/v1/commands/{command.command_id}/retry")
    assert (refused.status_code, refused.json()["code"]) == (403, "role_not_allowed")


async def test_an_unknown_command_is_not_found(purchased: Any) -> None:
    """404 for an operator."""
    operator = purchased.client("master", "operator")
    assert (await operator.post(f"/v1/commands/{uuid4()}/retry")).status_code == 404


async def test_commands_are_listed_page_by_page(purchased: Any, messages: Any, issued: Any) -> None:
    """Each command is listed once, latest first."""
    await purchased.receive(messages.registration())
    client = purchased.client()
    for capacity in range(1, 6):
        await purchased.receive(messages.result((await issued())[-1]))
        body = {"dids": [messages.number], "capacity": capacity}
        await client.post("/v1/routing/batch/set-capacity", json=body)
    page = (await client.get("/v1/commands", params={"limit": 2})).json()
    listed = [item["command_id"] for item in page["items"]]
    while page["next"]:
        page = (await client.get("/v1/commands", params={"limit": 2, "cursor": page["next"]})).json()
        listed += [item["command_id"] for item in page["items"]]
    assert listed == [str(command.command_id) for command in reversed(await issued())]


async def test_commands_are_filtered_and_sorted(
    provisioning: Any, messages: Any, numbers_of: Any, issued: Any
) -> None:
    """All filters hold together. A number may leave its plus sign out; a wrong filter is refused and lists nothing."""
    await provisioning.receive(*numbers_of(3))
    commands = await issued()
    failed = commands[1]
    await provisioning.receive(messages.failure(failed), messages.result(commands[0], outcome="succeeded"))
    client = provisioning.client()
    number, did_id = failed.number, str(failed.did_id)
    cases: tuple[tuple[dict[str, str], int], ...] = (
        ({}, 3),
        ({"did": number}, 1),
        ({"did": number[1:]}, 1),
        ({"did": did_id}, 1),
        ({"did": "+353196999"}, 0),
        ({"state": "failed"}, 1),
        ({"state": "succeeded", "did": number}, 0),
        ({"action": "activate", "carrier": "simulator"}, 3),
        ({"action": "release"}, 0),
        ({"carrier": "acme"}, 0),
    )
    for query, count in cases:
        found = (await client.get("/v1/commands", params=query)).json()
        assert len(found["items"]) == count, query
    both = [
        (await client.get("/v1/commands", params={"sort": sort})).json()
        for sort in ("issued_at", "-issued_at")
    ]
    assert both[0]["items"] == both[1]["items"][::-1]
    for query, code in (
        ({"stat": "failed"}, "unknown_parameter"),
        ({"state": "lost"}, None),
        ({"sort": "number"}, None),
    ):
        refused = await client.get("/v1/commands", params=query)
        assert refused.status_code == 422, query
        assert code in (None, refused.json()["errors"][0]["code"])


async def test_failed_commands_are_retried_in_one_call_and_become_active(
    provisioning: Any, messages: Any, numbers_of: Any, issued: Any
) -> None:
    """Each has its result, with the new command. What is no failed command is refused alone."""
    await provisioning.receive(*numbers_of(3))
    failed = await issued()
    await provisioning.receive(*(messages.failure(command) for command in failed[:2]))
    operator = provisioning.client("master", "operator")
    listed = (await operator.get("/v1/commands", params={"state": "failed"})).json()["items"]
    assert {item["command_id"] for item in listed} == {str(each.command_id) for each in failed[:2]}
    names = [str(failed[0].command_id), str(failed[1].command_id), str(failed[2].command_id)]
    body = {"commands": [*names, names[0], str(uuid4()), "no id"]}
    answer = (await operator.post("/v1/commands/batch/retry", json=body)).json()
    assert [result["command"] for result in answer["results"]] == body["commands"]
    assert [result["outcome"] for result in answer["results"]] == [
        "done",
        "done",
        "refused",
        "unchanged",
        "refused",
        "refused",
    ]
    assert [result["code"] for result in answer["results"]][2:] == [
        "not_failed",
        None,
        "not_found",
        "not_found",
    ]
    assert (answer["done"], answer["unchanged"], answer["refused"]) == (2, 1, 3)
    again = (await issued())[3:]
    assert {result["command_id"] for result in answer["results"][:2]} == {
        str(each.command_id) for each in again
    }
    await provisioning.receive(*(messages.result(command) for command in (*again, failed[2])))
    assert await provisioning.count("routings", "carrier_state = 'active'") == 3


async def test_endpoints_of_trunks_above_the_caller_are_hidden_in_commands(
    purchased: Any, messages: Any, create_trunk: Any
) -> None:
    """The owner of the trunk and operators see them. The account below sees the name of the trunk."""
    above = purchased.client("master", "master_reseller")
    trunk_id = await create_trunk(above, account="master")
    set_voice = {"dids": [messages.number], "voice_trunk_id": trunk_id}
    assert (await purchased.client().post("/v1/routing/batch/set-voice", json=set_voice)).json()["done"] == 1
    await purchased.receive(messages.registration())
    for client, is_shown in (
        (purchased.client(), False),
        (above, True),
        (purchased.client("rival", "operator"), True),
    ):
        (item,) = (await client.get("/v1/commands")).json()["items"]
        assert item["parameters"]["voice"]["name"] == "Dublin"
        assert (item["parameters"]["voice"]["endpoints"] is not None) is is_shown
        assert ("pbx.example.com" in str(item)) is is_shown


async def test_endpoints_of_a_group_with_a_trunk_above_the_caller_are_hidden_in_commands(
    purchased: Any, messages: Any, create_trunk: Any
) -> None:
    """The group is the caller's own. One of its trunks is of the account above."""
    above, own = purchased.client("master", "master_reseller"), purchased.client()
    trunks = [
        await create_trunk(above, account="master"),
        await create_trunk(own, sip={"uri": "sip:a.example"}),
    ]
    group = {"name": "Both", "trunks": [{"voice_trunk_id": trunk_id} for trunk_id in trunks]}
    made = (await own.post("/v1/voice-trunk-groups", json=group)).json()
    set_voice = {"dids": [messages.number], "voice_trunk_group_id": made["voice_trunk_group_id"]}
    assert (await own.post("/v1/routing/batch/set-voice", json=set_voice)).json()["done"] == 1
    await purchased.receive(messages.registration())
    for client, is_shown in ((own, False), (above, True)):
        (item,) = (await client.get("/v1/commands")).json()["items"]
        assert item["parameters"]["voice"]["kind"] == "trunk_group"
        assert ("pbx.example.com" in str(item)) is is_shown


async def test_a_holder_does_not_learn_the_targets_of_an_earlier_one_from_its_commands(
    purchased: Any, messages: Any, create_trunk: Any
) -> None:
    """The DID goes to an account beside. There its commands have no trunk of the account that it left."""
    trunk_id = await create_trunk(purchased.client())
    set_voice = {"dids": [messages.number], "voice_trunk_id": trunk_id}
    assert (await purchased.client().post("/v1/routing/batch/set-voice", json=set_voice)).json()["done"] == 1
    await purchased.receive(messages.registration())
    await purchased.receive(messages.did_changed(sequence=2, account="master/rival"))
    for client, is_shown in (
        (purchased.client("master/rival"), False),
        (purchased.client("master", "master_reseller"), True),
    ):
        (item,) = (await client.get("/v1/commands")).json()["items"]
        assert (item["action"], item["parameters"]["voice"]["kind"]) == ("activate", "trunk")
        assert ("Dublin" in str(item), trunk_id in str(item), "pbx" in str(item)) == (is_shown,) * 3

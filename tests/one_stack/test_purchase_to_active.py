"""From a purchase to Active over the simulated carrier, in each way that a number can take.

Only public routes are used. Each test names all commands that the carrier got: nothing else was sent.
"""

from typing import Any, Final

import pytest

from one_stack.caller import Caller

pytestmark = pytest.mark.asyncio(loop_scope="package")

DESK: Final = "master/acme/desk"
SECRET: Final = "whsec_notForACarrierAndNotForAnybodyElse00"
ACTIVE: Final = ("active", "none")
NO_TRUNK: Final = ("not_configured", "assign_voice_trunk")
NO_CAPACITY: Final = ("not_configured", "assign_capacity")
NO_DETAILS: Final = ("awaiting_registration", "assign_end_user_details")


def shown(view: Any) -> Any:
    """Return the status and the next step."""
    return view["status"], view["next_step"]["action"]


def readiness(view: Any) -> Any:
    """Return whether calls and messages arrive, and the first missing step of each."""
    routing = view["routing"]
    return (
        routing["voice_ready"],
        routing["sms_ready"],
        routing["missing"]["voice"],
        routing["missing"]["sms"],
    )


CALLS_ARRIVE: Final = (True, False, None, None)


async def commands(caller: Caller, did: str) -> list[Any]:
    """Return the commands for a DID, in order. Each must have succeeded at its first attempt."""
    found = (await caller.ask("GET", "/v1/commands", did=did, sort="issued_at"))["items"]
    assert {(each["state"], each["attempt"]) for each in found} <= {("succeeded", 1)}, found
    return found


async def actions(caller: Caller, did: str) -> list[str]:
    """Wait until nothing is left to tell the carrier, and return what it was told, in order."""
    await caller.applied(did)
    return [each["action"] for each in await commands(caller, did)]


async def requests(caller: Caller, did: str) -> list[str]:
    """Return the requests of people about a DID, as its history has them."""
    entries = (await caller.ask("GET", f"/v1/dids/{did}/history", limit=1000))["items"]
    return [each["type"] for each in entries if each["type"].startswith("http.")]


async def voice_trunk(caller: Caller, name: str) -> str:
    """Create a voice trunk with the address sip:NAME.example.com."""
    body = {"name": name, "sip": {"uri": f"sip:{name}.example.com"}}
    made: str = (await caller.ask("POST", "/v1/voice-trunks", body))["voice_trunk_id"]
    return made


async def sms_trunk(caller: Caller) -> str:
    """Create an SMS trunk that delivers to a URL."""
    body = {"name": "texts", "http": {"url": "https://sms.example.com/in", "secret": SECRET}}
    made: str = (await caller.ask("POST", "/v1/sms-trunks", body))["sms_trunk_id"]
    return made


async def set_voice(caller: Caller, did: str, trunk: str) -> None:
    """Set the voice trunk of a DID."""
    await caller.done("/v1/routing/batch/set-voice", [did], voice_trunk_id=trunk)


async def set_capacity(caller: Caller, did: str, **capacity: Any) -> None:
    """Set the capacity of a DID."""
    await caller.done("/v1/routing/batch/set-capacity", [did], **capacity)


async def register(caller: Caller, did: str, company: str, street: str) -> None:
    """Assign an end user to a DID, and approve it."""
    details = await caller.end_user(company, street)
    await caller.done("/v1/dids/batch/assign-end-user", [did], **details, document_ids=[])
    await caller.shows(shown, ("awaiting_registration", "await_review"), did)
    assert await commands(caller, did) == []
    attempt = await caller.pending()
    await caller.ask("POST", f"/v1/verifications/{attempt}/approve", {}, role="reviewer")


async def test_a_number_without_a_requirement_is_activated_at_once(caller: Caller) -> None:
    """The trunk and the capacity are set on the active number."""
    did = await caller.purchase("+442079460801")
    view = await caller.shows(shown, NO_TRUNK, did)
    assert (view["registration"]["state"], view["routing"]["carrier_state"]) == ("not_required", "active")
    await set_voice(caller, did, await voice_trunk(caller, "first"))
    await caller.shows(shown, NO_CAPACITY, did)
    await set_capacity(caller, did, capacity=2)
    await caller.shows(shown, ACTIVE, did)
    await caller.shows(readiness, CALLS_ARRIVE, did)
    assert await actions(caller, did) == ["activate", "set_voice", "set_capacity"]


async def test_a_number_with_a_requirement_is_activated_when_it_is_approved(caller: Caller) -> None:
    """Nothing is sent to the carrier before."""
    did = await caller.purchase("+35319605801")
    await caller.shows(shown, NO_DETAILS, did)
    await register(caller, did, "First company", "8 Lane")
    await caller.shows(shown, NO_TRUNK, did)
    await set_voice(caller, did, await voice_trunk(caller, "second"))
    await set_capacity(caller, did, capacity="unlimited")
    await caller.shows(shown, ACTIVE, did)
    await caller.shows(readiness, CALLS_ARRIVE, did)
    assert await actions(caller, did) == ["activate", "set_voice", "set_capacity"]


async def test_a_trunk_that_is_set_before_the_activation_reaches_the_carrier_with_it(caller: Caller) -> None:
    """The approval leads to Active by one command."""
    did = await caller.purchase("+35319605802")
    await caller.shows(shown, NO_DETAILS, did)
    trunk = await voice_trunk(caller, "third")
    await set_voice(caller, did, trunk)
    await set_capacity(caller, did, capacity=3)
    await register(caller, did, "Second company", "9 Lane")
    await caller.shows(shown, ACTIVE, did)
    await caller.shows(readiness, CALLS_ARRIVE, did)
    assert await actions(caller, did) == ["activate"]
    sent = (await commands(caller, did))[0]["parameters"]
    assert (sent["voice"]["id"], sent["capacity"]) == (trunk, 3)


async def test_a_number_for_messages_alone_needs_an_sms_trunk_and_no_capacity(caller: Caller) -> None:
    """The secret of the trunk is in no command."""
    did = await caller.purchase("+13055550801", features=["sms_in", "sms_out"])
    await caller.shows(shown, ("not_configured", "assign_sms_trunk"), did)
    trunk = await sms_trunk(caller)
    await caller.done("/v1/routing/batch/set-sms", [did], sms_trunk_id=trunk)
    await caller.shows(shown, ACTIVE, did)
    await caller.shows(readiness, (False, True, None, None), did)
    assert await actions(caller, did) == ["activate", "set_sms"]
    sent = await commands(caller, did)
    assert sent[-1]["parameters"]["sms"]["id"] == trunk
    assert SECRET not in str(sent)


async def test_a_number_on_a_trunk_group_is_delivered_to_its_trunks_by_their_priority(caller: Caller) -> None:
    """The second trunk of the group is tried first."""
    did = await caller.purchase("+442079460802")
    trunks = [
        {"voice_trunk_id": await voice_trunk(caller, "spare"), "priority": 2},
        {"voice_trunk_id": await voice_trunk(caller, "main"), "priority": 1},
    ]
    made = await caller.ask("POST", "/v1/voice-trunk-groups", {"name": "Both", "trunks": trunks})
    group = made["voice_trunk_group_id"]
    await caller.shows(shown, NO_TRUNK, did)
    await caller.done("/v1/routing/batch/set-voice", [did], voice_trunk_group_id=group)
    await set_capacity(caller, did, capacity=2)
    view = await caller.shows(shown, ACTIVE, did)
    assert view["routing"]["voice"] == {"kind": "trunk_group", "id": group, "name": "Both"}
    await caller.shows(readiness, CALLS_ARRIVE, did)
    assert await actions(caller, did) == ["activate", "set_voice", "set_capacity"]
    (sent,) = [c["parameters"]["voice"] for c in await commands(caller, did) if c["action"] == "set_voice"]
    addresses = [each["address"] for each in sent["endpoints"]]
    assert addresses == ["sip:main.example.com", "sip:spare.example.com"]


async def test_a_number_gets_a_channel_of_a_full_group_as_soon_as_one_is_free(caller: Caller) -> None:
    """Until then it is refused, and its carrier is told nothing."""
    trunk = await voice_trunk(caller, "shared")
    made = await caller.ask("POST", "/v1/capacity-groups", {"name": "Shared", "channels": 1})
    group = {"capacity_group_id": made["capacity_group_id"]}

    async def free() -> int:
        found: int = (await caller.ask("GET", f"/v1/capacity-groups/{made['capacity_group_id']}"))["free"]
        return found

    first, second = await caller.purchase("+442079460803"), await caller.purchase("+442079460804")
    for did in (first, second):
        await caller.shows(shown, NO_TRUNK, did)
        await set_voice(caller, did, trunk)
        await caller.shows(shown, NO_CAPACITY, did)
    await set_capacity(caller, first, **group)
    await caller.shows(shown, ACTIVE, first)
    assert await free() == 0
    answer = await caller.ask("POST", "/v1/routing/batch/set-capacity", {"dids": [second], **group})
    assert [(each["outcome"], each["code"]) for each in answer["results"]] == [
        ("refused", "capacity_exhausted")
    ]
    assert await actions(caller, second) == ["activate", "set_voice"]

    await set_capacity(caller, first, capacity=5)
    assert await free() == 1
    await set_capacity(caller, second, **group)
    view = await caller.shows(shown, ACTIVE, second)
    assert (view["routing"]["capacity"], view["routing"]["capacity_group"]) == (1, made["capacity_group_id"])
    await caller.shows(readiness, CALLS_ARRIVE, second)
    assert await free() == 0
    assert await actions(caller, second) == ["activate", "set_voice", "set_capacity"]
    assert await actions(caller, first) == ["activate", "set_voice", "set_capacity", "set_capacity"]


async def test_an_automatic_profile_makes_a_number_active_with_no_call_but_the_purchase(
    caller: Caller,
) -> None:
    """It gets a trunk group, a channel of a group, and an SMS trunk. All of this reaches the carrier by one command."""
    account = {"path": DESK, "name": "Desk", "kind": "reseller", "may_set_prices": True}
    await caller.ask("POST", "/v1/accounts", account, role="operator")
    trunks = [{"voice_trunk_id": await voice_trunk(caller, "desk")}]
    voice = await caller.ask("POST", "/v1/voice-trunk-groups", {"name": "Desks", "trunks": trunks})
    capacity = await caller.ask("POST", "/v1/capacity-groups", {"name": "Desks", "channels": 2})
    profile = {
        "name": "Desk",
        "voice_trunk_group_id": voice["voice_trunk_group_id"],
        "capacity_group_id": capacity["capacity_group_id"],
        "sms_trunk_id": await sms_trunk(caller),
        "automatic_for": DESK,
    }
    await caller.ask("POST", "/v1/configuration-profiles", profile)

    did = await caller.purchase("+12125550801", account=DESK, features=["voice_in", "sms_in"])
    await caller.shows(shown, ACTIVE, did)
    await caller.shows(readiness, (True, True, None, None), did)
    assert await actions(caller, did) == ["activate"]
    assert await requests(caller, did) == ["http.purchase"]
    beside = await caller.purchase("+12125550802", features=["voice_in", "sms_in"])
    await caller.shows(shown, NO_TRUNK, beside)


async def test_a_number_that_is_canceled_while_its_activation_is_out_ends_suspended(caller: Caller) -> None:
    """This carrier takes three seconds for each command. Its late success does not put the number into service."""
    did = await caller.purchase("+442079469996")
    await caller.shows(lambda view: view["routing"]["carrier_state"], "activating", did)
    await caller.done("/v1/terms/batch/cancel", [did])
    await caller.shows(shown, ("terminated", "restore"), did)
    await caller.shows(lambda view: view["routing"]["carrier_state"], "suspended", did)
    await caller.shows(readiness, (False, False, "restore", None), did)
    assert await actions(caller, did) == ["activate", "suspend"]

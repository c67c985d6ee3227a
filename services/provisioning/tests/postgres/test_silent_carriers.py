"""Silent carriers, and the settings of carriers over HTTP."""

from datetime import timedelta
from typing import Any

from harness.statements import statements_of

from didflow_chassis.telemetry.metrics import Metrics
from didflow_chassis.telemetry.queues import QueueMetrics
from didflow_contracts.events import RoutingChanged
from didflow_provisioning.settings import CarrierTiming


async def settings_of(provisioning: Any, account: str = "master", role: str = "operator") -> dict[str, Any]:
    """Return the listed settings by carrier."""
    listed = await provisioning.client(account, role).get("/v1/carrier-settings")
    assert listed.status_code == 200, listed.text
    return {item["carrier"]: item for item in listed.json()["items"]}


async def silent_codes(provisioning: Any) -> dict[str, str | None]:
    """Return the code of what the carrier has not done, by number, as last published."""
    found = {}
    for event in await provisioning.published("routing.changed"):
        axis: RoutingChanged = event.data
        found[axis.number] = axis.unapplied[0].code if axis.unapplied else None
    return found


async def test_the_settings_in_force_are_listed(with_carriers: Any, numbers_of: Any) -> None:
    """Those of configured carriers, and the default ones of another carrier that got commands."""
    timing = CarrierTiming(deadline_s=60, give_up_s={"release": 30}, rate_per_s=2.5, concurrency=4)
    provisioning = await with_carriers(acme=timing)
    await provisioning.receive(*numbers_of(1))
    found = await settings_of(provisioning)
    assert list(found) == ["acme", "simulator"]
    give_up = dict.fromkeys(["suspend", "resume", "set_voice", "set_capacity", "set_sms"], 86_400)
    assert found["acme"] == {
        "carrier": "acme",
        "deadline_s": 60,
        "first_pause_s": 2,
        "longest_pause_s": 3_600,
        "give_up_s": {"activate": 604_800, "release": 30, **give_up},
        "rate_per_s": 2.5,
        "concurrency": 4,
        "last_result_at": None,
        "silent": False,
    }
    assert (found["simulator"]["deadline_s"], found["simulator"]["rate_per_s"]) == (120, None)


async def test_a_carrier_is_silent_for_all_of_its_numbers_until_it_answers(
    provisioning: Any, messages: Any, numbers_of: Any, issued: Any
) -> None:
    """A later number is shown as soon as its own deadline has passed. The metric and the list say the same."""
    metrics = Metrics()
    queues = QueueMetrics(metrics, provisioning.database, {}, provisioning.service.gauges)
    *first, purchased, changed, registered = numbers_of(3)
    await provisioning.receive(*first)
    await provisioning.advance(timedelta(minutes=9))
    await provisioning.receive(purchased, changed, registered)
    assert not (await settings_of(provisioning))["simulator"]["silent"]
    await provisioning.advance(timedelta(minutes=2, seconds=30))
    await queues.measure()
    assert set((await silent_codes(provisioning)).values()) == {"carrier_silent"}
    assert (await settings_of(provisioning))["simulator"]["silent"]
    assert metrics.registry.get_sample_value("didflow_silent_carriers", {"carrier": "other"}) == 1
    published = len(await provisioning.published("routing.changed"))
    await provisioning.advance(timedelta(hours=2))
    assert len(await provisioning.published("routing.changed")) == published

    answered = (await issued())[0]
    await provisioning.receive(messages.result(answered))
    shown = (await settings_of(provisioning))["simulator"]
    await queues.measure()
    assert not shown["silent"]
    assert shown["last_result_at"] is not None
    assert metrics.registry.get_sample_value("didflow_silent_carriers", {"carrier": "other"}) == 0
    assert (await silent_codes(provisioning))[answered.number] is None


async def test_the_numbers_of_a_silent_carrier_lose_the_code_when_it_answers_for_one_of_them(
    provisioning: Any, messages: Any, numbers_of: Any, issued: Any
) -> None:
    """Nothing is written for the others. What is read of them says so at once; their events do with their next attempt.

    Only the routing of a number with the code costs a second statement.
    """
    await provisioning.receive(*numbers_of(2))
    await provisioning.advance(timedelta(minutes=11))
    answered, other = (await issued())[:2]
    client = provisioning.client()

    async def code_of(number: str) -> tuple[str | None, int]:
        async with statements_of(provisioning.reads) as found:
            shown = (await client.get(f"/v1/routing/{number}")).json()["unapplied"]
        selects = [each for each in found if "routings" in each or "carrier_contacts" in each]
        return shown[0]["code"] if shown else None, len(selects)

    assert await code_of(other.number) == ("carrier_silent", 2)
    await provisioning.receive(messages.result(answered))
    published = await silent_codes(provisioning)
    assert (await code_of(other.number), await code_of(answered.number)) == (("no_answer", 2), (None, 1))
    assert published[other.number] == "carrier_silent"


async def test_the_settings_of_carriers_are_listed_page_by_page(with_carriers: Any) -> None:
    """By name, in both directions. What the route does not know is refused."""
    provisioning = await with_carriers(**{name: CarrierTiming(deadline_s=60) for name in ("b", "c", "a")})
    client, path = provisioning.client("master", "operator"), "/v1/carrier-settings"
    for sort, expected in (("carrier", ["a", "b", "c"]), ("-carrier", ["c", "b", "a"])):
        page = (await client.get(path, params={"limit": 2, "sort": sort})).json()
        more = (await client.get(path, params={"limit": 2, "sort": sort, "cursor": page["next"]})).json()
        assert [item["carrier"] for item in (*page["items"], *more["items"])] == expected
        assert more["next"] is None
    refused = await client.get(path, params={"silnt": "true"})
    assert (refused.status_code, refused.json()["errors"][0]["code"]) == (422, "unknown_parameter")


async def test_a_result_costs_no_statement_more_than_it_has_tables(
    provisioning: Any, messages: Any, numbers_of: Any, issued: Any
) -> None:
    """The instant of an answer is written with the command that it answers.

    A batch of results begins and commits, reads its three tables before the locks and under them, reads what is parked
    and the inbox, and writes its three tables and the outbox.
    """
    await provisioning.receive(*numbers_of(30))
    await provisioning.advance(timedelta(seconds=10))
    answers = [messages.result(command) for command in await issued()]
    async with statements_of(provisioning.database) as found:
        await provisioning.receive(*answers)
    of_carriers = [each for each in found if "carrier_contacts" in each or "carrier_turns" in each]
    assert of_carriers == []
    assert len(found) == 15, found


async def test_other_callers_see_configured_carriers_and_those_of_their_numbers(
    with_carriers: Any, numbers_of: Any
) -> None:
    """The name of a carrier that serves others only is not shown. Other roles may not read the list."""
    provisioning = await with_carriers(acme=CarrierTiming(deadline_s=60))
    await provisioning.receive(*numbers_of(1))
    assert list(await settings_of(provisioning, "master", "master_reseller")) == ["acme", "simulator"]
    assert list(await settings_of(provisioning, "rival", "service")) == ["acme"]
    refused = await provisioning.client("master/acme", "reseller").get("/v1/carrier-settings")
    assert (refused.status_code, refused.json()["code"]) == (403, "role_not_allowed")

"""The whole life of a DID on real servers, from the stock to its removal, as its history tells it."""

from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from harness.folded_history import filled_fields, fold_all
from holdings.life_on_the_stack import PAGE, Life, is_routing, label_of, life, name_of

NUMBER = "+35319605512"
SHOP = "master/acme/shop"
MONEY = {"amount": "1.00", "currency": "EUR"}
FEATURES = {"number_type": "local", "features": ["voice_in", "a2p_sms"]}
DID = {"dids": [NUMBER]}
RESULT = "provisioning.results /carriers/simulator provisioning.commands"
REMINDER = "term.expiring service:billing clock"
APPLIED = "routing.changed service:provisioning provisioning.results"


async def test_the_history_of_a_did_tells_its_whole_life_with_actors_and_causes_of_all_services(
    kafka: str, topics: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After each step, what the history gives is what My Numbers shows. Each entry is an event that is on its topic."""
    monkeypatch.setenv("DIDFLOW_TOPIC_PREFIX", topics)
    async with life(kafka, tmp_path, NUMBER) as did:
        await move_to_april(did)
        await purchase(did)
        await register(did)
        await set_routing(did)
        await request_service(did)
        await block_and_hold(did)
        await renew_and_cancel(did)
        await end(did)
        await check_entries(did)
        await check_stock(did)


async def move_to_april(did: Life) -> None:
    """Move the clock, so that on every day of the year the first month has 30 days: it is reminded of as it begins."""
    today = (await did.now()).date()
    await did.advance(f"P{(date(today.year + 1, 4, 2) - today).days}D")


async def purchase(did: Life) -> None:
    """A number of the stock is purchased, and assigned to a user."""
    await did.ask("sam", "POST", "/v1/stock", {"numbers": [NUMBER], "tag": "gold", **FEATURES})
    price = {"price": {"setup": MONEY, "recurring": MONEY}, "billing_period": 1, "end_user_type": "business"}
    order = {"number": NUMBER, "account": SHOP, "order_id": "ORD-1", **FEATURES, **price}
    did.did = (await did.ask("sam", "POST", "/v1/purchases", order))["did_id"]
    await did.recorded(
        "http.purchase sam -",
        "ledger.posted sam did.purchased",
        "ledger.posted sam did.purchased",
        "term.changed sam did.purchased",
        "verification.required sam did.purchased",
        REMINDER,
        "routing.changed sam did.changed",
        "routing.changed sam verification.required",
    )
    desk = {"account": SHOP, "name": "Desk", "kind": "pbx"}
    user = (await did.ask("eva", "POST", "/v1/users", desk))["user_id"]
    await did.ask("eva", "POST", "/v1/dids/batch/assign-user", {**DID, "user_id": user})
    await did.recorded("http.assign_user eva -")


async def register(did: Life) -> None:
    """Details are assigned, rejected, submitted again and approved. The carrier then activates the number."""
    company = {"type": "business", "company_name": "Bakery"}
    identity = (await did.ask("eva", "POST", "/v1/identities", company))["identity_id"]
    place = {"street": "7 Lane", "city": "Dublin", "country": "IE", "identity_id": identity}
    address = (await did.ask("eva", "POST", "/v1/addresses", place))["address_id"]
    details = {"identity_id": identity, "address_id": address, "document_ids": []}
    await did.ask("eva", "POST", "/v1/dids/batch/assign-end-user", DID | details)
    await did.recorded(
        "http.assign_end_user eva -",
        "verification.pending eva enduser.assigned",
        "routing.changed eva verification.pending",
    )
    first = did.folded["registration.verification_id"]
    reasons = {"reasons": [{"code": "mismatch", "field": "identity.company_name"}]}
    await did.ask("rob", "POST", f"/v1/verifications/{first}/reject", reasons)
    await did.recorded("verification.rejected rob request", "routing.changed rob verification.rejected")
    await did.ask("eva", "POST", f"/v1/verifications/{first}/resubmit", {})
    await did.recorded("verification.pending eva request", "routing.changed eva verification.pending")
    second = did.folded["registration.verification_id"]
    await did.ask("rob", "POST", f"/v1/verifications/{second}/approve", {})
    await did.recorded(
        "verification.approved rob request",
        "routing.changed rob verification.approved",
        RESULT,
        "did.activated service:provisioning provisioning.results",
        APPLIED,
    )


async def set_routing(did: Life) -> None:
    """A trunk, and then the capacity."""
    trunk = {"name": "PBX", "sip": {"uri": "sip:pbx.example.com"}}
    made = await did.ask("eva", "POST", "/v1/voice-trunks", trunk)
    voice = {"voice_trunk_id": made["voice_trunk_id"]}
    await did.ask("eva", "POST", "/v1/routing/batch/set-voice", DID | voice)
    await did.recorded("routing.changed eva request", RESULT, APPLIED)
    await did.ask("eva", "POST", "/v1/routing/batch/set-capacity", {**DID, "capacity": 2})
    await did.recorded("routing.changed eva request", RESULT, APPLIED)
    assert did.folded["status"] == "active"


async def request_service(did: Life) -> None:
    """A service is requested, and decided by the back office."""
    texts = {"brand": "Bakery", "use_case": "customer_care", "opt_in_text": "I agree."}
    body = {"did": NUMBER, "service": "a2p_sms", "sample_messages": ["Your bread is ready."], **texts}
    request = (await did.ask("eva", "POST", "/v1/service-requests", body))["request_id"]
    await did.recorded("service.changed eva request")
    for state in ("in_process", "active"):
        await did.ask("bot", "POST", f"/v1/service-requests/{request}/decide", {"state": state})
        await did.recorded("service.changed bot request")


async def block_and_hold(did: Life) -> None:
    """Edited, blocked and unblocked, held and unheld by hand, and held again until the hold runs out."""
    edits = {"description": "Main", "notes": "n", "tags": ["a", "b"], "after_hold": "in_stock"}
    await did.ask("sam", "PATCH", f"/v1/dids/{NUMBER}", edits)
    await did.recorded("http.edit sam -")
    hold = {"days": 3, "after_hold": "back"}
    for who, action, body in (
        ("max", "block", {}),
        ("max", "unblock", {}),
        ("sam", "hold", hold),
        ("sam", "unhold", {}),
        ("sam", "hold", hold),
    ):
        await did.ask(who, "POST", f"/v1/dids/batch/{action}", DID | body)
        await did.recorded(f"http.{action} {who} -", f"routing.changed {who} did.changed", RESULT, APPLIED)
    until = did.folded["until"]
    await did.advance("P3D")
    clock = "timer.hold_end service:inventory -"
    await did.recorded(clock, "routing.changed service:provisioning did.changed", RESULT, APPLIED)
    (ended,) = (entry for entry in did.entries if label_of(entry) + " -" == clock)
    assert ended["at"] == until


async def renew_and_cancel(did: Life) -> None:
    """Cycles are set, the clock renews, and the term is canceled, restored and canceled again."""
    await did.ask("sam", "POST", "/v1/terms/batch/set-cycles", {**DID, "billing_cycles": 5})
    await did.recorded("term.changed sam request")
    expiry = did.folded["term.expires_at"]
    await did.advance("P29D")
    by_clock = "service:billing clock"
    await did.recorded(f"cycle.expired {by_clock}", f"ledger.posted {by_clock}", f"term.changed {by_clock}")
    assert {entry["at"] for entry in did.entries[-3:]} == {expiry}
    assert did.folded["term.cycles_left"] == 4
    for action in ("cancel", "restore", "cancel"):
        await did.ask("sam", "POST", f"/v1/terms/batch/{action}", DID)
        await did.recorded("term.changed sam request", "routing.changed sam term.changed", RESULT, APPLIED)


async def end(did: Life) -> None:
    """The canceled term expires. After 34 days the DID is removed, and the number is in stock again."""
    await did.advance("P31D")
    await did.recorded("cycle.expired service:billing clock", "term.changed service:billing clock")
    removal = did.folded["term.aging_until"]
    await did.advance("P34D")
    await did.recorded(
        REMINDER,
        REMINDER,
        "did.removed service:billing clock",
        "term.changed service:billing clock",
        "service.changed service:verification did.removed",
        "routing.changed service:provisioning did.removed",
        RESULT,
        APPLIED,
    )
    assert (did.folded["stock"], did.folded["removed_at"]) == ("removed", removal)
    assert did.folded["routing.carrier_state"] == "released"


async def check_entries(did: Life) -> None:
    """Page by page it is the same history. Each entry with an event is that event, and its cause is on a topic too."""
    entries = await did.pages("sam", f"/v1/dids/{did.did}/history")
    assert entries == did.entries
    assert len(entries) > 5 * PAGE
    events = await did.events()
    causes = {event.id: name_of(event.type) for event in events.values()}
    labels = [label_of(entry, causes) for entry in entries]
    of_routing = set(filter(is_routing, labels))
    assert of_routing <= {*did.expected}
    assert sorted(label for label in labels if not is_routing(label)) == sorted(
        label for label in did.expected if not is_routing(label)
    )
    for entry in entries:
        assert (entry["outcome"], entry["code"], entry["claimed_actor"]) == ("applied", None, None)
        if entry["cause"] is None:
            assert entry["type"].startswith(("http.", "timer."))
            continue
        cause = entry["cause"]
        event = events[cause["source"], cause["id"]]
        assert instant(entry["at"]) == event.time
        assert (cause["sequence"], cause["causationid"]) == (event.sequence, event.causationid)
        assert entry["actor"] == (event.actor or event.source)
    recorded = [instant(entry["recorded_at"]) for entry in entries]
    assert recorded == sorted(recorded)


async def check_stock(did: Life) -> None:
    """The number's own history: added, sold as this DID, back in stock, and free when its carrier released it."""
    entries = await did.pages("sam", f"/v1/stock/{NUMBER}/history")
    assert [label_of(entry) for entry in entries] == [
        "http.add_number sam",
        "http.purchase sam",
        "did.removed service:billing",
        "routing.changed service:provisioning",
    ]
    assert entries[1]["changes"]["did_id"] == {"before": None, "after": did.did}
    (row,) = (await did.ask("sam", "GET", "/v1/stock"))["items"]
    folded: Any = fold_all(entry["changes"] for entry in entries)
    assert {name: folded[name] for name in folded if name in row} == filled_fields(
        {name: value for name, value in row.items() if name != "number"}
    )


def instant(text: str) -> datetime:
    """Return an instant of an answer."""
    return datetime.fromisoformat(text)

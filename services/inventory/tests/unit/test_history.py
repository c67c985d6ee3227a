"""The history of a DID: every message, what it changed, who sent it, and its cause."""

from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from didflow_inventory.domain.changes import fields_of
from didflow_inventory.domain.history.things import recorded_fields
from didflow_inventory.domain.stock.number import Number


def test_every_message_about_a_did_has_an_entry_whatever_its_decision_was(purchased: Any, make: Any) -> None:
    """Applied, unchanged and refused messages each have an entry with their event."""
    purchased.decide(make.purchased())
    purchased.decide(make.term("active", 5))
    purchased.decide(make.term("none", 4))
    purchased.decide(make.ledger_posted())

    entries = purchased.history
    assert [(e.type, e.outcome, e.code) for e in entries] == [
        ("didflow.did.purchased.v1", "applied", None),
        ("didflow.did.purchased.v1", "unchanged", None),
        ("didflow.term.changed.v1", "applied", None),
        ("didflow.term.changed.v1", "refused", "outdated"),
        ("didflow.ledger.posted.v1", "applied", None),
    ]
    assert entries[2].event_id
    assert (entries[2].source, entries[2].event_sequence) == ("/didflow/billing", 5)


def test_a_refused_event_that_still_completes_the_registration_is_recorded_as_refused(
    purchased: Any, make: Any
) -> None:
    """Its entry has the code and what it changed."""
    purchased.decide(make.registration("expired", 3))
    purchased.decide(make.registration("approved", 2))
    entry = purchased.history[-1]
    assert (entry.type, entry.outcome, entry.code) == (
        "didflow.verification.approved.v1",
        "refused",
        "outdated",
    )
    assert entry.changes["registration.completed"] == {"before": False, "after": True}


def test_a_change_is_recorded_with_before_and_after(purchased: Any, make: Any) -> None:
    """Fields inside an axis are recorded one by one, with the status that follows from them."""
    purchased.decide(make.registration("awaiting"))
    purchased.decide(make.registration("approved", 2, verification_id=make.other_id))
    changes = purchased.history[-1].changes

    assert changes["registration.state"] == {"before": "awaiting", "after": "approved"}
    assert changes["registration.verification_id"]["after"] == str(make.other_id)
    assert changes["status"] == {"before": "awaiting_registration", "after": "not_configured"}
    assert "term.state" not in changes


def test_applying_all_changes_in_order_gives_the_present_did(purchased: Any, make: Any) -> None:
    """The history alone is enough to read the present state."""
    for event in (
        make.registration("awaiting"),
        make.term("active"),
        make.service("new"),
        make.enduser_assigned(),
        make.registration("approved", 3, identity_id=make.identity_id),
        make.routing("active"),
        make.removed(),
    ):
        purchased.decide(event)
    fields: dict[str, Any] = {}
    for entry in purchased.history:
        fields |= {name: change["after"] for name, change in entry.changes.items()}

    as_json = msgspec.json.encode(
        fields_of(purchased.did), enc_hook=lambda value: value.model_dump(mode="json")
    )
    assert _without_empty(fields) == _without_empty(msgspec.json.decode(as_json))


def _without_empty(fields: dict[str, Any]) -> dict[str, Any]:
    """Leave out empty values, because the entry of a new DID has only its other values."""
    return {name: value for name, value in fields.items() if value not in (None, False, [], {})}


def test_the_actor_is_that_of_the_event_or_else_its_source(purchased: Any, make: Any) -> None:
    """The actor is a person if the event names one, else the service or the outside source."""
    purchased.decide(replace(make.term("active"), actor="user:eve"))
    purchased.decide(make.registration("awaiting"))
    purchased.decide(make.assign_end_user())
    actors = [entry.actor for entry in purchased.history]
    assert actors == ["/orders/acme", "user:eve", "service:verification", "user:ann"]


def test_the_actor_that_an_outside_source_names_is_only_claimed(stage: Any, make: Any) -> None:
    """The entry shows it beside the source, and the events that follow do not have it."""
    stage.decide(replace(make.purchased(), actor="user:boss"))
    (entry,) = stage.history
    assert (entry.actor, entry.claimed_actor) == ("/orders/acme", "user:boss")
    assert {event.actor for event in stage.published()} == {"service:inventory"}


def test_a_refused_purchase_has_one_entry_with_its_code(stage: Any, make: Any) -> None:
    """The refused DID exists for this entry."""
    stage.decide(make.purchased(account="master/nobody"))
    assert [(entry.outcome, entry.code) for entry in stage.history] == [("applied", "account_unknown")]


def test_the_refusal_of_an_event_by_another_service_is_in_the_history(purchased: Any, make: Any) -> None:
    """The entry names the type, the source and the id of the refused event, the code and the field."""
    purchased.decide(make.message_refused())

    entry = purchased.history[-1]
    assert (entry.type, entry.actor, entry.outcome, entry.code) == (
        "didflow.message.refused.v1",
        "service:billing",
        "applied",
        "not_yours",
    )
    assert entry.extra == {
        "refused_type": "didflow.did.purchased.v1",
        "refused_source": "/orders/other",
        "refused_id": "r-1",
        "code": "not_yours",
        "field": "account",
    }


def test_a_parked_message_gets_its_entry_when_it_is_decided(stage: Any, make: Any) -> None:
    """An early message has one entry, after that of the message that it waited for."""
    stage.decide(make.term("active"))
    assert stage.history == []
    stage.decide(make.purchased())
    types = [entry.type for entry in stage.history]
    assert types == ["didflow.did.purchased.v1", "didflow.term.changed.v1"]


def test_unknown_fields_of_an_event_are_kept(purchased: Any, make: Any) -> None:
    """A charge, which belongs to no axis, is kept with all its fields."""
    event = make.term("active")
    raw = msgspec.json.encode(event.data.wire() | {"mood": "fine"})
    purchased.decide(replace(event, raw_data=raw))
    purchased.decide(make.ledger_posted())

    newer, charge = purchased.history[-2:]
    assert newer.extra == {"mood": "fine", "reason": "started"}
    assert charge.extra["money"] == {"amount": "1.00", "currency": "EUR"}
    assert "number" not in charge.extra


@pytest.mark.parametrize("end", ["refused", "removed"])
def test_a_reminder_is_recorded_also_for_a_did_that_is_gone(stage: Any, make: Any, end: str) -> None:
    """It arrives after the removal of the DID or the refusal of its purchase. It changes nothing and is not parked."""
    if end == "refused":
        stage.store(Number(number=make.number, releasing=True))
    stage.decide(make.purchased())
    if end == "removed":
        stage.decide(make.removed())
    gone = stage.did
    stage.decide(make.term_expiring())
    entry = stage.history[-1]
    assert (entry.type, entry.outcome, entry.changes) == ("didflow.term.expiring.v1", "applied", {})
    assert entry.extra == {"ends_at": "2026-05-04T09:00:00Z", "days": 7, "reason": "aging"}
    assert (stage.did, stage.did.holding.stock, stage.parked()) == (gone, end, [])


def test_an_entry_keeps_the_fields_of_its_event_that_no_did_has(purchased: Any, make: Any) -> None:
    """Why something happened is in the event alone. What is in the changes, or says nothing, is not repeated."""
    purchased.decide(make.registration("expired", 1))
    purchased.decide(make.registration("approved", 2, automatic=True, rests_on=make.other_id))
    purchased.decide(make.cycle_expired("active"))
    purchased.decide(make.activated(carrier_reference="c-7"))
    purchased.decide(make.enduser_assigned())
    purchased.decide(make.removed(reason="aged_out"))
    at = "2026-03-01T09:00:00Z"
    bought, *others = [entry.extra for entry in purchased.history]
    assert bought.keys() == {"price", "payer", "billing_period", "end_user_type", "acquired"}
    assert others == [
        {"reason": "revoked"},
        {"automatic": True, "rests_on": str(make.other_id)},
        {"period": 1, "expired_at": at, "outcome": "renewed"},
        {"carrier": "simulator", "carrier_reference": "c-7", "activated_at": at},
        {},
        {"reason": "aged_out", "refunded": False},
    ]


@pytest.mark.parametrize("outcome", ["failed", "canceled"])
def test_the_entry_of_a_porting_that_ended_says_how_and_why(stage: Any, make: Any, outcome: Any) -> None:
    """Both ends remove the DID for the same reason."""
    stage.decide(make.porting_started())
    stage.decide(make.porting_ended(outcome))
    started, ended = stage.history
    assert started.extra["losing_carrier"] == "Old Telecom"
    assert ended.extra == {"outcome": outcome, "reason": "The old carrier refused."}
    assert ended.changes["removal_reason"]["after"] == "porting_failed"


def test_the_refused_purchase_of_another_account_is_not_in_the_history(purchased: Any, make: Any) -> None:
    """A refused command belongs to no DID; a repeated one belongs to the DID that it made."""
    purchased.decide(make.purchase(make.caller("other"), account="other", order_id="o-9"))
    assert len(purchased.history) == 1

    purchased.decide(make.purchase())
    entry = purchased.history[-1]
    assert (entry.type, entry.outcome) == ("http.purchase", "unchanged")


def test_an_account_has_a_history_without_a_did(stage: Any, make: Any) -> None:
    """A creation, its repeat and its refusal each have an entry. Nobody else's attempt has one."""
    for by in ("master/acme", "master/acme", "other"):
        stage.decide(make.create_account("master/acme/new", make.caller(by)))
    stage.decide(make.create_account("master/acme/new", name="Else"))

    entries = stage.history
    assert {(e.thing, e.thing_id, e.did_id, e.account) for e in entries} == {
        ("account", "master/acme/new", None, "master/acme/new")
    }
    assert [(e.type, e.outcome, e.code) for e in entries] == [
        ("http.create_account", "applied", None),
        ("http.create_account", "unchanged", None),
        ("http.create_account", "refused", "account_exists"),
    ]
    assert entries[0].changes == {
        "path": {"before": None, "after": "master/acme/new"},
        "name": {"before": None, "after": "master/acme/new"},
        "kind": {"before": None, "after": "reseller"},
        "created_at": {"before": None, "after": "2026-03-01T09:00:00Z"},
    }


class Thingy(msgspec.Struct, frozen=True):
    """A thing with a personal and a private field."""

    key: str
    email: str | None = None
    secret: int = 0


@pytest.mark.parametrize(
    ("after", "changed"),
    [
        (Thingy("a", "eve@example.com"), {"email": {"before": None, "after": "***"}}),
        (Thingy("b"), {"key": {"before": "a", "after": "b"}}),
        (Thingy("a", secret=5), {}),
    ],
)
def test_personal_fields_are_recorded_without_their_values(after: Any, changed: Any) -> None:
    """The row of the thing alone has them. Some fields are not recorded at all."""
    compare = recorded_fields(Thingy, without=["secret"], masked=["email"])
    assert compare(Thingy("a"), after) == changed

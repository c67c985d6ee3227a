"""The story of a number: every message, what it changed, who said it, and because of what."""

from typing import Any

import msgspec
from msgspec.structs import replace

from didflow_contracts.envelope import Event, _canonical
from didflow_inventory.domain.changes import facts


def test_every_message_about_a_did_is_told_whatever_came_of_it(bought: Any, say: Any) -> None:
    """Applied, unchanged and refused ones alike, each with its event."""
    bought.process(say.purchased())
    bought.process(say.term("active", 5))
    bought.process(say.term("none", 4))
    bought.process(say.posted())

    told = [(e.type, e.outcome, e.code) for e in bought.history]
    assert told == [
        ("didflow.did.purchased.v1", "applied", None),
        ("didflow.did.purchased.v1", "unchanged", None),
        ("didflow.term.changed.v1", "applied", None),
        ("didflow.term.changed.v1", "refused", "outdated"),
        ("didflow.ledger.posted.v1", "applied", None),
    ]
    assert bought.history[2].event_id
    assert (bought.history[2].source, bought.history[2].event_sequence) == ("/didflow/billing", 5)


def test_a_change_is_told_with_before_and_after(bought: Any, say: Any) -> None:
    """Field by field, inside an axis too; the status that followed stands beside it."""
    bought.process(say.registration("awaiting"))
    bought.process(say.registration("approved", 2, verification_id=say.other))
    changes = bought.history[-1].changes

    assert (changes["registration.state"]["before"], changes["registration.state"]["after"]) == (
        "awaiting",
        "approved",
    )
    assert changes["registration.verification_id"]["after"] == str(say.other)
    assert (changes["status"]["before"], changes["status"]["after"]) == (
        "awaiting_registration",
        "not_configured",
    )
    assert "term.state" not in changes


def test_applying_all_changes_in_order_gives_the_did_as_it_stands(bought: Any, say: Any) -> None:
    """Reading the history back is the present."""
    for event in (
        say.registration("awaiting"),
        say.term("active"),
        say.service("new"),
        say.assigned(),
        say.registration("approved", 3, identity_id=say.identity),
        say.routing("active"),
        say.removed(),
    ):
        bought.process(event)
    read: dict[str, Any] = {}
    for entry in bought.history:
        read |= {name: change["after"] for name, change in entry.changes.items()}

    assert _told(read) == _told(_as_json(facts(bought.did)))


def _as_json(fields: dict[str, Any]) -> Any:
    """Return the fields as a JSON column holds them."""
    return msgspec.json.decode(
        msgspec.json.encode(fields, enc_hook=lambda part: part.model_dump(mode="json"))
    )


def _told(fields: dict[str, Any]) -> dict[str, Any]:
    """Leave out what is empty: a story begins with what there is."""
    return {name: value for name, value in fields.items() if value not in (None, False, [], {})}


def test_the_actor_is_the_events_or_who_spoke(bought: Any, say: Any) -> None:
    """A person where one is known, else the service or the outside source."""
    by_person = replace(say.term("active"), actor="user:eve")
    bought.process(by_person)
    bought.process(say.registration("awaiting"))
    bought.process(say.assign())
    assert [e.actor for e in bought.history] == [
        "/orders/acme",
        "user:eve",
        "service:verification",
        "user:ann",
    ]


def test_a_refused_purchase_is_told_with_its_code(inventory: Any, say: Any) -> None:
    """The refused DID has a story of one line."""
    inventory.process(say.purchased(account="master/nobody"))
    assert [(e.outcome, e.code) for e in inventory.history] == [("applied", "account_unknown")]


def test_what_waits_is_told_when_it_is_decided(inventory: Any, say: Any) -> None:
    """A message that came too early appears once, after what it waited for."""
    inventory.process(say.term("active"))
    assert inventory.history == []
    inventory.process(say.purchased())
    assert [e.type for e in inventory.history] == ["didflow.did.purchased.v1", "didflow.term.changed.v1"]


def test_fields_that_are_not_known_are_kept(bought: Any, say: Any) -> None:
    """A newer service's words are not lost; a charge, which no axis shows, is kept whole."""
    event = say.term("active")
    raw = _canonical(event.data.wire() | {"mood": "fine"})
    newer = Event(
        id=event.id, source=event.source, time=event.time, data=event.data, sequence=1, raw_data=raw
    )
    bought.process(newer)
    bought.process(say.posted())

    assert bought.history[-2].extra == {"mood": "fine"}
    assert bought.history[-1].extra["money"] == {"amount": "1.00", "currency": "EUR"}
    assert "number" not in bought.history[-1].extra


def test_the_purchase_of_another_tenant_leaves_no_trace_in_a_story(bought: Any, say: Any) -> None:
    """A refused call over HTTP is nobody's story; a repeated one is told in the DID's own."""
    stranger = say.caller("other")
    bought.process(say.purchase(stranger, account="other", did_id=say.did, order_id="o-9"))
    assert len(bought.history) == 1

    bought.process(say.purchase())
    assert (bought.history[-1].type, bought.history[-1].outcome) == ("http.purchase", "unchanged")


def test_accounts_have_no_story(inventory: Any, say: Any) -> None:
    """The history is the numbers'."""
    inventory.process(say.account_at("master/acme/new"))
    assert inventory.history == []

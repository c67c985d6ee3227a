"""Every handler: an event that is too early, one that is delivered twice, and one that comes after the end."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from msgspec.structs import replace

from didflow_chassis.decision import Decided, Refused, TooEarly, Unchanged
from didflow_contracts.topics import VERIFICATION, topics_read_by
from didflow_verification.domain.axes.registration import Registration
from didflow_verification.handlers import EVENTS

STARTS: dict[str, Callable[..., Any]] = {
    "did.purchased": lambda build, *_: build.purchased(),
    "did.porting_started": lambda build, *_: build.porting_started(),
}
LATER: dict[str, Callable[..., Any]] = {
    "purchase.refused": lambda build, *_: build.refused(),
    "did.changed": lambda build, *_: build.did_changed("master/globex"),
    "enduser.assigned": lambda build, acme, quay: build.assigned(acme, quay),
    "did.removed": lambda build, *_: build.removed(),
}
COMMANDS: dict[str, Callable[..., Any]] = {
    "approve": lambda build, *_: build.approve(),
    "reject": lambda build, *_: build.reject(),
    "resubmit": lambda build, acme, quay: build.resubmit(1, acme, quay),
    "revoke": lambda build, *_: build.revoke(),
    "claim": lambda build, *_: build.claim(),
    "release": lambda build, *_: build.release(),
}
ITEMS: dict[str, Callable[..., Any]] = {
    "recheck": lambda build: build.recheck(),
    "revoke_resting": lambda build: build.revoke_resting(build.did),
    "reassess": lambda build: build.reassess(),
}
ALL = STARTS | LATER


def without_sequences(stage: Any) -> Any:
    """Return all states without the last applied sequences."""
    return {
        key: replace(state, sequences={}) if isinstance(state, Registration) else state
        for key, state in stage.snapshot().items()
    }


def test_the_handlers_are_those_of_the_topics_that_verification_reads() -> None:
    """The table of handlers and the table of topics agree."""
    assert set(EVENTS) == {topic.event for topic in topics_read_by(VERIFICATION)}
    assert set(ALL) == {event.topic for event in EVENTS}


@pytest.mark.parametrize("start", STARTS)
@pytest.mark.parametrize("name", LATER)
def test_an_event_before_the_start_waits_for_it(
    stage: Any, build: Any, acme: Any, quay: Any, *, name: str, start: str
) -> None:
    """It is parked, nothing is written, and it is decided when the purchase or the porting arrives."""
    stage.store(acme, quay)
    before = stage.snapshot()
    assert stage.process(LATER[name](build, acme, quay)) == TooEarly("did.purchased")
    assert (stage.snapshot(), stage.topics()) == (before, [])
    stage.process(STARTS[start](build))
    assert stage.parked() == []
    registration = stage.registration
    assert registration.ended or registration.assigned or registration.sequences


@pytest.mark.parametrize("name", ALL)
def test_an_event_delivered_twice_changes_nothing(
    ready: Any, build: Any, acme: Any, quay: Any, name: str
) -> None:
    """Neither with the same id, nor with another id: nothing is written or published the second time."""
    event = ALL[name](build, acme, quay)
    ready.process(event)
    before = (without_sequences(ready), ready.topics())
    assert ready.process(event) is None
    again = ready.process(build.again(event))
    assert isinstance(again, Decided if name == "did.changed" else Unchanged)
    assert (without_sequences(ready), ready.topics()) == before


@pytest.mark.parametrize("end", ["removed", "refused"])
@pytest.mark.parametrize("name", ALL)
def test_an_event_for_an_ended_did_never_waits_and_never_revives_it(
    ready: Any, build: Any, acme: Any, quay: Any, *, name: str, end: str
) -> None:
    """After the end, no state changes, no axis is published and nothing is parked."""
    ready.process(getattr(build, end)())
    before = (ready.snapshot(), ready.axis_topics())
    assert isinstance(ready.process(ALL[name](build, acme, quay)), Unchanged | Refused)
    assert (ready.snapshot(), ready.axis_topics(), ready.parked()) == (*before, [])


@pytest.mark.parametrize("name", ALL)
def test_another_number_with_the_same_did_id_is_refused(
    pending: Any, build: Any, acme: Any, quay: Any, *, name: str
) -> None:
    """The DID that has the `did_id` does not change."""
    build.number = "+35319609037"
    before = (pending.snapshot(), pending.axis_topics())
    pending.process(ALL[name](build, acme, quay))
    assert pending.refusals() == ["did_id_taken"]
    assert (pending.snapshot(), pending.axis_topics()) == before


@pytest.mark.parametrize("name", STARTS)
def test_an_outside_source_cannot_purchase_a_did_of_another_account(
    ready: Any, build: Any, name: str
) -> None:
    """The repeated purchase of the purchaser changes nothing; that of another account is refused."""
    ready.process(build.did_changed("master/acme/shop"))
    assert ready.process(STARTS[name](build)) == Unchanged()
    build.account = "master/globex"
    outcome = ready.process(STARTS[name](build))
    assert isinstance(outcome, Refused)
    assert outcome.code == "not_yours"


@pytest.mark.parametrize("name", ["did.purchased", "enduser.assigned"])
def test_a_refused_event_is_missing_in_the_history(
    ready: Any, build: Any, acme: Any, quay: Any, name: str
) -> None:
    """Inventory learns of the refusal by `message.refused`, with the account of the holder."""
    ready.process(build.did_changed("master/acme/shop"))
    build.account = "master/globex"
    source = "/orders/globex" if name == "did.purchased" else "/portals/globex"
    event = replace(ALL[name](build, acme, quay), source=source, sequence=None, actor=None)
    ready.process(event)
    (refused,) = ready.published_data("message.refused")
    assert (refused.did_id, refused.number, refused.account) == (
        build.did,
        build.number,
        "master/acme/shop",
    )
    assert (refused.refused_type, refused.refused_source, refused.refused_id) == (
        event.type,
        source,
        event.id,
    )
    assert (refused.code, refused.field) == ("not_yours", "account")


def test_a_refused_event_is_published_once_and_a_repeat_or_an_unknown_did_never(
    ready: Any, build: Any, acme: Any, quay: Any
) -> None:
    """A repeat of the refused event, an outdated event and an event that is too early publish no refusal."""
    ready.process(build.did_changed(sequence=2))
    ready.process(build.did_changed("master/globex", sequence=1))
    ready.process(build.removed())
    event = build.assigned(acme, quay)
    ready.process(event)
    ready.process(event)
    assert [data.code for data in ready.published_data("message.refused")] == ["did_ended"]
    build.did = acme.identity_id
    ready.process(build.assigned(acme, quay))
    assert len(ready.published_data("message.refused")) == 1


def test_late_details_of_a_former_holder_are_not_refused_in_one_order_only(
    new_stage: Any, build: Any, acme: Any, quay: Any
) -> None:
    """An outside source may name the holder at the time of its event, whether the handover came before or after."""
    statuses = []
    for handover_first in (True, False):
        stage = new_stage()
        stage.store(acme, quay)
        handover = build.did_changed("master/globex", build.zero)
        details = build.assigned(acme, quay, build.zero.replace(hour=11), source="/portals/acme")
        events = (handover, details) if handover_first else (details, handover)
        stage.process_all(build.purchased(build.zero.replace(hour=10)), *events)
        statuses.append((stage.statuses(), stage.refusals(), stage.registration.state))
    assert statuses[0] == statuses[1] == (["withdrawn"], [], "awaiting")


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_for_something_unknown_is_not_found(
    stage: Any, build: Any, acme: Any, quay: Any, name: str
) -> None:
    """A command never waits for a state."""
    outcome = stage.process(COMMANDS[name](build, acme, quay))
    assert isinstance(outcome, Refused)
    assert outcome.code == "not_found"


@pytest.mark.parametrize("name", ["approve", "reject", "release"])
def test_a_repeated_command_changes_nothing(
    pending: Any, build: Any, acme: Any, quay: Any, name: str
) -> None:
    """The second time nothing is written or published."""
    pending.process(COMMANDS[name](build, acme, quay))
    before = (pending.snapshot(), pending.topics())
    assert isinstance(pending.process(COMMANDS[name](build, acme, quay)), Unchanged)
    assert (pending.snapshot(), pending.topics()) == before


@pytest.mark.parametrize("when", ["unknown", "as it was", "ended"])
@pytest.mark.parametrize("name", ITEMS)
def test_an_item_of_a_job_that_has_nothing_to_do_changes_nothing(
    pending: Any, build: Any, *, name: str, when: str
) -> None:
    """The DID is unknown, nothing has changed for it, or it ended since the page was read."""
    if when == "ended":
        pending.process(build.removed())
    build.did = UUID(int=1) if when == "unknown" else build.did
    before = (pending.snapshot(), pending.topics())
    assert isinstance(pending.process(ITEMS[name](build)), Unchanged)
    assert (pending.snapshot(), pending.topics()) == before

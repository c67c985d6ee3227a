"""The events of a number may arrive in any order, and its carrier may answer in any way. The end is always the same."""

from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Any
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from didflow_contracts.events import CarrierCommandIssued, RoutingChanged

ANSWERS = st.lists(st.sampled_from(("success", "retryable_failure", "timeout", "none")), max_size=20)


def events_of_did(messages: Any, did_id: UUID, last: Any) -> list[Any]:
    """All events of one DID, each axis with the sequences of its source. `last` is the last event of billing."""
    return [
        messages.purchased(did_id),
        messages.registration("awaiting", 1, did_id),
        messages.registration("pending", 2, did_id),
        messages.registration("approved", 3, did_id),
        messages.did_changed("assigned", 1, did_id),
        messages.did_changed("blocked", 2, did_id),
        messages.did_changed("assigned", 3, did_id, features=["voice_in", "fax"]),
        messages.term("active", 1, did_id),
        messages.cycle_expired("delayed_removal", 2, did_id),
        messages.term("canceled", 3, did_id),
        last,
    ]


def answer_once(stage: Any, messages: Any, answer: str) -> None:
    """Let the carrier answer the open command in the given way."""
    command = stage.open_command
    if command is None or answer == "none":
        return
    if answer == "timeout":
        stage.advance(timedelta(minutes=5))
    elif answer == "retryable_failure":
        stage.process(messages.failure(command, retryable=True))
    else:
        stage.process(messages.result(command))


def processed(stage: Any, messages: Any, events: Iterable[Any], answers: list[str]) -> Any:
    """Process the events with one carrier answer after each. In the end, every carrier command succeeds."""
    remaining = iter(answers)
    for event in events:
        stage.process(event)
        answer_once(stage, messages, next(remaining, "none"))
    stage.succeed_all(messages)
    assert stage.parked() == []
    assert stage.open_command is None
    return stage


@settings(deadline=None, max_examples=200)
@given(data=st.data(), answers=ANSWERS)
def test_every_order_of_the_events_of_one_did_ends_the_same(
    new_stage: Callable[[], Any], messages: Any, data: st.DataObject, answers: list[str]
) -> None:
    """All permutations, repeated events, and late or missing results lead to the same axis."""
    last = data.draw(st.sampled_from((messages.removed(sequence=4), messages.term("active", 4))))
    events = events_of_did(messages, messages.did_id, last)
    in_order = processed(new_stage(), messages, events, [])
    repeats = data.draw(st.lists(st.sampled_from(events), max_size=3))
    mixed = processed(new_stage(), messages, data.draw(st.permutations([*events, *repeats])), answers)
    expected = "released" if last.data.topic == "did.removed" else "active"
    assert mixed.axis() == in_order.axis()
    assert mixed.axis().carrier_state == expected


@settings(deadline=None, max_examples=100)
@given(data=st.data(), answers=ANSWERS)
def test_a_carrier_never_has_two_dids_of_one_number(
    new_stage: Callable[[], Any], messages: Any, data: st.DataObject, answers: list[str]
) -> None:
    """The former DID is released and the next one is active. No command for the next one is sent before that."""
    former = events_of_did(messages, messages.did_id, messages.removed(messages.did_id, 4))
    following = events_of_did(
        messages, messages.next_did_id, messages.term("active", 4, messages.next_did_id)
    )
    stage = processed(new_stage(), messages, data.draw(st.permutations([*former, *following])), answers)
    assert stage.axis(messages.did_id).carrier_state == "released"
    assert stage.axis(messages.next_did_id).carrier_state == "active"
    assert not overlaps(stage.events)


def overlaps(events: list[Any]) -> bool:
    """Return True if a command for one DID was issued while the carrier had another DID of the number."""
    at_carrier: set[UUID] = set()
    for event in events:
        if isinstance(event, CarrierCommandIssued):
            if at_carrier - {event.did_id}:
                return True
            at_carrier.add(event.did_id)
        elif isinstance(event, RoutingChanged) and event.carrier_state == "released":
            at_carrier.discard(event.did_id)
    return False

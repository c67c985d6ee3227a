"""Whatever order the events of a number come in, and however its carrier answers, it ends the same way."""

from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Any
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from didflow_contracts.events import CarrierCommandIssued, RoutingChanged

ANSWERS = st.lists(st.sampled_from(("succeeded", "retry", "silence", "busy")), max_size=20)


def story(say: Any, did: UUID, last: Any) -> list[Any]:
    """All that is said of one DID, each axis with its source's sequences; `last` is billing's last word."""
    return [
        say.purchased(did),
        say.registration("awaiting", 1, did),
        say.registration("pending", 2, did),
        say.registration("approved", 3, did),
        say.holding("assigned", 1, did),
        say.holding("blocked", 2, did),
        say.holding("assigned", 3, did, features=["voice_in", "fax"]),
        say.term("active", 1, did),
        say.cycle_expired("delayed_removal", 2, did),
        say.term("canceled", 3, did),
        last,
    ]


def step(floor: Any, say: Any, answer: str) -> None:
    """Let the carrier answer what is open, or be silent; a busy one has not looked yet."""
    if floor.open is None or answer == "busy":
        return
    if answer == "silence":
        floor.wait(timedelta(minutes=5))
    elif answer == "retry":
        floor.take(say.failure(floor.open, retryable=True))
    else:
        floor.take(say.result(floor.open))


def play(floor: Any, say: Any, messages: Iterable[Any], answers: list[str]) -> Any:
    """Feed messages, the carrier answering in between; at last it does all that is still ordered."""
    turns = iter(answers)
    for message in messages:
        floor.take(message)
        step(floor, say, next(turns, "busy"))
    floor.answer(say)
    assert floor.early == []
    assert floor.open is None
    return floor


@settings(deadline=None, max_examples=200)
@given(data=st.data(), answers=ANSWERS)
def test_every_order_of_one_dids_events_ends_the_same(
    new_floor: Callable[[], Any], say: Any, data: st.DataObject, answers: list[str]
) -> None:
    """All permutations, repeats under the same and other ids, late and missing answers: one and the same axis."""
    last = data.draw(st.sampled_from((say.removed(sequence=4), say.term("active", 4))))
    events = story(say, say.did, last)
    straight = play(new_floor(), say, events, [])
    repeats = data.draw(st.lists(st.sampled_from(events), max_size=3))
    mixed = play(new_floor(), say, data.draw(st.permutations([*events, *repeats])), answers)
    ended = "released" if last is events[-1] and last.data.topic == "did.removed" else "active"
    assert mixed.axis() == straight.axis()
    assert mixed.axis().carrier_state == ended


@settings(deadline=None, max_examples=100)
@given(data=st.data(), answers=ANSWERS)
def test_two_lives_of_a_number_never_meet_at_the_carrier(
    new_floor: Callable[[], Any], say: Any, data: st.DataObject, answers: list[str]
) -> None:
    """The former life is released, the next one active, and nothing of the next was ordered before that."""
    former = story(say, say.did, say.removed(say.did, 4))
    coming = story(say, say.next, say.term("active", 4, say.next))
    floor = play(new_floor(), say, data.draw(st.permutations([*former, *coming])), answers)
    assert floor.axis(say.did).carrier_state == "released"
    assert floor.axis(say.next).carrier_state == "active"
    assert not overlap(floor.said, say.did, say.next)


def overlap(said: list[Any], one: UUID, other: UUID) -> bool:
    """Whether a life was ordered from the carrier while another had it."""
    at_carrier: set[UUID] = set()
    for event in said:
        if isinstance(event, CarrierCommandIssued):
            if at_carrier - {event.did_id}:
                return True
            at_carrier.add(event.did_id)
        elif isinstance(event, RoutingChanged) and event.carrier_state == "released":
            at_carrier.discard(event.did_id)
    return False

"""Across topics there is no order: however one number's events are mixed, inventory ends the same."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from didflow_inventory.domain.did import Did
from didflow_inventory.domain.stock import Number

REGISTRATIONS = ("awaiting", "pending", "approved", "rejected", "expired", "not_required")
TERMS = ("active", "delayed_removal", "canceled", "aging", "closed")
CARRIERS = ("activating", "active", "failed", "suspended")


@st.composite
def stories(draw: Any, say: Any) -> Any:
    """One number's events as their sources would say them: one list for each topic, each in its order.

    A source counts over all its topics; its last words after a removal are a release and a closed term.
    """
    removed = draw(st.booleans())
    topics = {"did.purchased": [say.purchased() for _ in range(draw(st.integers(1, 2)))]}

    def said(event: Any) -> Any:
        topics.setdefault(event.data.topic, []).append(event)

    for sequence, state in enumerate(
        draw(st.lists(st.sampled_from(REGISTRATIONS), min_size=1, max_size=4)), 1
    ):
        said(say.registration(state, sequence, identity_id=say.identity, attempt=sequence))
    said(say.service(draw(st.sampled_from(("new", "active"))), 7))
    for sequence, state in enumerate(draw(st.lists(st.sampled_from(TERMS), max_size=3)), 1):
        said(draw(st.sampled_from((say.term, say.cycle_expired)))(state, sequence, cycles_left=sequence % 2))
    for sequence, state in enumerate(draw(st.lists(st.sampled_from(CARRIERS), max_size=3)), 1):
        said(
            say.activated(sequence) if state == "active" else say.routing(state, sequence, capacity=sequence)
        )
    for minute in range(draw(st.integers(0, 2))):
        said(say.assigned(document_ids=[say.other] * minute))
    if removed:
        said(say.removed(8))
        said(say.term("closed", 9))
        said(say.routing("released", 9))
    return list(topics.values())


def mixed(draw: Any, topics: Any) -> Any:
    """The events in an order that keeps each topic's own."""
    left = [list(topic) for topic in topics]
    while any(left):
        topic = draw(st.sampled_from([topic for topic in left if topic]))
        yield topic.pop(0)


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_every_interleaving_of_one_numbers_events_ends_the_same(
    say: Any, new_inventory: Any, data: Any
) -> None:
    """The DID, its number and the status last said are the same, and nothing is left waiting."""
    topics = data.draw(stories(say))
    ends = []
    for _ in range(2):
        inventory = new_inventory("master", say.account)
        for event in mixed(data.draw, topics):
            inventory.process(event)
        did, number = inventory.state(Did, say.did), inventory.state(Number, say.number)
        last = inventory.statuses()[-1] if did.is_live else None
        assert last == did.said == did.status
        ends.append((did, number, last, inventory.parked()))

    assert ends[0] == ends[1]
    assert ends[0][-1] == []


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_every_event_of_every_interleaving_is_told_once(say: Any, new_inventory: Any, data: Any) -> None:
    """However they are mixed, the history has one line for each message."""
    topics = data.draw(stories(say))
    inventory = new_inventory("master", say.account)
    events = list(mixed(data.draw, topics))
    for event in events:
        inventory.process(event)

    assert sorted(entry.event_id for entry in inventory.history) == sorted(event.id for event in events)

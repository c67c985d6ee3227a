"""There is no order across topics: in whatever order the events of one DID arrive, the end is the same."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from didflow_chassis.decision import Unchanged
from didflow_inventory.domain.did import Did
from didflow_inventory.domain.stock.number import Number

REGISTRATIONS = ("awaiting", "pending", "approved", "rejected", "expired", "not_required")
TERMS = ("active", "delayed_removal", "canceled", "aging", "closed")
CARRIERS = ("activating", "active", "failed", "suspended")


@st.composite
def events_by_topic(draw: Any, make: Any) -> Any:
    """Return the events of one DID as their sources would publish them: one list for each topic, each in order.

    A source counts its sequence over all its topics. After a removal it publishes a release and a closed term. A
    number can be ported in: then the purchase completes the porting.
    """
    removed = draw(st.booleans())
    acquired = draw(st.sampled_from(("purchased", "ported_in")))
    topics = {"did.purchased": [make.purchased(acquired=acquired) for _ in range(draw(st.integers(1, 2)))]}
    if acquired == "ported_in":
        topics["did.porting_started"] = [make.porting_started()]

    def publish(event: Any) -> Any:
        topics.setdefault(event.data.topic, []).append(event)

    for sequence, state in enumerate(
        draw(st.lists(st.sampled_from(REGISTRATIONS), min_size=1, max_size=4)), 1
    ):
        publish(make.registration(state, sequence, identity_id=make.identity_id, attempt=sequence))
    publish(make.service(draw(st.sampled_from(("new", "active"))), 7))
    for sequence, state in enumerate(draw(st.lists(st.sampled_from(TERMS), max_size=3)), 1):
        builder = draw(st.sampled_from((make.term, make.cycle_expired)))
        publish(builder(state, sequence, cycles_left=sequence % 2))
    for sequence, state in enumerate(draw(st.lists(st.sampled_from(CARRIERS), max_size=3)), 1):
        is_active = state == "active"
        publish(make.activated(sequence) if is_active else make.routing(state, sequence, capacity=sequence))
    for documents in range(draw(st.integers(0, 2))):
        publish(make.enduser_assigned(document_ids=[make.other_id] * documents))
    if removed:
        publish(make.removed(8))
        publish(make.term("closed", 9))
        publish(make.routing("released", 9))
    return list(topics.values())


def mixed(draw: Any, topics: Any) -> Any:
    """Return the events in an order that keeps the order of each topic."""
    left = [list(topic) for topic in topics]
    while any(left):
        topic = draw(st.sampled_from([topic for topic in left if topic]))
        yield topic.pop(0)


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_every_order_of_the_events_of_one_did_ends_the_same(make: Any, with_accounts: Any, data: Any) -> None:
    """The DID, its number and the last published status are the same, and no message is left parked.

    A rebuild finds nothing to change.
    """
    topics = data.draw(events_by_topic(make))
    ends = []
    for _ in range(2):
        stage = with_accounts("master", make.account)
        for event in mixed(data.draw, topics):
            stage.decide(event)
        did, number = stage.did, stage.state(Number, make.number)
        last = stage.statuses()[-1] if did.holding.is_live else None
        assert last == did.holding.published_status == did.listing.status
        assert isinstance(stage.decide(make.rebuild()), Unchanged)
        ends.append((did, number, last, stage.parked()))

    assert ends[0] == ends[1]
    assert ends[0][-1] == []


@settings(max_examples=50, deadline=None)
@given(st.data())
def test_every_event_has_one_entry_in_whatever_order_it_arrives(
    make: Any, with_accounts: Any, data: Any
) -> None:
    """The history has one entry for each message."""
    topics = data.draw(events_by_topic(make))
    stage = with_accounts("master", make.account)
    events = list(mixed(data.draw, topics))
    for event in events:
        stage.decide(event)

    assert stage.state(Did, make.did_id) is not None
    assert sorted(entry.event_id for entry in stage.history) == sorted(event.id for event in events)

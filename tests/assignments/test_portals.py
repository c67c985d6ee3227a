"""An assignment in a portal is judged alike by inventory and verification, in any order of arrival."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from assignments.both_services import ACCOUNT, BEGIN, MINUTE, BothServices, code_of, identity
from hypothesis import given, settings
from hypothesis import strategies as st

SHOP, GLOBEX = "master/acme/shop", "master/globex"
PEOPLE = {
    each.identity_id: each for each in (identity("acme"), identity("above", "master"), identity("shop", SHOP))
}
MIDDLE = BEGIN + timedelta(hours=1)
MINUTES = st.integers(-90, 90).map(lambda minutes: MIDDLE + minutes * MINUTE)
ASSIGNMENTS = st.fixed_dictionaries(
    {
        "identity_id": st.sampled_from(sorted(PEOPLE)),
        "time": MINUTES,
        "assigned_at": st.one_of(st.none(), MINUTES),
        "account": st.sampled_from([ACCOUNT, ACCOUNT, ACCOUNT, "master", SHOP, GLOBEX]),
        "document_ids": st.lists(st.sampled_from(sorted(PEOPLE)), max_size=2, unique=True),
    }
)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("portal"), ASSIGNMENTS),
        st.tuples(st.just("http"), st.sampled_from(sorted(PEOPLE))),
        st.tuples(st.just("hand over"), st.sampled_from([ACCOUNT, SHOP, GLOBEX])),
        st.tuples(st.just("wait"), st.integers(1, 60)),
        st.tuples(st.just("remove"), st.none()),
    ),
    max_size=12,
)


def services(*, required: bool) -> BothServices:
    """Return both services, with all identities, in the middle of the times that portals name."""
    both = BothServices(required=required)
    both.verification.store(*PEOPLE.values())
    both.both_at(MIDDLE)
    return both


def event_of(both: BothServices, given: dict[str, Any]) -> Any:
    """Return the event of one assignment."""
    event = both.assigned(
        given["identity_id"], given["time"], given["account"], document_ids=given["document_ids"]
    )
    data = event.data.model_copy(update={"assigned_at": given["assigned_at"]})
    return both.event(type(event.data).model_validate(data.model_dump(exclude_none=True)), given["time"])


def assert_agreement(both: BothServices) -> None:
    """Both have the same last assignment, and My Numbers shows the details in force, or none."""
    if both.registration.ended or not both.did.holding.is_live:
        return
    assert both.did.holding.assignment == both.registration.last_assignment
    force, shown = both.registration.in_force, both.shown.identity
    assert (shown.identity_id, shown.address_id) == (
        (force.identity_id, force.address_id) if force else (None, None)
    )


@settings(max_examples=150, deadline=None)
@given(steps=STEPS, required=st.booleans())
def test_both_services_accept_and_refuse_the_same_assignments(
    steps: Sequence[Any], *, required: bool
) -> None:
    """Random assignments of portals and callers, handovers and a removal. Each event has the same code in both."""
    both, now = services(required=required), MIDDLE
    for step, value in steps:
        now += MINUTE
        both.both_at(now)
        if step == "portal":
            inventory, verification = both.portal(event_of(both, value))
            assert code_of(inventory) == code_of(verification)
        elif step == "http":
            both.give(value, now)
        elif step == "wait":
            now += value * MINUTE
        elif step == "remove":
            removed = both.removed(now)
            both.inventory.receive(removed)
            both.verification.receive(removed)
        elif both.did.holding.is_live and value != both.did.holding.account:
            both.hand_over(value, now)
        assert_agreement(both)


@settings(max_examples=150, deadline=None)
@given(data=st.data(), given_=st.lists(ASSIGNMENTS, max_size=6), required=st.booleans())
def test_every_order_of_arrival_leaves_the_same_last_assignment(
    data: st.DataObject, given_: Sequence[Any], *, required: bool
) -> None:
    """Each service receives the events in an order of its own."""
    both = services(required=required)
    events = [event_of(both, each) for each in given_]
    for event in data.draw(st.permutations(events)):
        both.inventory.receive(event)
    for event in data.draw(st.permutations(events)):
        both.verification.receive(event)
    both.relay()
    assert_agreement(both)


@settings(max_examples=150, deadline=None)
@given(data=st.data(), given_=st.lists(ASSIGNMENTS, max_size=4), holder=st.sampled_from([SHOP, GLOBEX]))
def test_the_details_of_an_account_that_lost_the_did_are_never_in_force(
    data: st.DataObject, given_: Sequence[Any], holder: str
) -> None:
    """Whether verification receives the handover before or after the assignments of portals."""
    both = services(required=False)
    events = [event_of(both, each) for each in given_]
    handover = both.hand_over(holder, MIDDLE, relay=False)
    for event in events:
        both.inventory.receive(event)
    place = data.draw(st.integers(0, len(events)))
    for event in (*events[:place], handover, *events[place:]):
        both.verification.receive(event)
    both.relay()
    force = both.registration.in_force
    assert force is None or PEOPLE[force.identity_id].serves(holder)
    shown = both.shown.identity.identity_id
    assert shown == (force.identity_id if force else None)

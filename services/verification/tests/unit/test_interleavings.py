"""Events of different topics have no order: every interleaving of the events of one number has the same result."""

from datetime import timedelta
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from didflow_verification.domain.axes.verification import Verification
from didflow_verification.domain.requirements import CountryRules, IdentityField, Review

ACCOUNTS = ["master/acme", "master/acme/shop", "master/globex"]
IDENTITIES = ["acme", "above", "shop", "globex", "nameless", "nobody"]
ACTIONS = st.lists(
    st.one_of(
        st.tuples(st.just("assign"), st.sampled_from(IDENTITIES), st.booleans()),
        st.tuples(st.just("hand over"), st.sampled_from(ACCOUNTS), st.booleans()),
    ),
    max_size=7,
)
SETTINGS = settings(
    max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def end_users(make: Any) -> dict[str, tuple[Any, Any]]:
    """Return an identity of every account with its address, one that fails every check, and one that is not stored."""
    accounts = {"acme": ACCOUNTS[0], "above": "master", "shop": ACCOUNTS[1], "globex": ACCOUNTS[2]}
    found = {name: make.company(name, account=account) for name, account in accounts.items()}
    nameless = make.company("nameless", account="master")
    found["nameless"] = replace(nameless, person=replace(nameless.person, company_name=None))
    found["nobody"] = make.company("nobody")
    return {name: (identity, make.address(identity)) for name, identity in found.items()}


def life(build: Any, make: Any, actions: Any, *, ported: bool, end: str | None) -> list[Any]:
    """Return the events of one life, in the order of their time."""
    details = end_users(make)
    account, at = ACCOUNTS[0], build.zero
    events = [build.porting_started(at)] if ported else []
    events.append(build.purchased(at))
    for sequence, (action, name, again) in enumerate(actions, start=1):
        at += timedelta(minutes=1)
        if action == "assign":
            events.append(build.assigned(*details[name], at=at, account=account))
        else:
            account = account if again else name
            events.append(build.did_changed(account, at, sequence))
    return [*events, getattr(build, end)(at)] if end else events


def shuffled(draw: Any, events: list[Any]) -> list[Any]:
    """Return the events in any order that keeps the order of each topic."""
    topics: dict[str, list[Any]] = {}
    for event in events:
        topics.setdefault(event.type, []).append(event)
    merged = []
    while topics:
        topic = draw(st.sampled_from(sorted(topics)))
        merged.append(topics[topic].pop(0))
        topics = {name: left for name, left in topics.items() if left}
    return merged


def without_review(make: Any) -> CountryRules:
    """Return rules for Ireland that ask for a company name and need no reviewer."""
    field = IdentityField(field="company_name", applies_to="business")
    row = make.requirement(key="ie.local.any", identity_fields=(field,), review=Review(manual=False))
    return CountryRules(country="IE", places={}, requirements=(row,))


def result_of(stage: Any) -> Any:
    """Return the result of a life: how it ended, or the axis with its details."""
    registration = stage.registration
    pending = [each for each in stage.states(Verification) if each.status == "pending"]
    assert len(pending) == int(registration.open)
    assert all(each.account == registration.account for each in pending)
    if registration.ended:
        return registration.ended
    assigned = registration.assigned.identity_id if registration.assigned else None
    force = registration.in_force.identity_id if registration.in_force else None
    codes = [reason.code for reason in registration.reasons]
    return registration.state, registration.open, registration.account, force, assigned, codes


@SETTINGS
@given(data=st.data(), actions=ACTIONS, ported=st.booleans(), reviewed=st.booleans())
def test_every_interleaving_has_the_same_result(
    new_stage: Any, build: Any, make: Any, *, data: st.DataObject, actions: Any, ported: bool, reviewed: bool
) -> None:
    """Purchases, handovers, assignments and ends of one DID, in any order across their topics."""
    end = data.draw(st.sampled_from([None, None, "removed", "refused"]))
    events = life(build, make, actions, ported=ported, end=end)
    results = []
    for order in (events, shuffled(data.draw, events)):
        stage = new_stage()
        for pair in end_users(make).values():
            if pair[0].person.company_name != "nobody Ltd":
                stage.store(*pair)
        if not reviewed:
            stage.store(without_review(make))
        stage.process_all(*order)
        assert stage.parked() == []
        results.append(result_of(stage))
    assert results[0] == results[1]


@SETTINGS
@given(data=st.data(), actions=ACTIONS)
def test_the_last_event_has_the_present_axis(
    new_stage: Any, build: Any, make: Any, *, data: st.DataObject, actions: Any
) -> None:
    """Whatever the order, the last published event has the present state and the details in force."""
    stage = new_stage()
    for pair in end_users(make).values():
        stage.store(*pair)
    stage.process_all(*shuffled(data.draw, life(build, make, actions, ported=False, end=None)))
    last = stage.axis_events[-1]
    assert last.registration == stage.registration.state
    force = stage.in_force
    assert (last.identity_id, last.address_id) == (
        (force.identity_id, force.address_id) if force else (None, None)
    )


@SETTINGS
@given(data=st.data(), actions=ACTIONS)
def test_repeated_events_publish_nothing_more(
    new_stage: Any, build: Any, make: Any, *, data: st.DataObject, actions: Any
) -> None:
    """Each event is repeated at once with another id."""
    events = shuffled(data.draw, life(build, make, actions, ported=False, end=None))
    single, repeated = new_stage(), new_stage()
    for stage in (single, repeated):
        for pair in end_users(make).values():
            stage.store(*pair)
    single.process_all(*events)
    for event in events:
        # Another event with a used sequence of inventory would be a dead letter, so this one is delivered twice.
        again = event if event.data.topic == "did.changed" else build.again(event)
        repeated.process_all(event, again)
    assert result_of(single) == result_of(repeated)
    assert repeated.axis_events == single.axis_events

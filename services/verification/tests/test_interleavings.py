"""Across topics there is no order: every interleaving of one number's events ends the same."""

from datetime import timedelta
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from didflow_verification.domain.axes.verification import Verification
from didflow_verification.domain.catalogue.rules import CountryRules, IdentityField, Review

ACCOUNTS = ["master/acme", "master/acme/shop", "master/globex"]
IDENTITIES = ["acme", "above", "shop", "globex", "nameless", "nobody"]
ACTIONS = st.lists(
    st.one_of(
        st.tuples(st.just("assign"), st.sampled_from(IDENTITIES), st.booleans()),
        st.tuples(st.just("hold"), st.sampled_from(ACCOUNTS), st.booleans()),
    ),
    max_size=7,
)
SETTINGS = settings(
    max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def people(make: Any) -> dict[str, tuple[Any, Any]]:
    """Identities of all accounts with their addresses, one that fails every check, and one that is not there."""
    accounts = {"acme": ACCOUNTS[0], "above": "master", "shop": ACCOUNTS[1], "globex": ACCOUNTS[2]}
    found = {name: make.company(name, account=account) for name, account in accounts.items()}
    nameless = make.company("nameless", account="master")
    found["nameless"] = replace(nameless, person=replace(nameless.person, company_name=None))
    found["nobody"] = make.company("nobody")
    return {name: (identity, make.address(identity)) for name, identity in found.items()}


def told(say: Any, make: Any, actions: Any, *, ported: bool, end: str | None) -> list[Any]:
    """The events of one life in the order in which they became true."""
    whose = people(make)
    account, at = ACCOUNTS[0], say.zero
    events = [say.porting_started(at)] if ported else []
    events.append(say.purchased(at))
    for sequence, (what, name, again) in enumerate(actions, start=1):
        at += timedelta(minutes=1)
        if what == "assign":
            events.append(say.assigned(*whose[name], at=at, account=account))
        else:
            account = account if again else name
            events.append(say.holding(account, at, sequence))
    return [*events, getattr(say, end)(at, sequence=100)] if end else events


def shuffled(draw: Any, events: list[Any]) -> list[Any]:
    """Any order across topics that keeps each topic's own."""
    lanes: dict[str, list[Any]] = {}
    for event in events:
        lanes.setdefault(event.type, []).append(event)
    merged = []
    while lanes:
        topic = draw(st.sampled_from(sorted(lanes)))
        merged.append(lanes[topic].pop(0))
        lanes = {name: lane for name, lane in lanes.items() if lane}
    return merged


def without_review(make: Any) -> CountryRules:
    """A country that asks for a company name and nobody's look."""
    field = IdentityField(field="company_name", applies_to="business")
    row = make.requirement(key="ie.local.any", identity_fields=(field,), review=Review(manual=False))
    return CountryRules(country="IE", places={}, requirements=(row,))


def end_of(stage: Any) -> Any:
    """What a life came to, as far as anybody can tell: ended, or the axis with its details."""
    registration = stage.registration
    open_attempts = [
        state
        for state in stage.all_states().values()
        if isinstance(state, Verification) and state.status == "pending"
    ]
    assert len(open_attempts) == int(registration.open)
    assert all(attempt.account == registration.account for attempt in open_attempts)
    if registration.ended:
        return registration.ended
    assigned = registration.assigned.identity_id if registration.assigned else None
    force = registration.in_force.identity_id if registration.in_force else None
    codes = [reason.code for reason in registration.reasons]
    return registration.state, registration.open, registration.account, force, assigned, codes


@SETTINGS
@given(data=st.data(), actions=ACTIONS, ported=st.booleans(), reviewed=st.booleans())
def test_every_interleaving_ends_in_the_same_registration(
    new_stage: Any, say: Any, make: Any, *, data: st.DataObject, actions: Any, ported: bool, reviewed: bool
) -> None:
    """Purchases, holders, assignments and endings of one DID in any order across their topics."""
    end = data.draw(st.sampled_from([None, None, "removed", "refused"]))
    events = told(say, make, actions, ported=ported, end=end)
    ends = []
    for order in (events, shuffled(data.draw, events)):
        stage = new_stage()
        for pair in people(make).values():
            if pair[0].person.company_name != "nobody Ltd":
                stage.store(*pair)
        if not reviewed:
            stage.store(without_review(make))
        stage.process_all(*order)
        assert stage.parked() == []
        ends.append(end_of(stage))
    assert ends[0] == ends[1]


@SETTINGS
@given(data=st.data(), actions=ACTIONS)
def test_what_is_said_last_is_what_is_so(
    new_stage: Any, say: Any, make: Any, *, data: st.DataObject, actions: Any
) -> None:
    """Whatever the order, the last event tells the axis as it ended, with the details in force."""
    stage = new_stage()
    for pair in people(make).values():
        stage.store(*pair)
    stage.process_all(*shuffled(data.draw, told(say, make, actions, ported=False, end=None)))
    said = stage.axes()[-1]
    assert said.registration == stage.registration.state
    force = stage.in_force
    assert (said.identity_id, said.address_id) == (
        (force.identity_id, force.address_id) if force else (None, None)
    )


@SETTINGS
@given(data=st.data(), actions=ACTIONS)
def test_everything_twice_ends_as_everything_once(
    new_stage: Any, say: Any, make: Any, *, data: st.DataObject, actions: Any
) -> None:
    """Each event again right after itself, under another id: nothing more is said."""
    events = shuffled(data.draw, told(say, make, actions, ported=False, end=None))
    once, twice = new_stage(), new_stage()
    for stage in (once, twice):
        for pair in people(make).values():
            stage.store(*pair)
    once.process_all(*events)
    twice.process_all(*[copy for event in events for copy in (event, say.again(event))])
    assert end_of(once) == end_of(twice)
    assert twice.axes() == once.axes()

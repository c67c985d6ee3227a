"""The closed tables of the registration and of its attempts, and what the axis says of itself."""

from itertools import product
from typing import Any, get_args

import pytest
from msgspec.structs import replace

from didflow_contracts.vocabulary import Registration as Axis
from didflow_verification.domain.axes import registration, verification
from didflow_verification.domain.axes.forbidden import ForbiddenTransitionError
from didflow_verification.domain.axes.registration import EVENT_OF
from didflow_verification.domain.axes.verification import Status

STATES: tuple[Any, ...] = get_args(Axis)
STATUSES: tuple[Any, ...] = get_args(Status)


@pytest.mark.parametrize(("before", "after"), [*product(STATES, STATES)])
def test_the_axis_goes_only_where_its_table_says(ready: Any, before: Any, after: Any) -> None:
    """Every pair of states is either in the table or refused by name."""
    state = replace(ready.registration, state=before)
    if after in registration.TRANSITIONS[before]:
        assert registration.moved(state, after).state == after
    else:
        with pytest.raises(ForbiddenTransitionError, match=f"{before} -> {after}"):
            registration.moved(state, after)


@pytest.mark.parametrize("ended", ["removed", "refused"])
def test_an_ended_did_is_frozen(ready: Any, ended: Any) -> None:
    """No way leads on from an ended DID, not even one of the table."""
    with pytest.raises(ForbiddenTransitionError, match=f"{ended} -> pending"):
        registration.moved(replace(ready.registration, ended=ended), "pending")


@pytest.mark.parametrize(("before", "after"), [*product(STATUSES, STATUSES)])
def test_an_attempt_is_decided_once(pending: Any, before: Any, after: Any) -> None:
    """Only a pending attempt moves, and never back; an approval can be revoked."""
    attempt = replace(pending.attempt(), status=before)
    ways = {("pending", end) for end in set(STATUSES) - {"pending", "revoked"}} | {("approved", "revoked")}
    if (before, after) in ways:
        assert verification.moved(attempt, after).status == after
    else:
        with pytest.raises(ForbiddenTransitionError, match=f"{before} -> {after}"):
            verification.moved(attempt, after)


def test_every_state_is_told_by_its_own_topic() -> None:
    """The event that first tells a state is on the topic named for it."""
    topics = {state: event.topic.removeprefix("verification.") for state, event in EVENT_OF.items()}
    assert topics == {state: "required" if state == "awaiting" else state for state in STATES}


def test_a_reference_can_be_read_out_and_is_the_same_for_ever(say: Any) -> None:
    """Ten letters and digits without those that look alike, made from the attempt alone."""
    first = verification.reference_of(verification.verification_id(say.did, 1))
    again = verification.reference_of(verification.verification_id(say.did, 1))
    assert first == again
    assert first != verification.reference_of(verification.verification_id(say.did, 2))
    assert len(first) == len("V-") + 10
    assert not set(first.removeprefix("V-")) & set("01ILOU")

"""The closed tables of registrations and verifications, and what identifies a verification."""

from itertools import product
from typing import Any, get_args

import pytest
from msgspec.structs import replace

from didflow_contracts.vocabulary import Registration as RegistrationState
from didflow_verification.domain.axes.transitions import (
    REGISTRATION,
    ForbiddenTransitionError,
    VerificationStatus,
)
from didflow_verification.domain.axes.verification import reference_of, verification_id
from didflow_verification.domain.events import EVENT_OF

STATES: tuple[Any, ...] = get_args(RegistrationState)
STATUSES: tuple[Any, ...] = get_args(VerificationStatus)


@pytest.mark.parametrize(("before", "after"), [*product(STATES, STATES)])
def test_a_registration_follows_its_table(ready: Any, before: Any, after: Any) -> None:
    """Every pair of states is either in the table, or it raises an error that names both states."""
    registration = replace(ready.registration, state=before)
    if after in REGISTRATION[before]:
        assert registration.moved_to(after).state == after
    else:
        with pytest.raises(ForbiddenTransitionError, match=f"{before} -> {after}"):
            registration.moved_to(after)


@pytest.mark.parametrize("ended", ["removed", "refused"])
def test_an_ended_registration_never_moves(ready: Any, ended: Any) -> None:
    """After the end of a DID no transition is allowed, not even one of the table."""
    with pytest.raises(ForbiddenTransitionError, match=f"{ended} -> pending"):
        replace(ready.registration, ended=ended).moved_to("pending")


@pytest.mark.parametrize(("before", "after"), [*product(STATUSES, STATUSES)])
def test_a_verification_is_decided_once(pending: Any, before: Any, after: Any) -> None:
    """Only a pending verification moves, and never back. An approved one can be revoked."""
    verification = replace(pending.verification(), status=before)
    allowed = {("pending", end) for end in set(STATUSES) - {"pending", "revoked"}} | {("approved", "revoked")}
    if (before, after) in allowed:
        assert verification.moved_to(after).status == after
    else:
        with pytest.raises(ForbiddenTransitionError, match=f"{before} -> {after}"):
            verification.moved_to(after)


def test_every_state_has_its_own_topic() -> None:
    """The event that first publishes a state has a topic with the name of the state."""
    topics = {state: event.topic.removeprefix("verification.") for state, event in EVENT_OF.items()}
    assert topics == {state: "required" if state == "awaiting" else state for state in STATES}


def test_a_reference_is_easy_to_read_out_and_never_changes(build: Any) -> None:
    """It has ten letters and digits without those that look alike, and depends on the verification only."""
    first = reference_of(verification_id(build.did, 1))
    assert first == reference_of(verification_id(build.did, 1))
    assert first != reference_of(verification_id(build.did, 2))
    assert len(first) == len("V-") + 10
    assert not set(first.removeprefix("V-")) & set("01ILOU")

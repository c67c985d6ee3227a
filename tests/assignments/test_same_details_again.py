"""The same details again: inventory answers `unchanged` only if verification would not judge them again."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Final

import pytest
from assignments.both_services import (
    ACCOUNT,
    BEGIN,
    DID,
    MINUTE,
    NUMBER,
    REVIEWER,
    BothServices,
    identity,
)

from didflow_chassis.decision import Caller, Unchanged
from didflow_contracts.events.registration import Reason
from didflow_contracts.ids import derived_id
from didflow_verification.domain.axes.verification import verification_id
from didflow_verification.domain.commands import Approve, Reject, Resubmit, Revoke

ACME, OTHER = identity("acme"), identity("other")
PAPERS: Final = (derived_id("paper", 1), derived_id("paper", 2))
LATER: Final = BEGIN + timedelta(days=100)

State = Callable[[], BothServices]


def _given(*, required: bool = True, review: bool = True, answered: bool = True) -> BothServices:
    both = BothServices(required=required, review=review, answered=answered)
    both.verification.store(ACME, OTHER)
    both.give(ACME.identity_id, BEGIN + MINUTE)
    return both


def _decide(both: BothServices, command: type, attempt: int = 1, *, at_minute: int = 2) -> BothServices:
    both.both_at(BEGIN + at_minute * MINUTE)
    reasons = () if command is Approve else (Reason(code="mismatch"),)
    both.verification.run(
        command(
            entity_id=DID,
            subject=NUMBER,
            caller=REVIEWER,
            verification_id=verification_id(DID, attempt),
            **({"reasons": reasons} if reasons else {}),
        )
    )
    both.relay()
    return both


def _expired() -> BothServices:
    return _decide(_decide(_given(), Approve), Revoke, at_minute=3)


def _refused() -> BothServices:
    """Return a DID without a requirement to which an identity was assigned that did not exist then."""
    both = BothServices(required=False)
    both.give(ACME.identity_id, BEGIN + MINUTE)
    both.verification.store(ACME)
    return both


def _handed_over_and_back() -> BothServices:
    both = _given()
    both.hand_over("master/globex", BEGIN + 2 * MINUTE)
    both.hand_over(ACCOUNT, BEGIN + 3 * MINUTE)
    return both


def _withdrawn_while_approved() -> BothServices:
    """Return an approved DID whose newer details left with an account that it was handed from and back to."""
    both = BothServices()
    above = identity("above", "master")
    both.verification.store(ACME, above)
    both.give(above.identity_id, BEGIN + MINUTE)
    _decide(both, Approve)
    both.give(ACME.identity_id, BEGIN + 3 * MINUTE)
    both.hand_over("master/globex", BEGIN + 4 * MINUTE)
    both.hand_over(ACCOUNT, BEGIN + 5 * MINUTE)
    return both


def _replaced_by_a_resubmission() -> BothServices:
    both = _decide(_given(), Reject)
    both.both_at(BEGIN + 3 * MINUTE)
    both.verification.run(
        Resubmit(
            entity_id=DID,
            subject=NUMBER,
            caller=Caller(subject="ann", account=ACCOUNT, role="reseller"),
            verification_id=verification_id(DID, 1),
            identity_id=OTHER.identity_id,
            address_id=None,
        )
    )
    both.relay()
    return both


STATES: Final[Mapping[str, tuple[State, bool]]] = {
    "verification has not answered": (lambda: _given(answered=False), False),
    "not required": (lambda: _given(required=False), False),
    "pending": (_given, False),
    "approved by a reviewer": (lambda: _decide(_given(), Approve), False),
    "approved at once": (lambda: _given(review=False), False),
    "rejected": (lambda: _decide(_given(), Reject), False),
    "expired": (_expired, True),
    "refused without a requirement": (_refused, True),
    "awaiting after a handover": (_handed_over_and_back, True),
    "withdrawn while others stay approved": (_withdrawn_while_approved, True),
    "replaced by a resubmission": (_replaced_by_a_resubmission, True),
}
"""State of a DID -> whether the details that it had last are judged again when they are given again."""


@pytest.mark.parametrize("name", STATES)
def test_both_services_agree_whether_the_same_details_again_do_something(name: str) -> None:
    """Verification is also asked directly: it judges them again in exactly the states in which inventory publishes."""
    make, judged_again = STATES[name]
    both = make()
    before = both.registrations_published()
    assert isinstance(both.give(ACME.identity_id, LATER), Unchanged) is not judged_again
    assert (both.registrations_published() > before) is judged_again

    asked = make()
    before = asked.registrations_published()
    asked.both_at(LATER)
    asked.verification.receive(asked.assigned(ACME.identity_id, LATER, "master"))
    assert (asked.registrations_published() > before) is judged_again


@pytest.mark.parametrize("name", [name for name, (_, judged_again) in STATES.items() if judged_again])
def test_details_that_were_judged_again_are_unchanged_when_they_are_given_once_more(name: str) -> None:
    """The new assignment is in force in both services then."""
    both = STATES[name][0]()
    both.give(ACME.identity_id, LATER)
    assert both.did.holding.assignment == both.registration.last_assignment
    assert isinstance(both.give(ACME.identity_id, LATER + MINUTE), Unchanged)


def test_an_expired_did_can_be_given_the_same_details_again() -> None:
    """My Numbers shows that they wait for a reviewer. The expiry does not hide it."""
    both = _expired()
    assert both.shown.registration.state == "expired"
    both.give(ACME.identity_id, LATER)
    assert (both.shown.registration.state, both.registration.attempt) == ("pending", 2)


def test_a_repeat_of_the_expired_assignment_does_not_judge_it_again() -> None:
    """A portal that publishes an old event again, under another id, assigns nothing."""
    both = BothServices()
    both.verification.store(ACME)
    event = both.assigned(ACME.identity_id, BEGIN + MINUTE)
    both.both_at(BEGIN + MINUTE)
    both.portal(event)
    _decide(_decide(both, Approve), Revoke, at_minute=3)
    both.portal(both.assigned(ACME.identity_id, BEGIN + MINUTE))
    assert both.shown.registration.state == "expired"


def test_the_order_of_the_documents_makes_no_other_details() -> None:
    """Neither in inventory nor, for a portal, in verification."""
    both = BothServices()
    both.verification.store(ACME)
    both.give(ACME.identity_id, BEGIN + MINUTE, PAPERS)
    before = both.registrations_published()
    assert isinstance(both.give(ACME.identity_id, BEGIN + 2 * MINUTE, PAPERS[::-1]), Unchanged)
    both.both_at(BEGIN + 3 * MINUTE)
    both.portal(both.assigned(ACME.identity_id, BEGIN + 3 * MINUTE, document_ids=PAPERS[::-1]))
    assert both.registrations_published() == before

"""What differs between two attempts, with and without what may be shown."""

from typing import Any
from uuid import UUID

import pytest
from msgspec.structs import replace

from didflow_verification.domain.axes.verification import Verification
from didflow_verification.domain.details.document import JudgedDocument
from didflow_verification.domain.details.identity import Address, Identity
from didflow_verification.domain.verifications.comparison import Attempt, Difference, differences

PASSPORT, BILL = (
    JudgedDocument(document_id=UUID(int=n), kind=kind, sha256=str(n) * 64)
    for n, kind in ((1, "passport"), (2, "utility_bill"))
)


@pytest.fixture
def first(pending: Any, acme: Identity, quay: Address, build: Any) -> Attempt:
    """The first attempt."""
    (verification,) = pending.states(Verification)
    return Attempt(verification=verification, identity=acme, address=quay)


def changed(attempt: Attempt, **changes: Any) -> Attempt:
    """Return the next attempt, after the identity and the address were changed."""
    assert attempt.identity is not None
    assert attempt.address is not None
    person, place = changes.pop("person", {}), changes.pop("place", {})
    verification = replace(
        attempt.verification,
        attempt=2,
        identity_revision=2 if person else 1,
        address_revision=2 if place else 1,
        **changes,
    )
    return Attempt(
        verification=verification,
        identity=replace(attempt.identity, person=replace(attempt.identity.person, **person)),
        address=replace(attempt.address, place=replace(attempt.address.place, **place)),
    )


def test_nothing_differs_between_equal_attempts(first: Attempt) -> None:
    """A revision that was changed back differs in nothing either."""
    assert differences(first, changed(first)) == ()
    again = changed(first, identity_id=first.verification.identity_id)
    back = replace(again, verification=replace(again.verification, identity_revision=3))
    assert differences(first, back) == ()


def test_fields_and_documents_that_differ_are_named(first: Attempt) -> None:
    """Each with the value before and after."""
    before = replace(first, verification=replace(first.verification, documents=(PASSPORT,)))
    after = changed(before, person={"last_name": "X"}, place={"city": "Cork"}, documents=(BILL,))
    assert before.address is not None
    assert differences(before, after) == (
        Difference(field="identity.last_name", before=None, after="X"),
        Difference(field="address.city", before=before.address.place.city, after="Cork"),
        Difference(field="documents", before=PASSPORT),
        Difference(field="documents", after=BILL),
    )


def test_another_identity_and_address_are_named_with_their_ids(first: Attempt) -> None:
    """An address that is left out has no fields to compare."""
    other = UUID(int=9)
    after = changed(first, person={"last_name": "X"}, identity_id=other, address_id=None)
    after = replace(after, verification=replace(after.verification, address_revision=None), address=None)
    assert differences(first, after) == (
        Difference(field="identity", before=str(first.verification.identity_id), after=str(other)),
        Difference(field="identity.last_name", before=None, after="X"),
        Difference(field="address", before=str(first.verification.address_id)),
    )


@pytest.mark.parametrize("hidden", ["before", "after"])
def test_values_of_an_attempt_that_may_not_be_shown_are_shown(first: Attempt, hidden: str) -> None:
    """It is only said what differs."""
    after = changed(first, person={"last_name": "X"}, place={"city": "Cork"}, documents=(BILL,))
    pair = {"before": first, "after": after}
    secret = Attempt(verification=pair[hidden].verification, is_shown=False)
    found = differences(**(pair | {hidden: secret}))
    assert found == (
        Difference(field="identity"),
        Difference(field="address"),
        Difference(field="documents"),
    )


def test_values_of_erased_details_are_shown(first: Attempt) -> None:
    """An erased address is only said to differ."""
    after = replace(changed(first, place={"city": "Cork"}), address=None)
    assert differences(first, after) == (Difference(field="address"),)

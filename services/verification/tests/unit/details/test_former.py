"""Former revisions: when one is kept, how it is encrypted, moved to another key and removed."""

from typing import Any
from uuid import UUID

import pytest
from msgspec.structs import replace

from didflow_chassis.decision import Caller, Decided, Refused, ReplaceCiphertext, Unchanged, known
from didflow_chassis.encryption import Keyring
from didflow_verification.documents.errors import DecryptionError, KeyMissing
from didflow_verification.documents.former import decrypted, encrypted
from didflow_verification.domain.commands import (
    ChangeAddress,
    ChangeIdentity,
    CompleteErasure,
    EraseAddress,
    EraseIdentity,
)
from didflow_verification.domain.details.changes import UsedDetail, change_address, change_identity
from didflow_verification.domain.details.erasure import (
    DetailUse,
    OwnedDetails,
    complete_erasure,
    erase_address,
    erase_identity,
)
from didflow_verification.domain.details.former import (
    FormerDetails,
    JudgedDetail,
    former_id,
    former_of,
    replace_ciphertext,
)
from didflow_verification.domain.details.identity import Address, Identity

ANN = Caller(subject="ann", account="master/acme", role="reseller")
OLD = Keyring(current="k1", keys={"k1": bytes(32)})
BOTH = Keyring(current="k2", keys={"k1": bytes(32), "k2": bytes(range(32))})
NEW = Keyring(current="k2", keys={"k2": bytes(range(32))})


def about(key: UUID) -> dict[str, Any]:
    """Return the fields that every command has."""
    return {"entity_id": key, "subject": "", "caller": ANN}


def judged(key: UUID, *kept: FormerDetails) -> Any:
    """Return the states of details whose first revision was judged."""
    place = former_id(key, 1)
    return known(
        (JudgedDetail(detail_id=key), key),
        *((each, place) for each in kept),
        absent=[(UsedDetail, key), *(() if kept else [(FormerDetails, place)])],
    )


def test_a_judged_revision_is_lost_with_the_change(build: Any, acme: Identity, quay: Address) -> None:
    """The former revision is kept whole, as plain text for the stage, once."""
    person = ChangeIdentity(**about(acme.identity_id), type=None, changes={"company_name": "Other"})
    place = ChangeAddress(**about(quay.address_id), changes={"city": "Cork"})
    for state, key, decide in (
        (acme, acme.identity_id, lambda known: change_identity(acme, person, build.zero, known)),
        (quay, quay.address_id, lambda known: change_address(quay, place, build.zero, known)),
    ):
        outcome = decide(judged(key))
        assert isinstance(outcome, Decided)
        assert [each for each in outcome.also if isinstance(each, FormerDetails)] == [former_of(state)]
        again = decide(judged(key, former_of(state)))
        assert not [each for each in again.also if isinstance(each, FormerDetails)]


def test_a_change_without_a_key_loses_the_judged_revision(build: Any, acme: Identity) -> None:
    """It is refused. A revision that nobody judged needs no key."""
    key = acme.identity_id
    command = ChangeIdentity(**about(key), type=None, changes={"company_name": "Other"}, has_key=False)
    refused = change_identity(acme, command, build.zero, judged(key))
    assert (isinstance(refused, Refused), refused.code) == (True, "unavailable")
    unjudged = known(absent=[(UsedDetail, key), (JudgedDetail, key)])
    assert isinstance(change_identity(acme, command, build.zero, unjudged), Decided)


def test_an_erasure_leaves_former_revisions(build: Any, acme: Identity, quay: Address) -> None:
    """They are emptied with the identity, with the address, and at the end of an erasure that searches."""
    key, first = acme.identity_id, encrypted(OLD, former_of(quay))
    owned = OwnedDetails(detail_id=key, former_ids=(first.former_id,))
    states = known(
        (owned, key),
        (replace(owned, detail_id=quay.address_id), quay.address_id),
        (first, first.former_id),
        absent=[(DetailUse, key), (DetailUse, quay.address_id)],
    )
    hidden = replace(acme, erased_at=build.zero)
    for outcome in (
        erase_identity(acme, EraseIdentity(**about(key)), build.zero, states),
        erase_address(quay, EraseAddress(**about(quay.address_id)), build.zero, states),
        complete_erasure(hidden, CompleteErasure(**about(key)), build.zero, states),
    ):
        assert isinstance(outcome, Decided)
        assert outcome.also == (replace(first, key_id=None, content=None),)


def test_former_revisions_are_stored_as_plain_text(acme: Identity, quay: Address) -> None:
    """What is saved is encrypted, under a key of its own, and read back whole. It is encrypted once."""
    for state in (acme, quay):
        plain = former_of(state)
        stored = encrypted(OLD, plain)
        assert (stored.key_id, plain.content in (stored.content or b"")) == ("k1", False)  # type: ignore[operator]
        assert encrypted(OLD, plain).content != stored.content
        assert decrypted(OLD, stored) == state
        assert encrypted(OLD, stored) == stored
        assert decrypted(OLD, replace(stored, key_id=None, content=None)) is None
    with pytest.raises(KeyMissing):
        encrypted(None, former_of(acme))


def test_a_ciphertext_of_other_details_is_shown(acme: Identity, quay: Address) -> None:
    """It is bound to its identity or address, its revision and its account."""
    stored = encrypted(OLD, former_of(acme))
    for other in (
        replace(stored, detail_id=quay.address_id),
        replace(stored, revision=2),
        replace(stored, account="master/globex"),
        replace(stored, content=(stored.content or b"")[:-1] + b"x"),
    ):
        with pytest.raises(DecryptionError):
            decrypted(OLD, other)
    for keyring in (None, NEW):
        with pytest.raises(KeyMissing):
            decrypted(keyring, stored)


def test_a_rotation_leaves_former_revisions_under_the_old_key(build: Any, acme: Identity) -> None:
    """The new ciphertext replaces the one that was read. One that was erased or replaced meanwhile stays."""
    stored = encrypted(OLD, former_of(acme))
    moved = encrypted(NEW, former_of(acme))
    command = ReplaceCiphertext(
        **about(stored.former_id),
        former_key_id="k1",
        former=stored.content or b"",
        key_id="k2",
        content=moved.content or b"",
    )
    assert replace_ciphertext(stored, command, build.zero) == Decided(state=moved)
    again = encrypted(OLD, former_of(acme))
    for other in (None, moved, again, replace(stored, key_id=None, content=None)):
        assert replace_ciphertext(other, command, build.zero) == Unchanged()

"""Erasing the personal data of identities, addresses and documents. It is refused while a live DID uses them.

The live DIDs are counted under the lock of what is erased, so that no assignment can happen in between.

An account erases an identity at once (`erase_identity`). An operator's erasure also searches the rest of the database,
for which it needs the values. So `begin_erasure` hides the identity, from when on nobody is shown it, assigns it or
changes it, and `complete_erasure` removes the values at the end.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from didflow_chassis.decision import Decided, Decision, Known, Refused, Unchanged
from didflow_verification.domain.commands import (
    BeginErasure,
    CompleteErasure,
    EraseAddress,
    EraseDocument,
    EraseIdentity,
)
from didflow_verification.domain.details.document import Document
from didflow_verification.domain.details.former import FormerDetails
from didflow_verification.domain.details.identity import Address, Identity, Person, Place

S = TypeVar("S", bound=Identity | Address | Document)

NOT_FOUND = Refused("not_found", "No such identity in your accounts.")
ERASED_PLACE = Place(street="", city="", country="")


class DetailUse(Struct, frozen=True, kw_only=True):
    """The number of live DIDs that use an identity, an address or a document. There is no such state for zero."""

    detail_id: UUID
    dids: int


class OwnedDetails(Struct, frozen=True, kw_only=True):
    """What is erased with an identity or an address, also if it is erased already.

    With an identity: its addresses and documents, and the former revisions of all of them. With an address: its own.
    """

    detail_id: UUID
    address_ids: tuple[UUID, ...] = ()
    document_ids: tuple[UUID, ...] = ()
    former_ids: tuple[UUID, ...] = ()


def erase_identity(
    identity: Identity | None, command: EraseIdentity, now: datetime, known: Known
) -> Decision:
    """Erase an identity with its addresses and documents. Refused `not_found`, `in_use`."""
    if identity is None or not command.caller.reaches(identity.account):
        return NOT_FOUND
    if identity.erased_at:
        return Unchanged(answer=identity)
    refused = _in_use(known, identity.identity_id)
    if refused is not None:
        return refused
    erased = _emptied(_hidden(identity, now))
    also = tuple(_emptied(_hidden(each, now)) for each in _owned(identity, known) if not each.erased_at)
    former = _emptied_former(identity.identity_id, known)
    return Decided(state=erased, also=(*also, *former), answer=erased)


def begin_erasure(identity: Identity | None, command: BeginErasure, now: datetime, known: Known) -> Decision:
    """Hide an identity with its addresses and documents, and keep their values. Refused `not_found`, `in_use`."""
    if identity is None or not command.caller.reaches(identity.account):
        return NOT_FOUND
    if identity.erased_at:
        return Unchanged()
    refused = _in_use(known, identity.identity_id)
    if refused is not None:
        return refused
    also = tuple(_hidden(each, now) for each in _owned(identity, known) if not each.erased_at)
    return Decided(state=_hidden(identity, now), also=also)


def complete_erasure(
    identity: Identity | None,
    command: CompleteErasure,
    now: datetime,  # noqa: ARG001 - every decision has it
    known: Known,
) -> Decision:
    """Remove the values of a hidden identity, its addresses and its documents. Refused `not_found`."""
    if identity is None or identity.erased_at is None or not command.caller.reaches(identity.account):
        return NOT_FOUND
    owned = [after for each in _owned(identity, known) if (after := _emptied(each)) != each]
    also = (*owned, *_emptied_former(identity.identity_id, known))
    emptied = _emptied(identity)
    return Unchanged() if emptied == identity and not also else Decided(state=emptied, also=also)


def erase_address(address: Address | None, command: EraseAddress, now: datetime, known: Known) -> Decision:
    """Erase an address with its former revisions. Refused `not_found`, `in_use`."""
    if address is None or not command.caller.reaches(address.account):
        return Refused("not_found", "No such address in your accounts.")
    if address.erased_at:
        return Unchanged(answer=address)
    refused = _in_use(known, address.address_id)
    if refused is not None:
        return refused
    erased = _emptied(_hidden(address, now))
    return Decided(state=erased, also=_emptied_former(address.address_id, known), answer=erased)


def erase_document(
    document: Document | None, command: EraseDocument, now: datetime, known: Known
) -> Decision:
    """Erase a document. Refused `not_found`, `in_use`."""
    if document is None or not command.caller.reaches(document.account):
        return Refused("not_found", "No such document in your accounts.")
    if document.erased_at:
        return Unchanged(answer=document)
    erased = _emptied(_hidden(document, now))
    return _in_use(known, document.document_id) or Decided(state=erased, answer=erased)


def _owned(identity: Identity, known: Known) -> Sequence[Address | Document]:
    owned = known.get(OwnedDetails, identity.identity_id)
    if owned is None:
        return ()
    addresses = (known.get(Address, key) for key in owned.address_ids)
    documents = (known.get(Document, key) for key in owned.document_ids)
    return [each for each in (*addresses, *documents) if each is not None]


def _emptied_former(detail_id: UUID, known: Known) -> tuple[FormerDetails, ...]:
    """Return the former revisions of an identity and its addresses, or of an address, without content."""
    owned = known.get(OwnedDetails, detail_id)
    found = [known.get(FormerDetails, key) for key in owned.former_ids] if owned else []
    return tuple(replace(each, key_id=None, content=None) for each in found if each and each.content)


def _in_use(known: Known, detail_id: UUID) -> Refused | None:
    use = known.get(DetailUse, detail_id)
    if use is None:
        return None
    return Refused("in_use", f"{use.dids} live DIDs use it. Assign other details to them first.")


def _hidden(details: S, now: datetime) -> S:
    return replace(details, erased_at=now)


def _emptied(details: S) -> S:
    """Return details without values. What nobody can be shown is not a new revision."""
    if isinstance(details, Identity):
        return replace(details, person=Person())
    if isinstance(details, Address):
        return replace(details, place=ERASED_PLACE)
    return replace(details, content_id=None, sha256=None, issued_on=None, expires_on=None, states=())

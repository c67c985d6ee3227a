"""Erasing the personal data of identities, addresses and documents. It is refused while a live DID uses them.

The live DIDs are counted under the lock of what is erased, so that no assignment can happen in between.
"""

from datetime import datetime
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from didflow_chassis.decision import Decided, Decision, Known, Refused, Unchanged
from didflow_verification.domain.commands import EraseAddress, EraseDocument, EraseIdentity
from didflow_verification.domain.details.document import Document
from didflow_verification.domain.details.identity import Address, Identity, Person, Place

ERASED_PLACE = Place(street="", city="", country="")


class DetailUse(Struct, frozen=True, kw_only=True):
    """The number of live DIDs that use an identity, an address or a document. There is no such state for zero."""

    detail_id: UUID
    dids: int


class OwnedDetails(Struct, frozen=True, kw_only=True):
    """The addresses and documents of an identity that are not erased."""

    identity_id: UUID
    address_ids: tuple[UUID, ...]
    document_ids: tuple[UUID, ...]


def erase_identity(
    identity: Identity | None, command: EraseIdentity, now: datetime, known: Known
) -> Decision:
    """Erase an identity with its addresses and documents. Refused `not_found`, `in_use`."""
    if identity is None or not command.caller.reaches(identity.account):
        return Refused("not_found", "No such identity in your accounts.")
    if identity.erased_at:
        return Unchanged(answer=identity)
    refused = _in_use(known, identity.identity_id)
    if refused is not None:
        return refused
    owned = known.get(OwnedDetails, identity.identity_id)
    addresses = [known.get(Address, key) for key in owned.address_ids] if owned else []
    documents = [known.get(Document, key) for key in owned.document_ids] if owned else []
    erased = replace(identity, person=Person(), erased_at=now)
    also = (
        *(_erased_address(address, now) for address in addresses if address),
        *(_erased_document(document, now) for document in documents if document),
    )
    return Decided(state=erased, also=also, answer=erased)


def erase_address(address: Address | None, command: EraseAddress, now: datetime, known: Known) -> Decision:
    """Erase an address. Refused `not_found`, `in_use`."""
    if address is None or not command.caller.reaches(address.account):
        return Refused("not_found", "No such address in your accounts.")
    if address.erased_at:
        return Unchanged(answer=address)
    erased = _erased_address(address, now)
    return _in_use(known, address.address_id) or Decided(state=erased, answer=erased)


def erase_document(
    document: Document | None, command: EraseDocument, now: datetime, known: Known
) -> Decision:
    """Erase a document. Refused `not_found`, `in_use`."""
    if document is None or not command.caller.reaches(document.account):
        return Refused("not_found", "No such document in your accounts.")
    if document.erased_at:
        return Unchanged(answer=document)
    erased = _erased_document(document, now)
    return _in_use(known, document.document_id) or Decided(state=erased, answer=erased)


def _in_use(known: Known, detail_id: UUID) -> Refused | None:
    use = known.get(DetailUse, detail_id)
    if use is None:
        return None
    return Refused("in_use", f"{use.dids} live DIDs use it. Assign other details to them first.")


def _erased_address(address: Address, now: datetime) -> Address:
    return replace(address, place=ERASED_PLACE, erased_at=now)


def _erased_document(document: Document, now: datetime) -> Document:
    return replace(document, content_id=None, issued_on=None, expires_on=None, states=(), erased_at=now)

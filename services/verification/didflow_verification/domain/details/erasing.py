"""What is stated about a person goes, when no living DID rests on it; that there was something stays.

Whether one does is counted under the lock of what goes, so that no assignment slips in between.
"""

from datetime import datetime
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from didflow_chassis.decision import Decided, Decision, Known, Refused, Unchanged
from didflow_verification.domain.details.commands import EraseAddress, EraseDocument, EraseIdentity
from didflow_verification.domain.details.document import StoredDocument
from didflow_verification.domain.details.entries import reaches
from didflow_verification.domain.details.identity import Address, Identity, Person, Place

NOWHERE = Place(street="", city="", country="")


class Use(Struct, frozen=True, kw_only=True):
    """How many living DIDs rest on an identity, an address or a document; no such state where none does."""

    detail_id: UUID
    dids: int


class Belongings(Struct, frozen=True, kw_only=True):
    """What belongs to an identity and is not erased yet."""

    identity_id: UUID
    address_ids: tuple[UUID, ...]
    document_ids: tuple[UUID, ...]


def erase_identity(
    identity: Identity | None, command: EraseIdentity, now: datetime, known: Known
) -> Decision:
    """Forget a person with addresses and documents. Refused `not_found`; `in_use` while a living DID rests on it."""
    if identity is None or not reaches(command.caller, identity.account):
        return Refused("not_found", "no such identity")
    if identity.erased_at:
        return Unchanged(answer=identity)
    refused = in_use(known, identity.identity_id)
    if refused is not None:
        return refused
    owned = known.get(Belongings, identity.identity_id)
    addresses = [known.get(Address, key) for key in owned.address_ids] if owned else []
    documents = [known.get(StoredDocument, key) for key in owned.document_ids] if owned else []
    gone = replace(identity, person=Person(), erased_at=now)
    also = (
        *(without_place(address, now) for address in addresses if address),
        *(without_content(document, now) for document in documents if document),
    )
    return Decided(state=gone, also=also, answer=gone)


def erase_address(address: Address | None, command: EraseAddress, now: datetime, known: Known) -> Decision:
    """Forget an address. Refused `not_found`; `in_use` while a living DID rests on it."""
    if address is None or not reaches(command.caller, address.account):
        return Refused("not_found", "no such address")
    if address.erased_at:
        return Unchanged(answer=address)
    gone = without_place(address, now)
    return in_use(known, address.address_id) or Decided(state=gone, answer=gone)


def erase_document(
    document: StoredDocument | None, command: EraseDocument, now: datetime, known: Known
) -> Decision:
    """Forget a document. Refused `not_found`; `in_use` while a living DID rests on it."""
    if document is None or not reaches(command.caller, document.account):
        return Refused("not_found", "no such document")
    if document.erased_at:
        return Unchanged(answer=document)
    gone = without_content(document, now)
    return in_use(known, document.document_id) or Decided(state=gone, answer=gone)


def in_use(known: Known, detail_id: UUID) -> Refused | None:
    """Return the refusal while living DIDs rest on it, or None."""
    use = known.get(Use, detail_id)
    return Refused("in_use", f"{use.dids} numbers rest on it") if use else None


def without_place(address: Address, now: datetime) -> Address:
    """Return an address that states nothing any more."""
    return replace(address, place=NOWHERE, erased_at=now)


def without_content(document: StoredDocument, now: datetime) -> StoredDocument:
    """Return a document that states nothing any more and has no bytes."""
    return replace(document, content_id=None, issued_on=None, expires_on=None, states=(), erased_at=now)

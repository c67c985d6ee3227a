"""What is shown of attempts. Answers to changes carry no personal data: they are kept for replays."""

from collections.abc import Iterable
from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, Field

from didflow_contracts.events.registration import Reason
from didflow_contracts.vocabulary import EndUserType
from didflow_verification.api.details.shown import AddressShown, IdentityShown, address_shown, identity_shown
from didflow_verification.api.documents.bodies import DocumentShown, document_shown
from didflow_verification.api.requirements.shown import FindingShown, findings_shown
from didflow_verification.domain.axes.verification import Status, Verification
from didflow_verification.domain.details.document import StoredDocument
from didflow_verification.domain.details.identity import Address, Identity


class VerificationShown(BaseModel):
    """One attempt to register an end user for a DID."""

    verification_id: UUID
    reference: str
    did_id: UUID
    number: str
    account: str
    country: str
    number_type: str
    end_user_type: EndUserType | None
    attempt: int
    status: Status
    requirement: str
    requirement_version: int
    identity_id: UUID
    address_id: UUID | None
    document_ids: list[UUID]
    reasons: list[Reason]
    automatic: bool = Field(description="Decided without a person.")
    rests_on: UUID | None = Field(
        description="The verification whose review an automatic approval relies on."
    )
    submitted_at: datetime
    submitted_by: str | None
    decided_at: datetime | None
    decided_by: str | None
    claimed_by: str | None
    claimed_until: datetime | None


class VerificationWhole(VerificationShown):
    """One attempt with all that a reviewer needs."""

    results: list[FindingShown]
    identity: IdentityShown | None = Field(description="As it is now; null where it is not this account's.")
    address: AddressShown | None
    documents: list[DocumentShown] = Field(description="Without their content, for which there is a path.")
    changed_since: list[Literal["identity", "address"]] = Field(description="What changed since it was sent.")
    earlier: list[VerificationShown] = Field(description="Earlier attempts of the DID, the latest first.")


def verification_shown(attempt: Verification) -> VerificationShown:
    """Show an attempt."""
    return VerificationShown.model_validate(attempt, from_attributes=True)


def verification_whole(
    attempt: Verification,
    identity: Identity | None,
    address: Address | None,
    documents: Iterable[StoredDocument],
    earlier: Iterable[Verification],
) -> VerificationWhole:
    """Show an attempt with its details; an identity that does not serve its account is never shown."""
    own = identity if identity is not None and identity.serves(attempt.account) else None
    near = address if own and address and address.identity_id == own.identity_id else None
    changed: list[Literal["identity", "address"]] = []
    if own and own.revision != attempt.identity_revision:
        changed.append("identity")
    if near and near.revision != attempt.address_revision:
        changed.append("address")
    return VerificationWhole(
        **verification_shown(attempt).model_dump(),
        results=findings_shown(attempt.findings),
        identity=identity_shown(own) if own else None,
        address=address_shown(near) if near else None,
        documents=[document_shown(each) for each in documents],
        changed_since=changed,
        earlier=[verification_shown(each) for each in earlier],
    )

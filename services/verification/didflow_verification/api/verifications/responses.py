"""Responses about verifications. The response to a change has no personal data: it is stored for replays."""

from collections.abc import Iterable
from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, Field

from didflow_contracts.events.registration import Reason
from didflow_contracts.vocabulary import EndUserType
from didflow_verification.api.details.responses import (
    AddressResponse,
    IdentityResponse,
    address_response,
    identity_response,
)
from didflow_verification.api.documents.responses import DocumentResponse, document_response
from didflow_verification.api.requirements.responses import FindingResponse, finding_responses
from didflow_verification.domain.axes.transitions import VerificationStatus
from didflow_verification.domain.axes.verification import Verification
from didflow_verification.domain.details.document import Document
from didflow_verification.domain.details.identity import Address, Identity


class VerificationReference(BaseModel):
    """A verification without personal data."""

    verification_id: UUID
    reference: str
    did_id: UUID
    number: str
    account: str
    country: str
    number_type: str
    end_user_type: EndUserType | None
    attempt: int
    status: VerificationStatus
    requirement: str
    requirement_version: int
    identity_id: UUID
    address_id: UUID | None
    document_ids: list[UUID]
    reasons: list[Reason]
    automatic: bool = Field(description="Decided without a person.")
    rests_on: UUID | None = Field(
        description="The reviewed verification that an automatic approval relies on."
    )
    submitted_at: datetime
    submitted_by: str | None
    decided_at: datetime | None
    decided_by: str | None
    claimed_by: str | None
    claimed_until: datetime | None


class VerificationResponse(VerificationReference):
    """A verification with everything that a reviewer needs."""

    results: list[FindingResponse]
    identity: IdentityResponse | None = Field(
        description="The identity as it is now. Null if it does not serve this account."
    )
    address: AddressResponse | None
    documents: list[DocumentResponse] = Field(description="Without their contents.")
    changed_since: list[Literal["identity", "address"]] = Field(
        description="The details that changed since the submission."
    )
    earlier: list[VerificationReference] = Field(
        description="Earlier verifications of the DID, the latest first."
    )


def verification_reference(verification: Verification) -> VerificationReference:
    """Return the response for a verification without personal data."""
    return VerificationReference.model_validate(verification, from_attributes=True)


def verification_response(
    verification: Verification,
    identity: Identity | None,
    address: Address | None,
    documents: Iterable[Document],
    earlier: Iterable[Verification],
) -> VerificationResponse:
    """Return the response with the details. An identity that does not serve the account is never shown."""
    own = identity if identity is not None and identity.serves(verification.account) else None
    own_address = address if own and address and address.identity_id == own.identity_id else None
    changed: list[Literal["identity", "address"]] = []
    if own and own.revision != verification.identity_revision:
        changed.append("identity")
    if own_address and own_address.revision != verification.address_revision:
        changed.append("address")
    return VerificationResponse(
        **verification_reference(verification).model_dump(),
        results=finding_responses(verification.findings),
        identity=identity_response(own) if own else None,
        address=address_response(own_address) if own_address else None,
        documents=[document_response(each) for each in documents],
        changed_since=changed,
        earlier=[verification_reference(each) for each in earlier],
    )

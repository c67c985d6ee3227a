"""Responses about verifications. The response to a change has no personal data: it is stored for replays."""

from collections.abc import Iterable
from datetime import datetime
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
from didflow_verification.domain.details.document import Document, JudgedDocument
from didflow_verification.domain.verifications.comparison import Attempt, Difference, Value


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
    area: str | None = Field(description="Area of the number. Null if it does not matter.")
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
    revoked_at: datetime | None = Field(description="Null unless an approval was revoked.")
    revoked_by: str | None
    claimed_by: str | None
    claimed_until: datetime | None


class JudgedDocumentReference(BaseModel):
    """A document as it was judged. `type` and `sha256` are null if it is not a document of the identity."""

    document_id: UUID
    type: str | None
    sha256: str | None = Field(description="SHA-256 of the file, in hex.")


class JudgedDocumentResponse(JudgedDocumentReference):
    """A document as it was judged, with its data."""

    details: DocumentResponse | None = Field(description="Without the content. Null if it was erased.")


class DifferenceResponse(BaseModel):
    """One difference between two attempts.

    Both `before` and `after` are null if a content may not be shown to the caller, or was erased.
    One of them is null if a field was empty, or if an address or a document was added or removed.
    """

    field: str = Field(
        description="A path such as `identity.vat_number`, or `identity`, `address` or `documents`."
    )
    before: str | JudgedDocumentReference | None = Field(
        description="The value of a field, the id of an identity or address, or a document."
    )
    after: str | JudgedDocumentReference | None


class VerificationResponse(VerificationReference):
    """A verification with everything that a reviewer needs."""

    results: list[FindingResponse]
    identity: IdentityResponse | None = Field(
        description="The identity as it was judged. Null if it does not serve this account, or was erased."
    )
    address: AddressResponse | None = Field(
        description="The address as it was judged. Null if there was none, or if it was erased."
    )
    documents: list[JudgedDocumentResponse] = Field(
        description="The documents that were judged: the submitted ones, and those of the review that it rests on."
    )
    changed_since: list[DifferenceResponse] = Field(
        description="What differs from the attempt before. Empty for the first attempt."
    )
    earlier: list[VerificationReference] = Field(
        description="Up to 100 earlier verifications of the DID, the latest first."
    )


def verification_reference(verification: Verification) -> VerificationReference:
    """Return the response for a verification without personal data."""
    values = {name: getattr(verification, name) for name in VerificationReference.model_fields}
    return VerificationReference.model_validate(values | {"area": verification.area or None})


def _judged_document(judged: JudgedDocument) -> JudgedDocumentReference:
    return JudgedDocumentReference(document_id=judged.document_id, type=judged.kind, sha256=judged.sha256)


def _document_response(judged: JudgedDocument, document: Document | None) -> JudgedDocumentResponse:
    return JudgedDocumentResponse(
        **_judged_document(judged).model_dump(), details=document_response(document) if document else None
    )


def _difference_response(difference: Difference) -> DifferenceResponse:
    def shown(value: Value) -> str | JudgedDocumentReference | None:
        return _judged_document(value) if isinstance(value, JudgedDocument) else value

    return DifferenceResponse(
        field=difference.field, before=shown(difference.before), after=shown(difference.after)
    )


def verification_response(
    attempt: Attempt,
    documents: Iterable[Document],
    changed_since: Iterable[Difference],
    earlier: Iterable[Verification],
) -> VerificationResponse:
    """Return the response for a verification with what it judged."""
    verification, by_id = attempt.verification, {each.document_id: each for each in documents}
    judged = verification.documents
    if not attempt.is_shown:
        judged = tuple(JudgedDocument(document_id=each.document_id) for each in judged)
    return VerificationResponse(
        **verification_reference(verification).model_dump(),
        results=finding_responses(verification.findings),
        identity=identity_response(attempt.identity) if attempt.identity else None,
        address=address_response(attempt.address) if attempt.address else None,
        documents=[_document_response(each, by_id.get(each.document_id)) for each in judged],
        changed_since=[_difference_response(each) for each in changed_since],
        earlier=[verification_reference(each) for each in earlier],
    )

"""A verification: one submission of end-user details for one DID against one requirement, and its outcome.

The inputs of the judgement (versions, revisions, findings) are stored with the verification and never change.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from didflow_contracts.events.registration import Reason
from didflow_contracts.ids import derived_id
from didflow_contracts.vocabulary import EndUserType, NumberType
from didflow_verification.domain.axes.transitions import (
    VERIFICATION,
    ForbiddenTransitionError,
    VerificationStatus,
)
from didflow_verification.domain.details.document import JudgedDocument
from didflow_verification.domain.evaluation.findings import Finding

_REFERENCE_ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
_REFERENCE_LENGTH = 10


class Verification(Struct, frozen=True, kw_only=True):
    """One verification of a DID; `attempt` counts them.

    `account` holds the DID. If the DID changes hands while the verification is pending, `account` follows it.
    `area` is the area of the number (`areas.area_of`) if the requirement depends on it, else empty. `submitted_by`,
    `decided_by`, `revoked_by` and `claimed_by` are actors (`user:<subject>`); `submitted_by` is None if the actor is
    unknown. A revocation keeps who approved and when.
    `rests_on` is the reviewed verification that an automatic approval relies on. `documents` are those that were
    judged: the submitted ones (`document_ids`), and those of the review that it rests on.
    """

    verification_id: UUID
    reference: str
    did_id: UUID
    number: str
    account: str
    country: str
    number_type: NumberType
    end_user_type: EndUserType | None
    attempt: int
    status: VerificationStatus
    requirement: str
    requirement_version: int
    area: str
    identity_id: UUID
    identity_revision: int | None
    address_id: UUID | None
    address_revision: int | None
    document_ids: tuple[UUID, ...]
    documents: tuple[JudgedDocument, ...] = ()
    findings: tuple[Finding, ...]
    reasons: tuple[Reason, ...]
    automatic: bool
    rests_on: UUID | None
    submitted_at: datetime
    submitted_by: str | None
    decided_at: datetime | None
    decided_by: str | None
    revoked_at: datetime | None = None
    revoked_by: str | None = None
    claimed_by: str | None
    claimed_until: datetime | None

    def moved_to(self, status: VerificationStatus, **changes: Any) -> "Verification":
        """Return the verification in another status, without its claim. Raises ForbiddenTransitionError."""
        if status not in VERIFICATION[self.status]:
            raise ForbiddenTransitionError(f"verification {self.status} -> {status}")
        return replace(self, status=status, claimed_by=None, claimed_until=None, **changes)


def verification_id(did_id: UUID, attempt: int) -> UUID:
    """Return the id of an attempt of a DID. The same attempt always has the same id."""
    return derived_id("verification", did_id, str(attempt))


def reference_of(identifier: UUID) -> str:
    """Return the reference that people use: `V-` and ten letters and digits that are hard to confuse."""
    rest, letters = identifier.int, []
    for _ in range(_REFERENCE_LENGTH):
        rest, index = divmod(rest, len(_REFERENCE_ALPHABET))
        letters.append(_REFERENCE_ALPHABET[index])
    return f"V-{''.join(letters)}"

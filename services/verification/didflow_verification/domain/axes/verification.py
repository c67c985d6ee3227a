"""A verification: one submission of end-user details for one DID against one requirement, and its outcome.

What a verification was judged on (versions, revisions, findings) is kept with it and never rewritten.
"""

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final, Literal
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from didflow_contracts.events.registration import Reason
from didflow_contracts.ids import derived_id
from didflow_contracts.vocabulary import EndUserType, NumberType
from didflow_verification.domain.axes.forbidden import ForbiddenTransitionError
from didflow_verification.domain.evaluation.findings import Finding

Status = Literal["pending", "approved", "rejected", "superseded", "withdrawn", "revoked"]

TRANSITIONS: Final[Mapping[Status | None, frozenset[Status]]] = MappingProxyType(
    {
        None: frozenset({"pending", "approved", "rejected"}),
        "pending": frozenset({"approved", "rejected", "superseded", "withdrawn"}),
        "approved": frozenset({"revoked"}),
        "rejected": frozenset(),
        "superseded": frozenset(),
        "withdrawn": frozenset(),
        "revoked": frozenset(),
    }
)
"""Where an attempt may go; None is before it was submitted. Source: spec lifecycle, The axes."""

_REFERENCE_ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
_REFERENCE_LENGTH = 10


class Verification(Struct, frozen=True, kw_only=True):
    """One attempt. `account` holds the DID (a pending attempt follows it when it is handed down).

    `prefix` is the number's, where the requirement looks at the area, else empty. `submitted_by` is who
    assigned the details (`user:<subject>`), where that is known. `rests_on` is the verification whose review
    an automatic approval relies on. A reviewer's claim holds until `claimed_until`.
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
    status: Status
    requirement: str
    requirement_version: int
    prefix: str
    identity_id: UUID
    identity_revision: int | None
    address_id: UUID | None
    address_revision: int | None
    document_ids: tuple[UUID, ...]
    findings: tuple[Finding, ...]
    reasons: tuple[Reason, ...]
    automatic: bool
    rests_on: UUID | None
    submitted_at: datetime
    submitted_by: str | None
    decided_at: datetime | None
    decided_by: str | None
    claimed_by: str | None
    claimed_until: datetime | None


def verification_id(did_id: UUID, attempt: int) -> UUID:
    """Name the attempt of a DID; the same attempt has the same id for ever."""
    return derived_id("verification", did_id, str(attempt))


def reference_of(identifier: UUID) -> str:
    """Return what people call a verification by: `V-` and ten letters and digits that are hard to mix up."""
    rest, letters = identifier.int, []
    for _ in range(_REFERENCE_LENGTH):
        rest, place = divmod(rest, len(_REFERENCE_ALPHABET))
        letters.append(_REFERENCE_ALPHABET[place])
    return f"V-{''.join(letters)}"


def moved(attempt: Verification, status: Status, **changes: Any) -> Verification:
    """Return the attempt in another status, its claim gone. Raises ForbiddenTransitionError."""
    if status not in TRANSITIONS[attempt.status]:
        raise ForbiddenTransitionError(f"verification {attempt.status} -> {status}")
    return replace(attempt, status=status, claimed_by=None, claimed_until=None, **changes)

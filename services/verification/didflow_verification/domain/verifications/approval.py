"""Approvals that later submissions of the same details can rest on, so that a person need not review them again.

The key of an approval has everything that must be equal and that is known before an evaluation.
Source: spec lifecycle, Auto-approval.
"""

from dataclasses import replace
from datetime import datetime
from uuid import UUID

from msgspec import Struct

from didflow_verification.domain.axes.verification import Verification
from didflow_verification.domain.details.identity import Address, Identity
from didflow_verification.domain.requirements import AddressRule, DocumentGroup, IdentityField, Requirement

_UNLIMITED = 10**9
_MATCHES = ("none", "country", "region", "area")


class Approval(Struct, frozen=True, kw_only=True):
    """The latest review that approved an identity and an address for numbers of one kind in an account.

    It counts until `valid_until`: the end of its documents, or its revocation. `document_ids` are its documents.
    `revoked`: the details were revoked, and a row without review does not approve them until a person has.
    """

    approval_key: str
    verification_id: UUID
    requirement: str
    requirement_version: int
    identity_revision: int | None
    address_revision: int | None
    document_ids: tuple[UUID, ...] = ()
    valid_until: datetime | None
    approved_at: datetime
    revoked: bool = False

    def covers(
        self,
        today: Requirement,
        earlier: Requirement | None,
        identity: Identity,
        address: Address | None,
        now: datetime,
    ) -> bool:
        """Return True if the review was of exactly these details, still counts, and made all of today's checks.

        `earlier` is the row in the version of the review, or None if the catalogue no longer has it.
        """
        return (
            earlier is not None
            and earlier.key == today.key
            and includes_checks(earlier, today)
            and self.identity_revision == identity.revision
            and self.address_revision == (address.revision if address else None)
            and (self.valid_until is None or now < self.valid_until)
        )


def approval_key(
    *, account: str, identity_id: UUID, address_id: UUID | None, country: str, number_type: str, area: str
) -> str:
    """Return the key of an approval. `area` is empty if it does not matter."""
    return "|".join((account, str(identity_id), str(address_id or "-"), country, number_type, area))


def approval_key_of(verification: Verification) -> str:
    """Return the key under which the approval of a verification is stored."""
    return approval_key(
        account=verification.account,
        identity_id=verification.identity_id,
        address_id=verification.address_id,
        country=verification.country,
        number_type=verification.number_type,
        area=verification.area,
    )


def approval_of(verification: Verification, now: datetime, valid_until: datetime | None = None) -> Approval:
    """Return the approval that others can rest on after a reviewer approved a verification."""
    return Approval(
        approval_key=approval_key_of(verification),
        verification_id=verification.verification_id,
        requirement=verification.requirement,
        requirement_version=verification.requirement_version,
        identity_revision=verification.identity_revision,
        address_revision=verification.address_revision,
        document_ids=verification.document_ids,
        valid_until=valid_until,
        approved_at=now,
    )


def includes_checks(earlier: Requirement, today: Requirement) -> bool:
    """Return True if the earlier version asked for every check that today's version asks for, as strictly."""
    return (
        earlier.required >= today.required
        and _includes_address(earlier.address, today.address)
        and {_without_texts(f) for f in today.identity_fields} <= _checked_fields(earlier)
        and all(any(_includes_group(before, g) for before in earlier.documents) for g in today.documents)
        and set(today.cross_checks) <= set(earlier.cross_checks)
        and {(r.code, r.years) for r in today.restrictions}
        <= {(r.code, r.years) for r in earlier.restrictions}
    )


def _checked_fields(earlier: Requirement) -> set[IdentityField]:
    """Return the fields of a row: as strict as they are, and as optional fields, which are less strict."""
    checked = {_without_texts(field) for field in earlier.identity_fields}
    return checked | {replace(field, when_given=True, unless=()) for field in checked}


def _without_texts(field: IdentityField) -> IdentityField:
    return replace(field, text=None, note=None)


def _includes_address(earlier: AddressRule, today: AddressRule) -> bool:
    return (
        earlier.required >= today.required
        and _MATCHES.index(earlier.match) >= _MATCHES.index(today.match)
        and bool(earlier.proof) >= bool(today.proof)
    )


def _includes_group(earlier: DocumentGroup, today: DocumentGroup) -> bool:
    return (
        earlier.group == today.group
        and set(earlier.accepts) <= set(today.accepts)
        and (earlier.max_age_days or _UNLIMITED) <= (today.max_age_days or _UNLIMITED)
    )

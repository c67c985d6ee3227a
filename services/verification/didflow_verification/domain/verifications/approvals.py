"""What a reviewer has approved once and need not see again: the same end user for another number.

Keyed by all that must be the same and is known before an evaluation. Source: spec lifecycle, Auto-approval.
"""

from datetime import datetime
from uuid import UUID

from msgspec import Struct

from didflow_verification.domain.axes.verification import Verification
from didflow_verification.domain.catalogue.covering import asked_for_all
from didflow_verification.domain.catalogue.rules import Requirement
from didflow_verification.domain.details.identity import Address, Identity


class Approval(Struct, frozen=True, kw_only=True):
    """The latest review that approved an identity and an address for an account's numbers of one kind.

    It counts until `valid_until`: the end of its papers, or its revocation. `document_ids` are its papers.
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

    def covers(
        self,
        today: Requirement,
        earlier: Requirement | None,
        identity: Identity,
        address: Address | None,
        now: datetime,
    ) -> bool:
        """Whether the review was of these very details, still counts, and looked at all that is asked today.

        `earlier` is the row in the version that it was made under; None where the catalogue has it no more.
        """
        return (
            earlier is not None
            and earlier.key == today.key
            and asked_for_all(earlier, today)
            and self.identity_revision == identity.revision
            and self.address_revision == (address.revision if address else None)
            and (self.valid_until is None or now < self.valid_until)
        )


def approval_key(
    *, account: str, identity_id: UUID, address_id: UUID | None, country: str, number_type: str, prefix: str
) -> str:
    """Name the place of an approval; `prefix` is empty where the area does not matter."""
    return "|".join((account, str(identity_id), str(address_id or "-"), country, number_type, prefix))


def approval_of(verification: Verification, now: datetime, valid_until: datetime | None = None) -> Approval:
    """Return what a reviewer's approval of a verification lets others rest on, until its papers end."""
    return Approval(
        approval_key=approval_key(
            account=verification.account,
            identity_id=verification.identity_id,
            address_id=verification.address_id,
            country=verification.country,
            number_type=verification.number_type,
            prefix=verification.prefix,
        ),
        verification_id=verification.verification_id,
        requirement=verification.requirement,
        requirement_version=verification.requirement_version,
        identity_revision=verification.identity_revision,
        address_revision=verification.address_revision,
        document_ids=verification.document_ids,
        valid_until=valid_until,
        approved_at=now,
    )

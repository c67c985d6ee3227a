"""Requests about verifications."""

from collections.abc import Iterator
from typing import Literal, Self
from uuid import UUID

import sqlalchemy as sa
from pydantic import BaseModel, Field, StrictBool, model_validator
from sqlalchemy.dialects.postgresql import JSONB

from didflow_chassis.decision import Caller
from didflow_chassis.http import Number
from didflow_contracts.events.registration import Reason
from didflow_contracts.names import DidNames
from didflow_contracts.validation_errors import wrong_field
from didflow_contracts.vocabulary import Name
from didflow_verification.api.bodies import IdList, Ids, ReasonBody, Reasons, SomeReasons, StrictModel, ids_of
from didflow_verification.domain.axes.verification import Verification
from didflow_verification.domain.commands import Resubmit
from didflow_verification.store import verifications


class VerificationsQuery(BaseModel):
    """Filters of the verifications. Without any filter, the pending ones are listed."""

    status: Literal["pending", "approved", "rejected", "superseded", "withdrawn", "revoked", "all"] | None = (
        None
    )
    did_id: UUID | None = None
    number: Number | None = None
    reference: Name | None = None
    identity_id: UUID | None = None
    address_id: UUID | Literal["none"] | None = Field(default=None, description="`none`: without an address.")
    document_ids: IdList | None = Field(
        default=None,
        description="Exactly these documents in this order, separated by commas; empty: without documents.",
    )
    requirement: Name | None = Field(default=None, description="The key of the requirement.")
    area: Name | None = Field(
        default=None, description="The area; `none`: the area does not matter for the requirement."
    )
    group_by: Literal["details"] | None = Field(
        default=None,
        description="`details`: one item for all pending verifications of the same details, with their count.",
    )

    @model_validator(mode="after")
    def _only_pending_ones_are_grouped(self) -> Self:
        if self.group_by and self.status not in {None, "pending"}:
            raise wrong_field("status", "Only pending verifications are grouped. Leave out the status.")
        return self

    def conditions(self) -> Iterator[sa.ColumnElement[bool]]:
        """Yield the conditions on the verifications."""
        filters = tuple(self.filters())
        yield from filters
        status = self.status or ("all" if filters else "pending")
        if status != "all":
            yield verifications.c.status == status

    def filters(self) -> Iterator[sa.ColumnElement[bool]]:
        """Yield the conditions on the verifications without that on their status."""
        for name in ("did_id", "number", "reference", "identity_id", "requirement"):
            value = getattr(self, name)
            if value is not None:
                yield verifications.c[name] == value
        if self.address_id is not None:
            named = None if self.address_id == "none" else self.address_id
            yield (
                verifications.c.address_id.is_(None) if named is None else verifications.c.address_id == named
            )
        if self.area is not None:
            yield verifications.c.area == ("" if self.area == "none" else self.area)
        if self.document_ids is not None:
            documents = [str(document_id) for document_id in sorted(set(ids_of(self.document_ids)))]
            yield verifications.c.document_ids == sa.literal(documents, JSONB)


class VerificationsBody(StrictModel):
    """The verifications of a batch."""

    verifications: DidNames = Field(description="1 to 1,000 ids of verifications.")


class RejectVerificationsBody(VerificationsBody):
    """The verifications to reject, and the reasons of all of them."""

    reasons: SomeReasons


class RejectBody(StrictModel):
    """The reasons of a rejection."""

    reasons: SomeReasons


class RevokeBody(StrictModel):
    """The reasons of a revocation (default: `suspected_fraud`), and whether it is about this number only."""

    reasons: Reasons = Field(default=[])
    only_this: StrictBool = Field(
        default=False,
        description="Revoke this approval only. The review that it rests on stays approved. "
        "Refused `not_automatic` if a person approved it.",
    )

    def coded_reasons(self) -> tuple[Reason, ...]:
        """Return the reasons with their texts."""
        reasons = self.reasons or [ReasonBody(code="suspected_fraud")]
        return tuple(reason.reason() for reason in reasons)


class ResubmitBody(StrictModel):
    """Details for the next verification. Fields that are left out do not change."""

    identity_id: UUID | None = None
    address_id: UUID | None = None
    document_ids: Ids | None = None

    def command(self, rejected: Verification, caller: Caller) -> Resubmit:
        """Return the command for the rejected verification."""
        same_address = "address_id" not in self.model_fields_set
        documents = rejected.document_ids if self.document_ids is None else tuple(self.document_ids)
        return Resubmit(
            entity_id=rejected.did_id,
            subject=rejected.number,
            caller=caller,
            verification_id=rejected.verification_id,
            identity_id=self.identity_id or rejected.identity_id,
            address_id=rejected.address_id if same_address else self.address_id,
            document_ids=documents,
        )

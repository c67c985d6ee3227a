"""Requests about verifications."""

from collections.abc import Iterator
from typing import Literal
from uuid import UUID

import sqlalchemy as sa
from pydantic import BaseModel, Field

from didflow_chassis.decision import Caller
from didflow_chassis.http import Number
from didflow_contracts.events.registration import Reason
from didflow_contracts.names import DidNames
from didflow_contracts.vocabulary import Name
from didflow_verification.api.bodies import Ids, ReasonBody, Reasons, SomeReasons, StrictModel
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
    identity_id: UUID | None = None
    reference: Name | None = None

    def conditions(self) -> Iterator[sa.ColumnElement[bool]]:
        """Yield the conditions on the verifications."""
        filters = {
            name: getattr(self, name)
            for name in ("did_id", "number", "identity_id", "reference")
            if getattr(self, name) is not None
        }
        for name, value in filters.items():
            yield verifications.c[name] == value
        status = self.status or ("all" if filters else "pending")
        if status != "all":
            yield verifications.c.status == status


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
    only_this: bool = Field(
        default=False,
        description="Only for an automatic approval: leave the approval that it rests on as it is.",
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

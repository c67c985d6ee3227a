"""What callers and reviewers send about attempts."""

from collections.abc import Iterator
from typing import Annotated, Literal
from uuid import UUID

import sqlalchemy as sa
from pydantic import Field

from didflow_chassis.decision import Caller
from didflow_chassis.http import parse_name
from didflow_contracts.events.registration import Reason
from didflow_verification.api.listing import Ids, Listing, Number, Strict
from didflow_verification.api.reasons import ReasonBody
from didflow_verification.domain.axes.verification import Verification
from didflow_verification.domain.verifications.commands import Resubmit
from didflow_verification.store import verifications


class VerificationsQuery(Listing):
    """Which verifications to list; the reviewers' queue where nothing is asked for."""

    status: Literal["pending", "approved", "rejected", "superseded", "withdrawn", "revoked", "all"] | None = (
        None
    )
    did_id: UUID | None = None
    number: Number | None = None
    identity_id: UUID | None = None
    reference: str | None = None

    def conditions(self) -> Iterator[sa.ColumnElement[bool]]:
        """Yield what the verifications must satisfy."""
        asked = {
            name: getattr(self, name)
            for name in ("did_id", "number", "identity_id", "reference")
            if getattr(self, name) is not None
        }
        for name, value in asked.items():
            yield verifications.c[name] == (parse_name(value) if name == "number" else value)
        status = self.status or ("all" if asked else "pending")
        if status != "all":
            yield verifications.c.status == status


class RejectBody(Strict):
    """Why an attempt is rejected."""

    reasons: Annotated[list[ReasonBody], Field(min_length=1, max_length=50)]


class RevokeBody(Strict):
    """Why an approval is taken back; `suspected_fraud` where nothing else is said."""

    reasons: list[ReasonBody] = Field(default=[], max_length=50)

    def told(self) -> tuple[Reason, ...]:
        """Return the reasons with their words."""
        reasons = self.reasons or [ReasonBody(code="suspected_fraud")]
        return tuple(reason.reason() for reason in reasons)


class ResubmitBody(Strict):
    """Details for the next attempt; what is left out stays as it was."""

    identity_id: UUID | None = None
    address_id: UUID | None = None
    document_ids: Ids | None = None

    def command(self, attempt: Verification, caller: Caller) -> Resubmit:
        """Make the command for the attempt that was rejected."""
        kept = "address_id" not in self.model_fields_set
        documents = attempt.document_ids if self.document_ids is None else tuple(self.document_ids)
        return Resubmit(
            entity_id=attempt.did_id,
            subject=attempt.number,
            caller=caller,
            verification_id=attempt.verification_id,
            identity_id=self.identity_id or attempt.identity_id,
            address_id=attempt.address_id if kept else self.address_id,
            document_ids=documents,
        )

"""The kinds of state that the stage loads and saves.

A `SchedulingKind` records a change and, in the same statement, schedules the timer of every live DID that the change
affects. The lock of what changed keeps new DIDs out of the statement.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar

from didflow_chassis.states import Kind
from didflow_verification.domain.axes.registration import Registration
from didflow_verification.domain.axes.service_request import ServiceRequest
from didflow_verification.domain.axes.verification import Verification
from didflow_verification.domain.catalogue_change import CatalogueChange
from didflow_verification.domain.details.changes import DetailChange
from didflow_verification.domain.details.document import Document
from didflow_verification.domain.details.erasure import DetailUse, OwnedDetails
from didflow_verification.domain.details.identity import Address, Identity
from didflow_verification.domain.requirements import CountryRules
from didflow_verification.domain.timers import Reassessment, Recheck
from didflow_verification.domain.verifications.approval import Approval
from didflow_verification.domain.verifications.review import Revocation
from didflow_verification.store import tables

S = TypeVar("S")


@dataclass(frozen=True, kw_only=True)
class SchedulingKind(Kind[S]):
    """An append-only kind. `schedule` is the statement that schedules timers for the rows in `written`."""

    append_only: bool = True
    schedule: str

    @cached_property
    def save_sql(self) -> str:
        """Insert the rows and schedule the timers."""
        insert = super().save_sql
        return f"WITH written AS ({insert} RETURNING *), scheduled AS ({self.schedule}) SELECT FROM written"


def _schedule_rechecks(affected: str) -> str:
    """Return the statement that schedules a recheck for selected DIDs. An earlier due date is kept.

    `affected` selects did_id, number, due_at, revoked, 1.
    """
    return f"""
INSERT INTO rechecks AS t (did_id, number, due_at, revoked, version) {affected}
ON CONFLICT (did_id) DO UPDATE SET due_at = LEAST(t.due_at, excluded.due_at),
    revoked = COALESCE(excluded.revoked, t.revoked), version = t.version + 1
"""


_SCHEDULE_REASSESSMENTS = """
INSERT INTO reassessments AS t (did_id, number, due_at, changed_by, address_ids, version)
SELECT DISTINCT ON (u.did_id) u.did_id, u.number, c.changed_at, c.changed_by,
    CASE WHEN c.address_id IS NULL THEN '[]' ELSE jsonb_build_array(c.address_id) END, 1
FROM written c JOIN addresses_in_use u ON u.identity_id = c.identity_id
WHERE c.address_id IS NULL OR u.address_id = c.address_id
ORDER BY u.did_id, c.changed_at DESC
ON CONFLICT (did_id) DO UPDATE SET due_at = excluded.due_at, changed_by = excluded.changed_by,
    address_ids = t.address_ids || excluded.address_ids, version = t.version + 1
"""

RULES = Kind(model=CountryRules, table=tables.catalogue, key="country")
CATALOGUE_CHANGES: Kind[CatalogueChange] = SchedulingKind(
    model=CatalogueChange,
    table=tables.catalogue_changes,
    key="change_id",
    schedule=_schedule_rechecks("""
SELECT DISTINCT ON (r.did_id) r.did_id, r.number, c.changed_at, NULL::uuid, 1
FROM written c JOIN registrations r ON c.country IN (r.country, '*')
WHERE c.recheck_all AND r.ended IS NULL AND r.state IN ('approved', 'not_required', 'awaiting')"""),
)
IDENTITIES = Kind(model=Identity, table=tables.identities, key="identity_id")
ADDRESSES = Kind(model=Address, table=tables.addresses, key="address_id")
DOCUMENTS = Kind(model=Document, table=tables.documents, key="document_id")
DETAIL_CHANGES: Kind[DetailChange] = SchedulingKind(
    model=DetailChange, table=tables.detail_changes, key="change_id", schedule=_SCHEDULE_REASSESSMENTS
)
DETAIL_USES = Kind(model=DetailUse, table=tables.detail_uses, key="detail_id")
OWNED_DETAILS = Kind(model=OwnedDetails, table=tables.owned_details, key="identity_id")
REGISTRATIONS = Kind(
    model=Registration, table=tables.registrations, key="did_id", subject="number", due="due_at"
)
VERIFICATIONS = Kind(model=Verification, table=tables.verifications, key="verification_id", subject="number")
APPROVALS = Kind(model=Approval, table=tables.approvals, key="approval_key")
REVOCATIONS: Kind[Revocation] = SchedulingKind(
    model=Revocation,
    table=tables.revocations,
    key="verification_id",
    schedule=_schedule_rechecks("""
SELECT r.did_id, r.number, c.revoked_at, c.verification_id, 1
FROM written c JOIN registrations r ON (r.approved ->> 'rests_on')::uuid = c.verification_id
WHERE r.ended IS NULL"""),
)
SERVICE_REQUESTS = Kind(
    model=ServiceRequest, table=tables.service_requests, key="request_id", subject="number"
)
RECHECKS = Kind(model=Recheck, table=tables.rechecks, key="did_id", subject="number", due="due_at")
REASSESSMENTS = Kind(
    model=Reassessment, table=tables.reassessments, key="did_id", subject="number", due="due_at"
)

KINDS: tuple[Kind[Any], ...] = (
    RULES,
    CATALOGUE_CHANGES,
    IDENTITIES,
    ADDRESSES,
    DOCUMENTS,
    DETAIL_CHANGES,
    DETAIL_USES,
    OWNED_DETAILS,
    REGISTRATIONS,
    VERIFICATIONS,
    APPROVALS,
    REVOCATIONS,
    SERVICE_REQUESTS,
    RECHECKS,
    REASSESSMENTS,
)
"""Every kind of state, for the stage."""

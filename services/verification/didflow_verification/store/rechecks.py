"""How what makes registrations due lies in tables: who is to be looked at or judged again, and revocations."""

import sqlalchemy as sa

from didflow_chassis.states import Kind, state_table
from didflow_verification.domain.clock.reassessment import Reassessment
from didflow_verification.domain.clock.recheck import Recheck
from didflow_verification.domain.verifications.revoking import Revocation
from didflow_verification.store.columns import METADATA, identifier, instant, json, text
from didflow_verification.store.spreading import Spreading, rechecking

rechecks = state_table(
    "rechecks",
    METADATA,
    identifier("did_id", key=True),
    text("number"),
    instant("due_at"),
    identifier("revoked", nullable=True, comment="the review that it rests on and that is no more"),
    sa.Index("rechecks_due", "due_at", postgresql_where=sa.text("due_at IS NOT NULL")),
)

reassessments = state_table(
    "reassessments",
    METADATA,
    identifier("did_id", key=True),
    text("number"),
    instant("due_at"),
    text("changed_by"),
    json("address_ids", comment="changed since"),
    sa.Index("reassessments_due_at", "due_at", postgresql_where=sa.text("due_at IS NOT NULL")),
)

revocations = sa.Table(
    "revocations",
    METADATA,
    identifier("verification_id", key=True),
    instant("revoked_at", nullable=False),
    text("revoked_by"),
)

RECHECKS = Kind(model=Recheck, table=rechecks, key="did_id", subject="number", due="due_at")
REASSESSMENTS = Kind(model=Reassessment, table=reassessments, key="did_id", subject="number", due="due_at")
REVOCATIONS: Kind[Revocation] = Spreading(
    model=Revocation,
    table=revocations,
    key="verification_id",
    spread=rechecking("""
SELECT r.did_id, r.number, c.revoked_at, c.verification_id, 1
FROM written c JOIN registrations r ON (r.approved ->> 'rests_on')::uuid = c.verification_id
WHERE r.ended IS NULL"""),
)

"""How registrations, their attempts and the reviews that others may rest on lie in tables."""

import sqlalchemy as sa

from didflow_chassis.states import Kind, state_table
from didflow_verification.domain.axes.registration import Registration
from didflow_verification.domain.axes.verification import Verification
from didflow_verification.domain.verifications.approvals import Approval
from didflow_verification.store.columns import METADATA, count, identifier, instant, json, text

registrations = state_table(
    "registrations",
    METADATA,
    identifier("did_id", key=True),
    text("number"),
    text("country"),
    text("number_type"),
    text("end_user_type", nullable=True, comment="as ordered: only says what is shown first"),
    text("account", comment="who holds the DID, as last heard"),
    json("holders", comment="who held it since when"),
    text("state"),
    text("requirement"),
    count("requirement_version"),
    json("approved", nullable=True),
    json("assigned", nullable=True),
    sa.Column("open", sa.Boolean, nullable=False, comment="the last attempt is not decided"),
    count("attempt"),
    json("reasons"),
    instant("assigned_at"),
    instant("grace_until"),
    instant("started_at", nullable=False),
    text("ended", nullable=True, comment="removed or refused: frozen"),
    json("seen"),
    json("features", nullable=True, comment="what the number can do, as far as heard"),
    json("services", comment="the open request of each additional service"),
    json("lapse", nullable=True, comment="the known end of what is approved"),
    instant("due_at"),
    sa.Index("registrations_live_number", "number", postgresql_where=sa.text("ended IS NULL")),
    sa.Index(
        "registrations_rests_on",
        sa.text("((approved ->> 'rests_on')::uuid)"),
        postgresql_where=sa.text("ended IS NULL AND (approved ->> 'rests_on') IS NOT NULL"),
    ),
    sa.Index("registrations_due", "due_at", postgresql_where=sa.text("due_at IS NOT NULL")),
    emits=True,
)

verifications = state_table(
    "verifications",
    METADATA,
    identifier("verification_id", key=True),
    text("reference"),
    identifier("did_id"),
    text("number"),
    text("account"),
    text("country"),
    text("number_type"),
    text("end_user_type", nullable=True),
    count("attempt"),
    text("status"),
    text("requirement"),
    count("requirement_version"),
    text("prefix", comment="the number's, where the area matters; else empty"),
    identifier("identity_id"),
    count("identity_revision", nullable=True),
    identifier("address_id", nullable=True),
    count("address_revision", nullable=True),
    json("document_ids"),
    json("findings"),
    json("reasons"),
    sa.Column("automatic", sa.Boolean, nullable=False),
    identifier("rests_on", nullable=True),
    instant("submitted_at", nullable=False),
    text("submitted_by", nullable=True),
    instant("decided_at"),
    text("decided_by", nullable=True),
    text("claimed_by", nullable=True),
    instant("claimed_until"),
    sa.Index("verifications_identity", "identity_id"),
    sa.Index("verifications_did", "did_id", "attempt", unique=True),
    sa.Index(
        "verifications_queue",
        "submitted_at",
        "verification_id",
        postgresql_where=sa.text("status = 'pending'"),
    ),
    sa.Index("verifications_account", sa.text('account COLLATE "C"'), "submitted_at", "verification_id"),
    sa.Index("verifications_reference", "reference"),
)

approvals = state_table(
    "approvals",
    METADATA,
    text("approval_key", key=True),
    identifier("verification_id"),
    text("requirement"),
    count("requirement_version"),
    count("identity_revision", nullable=True),
    count("address_revision", nullable=True),
    json("document_ids"),
    instant("valid_until"),
    instant("approved_at", nullable=False),
    sa.Index("approvals_verification", "verification_id"),
)

REGISTRATIONS = Kind(model=Registration, table=registrations, key="did_id", subject="number", due="due_at")
VERIFICATIONS = Kind(model=Verification, table=verifications, key="verification_id", subject="number")
APPROVALS = Kind(model=Approval, table=approvals, key="approval_key")

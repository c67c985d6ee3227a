"""The tables and views of verification. The migrations create them; a test compares both."""

from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import BYTEA, JSONB
from sqlalchemy.dialects.postgresql import UUID as PG_UUID

from didflow_chassis.row_access import AllRows, RowsOfAccount, append_only
from didflow_chassis.states import instant, state_table

METADATA: Final = sa.MetaData()
"""The tables."""

VIEWS: Final = sa.MetaData()
"""The views. They are loaded like tables and never written."""


def _id(
    name: str, *, key: bool = False, nullable: bool = False, comment: str | None = None
) -> sa.Column[Any]:
    return sa.Column(name, PG_UUID(as_uuid=True), primary_key=key, nullable=nullable, comment=comment)


def _text(
    name: str, *, key: bool = False, nullable: bool = False, comment: str | None = None
) -> sa.Column[Any]:
    return sa.Column(name, sa.Text, primary_key=key, nullable=nullable, comment=comment)


def _json(name: str, *, nullable: bool = False, comment: str | None = None) -> sa.Column[Any]:
    return sa.Column(name, JSONB, nullable=nullable, comment=comment)


def _id_in(json: str, field: str, name: str) -> sa.Column[Any]:
    """Return a column with an id out of a JSON column. Row security allows an index of it to be used in order.

    With policies on a table, PostgreSQL uses only operators of which it knows that they tell nothing about a row. The
    operators of JSON are not among them.
    """
    return sa.Column(
        name, PG_UUID(as_uuid=True), sa.Computed(f"({json} ->> '{field}')::uuid", persisted=True)
    )


def _count(name: str, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.Integer, nullable=nullable)


def _by_account(table: str, *columns: str) -> sa.Index:
    """Return the index that serves lists of an account's subtree."""
    return sa.Index(f"{table}_account", sa.text('account COLLATE "C"'), *columns)


def _by_due(table: str) -> sa.Index:
    """Return the index that serves due timers."""
    return sa.Index(f"{table}_due", "due_at", postgresql_where=sa.text("due_at IS NOT NULL"))


_JUDGED: Final = (
    "EXISTS (SELECT FROM verifications v WHERE v.identity_id = documents.identity_id "
    "AND jsonb_exists(v.document_ids, documents.document_id::text))"
)
"""A document may be read by those who may read a verification that was judged by it."""

_JUDGED_REVISION: Final = (
    "EXISTS (SELECT FROM verifications v WHERE v.identity_id = former_details.identity_id "
    "AND (v.identity_revision = former_details.revision AND former_details.detail_id = v.identity_id "
    "OR v.address_revision = former_details.revision AND former_details.detail_id = v.address_id) "
    "AND starts_with(v.account || '/', former_details.account || '/'))"
)
"""Former details may be read by those who may read a verification that judged them, of an account that they serve."""
_DETAILS: Final = (
    "(identity_id)::text || coalesce((address_id)::text, '') || (document_ids)::text "
    "|| requirement || ' ' || area"
)

# The catalogue.

catalogue = state_table(
    "catalogue",
    METADATA,
    _text("country", key=True, comment="ISO-2; * for all other countries"),
    _json("languages"),
    _json("places"),
    _json("requirements", comment="all rows in all versions"),
    rows=AllRows(),
)

catalogue_changes = sa.Table(
    "catalogue_changes",
    METADATA,
    _id("change_id", key=True),
    _text("country"),
    instant("changed_at", nullable=False),
    _text("changed_by"),
    _json("lines"),
    sa.Index("catalogue_changes_country", "country", "changed_at"),
)

# End-user details.

identities = state_table(
    "identities",
    METADATA,
    _id("identity_id", key=True),
    _text("account", comment="it serves this account and those below"),
    _text("type"),
    _json("person", comment="personal data"),
    _count("revision"),
    instant("created_at", nullable=False),
    _text("created_by"),
    instant("changed_at"),
    _text("changed_by", nullable=True),
    instant("erased_at"),
    _by_account("identities", "created_at", "identity_id"),
    rows=RowsOfAccount(),
)

addresses = state_table(
    "addresses",
    METADATA,
    _id("address_id", key=True),
    _id("identity_id"),
    _text("account", comment="the account of its identity"),
    _json("place", comment="personal data"),
    _count("revision"),
    instant("created_at", nullable=False),
    _text("created_by"),
    instant("changed_at"),
    _text("changed_by", nullable=True),
    instant("erased_at"),
    _by_account("addresses", "created_at", "address_id"),
    sa.Index("addresses_identity", "identity_id"),
    rows=RowsOfAccount(),
)

documents = state_table(
    "documents",
    METADATA,
    _id("document_id", key=True),
    _id("identity_id"),
    _text("account", comment="the account of its identity"),
    _text("kind"),
    _text("media_type", comment="detected from the content"),
    sa.Column("size", sa.BigInteger, nullable=False, comment="bytes before encryption"),
    _text("sha256", nullable=True, comment="hash of the bytes before encryption, in hex"),
    _id("content_id", nullable=True),
    sa.Column("issued_on", sa.Date),
    sa.Column("expires_on", sa.Date),
    _json("states", comment="personal data"),
    instant("created_at", nullable=False),
    _text("created_by"),
    instant("erased_at"),
    _by_account("documents", "created_at", "document_id"),
    sa.Index("documents_identity", "identity_id"),
    sa.Index("documents_content", "content_id", unique=True),
    rows=RowsOfAccount(also=_JUDGED),
)

document_contents = sa.Table(
    "document_contents",
    METADATA,
    _id("content_id", key=True),
    _id("document_id"),
    _text("account", comment="bound to the ciphertext, like document_id"),
    _text("key_id", comment="the configured key that encrypts it"),
    _text("store", comment="where its chunks are: database or s3"),
    sa.Column(
        "unused_since",
        sa.TIMESTAMP(timezone=True),
        comment="since when possibly no document has it; null: a document has it",
    ),
    sa.Index("document_contents_key", "key_id", "content_id"),
    sa.Index("document_contents_document", "document_id"),
    sa.Index(
        "document_contents_unused", "unused_since", postgresql_where=sa.text("unused_since IS NOT NULL")
    ),
)

document_chunks = sa.Table(
    "document_chunks",
    METADATA,
    _id("content_id", key=True),
    sa.Column("position", sa.Integer, primary_key=True, nullable=False),
    sa.Column("ciphertext", BYTEA, nullable=False, comment="AES-256-GCM"),
)

detail_changes = sa.Table(
    "detail_changes",
    METADATA,
    _id("change_id", key=True),
    _id("identity_id"),
    _id("address_id", nullable=True),
    _count("revision"),
    instant("changed_at", nullable=False),
    _text("changed_by"),
    sa.Index("detail_changes_identity", "identity_id", "changed_at"),
)

detail_uses = state_table(
    "detail_uses", VIEWS, _id("detail_id", key=True), sa.Column("dids", sa.BigInteger, nullable=False)
)

used_details = state_table("used_details", VIEWS, _id("detail_id", key=True))

judged_details = state_table("judged_details", VIEWS, _id("detail_id", key=True))

owned_details = state_table(
    "owned_details",
    VIEWS,
    _id("detail_id", key=True),
    _json("address_ids"),
    _json("document_ids"),
    _json("former_ids"),
)

former_details = state_table(
    "former_details",
    METADATA,
    _id("former_id", key=True),
    _id("detail_id"),
    _id("identity_id"),
    _text("account", comment="the account of its identity"),
    _count("revision"),
    _text("key_id", nullable=True, comment="the configured key that encrypts it"),
    sa.Column("content", BYTEA, comment="personal data, AES-256-GCM; null after erasure"),
    sa.CheckConstraint("(key_id IS NULL) = (content IS NULL)", name="former_details_encrypted"),
    sa.Index("former_details_identity", "identity_id", "detail_id"),
    sa.Index("former_details_key", "key_id", "former_id"),
    rows=RowsOfAccount(also=_JUDGED_REVISION),
)

others_pending = state_table(
    "others_pending",
    VIEWS,
    _id("verification_id", key=True),
    _text("number"),
    sa.Column("same_documents", sa.Boolean, nullable=False),
)

personal_reads = sa.Table(
    "personal_reads",
    METADATA,
    sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    instant("at", nullable=False),
    _text("subject", comment="the subject of the reader"),
    _text("account", comment="the account of the reader"),
    _text("role"),
    _text("kind", comment="identity, address, document, content or service_request"),
    _id("entity_id"),
    sa.Index("personal_reads_entity", "entity_id", "at"),
    sa.Index("personal_reads_at", "at"),
    info=append_only(),
)

# Registrations.

registrations = state_table(
    "registrations",
    METADATA,
    _id("did_id", key=True),
    _text("number"),
    _text("country"),
    _text("number_type"),
    _text("end_user_type", nullable=True, comment="as purchased; only used until details are assigned"),
    _text("account", comment="the holder of the DID as last received"),
    _json("holders", comment="the holders of the DID, each with its start"),
    _text("state"),
    _text("requirement"),
    _count("requirement_version"),
    _json("approved", nullable=True),
    _json("assigned", nullable=True),
    sa.Column("open", sa.Boolean, nullable=False, comment="the last verification is not decided"),
    _count("attempt"),
    _json("reasons"),
    _json("last_assignment", nullable=True, comment="the latest assignment that counted"),
    instant("grace_until"),
    instant("started_at", nullable=False),
    _text("ended", nullable=True, comment="removed or refused: nothing changes any more"),
    _json("sequences", comment="the last applied sequence of each axis and source"),
    _text("stock", nullable=True, comment="the stock of the DID as last received"),
    _json("features", nullable=True, comment="the features of the number as last received"),
    _json("services", comment="the open request of each additional service"),
    _json("revoked", comment="details whose approval was revoked, until a person approves them again"),
    _json("ended_approval", nullable=True, comment="the details whose approval ended by its date"),
    _json("lapse", nullable=True, comment="the known end of the approval"),
    instant("due_at"),
    _id_in("assigned", "identity_id", "assigned_identity_id"),
    _id_in("assigned", "address_id", "assigned_address_id"),
    _id_in("approved", "identity_id", "approved_identity_id"),
    _id_in("approved", "address_id", "approved_address_id"),
    sa.Column(
        "rests_on",
        PG_UUID(as_uuid=True),
        sa.Computed(
            "(COALESCE(approved, ended_approval) ->> 'rests_on')::uuid",
            persisted=True,
        ),
        comment="of the approval in force, or of the one that has ended",
    ),
    sa.Index("registrations_live_country", "country", "did_id", postgresql_where=sa.text("ended IS NULL")),
    sa.Index("registrations_live_number", "number", postgresql_where=sa.text("ended IS NULL")),
    sa.Index(
        "registrations_rests_on",
        "rests_on",
        "did_id",
        postgresql_where=sa.text("ended IS NULL AND rests_on IS NOT NULL"),
    ),
    _by_due("registrations"),
    emits=True,
    rows=RowsOfAccount(),
)

verifications = state_table(
    "verifications",
    METADATA,
    _id("verification_id", key=True),
    _text("reference"),
    _id("did_id"),
    _text("number"),
    _text("account"),
    _text("country"),
    _text("number_type"),
    _text("end_user_type", nullable=True),
    _count("attempt"),
    _text("status"),
    _text("requirement"),
    _count("requirement_version"),
    _text("area", comment="the area of the number if it matters, else empty"),
    _id("identity_id"),
    _count("identity_revision", nullable=True),
    _id("address_id", nullable=True),
    _count("address_revision", nullable=True),
    _json("document_ids"),
    _json("documents", comment="the documents as they were judged: id, kind, hash"),
    _json("findings"),
    _json("reasons"),
    sa.Column("automatic", sa.Boolean, nullable=False),
    _id("rests_on", nullable=True),
    instant("submitted_at", nullable=False),
    _text("submitted_by", nullable=True),
    instant("decided_at"),
    _text("decided_by", nullable=True),
    instant("revoked_at"),
    _text("revoked_by", nullable=True),
    _text("claimed_by", nullable=True),
    instant("claimed_until"),
    sa.Column(
        "details_key",
        PG_UUID(as_uuid=True),
        sa.Computed(f"md5({_DETAILS})::uuid", persisted=True),
        comment="equal for verifications of the same details, requirement and area",
    ),
    sa.Index("verifications_identity", "identity_id", "identity_revision", "address_id", "address_revision"),
    sa.Index("verifications_did", "did_id", "attempt", unique=True),
    sa.Index(
        "verifications_queue",
        "submitted_at",
        "verification_id",
        postgresql_where=sa.text("status = 'pending'"),
    ),
    sa.Index(
        "verifications_waiting",
        "identity_id",
        "requirement",
        "area",
        "submitted_at",
        "verification_id",
        postgresql_where=sa.text("status = 'pending'"),
    ),
    _by_account("verifications", "submitted_at", "verification_id"),
    sa.Index(
        "verifications_queue_account",
        sa.text('account COLLATE "C"'),
        "submitted_at",
        "verification_id",
        postgresql_where=sa.text("status = 'pending'"),
    ),
    sa.Index(
        "verifications_groups",
        "details_key",
        "submitted_at",
        "verification_id",
        postgresql_include=["account", "claimed_by", "claimed_until"],
        postgresql_where=sa.text("status = 'pending'"),
    ),
    sa.Index("verifications_reference", "reference"),
    rows=RowsOfAccount(),
)

approvals = state_table(
    "approvals",
    METADATA,
    _text("approval_key", key=True),
    _id("verification_id"),
    _text("requirement"),
    _count("requirement_version"),
    _count("identity_revision", nullable=True),
    _count("address_revision", nullable=True),
    _json("document_ids"),
    instant("valid_until"),
    instant("approved_at", nullable=False),
    sa.Column(
        "revoked", sa.Boolean, nullable=False, comment="a row without review does not approve the details"
    ),
    sa.Index("approvals_verification", "verification_id"),
)

service_requests = state_table(
    "service_requests",
    METADATA,
    _id("request_id", key=True),
    _id("did_id"),
    _text("number"),
    _text("account"),
    _text("service"),
    _text("state"),
    _id("identity_id"),
    _count("identity_revision", nullable=True),
    _text("identity_account"),
    _json("data", nullable=True, comment="personal data; null after the request was closed"),
    _count("address_revision", nullable=True),
    _json("reasons"),
    instant("requested_at", nullable=False),
    _text("requested_by"),
    instant("decided_at"),
    _text("decided_by", nullable=True),
    _id_in("data", "address_id", "address_id"),
    sa.Index("service_requests_did", "did_id", "requested_at"),
    _by_account("service_requests", "requested_at", "request_id"),
    sa.Index(
        "service_requests_open",
        "requested_at",
        "request_id",
        postgresql_where=sa.text("state <> 'not_configured'"),
    ),
    rows=RowsOfAccount(),
)

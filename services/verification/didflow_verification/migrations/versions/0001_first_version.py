"""The tables and views of verification, and the catalogue that comes with the service."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import BYTEA, JSONB, TIMESTAMP, UUID, insert

from didflow_verification.catalogue.files import packaged, rules_json

revision = "verification_0001"
down_revision = None
branch_labels = ("verification",)
depends_on = None

DETAILS_IN_USE = """
CREATE VIEW details_in_use AS
SELECT did_id, number, assigned_identity_id AS identity_id,
       assigned_address_id AS address_id, assigned -> 'document_ids' AS document_ids
FROM registrations WHERE ended IS NULL AND assigned IS NOT NULL
UNION ALL
SELECT did_id, number, approved_identity_id, approved_address_id,
       approved -> 'document_ids'
FROM registrations WHERE ended IS NULL AND approved IS NOT NULL
"""

DETAIL_USES = """
CREATE VIEW detail_uses AS
SELECT identity_id AS detail_id, count(DISTINCT did_id) AS dids, 1::bigint AS version
FROM (SELECT identity_id, did_id FROM details_in_use
      UNION ALL
      SELECT identity_id, did_id FROM service_requests WHERE state <> 'not_configured') AS u
GROUP BY identity_id
UNION ALL
SELECT address_id, count(DISTINCT did_id), 1::bigint
FROM (SELECT a.address_id, u.did_id
      FROM addresses a JOIN details_in_use u ON u.identity_id = a.identity_id AND u.address_id = a.address_id
      UNION ALL
      SELECT address_id, did_id FROM service_requests
      WHERE state <> 'not_configured' AND address_id IS NOT NULL) AS u
GROUP BY address_id
UNION ALL
SELECT d.document_id, count(DISTINCT u.did_id), 1::bigint
FROM documents d JOIN details_in_use u ON u.identity_id = d.identity_id
WHERE u.document_ids ? d.document_id::text OR EXISTS (
    SELECT FROM verifications v WHERE v.identity_id = d.identity_id AND v.status IN ('pending', 'approved')
    AND v.document_ids ? d.document_id::text)
GROUP BY d.document_id
"""

USED_DETAILS = """
CREATE VIEW used_details AS
SELECT i.identity_id AS detail_id, 1::bigint AS version FROM identities i
WHERE EXISTS (SELECT FROM details_in_use u WHERE u.identity_id = i.identity_id)
UNION ALL
SELECT a.address_id, 1::bigint FROM addresses a
WHERE EXISTS (SELECT FROM details_in_use u WHERE u.identity_id = a.identity_id AND u.address_id = a.address_id)
   OR EXISTS (SELECT FROM service_requests r
              WHERE r.address_id = a.address_id AND r.state <> 'not_configured')
"""

JUDGED_DETAILS = """
CREATE VIEW judged_details AS
SELECT i.identity_id AS detail_id, 1::bigint AS version FROM identities i
WHERE EXISTS (SELECT FROM verifications v
              WHERE v.identity_id = i.identity_id AND v.identity_revision = i.revision)
UNION ALL
SELECT a.address_id, 1::bigint FROM addresses a
WHERE EXISTS (SELECT FROM verifications v WHERE v.identity_id = a.identity_id
              AND v.address_id = a.address_id AND v.address_revision = a.revision)
"""

OWNED_DETAILS = """
CREATE VIEW owned_details AS
SELECT i.identity_id AS detail_id,
       coalesce((SELECT jsonb_agg(a.address_id) FROM addresses a
                 WHERE a.identity_id = i.identity_id), '[]') AS address_ids,
       coalesce((SELECT jsonb_agg(d.document_id) FROM documents d
                 WHERE d.identity_id = i.identity_id), '[]') AS document_ids,
       coalesce((SELECT jsonb_agg(f.former_id) FROM former_details f
                 WHERE f.identity_id = i.identity_id), '[]') AS former_ids,
       1::bigint AS version
FROM identities i
UNION ALL
SELECT a.address_id, '[]', '[]',
       coalesce((SELECT jsonb_agg(f.former_id) FROM former_details f
                 WHERE f.identity_id = a.identity_id AND f.detail_id = a.address_id), '[]'),
       1::bigint
FROM addresses a
"""

DETAILS = (
    "(identity_id)::text || coalesce((address_id)::text, '') || (document_ids)::text "
    "|| requirement || ' ' || area"
)

OTHERS = """
FROM verifications p WHERE p.status = 'pending' AND p.identity_id = v.identity_id AND p.requirement = v.requirement
    AND p.area = v.area AND p.address_id IS NOT DISTINCT FROM v.address_id AND p.account = v.account
    AND p.verification_id <> v.verification_id
"""

OTHERS_PENDING = f"""
CREATE VIEW others_pending AS
SELECT v.verification_id, v.number, EXISTS (SELECT {OTHERS} AND p.document_ids <@ v.document_ids) AS same_documents,
       1::bigint AS version
FROM verifications v WHERE EXISTS (SELECT {OTHERS})
"""

VIEWS = (DETAILS_IN_USE, DETAIL_USES, USED_DETAILS, JUDGED_DETAILS, OWNED_DETAILS, OTHERS_PENDING)

BY_ACCOUNT = sa.text('account COLLATE "C"')


def instant(name: str, *, nullable: bool = True, comment: str | None = None) -> sa.Column:
    return sa.Column(name, TIMESTAMP(timezone=True), nullable=nullable, comment=comment)


def identifier(
    name: str, *, key: bool = False, nullable: bool = False, comment: str | None = None
) -> sa.Column:
    return sa.Column(name, UUID(as_uuid=True), primary_key=key, nullable=nullable, comment=comment)


def text(name: str, *, key: bool = False, nullable: bool = False, comment: str | None = None) -> sa.Column:
    return sa.Column(name, sa.Text, primary_key=key, nullable=nullable, comment=comment)


def json(
    name: str, *, nullable: bool = False, default: str | None = None, comment: str | None = None
) -> sa.Column:
    return sa.Column(name, JSONB, nullable=nullable, server_default=default, comment=comment)


def count(name: str, *, nullable: bool = False) -> sa.Column:
    return sa.Column(name, sa.Integer, nullable=nullable)


def id_in(json_column: str, field: str, name: str) -> sa.Column:
    return sa.Column(name, UUID(as_uuid=True), sa.Computed(f"({json_column} ->> '{field}')::uuid", persisted=True))


def flag(name: str, *, comment: str | None = None) -> sa.Column:
    return sa.Column(name, sa.Boolean, nullable=False, comment=comment)


def version() -> sa.Column:
    return sa.Column("version", sa.BigInteger, nullable=False)


def index(name: str, table: str, *columns: object, where: str | None = None, unique: bool = False) -> None:
    condition = sa.text(where) if where else None
    op.create_index(name, table, list(columns), unique=unique, postgresql_where=condition)


def upgrade() -> None:
    create_catalogue()
    create_identities_and_addresses()
    create_documents()
    create_registrations()
    create_verifications()
    create_service_requests()
    for view in VIEWS:
        op.execute(view)


def create_catalogue() -> None:
    catalogue = op.create_table(
        "catalogue",
        text("country", key=True, comment="ISO-2; * for all other countries"),
        json("languages"),
        json("places"),
        json("requirements", comment="all rows in all versions"),
        version(),
    )
    op.execute(insert(catalogue).values([{**rules_json(rules), "version": 1} for rules in packaged()]))
    op.create_table(
        "catalogue_changes",
        identifier("change_id", key=True),
        text("country"),
        instant("changed_at", nullable=False),
        text("changed_by"),
        json("lines"),
    )
    index("catalogue_changes_country", "catalogue_changes", "country", "changed_at")


def create_identities_and_addresses() -> None:
    op.create_table(
        "identities",
        identifier("identity_id", key=True),
        text("account", comment="it serves this account and those below"),
        text("type"),
        json("person", comment="personal data"),
        count("revision"),
        instant("created_at", nullable=False),
        text("created_by"),
        instant("changed_at"),
        text("changed_by", nullable=True),
        instant("erased_at"),
        version(),
    )
    index("identities_account", "identities", BY_ACCOUNT, "created_at", "identity_id")
    op.create_table(
        "addresses",
        identifier("address_id", key=True),
        identifier("identity_id"),
        text("account", comment="the account of its identity"),
        json("place", comment="personal data"),
        count("revision"),
        instant("created_at", nullable=False),
        text("created_by"),
        instant("changed_at"),
        text("changed_by", nullable=True),
        instant("erased_at"),
        version(),
    )
    index("addresses_account", "addresses", BY_ACCOUNT, "created_at", "address_id")
    index("addresses_identity", "addresses", "identity_id")
    op.create_table(
        "detail_changes",
        identifier("change_id", key=True),
        identifier("identity_id"),
        identifier("address_id", nullable=True),
        count("revision"),
        instant("changed_at", nullable=False),
        text("changed_by"),
    )
    index("detail_changes_identity", "detail_changes", "identity_id", "changed_at")
    op.create_table(
        "former_details",
        identifier("former_id", key=True),
        identifier("detail_id"),
        identifier("identity_id"),
        text("account", comment="the account of its identity"),
        count("revision"),
        text("key_id", nullable=True, comment="the configured key that encrypts it"),
        sa.Column("content", BYTEA, comment="personal data, AES-256-GCM; null after erasure"),
        version(),
        sa.CheckConstraint("(key_id IS NULL) = (content IS NULL)", name="former_details_encrypted"),
    )
    index("former_details_identity", "former_details", "identity_id", "detail_id")
    index("former_details_key", "former_details", "key_id", "former_id")
    op.create_table(
        "personal_reads",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        instant("at", nullable=False),
        text("subject", comment="the subject of the reader"),
        text("account", comment="the account of the reader"),
        text("role"),
        text("kind", comment="identity, address, document, content or service_request"),
        identifier("entity_id"),
    )
    index("personal_reads_entity", "personal_reads", "entity_id", "at")
    index("personal_reads_at", "personal_reads", "at")


def create_documents() -> None:
    op.create_table(
        "documents",
        identifier("document_id", key=True),
        identifier("identity_id"),
        text("account", comment="the account of its identity"),
        text("kind"),
        text("media_type", comment="detected from the content"),
        sa.Column("size", sa.BigInteger, nullable=False, comment="bytes before encryption"),
        text("sha256", nullable=True, comment="hash of the bytes before encryption, in hex"),
        identifier("content_id", nullable=True),
        sa.Column("issued_on", sa.Date),
        sa.Column("expires_on", sa.Date),
        json("states", comment="personal data"),
        instant("created_at", nullable=False),
        text("created_by"),
        instant("erased_at"),
        version(),
    )
    index("documents_account", "documents", BY_ACCOUNT, "created_at", "document_id")
    index("documents_identity", "documents", "identity_id")
    index("documents_content", "documents", "content_id", unique=True)
    op.create_table(
        "document_contents",
        identifier("content_id", key=True),
        identifier("document_id"),
        text("account", comment="bound to the ciphertext, like document_id"),
        text("key_id", comment="the configured key that encrypts it"),
        text("store", comment="where its chunks are: database or s3"),
        instant("unused_since", comment="since when possibly no document has it; null: a document has it"),
    )
    index("document_contents_key", "document_contents", "key_id", "content_id")
    index("document_contents_document", "document_contents", "document_id")
    index(
        "document_contents_unused", "document_contents", "unused_since", where="unused_since IS NOT NULL"
    )
    op.create_table(
        "document_chunks",
        identifier("content_id", key=True),
        sa.Column("position", sa.Integer, primary_key=True),
        sa.Column("ciphertext", BYTEA, nullable=False, comment="AES-256-GCM"),
    )
    op.execute("ALTER TABLE document_chunks ALTER COLUMN ciphertext SET STORAGE EXTERNAL")


def create_registrations() -> None:
    op.create_table(
        "registrations",
        identifier("did_id", key=True),
        text("number"),
        text("country"),
        text("number_type"),
        text("end_user_type", nullable=True, comment="as purchased; only used until details are assigned"),
        text("account", comment="the holder of the DID as last received"),
        json("holders", comment="the holders of the DID, each with its start"),
        text("state"),
        text("requirement"),
        count("requirement_version"),
        json("approved", nullable=True),
        json("assigned", nullable=True),
        flag("open", comment="the last verification is not decided"),
        count("attempt"),
        json("reasons"),
        json("last_assignment", nullable=True, comment="the latest assignment that counted"),
        instant("grace_until"),
        instant("started_at", nullable=False),
        text("ended", nullable=True, comment="removed or refused: nothing changes any more"),
        json("sequences", comment="the last applied sequence of each axis and source"),
        text("stock", nullable=True, comment="the stock of the DID as last received"),
        json("features", nullable=True, comment="the features of the number as last received"),
        json("services", default="{}", comment="the open request of each additional service"),
        json(
            "revoked",
            default="[]",
            comment="details whose approval was revoked, until a person approves them again",
        ),
        json("ended_approval", nullable=True, comment="the details whose approval ended by its date"),
        json("lapse", nullable=True, comment="the known end of the approval"),
        instant("due_at"),
        id_in("assigned", "identity_id", "assigned_identity_id"),
        id_in("assigned", "address_id", "assigned_address_id"),
        id_in("approved", "identity_id", "approved_identity_id"),
        id_in("approved", "address_id", "approved_address_id"),
        sa.Column(
            "rests_on",
            UUID(as_uuid=True),
            sa.Computed(
                "(COALESCE(approved, ended_approval) ->> 'rests_on')::uuid",
                persisted=True,
            ),
            comment="of the approval in force, or of the one that has ended",
        ),
        version(),
        sa.Column("sequence", sa.BigInteger, nullable=False),
        sa.Column("correlation_id", sa.Text, nullable=False),
    )
    index("registrations_live_number", "registrations", "number", where="ended IS NULL")
    index("registrations_live_country", "registrations", "country", "did_id", where="ended IS NULL")
    index("registrations_due", "registrations", "due_at", where="due_at IS NOT NULL")
    index(
        "registrations_rests_on",
        "registrations",
        "rests_on",
        "did_id",
        where="ended IS NULL AND rests_on IS NOT NULL",
    )
    for details in ("assigned", "approved"):
        index(
            f"registrations_{details}_identity",
            "registrations",
            f"{details}_identity_id",
            "did_id",
            where="ended IS NULL",
        )


def create_verifications() -> None:
    op.create_table(
        "verifications",
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
        text("area", comment="the area of the number if it matters, else empty"),
        identifier("identity_id"),
        count("identity_revision", nullable=True),
        identifier("address_id", nullable=True),
        count("address_revision", nullable=True),
        json("document_ids"),
        json("documents", comment="the documents as they were judged: id, kind, hash"),
        json("findings"),
        json("reasons"),
        flag("automatic"),
        identifier("rests_on", nullable=True),
        instant("submitted_at", nullable=False),
        text("submitted_by", nullable=True),
        instant("decided_at"),
        text("decided_by", nullable=True),
        instant("revoked_at"),
        text("revoked_by", nullable=True),
        text("claimed_by", nullable=True),
        instant("claimed_until"),
        sa.Column(
            "details_key",
            UUID(as_uuid=True),
            sa.Computed(f"md5({DETAILS})::uuid", persisted=True),
            comment="equal for verifications of the same details, requirement and area",
        ),
        version(),
    )
    index("verifications_did", "verifications", "did_id", "attempt", unique=True)
    index(
        "verifications_queue",
        "verifications",
        "submitted_at",
        "verification_id",
        where="status = 'pending'",
    )
    index(
        "verifications_waiting",
        "verifications",
        "identity_id",
        "requirement",
        "area",
        "submitted_at",
        "verification_id",
        where="status = 'pending'",
    )
    index("verifications_account", "verifications", BY_ACCOUNT, "submitted_at", "verification_id")
    index(
        "verifications_queue_account",
        "verifications",
        BY_ACCOUNT,
        "submitted_at",
        "verification_id",
        where="status = 'pending'",
    )
    op.create_index(
        "verifications_groups",
        "verifications",
        ["details_key", "submitted_at", "verification_id"],
        postgresql_include=["account", "claimed_by", "claimed_until"],
        postgresql_where=sa.text("status = 'pending'"),
    )
    index("verifications_reference", "verifications", "reference")
    index(
        "verifications_identity",
        "verifications",
        "identity_id",
        "identity_revision",
        "address_id",
        "address_revision",
    )
    op.create_table(
        "approvals",
        text("approval_key", key=True),
        identifier("verification_id"),
        text("requirement"),
        count("requirement_version"),
        count("identity_revision", nullable=True),
        count("address_revision", nullable=True),
        json("document_ids", default="[]"),
        instant("valid_until"),
        instant("approved_at", nullable=False),
        flag("revoked", comment="a row without review does not approve the details"),
        version(),
    )
    index("approvals_verification", "approvals", "verification_id")


def create_service_requests() -> None:
    op.create_table(
        "service_requests",
        identifier("request_id", key=True),
        identifier("did_id"),
        text("number"),
        text("account"),
        text("service"),
        text("state"),
        identifier("identity_id"),
        count("identity_revision", nullable=True),
        text("identity_account"),
        json("data", nullable=True, comment="personal data; null after the request was closed"),
        count("address_revision", nullable=True),
        json("reasons"),
        instant("requested_at", nullable=False),
        text("requested_by"),
        instant("decided_at"),
        text("decided_by", nullable=True),
        id_in("data", "address_id", "address_id"),
        version(),
    )
    index("service_requests_did", "service_requests", "did_id", "requested_at")
    index("service_requests_account", "service_requests", BY_ACCOUNT, "requested_at", "request_id")
    index("service_requests_identity", "service_requests", "identity_id")
    open_only = "state <> 'not_configured'"
    index("service_requests_open", "service_requests", "requested_at", "request_id", where=open_only)
    index(
        "service_requests_address",
        "service_requests",
        "address_id",
        "did_id",
        where=open_only,
    )


def downgrade() -> None:
    for view in (
        "others_pending",
        "owned_details",
        "judged_details",
        "used_details",
        "detail_uses",
        "details_in_use",
    ):
        op.execute(f"DROP VIEW {view}")
    for table in (
        "service_requests",
        "approvals",
        "verifications",
        "registrations",
        "document_chunks",
        "document_contents",
        "documents",
        "personal_reads",
        "former_details",
        "detail_changes",
        "addresses",
        "identities",
        "catalogue_changes",
        "catalogue",
    ):
        op.drop_table(table)

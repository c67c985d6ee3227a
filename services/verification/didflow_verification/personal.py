"""How documents, changes and erasures of personal data lie in tables, and who read what.

`Use` and `Belongings` are views: counted and gathered by the statement that loads them, under the locks of
whoever asks. A `DetailChange` is written by a statement that makes every living DID on the details due.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import BYTEA, JSONB, TIMESTAMP
from sqlalchemy.dialects.postgresql import UUID as PG_UUID

from didflow_chassis import tables
from didflow_chassis.states import Kind, state_table
from didflow_verification.domain.clock.reassessment import Reassessment
from didflow_verification.domain.details.changing import DetailChange
from didflow_verification.domain.details.document import StoredDocument
from didflow_verification.domain.details.erasing import Belongings, Use

METADATA = sa.MetaData()
VIEWS = sa.MetaData()

S = TypeVar("S")


def _id(name: str, *, key: bool = False, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, PG_UUID(as_uuid=True), primary_key=key, nullable=nullable)


def _text(name: str, *, nullable: bool = False, comment: str | None = None) -> sa.Column[Any]:
    return sa.Column(name, sa.Text, nullable=nullable, comment=comment)


def _instant(name: str, *, nullable: bool = True) -> sa.Column[Any]:
    return sa.Column(name, TIMESTAMP(timezone=True), nullable=nullable)


documents = state_table(
    "documents",
    METADATA,
    _id("document_id", key=True),
    _id("identity_id"),
    _text("account", comment="its identity's"),
    _text("kind"),
    _text("media_type", comment="what the content was found to be"),
    sa.Column("size", sa.BigInteger, nullable=False, comment="bytes in clear"),
    _id("content_id", nullable=True),
    sa.Column("issued_on", sa.Date),
    sa.Column("expires_on", sa.Date),
    sa.Column("states", JSONB, nullable=False, comment="personal data: nowhere else"),
    _instant("created_at", nullable=False),
    _text("created_by"),
    _instant("erased_at"),
    sa.Index("documents_account", sa.text('account COLLATE "C"'), "created_at", "document_id"),
    sa.Index("documents_identity", "identity_id"),
    sa.Index("documents_content", "content_id", unique=True),
)

document_contents = sa.Table(
    "document_contents",
    METADATA,
    _id("content_id", key=True),
    _id("document_id"),
    _text("account", comment="with the document's id bound to the ciphertext"),
    _text("key_id", comment="the configured key that it is encrypted under"),
    _text("place", comment="where its chunks lie: database or objects"),
    _instant("loose_since"),
    sa.Index("document_contents_key", "key_id", "content_id"),
    sa.Index("document_contents_loose", "loose_since", postgresql_where=sa.text("loose_since IS NOT NULL")),
)

document_chunks = sa.Table(
    "document_chunks",
    METADATA,
    _id("content_id", key=True),
    sa.Column("place", sa.Integer, primary_key=True, nullable=False),
    sa.Column("sealed", BYTEA, nullable=False, comment="AES-256-GCM"),
)

detail_changes = sa.Table(
    "detail_changes",
    METADATA,
    _id("change_id", key=True),
    _id("identity_id"),
    _id("address_id", nullable=True),
    sa.Column("revision", sa.Integer, nullable=False),
    _instant("changed_at", nullable=False),
    _text("changed_by"),
    sa.Index("detail_changes_identity", "identity_id", "changed_at"),
)

reassessments = state_table(
    "reassessments",
    METADATA,
    _id("did_id", key=True),
    _text("number"),
    _instant("due_at"),
    _text("changed_by"),
    sa.Column("address_ids", JSONB, nullable=False, server_default="[]", comment="changed since"),
    sa.Index("reassessments_due_at", "due_at", postgresql_where=sa.text("due_at IS NOT NULL")),
)

personal_reads = sa.Table(
    "personal_reads",
    METADATA,
    sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    _instant("at", nullable=False),
    _text("subject", comment="the reader's"),
    _text("account", comment="the reader's"),
    _text("role"),
    _text("what", comment="identity, address, document or content"),
    _id("thing_id"),
    sa.Index("personal_reads_thing", "thing_id", "at"),
    sa.Index("personal_reads_at", "at"),
)

detail_uses = state_table(
    "detail_uses", VIEWS, _id("detail_id", key=True), sa.Column("dids", sa.BigInteger, nullable=False)
)

belongings = state_table(
    "belongings",
    VIEWS,
    _id("identity_id", key=True),
    sa.Column("address_ids", JSONB, nullable=False),
    sa.Column("document_ids", JSONB, nullable=False),
)


@dataclass(frozen=True, kw_only=True)
class Spreading(Kind[S]):
    """An append-only kind whose rows are written by a statement that spreads them."""

    @cached_property
    def save_sql(self) -> str:
        """Insert the changes, and make each living DID on the changed details due to be judged again.

        The identity's lock keeps new assignments out of it.
        """
        return _SPREAD.format(insert=super().save_sql)


_SPREAD = """
WITH written AS ({insert} RETURNING identity_id, address_id, changed_at, changed_by), spread AS (
    INSERT INTO reassessments AS t (did_id, number, due_at, changed_by, address_ids, version)
    SELECT DISTINCT ON (u.did_id) u.did_id, u.number, c.changed_at, c.changed_by,
        CASE WHEN c.address_id IS NULL THEN '[]' ELSE jsonb_build_array(c.address_id) END, 1
    FROM written c JOIN places_in_use u ON u.identity_id = c.identity_id
    WHERE c.address_id IS NULL OR u.address_id = c.address_id
    ORDER BY u.did_id, c.changed_at DESC
    ON CONFLICT (did_id) DO UPDATE SET due_at = excluded.due_at, changed_by = excluded.changed_by,
        address_ids = t.address_ids || excluded.address_ids, version = t.version + 1)
SELECT FROM written
"""

DOCUMENTS = Kind(model=StoredDocument, table=documents, key="document_id")
CHANGES: Kind[DetailChange] = Spreading(
    model=DetailChange, table=detail_changes, key="change_id", append_only=True
)
REASSESSMENTS = Kind(model=Reassessment, table=reassessments, key="did_id", subject="number", due="due_at")
USES = Kind(model=Use, table=detail_uses, key="detail_id")
BELONGINGS = Kind(model=Belongings, table=belongings, key="identity_id")
KINDS: tuple[Kind[Any], ...] = (DOCUMENTS, CHANGES, REASSESSMENTS, USES, BELONGINGS)


def readings(subject: str, account: str, role: str, what: str, things: Iterable[UUID]) -> sa.Insert:
    """Note that somebody is about to see these; one statement, however many."""
    now = sa.func.clock_timestamp() + sa.select(tables.clock.c.shift).scalar_subquery()
    seen = sa.func.unnest(
        sa.bindparam("things", list(things), sa.ARRAY(PG_UUID(as_uuid=True)))
    ).column_valued("thing")
    values = sa.select(
        now, sa.literal(subject), sa.literal(account), sa.literal(role), sa.literal(what), seen
    )
    columns = ["at", "subject", "account", "role", "what", "thing_id"]
    return sa.insert(personal_reads).from_select(columns, values)


def reads_of(identity_id: UUID) -> sa.Select[Any]:
    """Select who was shown an identity or what belongs to it, the latest first."""
    mine = sa.text(
        "thing_id IN (SELECT :key UNION ALL SELECT address_id FROM addresses WHERE identity_id = :key "
        "UNION ALL SELECT document_id FROM documents WHERE identity_id = :key)"
    ).bindparams(sa.bindparam("key", identity_id, PG_UUID(as_uuid=True)))
    return (
        sa.select(personal_reads).where(mine).order_by(personal_reads.c.at.desc(), personal_reads.c.id.desc())
    )

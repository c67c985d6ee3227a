"""Who was shown personal data: noted before it is shown, listed for those who ask."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import UUID as PG_UUID

from didflow_chassis import tables
from didflow_verification.store.columns import METADATA, identifier, instant, text

personal_reads = sa.Table(
    "personal_reads",
    METADATA,
    sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    instant("at", nullable=False),
    text("subject", comment="the reader's"),
    text("account", comment="the reader's"),
    text("role"),
    text("what", comment="identity, address, document or content"),
    identifier("thing_id"),
    sa.Index("personal_reads_thing", "thing_id", "at"),
    sa.Index("personal_reads_at", "at"),
)


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

"""How what makes registrations due lies in tables: revocations, loads of the catalogue, and who is to be looked at.

The row that tells of a revocation or a load is written by a statement that spreads it: one `rechecks` row for each
living DID concerned, in the same transaction. The lock of what changed keeps new DIDs out of it.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP
from sqlalchemy.dialects.postgresql import UUID as PG_UUID

from didflow_chassis.states import Kind, state_table
from didflow_verification.domain.catalogue.loading import CatalogueChange
from didflow_verification.domain.clock.recheck import Recheck
from didflow_verification.domain.verifications.revoking import Revocation

METADATA = sa.MetaData()

S = TypeVar("S")


def _instant(name: str, *, nullable: bool = True) -> sa.Column[Any]:
    return sa.Column(name, TIMESTAMP(timezone=True), nullable=nullable)


def _text(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.Text, nullable=False)


rechecks = state_table(
    "rechecks",
    METADATA,
    sa.Column("did_id", PG_UUID(as_uuid=True), primary_key=True),
    _text("number"),
    _instant("due_at"),
    sa.Column("revoked", PG_UUID(as_uuid=True), comment="the review that it rests on and that is no more"),
    sa.Index("rechecks_due", "due_at", postgresql_where=sa.text("due_at IS NOT NULL")),
)

revocations = sa.Table(
    "revocations",
    METADATA,
    sa.Column("verification_id", PG_UUID(as_uuid=True), primary_key=True),
    _instant("revoked_at", nullable=False),
    _text("revoked_by"),
)

catalogue_changes = sa.Table(
    "catalogue_changes",
    METADATA,
    sa.Column("change_id", PG_UUID(as_uuid=True), primary_key=True),
    _text("country"),
    _instant("changed_at", nullable=False),
    _text("changed_by"),
    sa.Column("lines", JSONB, nullable=False),
    sa.Column("anew", sa.Boolean, nullable=False),
    sa.Index("catalogue_changes_country", "country", "changed_at"),
)


@dataclass(frozen=True, kw_only=True)
class Spreading(Kind[S]):
    """An append-only kind; `spread` selects did_id, number, due_at and revoked of those that `written` rows concern."""

    spread: str

    @cached_property
    def save_sql(self) -> str:
        """Insert the rows, and make those concerned due; who is due already stays due."""
        return f"""
WITH written AS ({super().save_sql} RETURNING *), spread AS (
    INSERT INTO rechecks AS t (did_id, number, due_at, revoked, version) {self.spread}
    ON CONFLICT (did_id) DO UPDATE SET due_at = LEAST(t.due_at, excluded.due_at),
        revoked = COALESCE(excluded.revoked, t.revoked), version = t.version + 1)
SELECT FROM written"""


RECHECKS = Kind(model=Recheck, table=rechecks, key="did_id", subject="number", due="due_at")
REVOCATIONS: Kind[Revocation] = Spreading(
    model=Revocation,
    table=revocations,
    key="verification_id",
    append_only=True,
    spread="""
    SELECT r.did_id, r.number, c.revoked_at, c.verification_id, 1
    FROM written c JOIN registrations r ON (r.approved ->> 'rests_on')::uuid = c.verification_id
    WHERE r.ended IS NULL""",
)
CHANGES: Kind[CatalogueChange] = Spreading(
    model=CatalogueChange,
    table=catalogue_changes,
    key="change_id",
    append_only=True,
    spread="""
    SELECT DISTINCT ON (r.did_id) r.did_id, r.number, c.changed_at, NULL::uuid, 1
    FROM written c JOIN registrations r ON c.country IN (r.country, '*')
    WHERE c.anew AND r.ended IS NULL AND r.state IN ('approved', 'not_required', 'awaiting')""",
)
KINDS: tuple[Kind[Any], ...] = (RECHECKS, REVOCATIONS, CHANGES)

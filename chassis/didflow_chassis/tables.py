"""The tables of the chassis, which every service's database has beside its own.

The stage writes them in the transaction that writes the service's states.
"""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import BYTEA, INTERVAL, JSONB, TIMESTAMP, UUID

from didflow_chassis.row_access import AllRows, RowsOfAccount, RowsOfOperators, RowsOfParent, readable
from didflow_chassis.states import SERVICE_TIME, instant

METADATA = sa.MetaData()

_DECISIONS = "decided, unchanged, refused:<code>, early, behind, retry, dead:<code>, published"

QUEUE_STORAGE = {
    "autovacuum_vacuum_scale_factor": 0.0,
    "autovacuum_vacuum_threshold": 1_000,
    "autovacuum_vacuum_insert_scale_factor": 0.0,
    "autovacuum_vacuum_insert_threshold": 10_000,
    "autovacuum_analyze_scale_factor": 0.0,
    "autovacuum_analyze_threshold": 1_000,
    "autovacuum_vacuum_cost_delay": 0,
}
"""Storage parameters of tables whose rows are deleted soon: they are vacuumed by row count, whatever their size."""


def _numbered() -> sa.Column[int]:
    return sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True)


def _record() -> tuple[sa.Column[object], ...]:
    """Return the columns of a Kafka record: its position and its content, byte for byte."""
    return (
        sa.Column("topic", sa.Text),
        sa.Column("partition", sa.Integer),
        sa.Column("offset", sa.BigInteger),
        sa.Column("key", BYTEA),
        sa.Column("value", BYTEA),
        sa.Column("headers", JSONB),
    )


inbox = sa.Table(
    "inbox",
    METADATA,
    sa.Column("id", BYTEA, primary_key=True, comment="16-byte hash of the event's source and id"),
    sa.Column("digest", BYTEA, nullable=False, comment="hash of type, subject and canonical data"),
    sa.Column(
        "decision",
        sa.Text,
        nullable=False,
        comment=_DECISIONS,
    ),
    sa.Column("sequence_hash", sa.BigInteger, comment="hash of source, entity and sequence, if there is one"),
    instant("seen_at", nullable=False),
    sa.Index("inbox_seen_at", "seen_at"),
    sa.Index("inbox_sequence_hash", "sequence_hash", postgresql_where=sa.text("sequence_hash IS NOT NULL")),
)

outbox = sa.Table(
    "outbox",
    METADATA,
    _numbered(),
    sa.Column("topic", sa.Text, nullable=False),
    sa.Column("key", BYTEA),
    sa.Column("value", BYTEA),
    sa.Column("headers", JSONB, comment="[[name, base64 or null]]; null: only the standard content type"),
    sa.Column(
        "created_at", TIMESTAMP(timezone=True), nullable=False, server_default=sa.text("clock_timestamp()")
    ),
    postgresql_with=QUEUE_STORAGE,
)

parked = sa.Table(
    "parked",
    METADATA,
    _numbered(),
    sa.Column("entity", sa.Text, nullable=False, comment="key of the state that the message is about"),
    sa.Column("subject", sa.Text, nullable=False, comment="the ordering key that is locked for it"),
    sa.Column("model", sa.Text, nullable=False, comment="name of that state's class"),
    sa.Column("account", sa.Text, comment="account of the event; null for a timer and before it is decoded"),
    sa.Column("type", sa.Text, comment="type of the event; null for a timer and before it is decoded"),
    sa.Column("reason", sa.Text, nullable=False, comment="early, retry, behind or dead"),
    sa.Column("missing", sa.Text, comment="what an early message needs"),
    sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
    instant("due_at"),
    instant("since", nullable=False),
    sa.Column("last_error", sa.Text),
    sa.Column("inbox_id", BYTEA, nullable=False),
    sa.Column("size", sa.Integer, nullable=False, server_default="0", comment="bytes of the record"),
    *_record(),
    sa.Index("parked_entity", "entity", "id", postgresql_include=["size"]),
    sa.Index(
        "parked_account",
        "account",
        postgresql_include=["size", "id"],
        postgresql_where=sa.text("account IS NOT NULL"),
    ),
    sa.Index("parked_due_at", "due_at", postgresql_where=sa.text("due_at IS NOT NULL")),
    info=readable(RowsOfOperators()),
)

dead_letters = sa.Table(
    "dead_letters",
    METADATA,
    sa.Column("id", UUID(as_uuid=True), primary_key=True),
    instant("at", nullable=False),
    sa.Column("reason", sa.Text, nullable=False, comment="stable code"),
    sa.Column("detail", sa.Text),
    *_record(),
    sa.Column("truncated", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("entity", sa.Text, comment="the entity whose later messages are parked behind it"),
    sa.Column("subject", sa.Text, comment="subject of the message; else the record's key, if it is a number"),
    sa.Index("dead_letters_at", "at", "id"),
    sa.Index("dead_letters_subject", "subject", postgresql_where=sa.text("subject IS NOT NULL")),
    info=readable(RowsOfOperators()),
)

handled_letters = sa.Table(
    "handled_letters",
    METADATA,
    sa.Column("id", UUID(as_uuid=True), primary_key=True, comment="id of the dead letter"),
    sa.Column("action", sa.Text, nullable=False, comment="retry or drop"),
    sa.Column("actor", sa.Text, nullable=False, comment="who did it"),
    instant("at", nullable=False),
    sa.Index("handled_letters_at", "at"),
)

idempotency = sa.Table(
    "idempotency",
    METADATA,
    sa.Column("account", sa.Text, primary_key=True),
    sa.Column("subject", sa.Text, primary_key=True),
    sa.Column("route", sa.Text, primary_key=True),
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("digest", BYTEA, nullable=False, comment="hash of the canonical request body"),
    sa.Column("status", sa.Integer, nullable=False),
    sa.Column("body", BYTEA, nullable=False),
    sa.Column("location", sa.Text, comment="path of what was started"),
    instant("created_at", nullable=False),
    sa.Index("idempotency_created_at", "created_at"),
    info=readable(RowsOfAccount()),
)

jobs = sa.Table(
    "jobs",
    METADATA,
    sa.Column("job_id", UUID(as_uuid=True), primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column(
        "account", sa.Text, nullable=False, comment="its callers see the job; empty: only operators do"
    ),
    sa.Column("role", sa.Text, nullable=False, comment="role of the caller of its commands"),
    sa.Column("created_by", sa.Text, nullable=False, comment="actor of its events"),
    instant("created_at", nullable=False),
    sa.Column("parameters", JSONB, nullable=False),
    sa.Column("state", sa.Text, nullable=False, server_default="queued"),
    sa.Column("total", sa.BigInteger, comment="number of items; null until they are counted"),
    sa.Column("done", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("refused", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("position", sa.Text, comment="position of the last item that was decided"),
    sa.Column("failures", sa.Integer, nullable=False, server_default="0"),
    sa.Column("reference", sa.Text, comment="finds the last error in the log"),
    instant("finished_at"),
    sa.Column("changed_by", sa.Text, comment="who canceled or retried it last"),
    sa.Column("lease", UUID(as_uuid=True), comment="the runner that works on it"),
    sa.Column(
        "leased_until",
        TIMESTAMP(timezone=True),
        nullable=False,
        server_default=sa.text("clock_timestamp()"),
        comment="database time; in the past while nobody works on it",
    ),
    sa.Column(
        "turn_at",
        TIMESTAMP(timezone=True),
        comment="database time of the last turn of its account that it had",
    ),
    sa.Column("version", sa.BigInteger, nullable=False, server_default="1"),
    sa.Index(
        "jobs_unfinished",
        "account",
        "leased_until",
        "job_id",
        postgresql_where=sa.text("state IN ('queued', 'running')"),
    ),
    sa.Index("jobs_turns", "account", "turn_at", postgresql_where=sa.text("turn_at IS NOT NULL")),
    sa.Index("jobs_created_at", "created_at", "job_id"),
    sa.Index("jobs_finished_at", "finished_at", postgresql_where=sa.text("finished_at IS NOT NULL")),
    info=readable(RowsOfAccount()),
)

job_results = sa.Table(
    "job_results",
    METADATA,
    sa.Column("job_id", UUID(as_uuid=True), primary_key=True),
    sa.Column("n", sa.BigInteger, primary_key=True, autoincrement=False, comment="counts the items from 1"),
    sa.Column("item", sa.Text, nullable=False),
    sa.Column("outcome", sa.Text, nullable=False, comment="done, unchanged or refused"),
    sa.Column("code", sa.Text),
    sa.Column("message", sa.Text),
    sa.Column("reference", sa.Text, comment="finds an internal error in the log"),
    info=readable(RowsOfParent(parent="jobs", key="job_id")),
)

clock = sa.Table(
    "clock",
    METADATA,
    sa.Column(
        "id",
        sa.Boolean,
        sa.CheckConstraint("id", name="clock_one_row"),
        primary_key=True,
        server_default=sa.true(),
    ),
    sa.Column(
        "shift", INTERVAL, nullable=False, server_default=sa.text("'0'"), comment="added to database time"
    ),
    info=readable(AllRows()),
)

NOW = sa.func.clock_timestamp() + sa.select(clock.c.shift).scalar_subquery()
"""The service's time as an SQL expression: database time plus the offset that only the embedded stack changes."""

NOW_SQL = SERVICE_TIME
"""The same as SQL text, for statements that SQLAlchemy does not build."""

"""The tables of the chassis, which every service's database has."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import BYTEA, INTERVAL, JSONB, TIMESTAMP, UUID

revision = "chassis_0001"
down_revision = None
branch_labels = ("chassis",)
depends_on = None

QUEUE_STORAGE = {
    "autovacuum_vacuum_scale_factor": 0.0,
    "autovacuum_vacuum_threshold": 1_000,
    "autovacuum_vacuum_insert_scale_factor": 0.0,
    "autovacuum_vacuum_insert_threshold": 10_000,
    "autovacuum_analyze_scale_factor": 0.0,
    "autovacuum_analyze_threshold": 1_000,
    "autovacuum_vacuum_cost_delay": 0,
}


def instant() -> TIMESTAMP:
    return TIMESTAMP(timezone=True)


def record() -> tuple[sa.Column, ...]:
    return (
        sa.Column("topic", sa.Text),
        sa.Column("partition", sa.Integer),
        sa.Column("offset", sa.BigInteger),
        sa.Column("key", BYTEA),
        sa.Column("value", BYTEA),
        sa.Column("headers", JSONB),
    )


def numbered() -> sa.Column:
    return sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True)


def upgrade() -> None:
    op.create_table(
        "inbox",
        sa.Column("id", BYTEA, primary_key=True, comment="16-byte hash of the event's source and id"),
        sa.Column("digest", BYTEA, nullable=False, comment="hash of type, subject and canonical data"),
        sa.Column("decision", sa.Text, nullable=False, comment="decided, unchanged, refused:<code>, early, behind, retry, dead:<code>, published"),
        sa.Column("sequence_hash", sa.BigInteger, comment="hash of source, entity and sequence, if there is one"),
        sa.Column("seen_at", instant(), nullable=False),
    )
    op.create_index("inbox_seen_at", "inbox", ["seen_at"])
    op.create_index(
        "inbox_sequence_hash", "inbox", ["sequence_hash"], postgresql_where="sequence_hash IS NOT NULL"
    )

    op.create_table(
        "outbox",
        numbered(),
        sa.Column("topic", sa.Text, nullable=False),
        sa.Column("key", BYTEA),
        sa.Column("value", BYTEA),
        sa.Column("headers", JSONB, comment="[[name, base64 or null]]; null: only the standard content type"),
        sa.Column("created_at", instant(), nullable=False, server_default=sa.text("clock_timestamp()")),
        postgresql_with=QUEUE_STORAGE,
    )

    op.create_table(
        "parked",
        numbered(),
        sa.Column("entity", sa.Text, nullable=False, comment="key of the state that the message is about"),
        sa.Column("subject", sa.Text, nullable=False, comment="the ordering key that is locked for it"),
        sa.Column("model", sa.Text, nullable=False, comment="name of that state's class"),
        sa.Column("account", sa.Text, comment="account of the event; null for a timer and before it is decoded"),
        sa.Column("type", sa.Text, comment="type of the event; null for a timer and before it is decoded"),
        sa.Column("reason", sa.Text, nullable=False, comment="early, retry, behind or dead"),
        sa.Column("missing", sa.Text, comment="what an early message needs"),
        sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
        sa.Column("due_at", instant()),
        sa.Column("since", instant(), nullable=False),
        sa.Column("last_error", sa.Text),
        sa.Column("inbox_id", BYTEA, nullable=False),
        sa.Column("size", sa.Integer, nullable=False, server_default="0", comment="bytes of the record"),
        *record(),
    )
    op.create_index("parked_entity", "parked", ["entity", "id"], postgresql_include=["size"])
    op.create_index(
        "parked_account",
        "parked",
        ["account"],
        postgresql_include=["size", "id"],
        postgresql_where=sa.text("account IS NOT NULL"),
    )
    op.create_index("parked_due_at", "parked", ["due_at"], postgresql_where=sa.text("due_at IS NOT NULL"))

    op.create_table(
        "dead_letters",
        sa.Column("id", UUID(as_uuid=True), primary_key=True),
        sa.Column("at", instant(), nullable=False),
        sa.Column("reason", sa.Text, nullable=False, comment="stable code"),
        sa.Column("detail", sa.Text),
        *record(),
        sa.Column("truncated", sa.Boolean, nullable=False, server_default=sa.false()),
        sa.Column("entity", sa.Text, comment="the entity whose later messages are parked behind it"),
        sa.Column("subject", sa.Text, comment="subject of the message; else the record's key, if it is a number"),
    )
    op.create_index("dead_letters_at", "dead_letters", ["at", "id"])
    op.create_index("dead_letters_subject", "dead_letters", ["subject"], postgresql_where="subject IS NOT NULL")

    op.create_table(
        "handled_letters",
        sa.Column("id", UUID(as_uuid=True), primary_key=True, comment="id of the dead letter"),
        sa.Column("action", sa.Text, nullable=False, comment="retry or drop"),
        sa.Column("actor", sa.Text, nullable=False, comment="who did it"),
        sa.Column("at", instant(), nullable=False),
    )
    op.create_index("handled_letters_at", "handled_letters", ["at"])

    op.create_table(
        "idempotency",
        sa.Column("account", sa.Text, primary_key=True),
        sa.Column("subject", sa.Text, primary_key=True),
        sa.Column("route", sa.Text, primary_key=True),
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("digest", BYTEA, nullable=False, comment="hash of the canonical request body"),
        sa.Column("status", sa.Integer, nullable=False),
        sa.Column("body", BYTEA, nullable=False),
        sa.Column("location", sa.Text, comment="path of what was started"),
        sa.Column("created_at", instant(), nullable=False),
    )
    op.create_index("idempotency_created_at", "idempotency", ["created_at"])

    op.create_table(
        "jobs",
        sa.Column("job_id", UUID(as_uuid=True), primary_key=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("account", sa.Text, nullable=False, comment="its callers see the job; empty: only operators do"),
        sa.Column("role", sa.Text, nullable=False, comment="role of the caller of its commands"),
        sa.Column("created_by", sa.Text, nullable=False, comment="actor of its events"),
        sa.Column("created_at", instant(), nullable=False),
        sa.Column("parameters", JSONB, nullable=False),
        sa.Column("state", sa.Text, nullable=False, server_default="queued"),
        sa.Column("total", sa.BigInteger, comment="number of items; null until they are counted"),
        sa.Column("done", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("refused", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("position", sa.Text, comment="position of the last item that was decided"),
        sa.Column("failures", sa.Integer, nullable=False, server_default="0"),
        sa.Column("reference", sa.Text, comment="finds the last error in the log"),
        sa.Column("finished_at", instant()),
        sa.Column("changed_by", sa.Text, comment="who canceled or retried it last"),
        sa.Column("lease", UUID(as_uuid=True), comment="the runner that works on it"),
        sa.Column(
            "leased_until",
            instant(),
            nullable=False,
            server_default=sa.text("clock_timestamp()"),
            comment="database time; in the past while nobody works on it",
        ),
        sa.Column("turn_at", instant(), comment="database time of the last turn of its account that it had"),
        sa.Column("version", sa.BigInteger, nullable=False, server_default="1"),
    )
    op.create_index(
        "jobs_unfinished", "jobs", ["account", "leased_until", "job_id"], postgresql_where=sa.text("state IN ('queued', 'running')")
    )
    op.create_index("jobs_turns", "jobs", ["account", "turn_at"], postgresql_where=sa.text("turn_at IS NOT NULL"))
    op.create_index("jobs_created_at", "jobs", ["created_at", "job_id"])
    op.create_index("jobs_finished_at", "jobs", ["finished_at"], postgresql_where=sa.text("finished_at IS NOT NULL"))

    op.create_table(
        "job_results",
        sa.Column("job_id", UUID(as_uuid=True), primary_key=True),
        sa.Column("n", sa.BigInteger, primary_key=True, autoincrement=False, comment="counts the items from 1"),
        sa.Column("item", sa.Text, nullable=False),
        sa.Column("outcome", sa.Text, nullable=False, comment="done, unchanged or refused"),
        sa.Column("code", sa.Text),
        sa.Column("message", sa.Text),
        sa.Column("reference", sa.Text, comment="finds an internal error in the log"),
    )

    clock = op.create_table(
        "clock",
        sa.Column(
            "id",
            sa.Boolean,
            sa.CheckConstraint("id", name="clock_one_row"),
            primary_key=True,
            server_default=sa.true(),
        ),
        sa.Column("shift", INTERVAL, nullable=False, server_default=sa.text("'0'"), comment="added to database time"),
    )
    op.bulk_insert(clock, [{"id": True}])


def downgrade() -> None:
    names = ("clock", "job_results", "jobs", "idempotency", "handled_letters", "dead_letters", "parked", "outbox", "inbox")
    for table in names:
        op.drop_table(table)

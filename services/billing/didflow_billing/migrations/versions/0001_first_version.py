"""The tables of billing: terms, the ledger with the totals that triggers keep, and the price list."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP, UUID

revision = "billing_0001"
down_revision = None
branch_labels = ("billing",)
depends_on = None

NAME = sa.Text(collation="C")
"""A text that is ordered and compared byte by byte."""

APPEND_ONLY = """
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE 'rows of % are never changed or deleted', TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
END $$
"""

REFUNDS = """
CREATE FUNCTION check_refunds() RETURNS trigger LANGUAGE plpgsql
    SET search_path = public, pg_temp SET enable_seqscan = off AS $$
BEGIN
    IF EXISTS (
        SELECT FROM posted r LEFT JOIN ledger c ON c.entry_id = r.reverses
        WHERE r.kind = 'refund' AND (c.entry_id IS NULL OR c.kind = 'refund' OR c.did_id <> r.did_id
            OR c.payer <> r.payer OR c.currency <> r.currency OR -r.amount > c.amount)
    ) THEN
        RAISE 'a refund must be of the same DID, payer and currency as its charge, and not more than it'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_refund_fits', TABLE = 'ledger';
    END IF;
    RETURN NULL;
END $$
"""
"""A refund never exceeds what it reverses. Source: spec lifecycle, Term."""

_CHARGED = "sum(CASE WHEN kind = 'refund' THEN 0 ELSE amount END)"
_REFUNDED = "sum(CASE WHEN kind = 'refund' THEN -amount ELSE 0 END)"


def account_totals(entries: str) -> str:
    """Return the statement that adds up entries: of each account with those below it, and of each span of time."""
    return f"""
    SELECT period, account, currency, sum(charged) AS charged, sum(refunded) AS refunded,
        min(first_at) AS first_at, max(last_at) AS last_at
    FROM (
        SELECT payer, currency, date_trunc('hour', posted_at AT TIME ZONE 'UTC') AS hour,
            {_CHARGED} AS charged, {_REFUNDED} AS refunded,
            min(posted_at) AS first_at, max(posted_at) AS last_at
        FROM {entries} GROUP BY 1, 2, 3
    ) AS hourly, LATERAL (
        SELECT array_to_string(names[1:n], '/') AS account
        FROM (SELECT string_to_array(payer, '/') AS names) AS path, generate_series(1, cardinality(names)) AS n
    ) AS at_or_above, LATERAL (
        VALUES ('all'), (to_char(hour, 'YYYY-MM')), (to_char(hour, 'YYYY-MM-DD')), (to_char(hour, 'YYYY-MM-DD"T"HH24'))
    ) AS spans (period)
    GROUP BY 1, 2, 3
    """


def order_totals(entries: str) -> str:
    """Return the statement that adds up entries: of each order of a payer, and of each day."""
    return f"""
    SELECT payer AS account, coalesce(order_id, '') AS order_id, currency, (posted_at AT TIME ZONE 'UTC')::date AS day,
        {_CHARGED} AS charged, {_REFUNDED} AS refunded
    FROM {entries} GROUP BY 1, 2, 3, 4
    """


TOTALS = f"""
CREATE FUNCTION add_to_totals() RETURNS trigger LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    INSERT INTO account_totals AS t (period, account, currency, stripe, charged, refunded, first_at, last_at)
    SELECT period, account, currency, pg_backend_pid() % 4, charged, refunded, first_at, last_at
    FROM ({account_totals("posted")}) AS added ORDER BY 1, 2, 3
    ON CONFLICT (period, account, currency, stripe) DO UPDATE SET charged = t.charged + excluded.charged,
        refunded = t.refunded + excluded.refunded, first_at = least(t.first_at, excluded.first_at),
        last_at = greatest(t.last_at, excluded.last_at);

    INSERT INTO order_totals AS t (account, order_id, currency, day, stripe, charged, refunded)
    SELECT account, order_id, currency, day, pg_backend_pid() % 4, charged, refunded
    FROM ({order_totals("posted")}) AS added ORDER BY 1, 2, 3, 4
    ON CONFLICT (account, order_id, currency, day, stripe) DO UPDATE SET charged = t.charged + excluded.charged,
        refunded = t.refunded + excluded.refunded;
    RETURN NULL;
END $$
"""
"""It writes as the owner of the tables, so that nobody else writes totals. Rows are locked in one order."""

TOTALS_RIGHTS = "REVOKE ALL ON FUNCTION add_to_totals() FROM PUBLIC"
"""Without it, a role with a table of its own, also a temporary one, could write totals by a trigger of that table."""

TOTALS_OF_LEDGER = (
    f"""
    CREATE FUNCTION account_totals_of_ledger() RETURNS TABLE (
        period text, account text, currency text, charged numeric, refunded numeric, first_at timestamptz,
        last_at timestamptz
    ) LANGUAGE sql STABLE AS $$ {account_totals("ledger")} $$
    """,
    f"""
    CREATE FUNCTION order_totals_of_ledger() RETURNS TABLE (
        account text, order_id text, currency text, day date, charged numeric, refunded numeric
    ) LANGUAGE sql STABLE AS $$ {order_totals("ledger")} $$
    """,
)
"""What the totals must be. The consistency check compares them, and `rebuild_totals` writes them."""

REBUILD = """
CREATE FUNCTION rebuild_totals() RETURNS void LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE 'rebuild_totals needs a transaction that is READ COMMITTED' USING ERRCODE = 'invalid_transaction_state';
    END IF;
    LOCK TABLE ledger IN SHARE ROW EXCLUSIVE MODE;
    DELETE FROM account_totals;
    DELETE FROM order_totals;
    INSERT INTO account_totals (period, account, currency, stripe, charged, refunded, first_at, last_at)
    SELECT period, account, currency, 0, charged, refunded, first_at, last_at FROM account_totals_of_ledger();
    INSERT INTO order_totals (account, order_id, currency, day, stripe, charged, refunded)
    SELECT account, order_id, currency, day, 0, charged, refunded FROM order_totals_of_ledger();
END $$
"""
"""Only the owner of the tables can run it. The lock waits for writers of the ledger and makes later ones wait.

A transaction of another isolation sees the ledger as it was before the lock.
"""

TRIGGERS = (
    """
    CREATE TRIGGER ledger_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
    """,
    """
    CREATE TRIGGER ledger_refunds AFTER INSERT ON ledger REFERENCING NEW TABLE AS posted
        FOR EACH STATEMENT EXECUTE FUNCTION check_refunds()
    """,
    """
    CREATE TRIGGER ledger_totals AFTER INSERT ON ledger REFERENCING NEW TABLE AS posted
        FOR EACH STATEMENT EXECUTE FUNCTION add_to_totals()
    """,
)

FUNCTIONS = (
    "rebuild_totals",
    "order_totals_of_ledger",
    "account_totals_of_ledger",
    "add_to_totals",
    "check_refunds",
    "refuse_change",
)


def instant(name: str, *, nullable: bool = True) -> sa.Column:
    return sa.Column(name, TIMESTAMP(timezone=True), nullable=nullable)


def upgrade() -> None:
    op.create_table(
        "terms",
        sa.Column("did_id", UUID(as_uuid=True), primary_key=True),
        sa.Column("number", sa.Text, nullable=False),
        sa.Column("account", sa.Text, nullable=False, comment="holder of the DID, as last received"),
        sa.Column("payer", sa.Text, nullable=False, comment="account that purchased the DID and is charged"),
        sa.Column("order_id", sa.Text),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("price", JSONB),
        sa.Column("billing_period", sa.Integer),
        sa.Column("cycles_left", sa.Integer),
        instant("purchased_at"),
        sa.Column("period", sa.Integer, nullable=False),
        instant("period_start"),
        instant("expires_at"),
        instant("aging_until"),
        instant("anchor"),
        sa.Column("anchor_months", sa.Integer, nullable=False),
        sa.Column("free_days", sa.Integer, nullable=False),
        sa.Column("registration", sa.Text),
        sa.Column("completed", sa.Boolean, nullable=False),
        sa.Column("accepted", sa.Boolean, nullable=False),
        sa.Column("charges", JSONB, nullable=False),
        sa.Column("entry_count", sa.Integer, nullable=False),
        sa.Column("sequences", JSONB, nullable=False),
        instant("changed_at"),
        sa.Column("reminded", JSONB, comment="last reminder published: ends_at, days"),
        instant("due_at"),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("sequence", sa.BigInteger, nullable=False),
        sa.Column("correlation_id", sa.Text, nullable=False),
    )
    op.create_index("terms_due_at", "terms", ["due_at"], postgresql_where=sa.text("due_at IS NOT NULL"))
    op.create_index("terms_live_number", "terms", ["number"], postgresql_where=sa.text("state <> 'closed'"))

    op.create_table(
        "ledger",
        sa.Column("entry_id", UUID(as_uuid=True), primary_key=True),
        sa.Column("did_id", UUID(as_uuid=True), nullable=False),
        sa.Column("number", sa.Text, nullable=False),
        sa.Column("position", sa.Integer, nullable=False, comment="counts the entries of a DID, from 1"),
        sa.Column("order_id", sa.Text),
        sa.Column("payer", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("amount", sa.Numeric, nullable=False),
        sa.Column("currency", sa.Text, nullable=False),
        instant("period_start"),
        instant("period_end"),
        sa.Column("reverses", UUID(as_uuid=True)),
        instant("posted_at", nullable=False),
        instant("recorded_at", nullable=False),
        sa.CheckConstraint(
            "CASE WHEN kind = 'refund' THEN amount <= 0 AND reverses IS NOT NULL"
            " ELSE amount >= 0 AND reverses IS NULL END",
            name="ledger_signs",
        ),
        sa.CheckConstraint(
            "kind NOT IN ('recurring', 'renewal') OR period_start IS NOT NULL", name="ledger_periods"
        ),
    )
    op.create_index(
        "ledger_charged_once",
        "ledger",
        ["did_id", "period_start"],
        unique=True,
        postgresql_where=sa.text("kind IN ('recurring', 'renewal')"),
    )
    op.create_index("ledger_did", "ledger", ["did_id", "position"], unique=True)
    op.create_index("ledger_number", "ledger", ["number"])
    op.create_index("ledger_order", "ledger", ["order_id"], postgresql_where=sa.text("order_id IS NOT NULL"))
    op.create_index("ledger_payer", "ledger", [sa.text('payer COLLATE "C"'), "posted_at", "entry_id"])
    op.create_index("ledger_payer_did", "ledger", [sa.text('payer COLLATE "C"'), "did_id", "currency"])
    op.create_index(
        "ledger_posted_at",
        "ledger",
        ["posted_at", "entry_id"],
        postgresql_include=["payer", "order_id", "currency", "kind", "amount"],
    )
    op.create_index("ledger_recorded_at", "ledger", ["recorded_at", "entry_id"])
    op.create_index(
        "ledger_reverses", "ledger", ["reverses"], unique=True, postgresql_where=sa.text("reverses IS NOT NULL")
    )
    op.create_table(
        "account_totals",
        sa.Column("period", NAME, primary_key=True, comment="all, a month, a day or an hour of posted_at, in UTC"),
        sa.Column("account", NAME, primary_key=True),
        sa.Column("currency", NAME, primary_key=True),
        sa.Column("stripe", sa.SmallInteger, primary_key=True, comment="so that writers do not wait for one row"),
        sa.Column("charged", sa.Numeric, nullable=False),
        sa.Column("refunded", sa.Numeric, nullable=False),
        instant("first_at", nullable=False),
        instant("last_at", nullable=False),
        postgresql_with={"fillfactor": 70},
    )
    op.create_table(
        "order_totals",
        sa.Column("account", NAME, primary_key=True),
        sa.Column("order_id", NAME, primary_key=True, comment="empty for entries without an order"),
        sa.Column("currency", NAME, primary_key=True),
        sa.Column("day", sa.Date, primary_key=True, comment="of posted_at, in UTC"),
        sa.Column("stripe", sa.SmallInteger, primary_key=True, comment="so that writers do not wait for one row"),
        sa.Column("charged", sa.Numeric, nullable=False),
        sa.Column("refunded", sa.Numeric, nullable=False),
    )
    for statement in (APPEND_ONLY, REFUNDS, TOTALS, TOTALS_RIGHTS, *TRIGGERS, *TOTALS_OF_LEDGER, REBUILD):
        op.execute(statement)

    op.create_table(
        "price_series",
        sa.Column("key", sa.Text, primary_key=True, comment="account, country and number type"),
        sa.Column("account", sa.Text, nullable=False),
        sa.Column("country", sa.Text, nullable=False, comment="* for every country"),
        sa.Column("number_type", sa.Text, nullable=False, comment="* for every type"),
        sa.Column("prices", JSONB, nullable=False, comment="the rows of prices, the earliest first"),
        sa.Column("version", sa.BigInteger, nullable=False),
    )

    op.create_table(
        "prices",
        sa.Column("price_id", UUID(as_uuid=True), primary_key=True),
        sa.Column(
            "account", sa.Text, nullable=False, comment="it holds for this account and those below it"
        ),
        sa.Column("country", sa.Text, nullable=False, comment="* for every country"),
        sa.Column("number_type", sa.Text, nullable=False, comment="* for every type"),
        instant("effective_from", nullable=False),
        sa.Column("setup", sa.Numeric, nullable=False),
        sa.Column("recurring", sa.Numeric, nullable=False, comment="per month"),
        sa.Column("currency", sa.Text, nullable=False),
        instant("recorded_at", nullable=False),
        sa.Column("recorded_by", sa.Text, nullable=False, comment="actor"),
    )
    op.create_index(
        "prices_row", "prices", ["account", "country", "number_type", "effective_from"], unique=True
    )
    op.create_index("prices_account", "prices", [sa.text('account COLLATE "C"'), "price_id"])
    op.create_index("prices_effective_from", "prices", ["effective_from", "price_id"])


def downgrade() -> None:
    op.drop_table("prices")
    op.drop_table("price_series")
    for name in ("order_totals", "account_totals"):
        op.drop_table(name)
    op.drop_table("ledger")
    for name in FUNCTIONS:
        op.execute(f"DROP FUNCTION {name}()")
    op.drop_table("terms")

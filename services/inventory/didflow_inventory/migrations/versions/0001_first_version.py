"""The tables of inventory: DIDs, numbers, ordered numbers, accounts and the history."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP, UUID

revision = "inventory_0001"
down_revision = None
branch_labels = ("inventory",)
depends_on = None

USER_USES = """
CREATE VIEW user_uses AS
SELECT "user" AS user_id, count(*) AS dids, 1::bigint AS version
FROM dids WHERE "user" IS NOT NULL AND in_all
GROUP BY 1
"""


def used(table, column, condition):
    """Return whether a row names the carrier `c`. A range and its order make sure that the index is read.

    For an equality, PostgreSQL would read the table from its beginning if it expected to find a row soon.
    """
    return (
        f"(SELECT true FROM {table} WHERE {column} >= c.name AND {column} <= c.name AND {condition} "
        f"ORDER BY {column} LIMIT 1) IS NOT NULL"
    )


def returning(column):
    """Return whether a number is in stock, or returns with this carrier to its stock: its DID has none."""
    return f"(SELECT d.{column} FROM dids d WHERE d.did_id = numbers.did_id) IS NULL"


CARRIER_USES = f"""
CREATE VIEW carrier_uses AS
SELECT c.carrier_id,
    {used("dids", "carrier", "in_all")}
    OR {used("numbers", "carrier", returning("carrier"))}
    OR {used("accounts", "default_carrier", "true")} AS voice,
    {used("dids", "sms_carrier", "in_all")}
    OR {used("numbers", "sms_carrier", returning("sms_carrier"))}
    OR {used("accounts", "default_sms_carrier", "true")}
    OR {used("accounts", "default_carrier", "default_sms_carrier IS NULL")} AS sms,
    1::bigint AS version
FROM carriers c
"""
OPERATOR_USES = """
CREATE VIEW operator_uses AS
SELECT o.operator_id, 1::bigint AS version
FROM operators o CROSS JOIN LATERAL (
    SELECT FROM numbers
    WHERE operator = o.name AND uploaded_by >= o.account AND uploaded_by < o.account || '0'
        AND (uploaded_by = o.account OR starts_with(uploaded_by, o.account || '/'))
    ORDER BY uploaded_by LIMIT 1) AS use
"""
PACKAGE_USES = """
CREATE VIEW package_uses AS
SELECT key, (SELECT count(*) FROM dids WHERE package_key = client.key AND in_all) AS dids, picks, 1::bigint AS version
FROM package_clients AS client
"""

CURRENT_TRANSACTION = sa.text("(pg_current_xact_id()::text::bigint)")

ANCESTORS = (
    "split_part(account, '/', 1)",
    "split_part(account, '/', 1) || '/' || nullif(split_part(account, '/', 2), '')",
    "split_part(account, '/', 1) || '/' || split_part(account, '/', 2) || '/' || nullif(split_part(account, '/', 3), '')",
    "split_part(account, '/', 1) || '/' || split_part(account, '/', 2) || '/' || split_part(account, '/', 3) || '/' || "
    "nullif(split_part(account, '/', 4), '')",
)
"""The account at each of the first four levels above an account, or itself. NULL if it is further up."""

FILTERS = (
    "all",
    "active",
    "not_configured",
    "awaiting_registration",
    "terminated",
    "expiring_soon",
    "porting",
)


def text(name, *, nullable=True, primary_key=False):
    return sa.Column(name, sa.Text, nullable=nullable, primary_key=primary_key)


def plain(name, *, primary_key=False):
    """Return a text column that is compared byte by byte, for lookups of subtrees and of ranges of numbers."""
    return sa.Column(name, sa.Text(collation="C"), nullable=False, primary_key=primary_key)


def instant(name, *, nullable=True):
    return sa.Column(name, TIMESTAMP(timezone=True), nullable=nullable)


def uuid(name, *, nullable=True, primary_key=False):
    return sa.Column(name, UUID(as_uuid=True), nullable=nullable, primary_key=primary_key)


def json(name, *, nullable=False):
    return sa.Column(name, JSONB, nullable=nullable)


def flag(name):
    return sa.Column(name, sa.Boolean, nullable=False)


def version():
    return sa.Column("version", sa.BigInteger, nullable=False)


def upgrade():
    op.create_table(
        "dids",
        uuid("did_id", nullable=False, primary_key=True),
        plain("number"),
        text("number_type", nullable=False),
        text("country"),
        text("region"),
        text("area"),
        text("order_id"),
        instant("purchased_at", nullable=False),
        text("stock", nullable=False),
        text("last_step", nullable=False),
        instant("held_since"),
        instant("until"),
        text("after_hold"),
        text("held_by"),
        text("before_hold"),
        text("next_after_hold"),
        text("blocked_by"),
        plain("account"),
        flag("in_enterprise"),
        plain("payer"),
        text("user"),
        text("package_key"),
        json("features"),
        text("carrier"),
        text("sms_carrier"),
        text("origin", nullable=False),
        json("tags"),
        text("description"),
        text("notes"),
        text("refusal_code"),
        text("removal_reason"),
        instant("removed_at"),
        json("holders"),
        json("assignment", nullable=True),
        json("registration"),
        json("services"),
        json("routing"),
        json("term"),
        json("sequences"),
        instant("assignment_refused_at"),
        text("published_status"),
        text("status"),
        text("shown_region"),
        uuid("identity_id"),
        instant("expires_at"),
        *(flag(f"in_{name}") for name in FILTERS),
        version(),
        sa.Column("sequence", sa.BigInteger, nullable=False),
        text("correlation_id", nullable=False),
    )
    op.execute("CREATE INDEX dids_account ON dids (account, number) WHERE in_all")
    op.execute("CREATE INDEX dids_purchased_at ON dids (purchased_at, did_id) WHERE in_all")
    op.execute("CREATE INDEX dids_expires_at ON dids (expires_at, did_id) WHERE in_all")
    op.execute("CREATE INDEX dids_status ON dids (status, did_id) WHERE in_all")
    op.execute("CREATE INDEX dids_until ON dids (until) WHERE until IS NOT NULL")
    for name in FILTERS:
        op.execute(f"CREATE INDEX dids_in_{name} ON dids (number, did_id) WHERE in_{name}")
    op.create_table(
        "numbers",
        plain("number", primary_key=True),
        uuid("did_id"),
        uuid("last_did_id"),
        flag("releasing"),
        text("stock"),
        sa.Column("uploaded_by", sa.Text(collation="C")),
        instant("uploaded_at"),
        text("country"),
        text("region"),
        text("number_type"),
        json("features"),
        text("operator"),
        text("carrier"),
        text("sms_carrier"),
        uuid("reservation_id"),
        text("held_for"),
        instant("until"),
        text("tag"),
        text("notes"),
        text("after_hold"),
        version(),
    )
    op.execute("CREATE INDEX numbers_stock ON numbers (uploaded_by, number) WHERE stock IS NOT NULL")
    op.execute(
        "CREATE INDEX numbers_free ON numbers (uploaded_by, country, number) WHERE stock IN ('in_stock', 'held')"
    )
    op.create_table(
        "ordered_numbers",
        text("key", nullable=False, primary_key=True),
        plain("number"),
        uuid("did_id", nullable=False),
        version(),
    )
    op.create_table(
        "reservations",
        uuid("reservation_id", nullable=False, primary_key=True),
        plain("account"),
        json("numbers"),
        text("state", nullable=False),
        instant("created_at", nullable=False),
        instant("expires_at", nullable=False),
        instant("due_at"),
        instant("ended_at"),
        version(),
    )
    op.execute("CREATE INDEX reservations_due ON reservations (due_at) WHERE due_at IS NOT NULL")
    op.execute("CREATE INDEX reservations_ended ON reservations (ended_at) WHERE ended_at IS NOT NULL")
    op.create_table(
        "held_numbers",
        plain("account", primary_key=True),
        json("held"),
        version(),
    )
    op.create_table(
        "accounts",
        plain("path", primary_key=True),
        text("name", nullable=False),
        text("kind", nullable=False),
        text("default_carrier"),
        text("default_sms_carrier"),
        flag("allow_external_numbers"),
        flag("may_set_prices"),
        instant("created_at", nullable=False),
        version(),
    )
    op.create_table(
        "users",
        uuid("user_id", nullable=False, primary_key=True),
        plain("account"),
        text("name", nullable=False),
        text("kind", nullable=False),
        text("subject"),
        text("email"),
        uuid("default_did"),
        text("default_number"),
        flag("sms_enabled"),
        text("extension"),
        instant("created_at", nullable=False),
        flag("deleted"),
        version(),
    )
    op.execute("CREATE INDEX users_account ON users (account, name, user_id) WHERE NOT deleted")
    op.execute("CREATE INDEX users_subject ON users (subject) WHERE NOT deleted")
    op.execute('CREATE INDEX dids_user ON dids ("user", number) WHERE "user" IS NOT NULL')
    op.execute(USER_USES)
    op.create_table(
        "carriers",
        uuid("carrier_id", nullable=False, primary_key=True),
        plain("account"),
        text("name", nullable=False),
        text("kind", nullable=False),
        instant("created_at", nullable=False),
        flag("deleted"),
        version(),
    )
    op.create_table(
        "operators",
        uuid("operator_id", nullable=False, primary_key=True),
        plain("account"),
        text("name", nullable=False),
        json("countries"),
        text("notes"),
        instant("created_at", nullable=False),
        flag("deleted"),
        version(),
    )
    op.execute("CREATE INDEX carriers_account ON carriers (account, name) WHERE NOT deleted")
    op.execute("CREATE INDEX operators_account ON operators (account, name) WHERE NOT deleted")
    for name in ("carrier", "sms_carrier"):
        op.execute(f"CREATE INDEX dids_{name} ON dids ({name}) WHERE in_all AND {name} IS NOT NULL")
        op.execute(
            f"CREATE INDEX numbers_{name} ON numbers ({name}) WHERE {name} IS NOT NULL"
        )
        op.execute(
            f"CREATE INDEX accounts_default_{name} ON accounts (default_{name}) "
            f"WHERE default_{name} IS NOT NULL"
        )
    op.execute(
        "CREATE INDEX numbers_operator ON numbers (operator, uploaded_by) WHERE operator IS NOT NULL"
    )
    op.execute(CARRIER_USES)
    op.execute(OPERATOR_USES)
    op.create_table(
        "packages",
        uuid("package_id", nullable=False, primary_key=True),
        plain("account"),
        text("name", nullable=False),
        sa.Column("count", sa.Integer, nullable=False),
        json("selection"),
        sa.Column("hold_days", sa.Integer, nullable=False),
        text("state", nullable=False),
        instant("created_at", nullable=False),
        version(),
    )
    op.execute("CREATE INDEX packages_account ON packages (account, name, package_id)")
    op.create_table(
        "package_clients",
        text("key", nullable=False, primary_key=True),
        uuid("package_id", nullable=False),
        plain("account"),
        flag("active"),
        sa.Column("picks", sa.BigInteger, nullable=False),
        instant("since", nullable=False),
        version(),
    )
    op.execute("CREATE INDEX package_clients_package ON package_clients (package_id, account)")
    op.execute("CREATE INDEX package_clients_account ON package_clients (account, package_id)")
    op.execute("CREATE INDEX dids_package ON dids (package_key, did_id) WHERE in_all AND package_key IS NOT NULL")
    op.execute(PACKAGE_USES)
    op.create_table(
        "history",
        sa.Column("position", sa.BigInteger, sa.Identity(always=True), nullable=False),
        sa.Column("transaction_id", sa.BigInteger, nullable=False, server_default=CURRENT_TRANSACTION),
        text("thing", nullable=False),
        uuid("did_id"),
        text("thing_id"),
        text("number"),
        plain("account"),
        instant("at", nullable=False),
        instant("recorded_at", nullable=False),
        text("type", nullable=False),
        text("source"),
        text("event_id"),
        sa.Column("event_sequence", sa.BigInteger),
        text("causation_id"),
        text("actor", nullable=False),
        text("outcome", nullable=False),
        text("code"),
        json("changes"),
        json("extra"),
        text("claimed_actor"),
        sa.PrimaryKeyConstraint("transaction_id", "position"),
    )
    op.create_index(
        "history_did_id", "history", ["did_id", "position"], postgresql_where=sa.text("did_id IS NOT NULL")
    )
    op.create_index(
        "history_thing_id",
        "history",
        ["thing_id", "thing", "position"],
        postgresql_where=sa.text("thing_id IS NOT NULL"),
    )
    for level, ancestor in enumerate(ANCESTORS, 1):
        op.execute(
            f"CREATE INDEX history_level_{level} ON history (({ancestor}), transaction_id, position) "
            f"WHERE ({ancestor}) IS NOT NULL"
        )
    did_changes()


def did_changes():
    """The changes of DIDs of the last day, for callers that follow them."""
    order = ["transaction_id", "position"]
    op.create_table(
        "did_changes",
        sa.Column("transaction_id", sa.BigInteger, nullable=False, server_default=CURRENT_TRANSACTION),
        sa.Column("position", sa.BigInteger, sa.Identity(always=True), nullable=False),
        sa.Column(
            "written_at",
            TIMESTAMP(timezone=True),
            nullable=False,
            server_default=sa.text("clock_timestamp()"),
            comment="database time",
        ),
        uuid("did_id", nullable=False),
        text("number", nullable=False),
        *(text(name) for name in ("account", "user", "status", "former_account", "former_user")),
        sa.PrimaryKeyConstraint(*order),
    )
    for account in ("account", "former_account"):
        op.create_index(
            f"did_changes_{account}",
            "did_changes",
            [sa.text(f'{account} COLLATE "C"'), *order],
            postgresql_where=sa.text(f"{account} IS NOT NULL"),
        )
    op.create_index("did_changes_written_at", "did_changes", ["written_at"])


def downgrade():
    for name in ("user_uses", "carrier_uses", "operator_uses", "package_uses"):
        op.execute(f"DROP VIEW {name}")
    for name in ("packages", "package_clients", "did_changes", "history", "operators", "carriers", "users", "accounts", "held_numbers", "reservations", "ordered_numbers", "numbers", "dids"):
        op.drop_table(name)

"""The tables of provisioning.

The views count what uses the targets and the configuration profiles, and the commands of carriers, and read what a
carrier last answered.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import BYTEA, JSONB, TIMESTAMP, UUID

revision = "provisioning_0001"
down_revision = None
branch_labels = ("provisioning",)
depends_on = None

VOICE_TARGET_USES = """
CREATE VIEW voice_target_uses AS
SELECT t.id AS target_id,
    (SELECT count(*) FROM routings r WHERE r.voice IS NOT NULL AND (r.voice -> 'delivery' ->> 'id')::uuid = t.id)
        AS dids,
    (SELECT count(*) FROM voice_trunk_groups g WHERE NOT g.deleted
        AND g.trunks @> jsonb_build_array(jsonb_build_object('voice_trunk_id', t.id))) AS groups,
    1::bigint AS version
FROM (SELECT trunk_id AS id FROM voice_trunks UNION ALL SELECT group_id FROM voice_trunk_groups) t
"""

CARRIER_LOADS = """
CREATE VIEW carrier_loads AS
SELECT carrier, count(*) AS out, 1::bigint AS version FROM carrier_commands WHERE state = 'out' GROUP BY carrier
"""

# Each carrier is found by one step in the index, and so are both instants.
CARRIER_CONTACTS = """
CREATE VIEW carrier_contacts AS
WITH RECURSIVE names (carrier) AS (
    (SELECT carrier FROM carrier_commands ORDER BY carrier LIMIT 1)
    UNION ALL
    SELECT (SELECT c.carrier FROM carrier_commands c WHERE c.carrier > names.carrier ORDER BY c.carrier LIMIT 1)
    FROM names WHERE names.carrier IS NOT NULL
)
SELECT carrier,
    (SELECT max(c.answered_at) FROM carrier_commands c WHERE c.carrier = names.carrier) AS last_result_at,
    (SELECT min(c.issued_at) FROM carrier_commands c WHERE c.carrier = names.carrier
        AND c.state IN ('out', 'waiting') AND c.code = 'no_answer') AS unanswered_since,
    1::bigint AS version
FROM names WHERE carrier IS NOT NULL
"""

CONFIGURATION_PROFILE_USES = """
CREATE VIEW configuration_profile_uses AS
SELECT (profile ->> 'profile_id')::uuid AS profile_id, count(*) AS dids, 1::bigint AS version
FROM routings WHERE profile IS NOT NULL
GROUP BY 1
"""

NAMED_BY_PROFILES = ("voice_trunk", "voice_trunk_group", "capacity_group", "sms_trunk")

NAMING_PROFILES = f"""
CREATE VIEW naming_profiles AS
SELECT named_id, count(*) AS profiles, 1::bigint AS version
FROM ({
    " UNION ALL ".join(
        f"SELECT {name}_id AS named_id FROM configuration_profiles WHERE {name}_id IS NOT NULL AND NOT deleted"
        for name in NAMED_BY_PROFILES
    )
}) AS named
GROUP BY named_id
"""

SMS_TRUNK_USES = """
CREATE VIEW sms_trunk_uses AS
SELECT (sms -> 'delivery' ->> 'id')::uuid AS trunk_id, count(*) AS dids, 1::bigint AS version
FROM routings WHERE sms IS NOT NULL
GROUP BY 1
"""


def instant(name: str, *, nullable: bool = True) -> sa.Column:
    return sa.Column(name, TIMESTAMP(timezone=True), nullable=nullable)


def upgrade() -> None:
    op.create_table(
        "routings",
        sa.Column("did_id", UUID(as_uuid=True), primary_key=True),
        sa.Column("number", sa.Text, nullable=False),
        sa.Column("account", sa.Text, nullable=False, comment="the holder as last received"),
        sa.Column("features", JSONB, nullable=False),
        sa.Column("carrier", sa.Text),
        sa.Column("sms_carrier", sa.Text),
        sa.Column("origin", sa.Text),
        sa.Column("stock", sa.Text),
        sa.Column("held_by", sa.Text, comment="what put the DID on hold"),
        sa.Column("confirmed", sa.Boolean, nullable=False, comment="inventory has assigned the number"),
        sa.Column("registration", sa.Text),
        sa.Column("term", sa.Text),
        sa.Column("end_reason", sa.Text, comment="why the DID was removed or refused; null while live"),
        sa.Column("carrier_state", sa.Text, nullable=False),
        sa.Column("failure_reason", sa.Text, comment="why the last failed activation failed"),
        sa.Column("served_by", sa.Text, comment="the carrier of the last activation"),
        sa.Column("voice", JSONB),
        sa.Column("capacity", JSONB),
        sa.Column("capacity_group", JSONB, comment="whose channels are reserved; null for channels of its own"),
        sa.Column("sms", JSONB),
        sa.Column("profile", JSONB, comment="the configuration profile that was last applied"),
        sa.Column("applied", JSONB, nullable=False, comment="the settings that the carrier has confirmed"),
        sa.Column("open_command", JSONB),
        sa.Column("failures", JSONB, nullable=False, comment="commands that failed for good"),
        sa.Column("sequences", JSONB, nullable=False, comment="the last applied sequence of each view"),
        instant("due_at"),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("sequence", sa.BigInteger, nullable=False),
        sa.Column("correlation_id", sa.Text, nullable=False),
    )
    op.create_index("routings_due_at", "routings", ["due_at"], postgresql_where=sa.text("due_at IS NOT NULL"))
    op.create_index(
        "routings_live_number", "routings", ["number"], postgresql_where=sa.text("end_reason IS NULL")
    )
    op.create_index(
        "routings_voice_target",
        "routings",
        [sa.text("((voice -> 'delivery' ->> 'id')::uuid)"), "did_id"],
        postgresql_where=sa.text("voice IS NOT NULL"),
    )
    op.create_index(
        "routings_sms_target",
        "routings",
        [sa.text("((sms -> 'delivery' ->> 'id')::uuid)"), "did_id"],
        postgresql_where=sa.text("sms IS NOT NULL"),
    )

    op.create_index(
        "routings_profile",
        "routings",
        [sa.text("((profile ->> 'profile_id')::uuid)")],
        postgresql_where=sa.text("profile IS NOT NULL"),
    )

    op.create_table(
        "number_queues",
        sa.Column("number", sa.Text, primary_key=True),
        sa.Column("did_ids", JSONB, nullable=False, comment="DIDs that are not released yet, earliest first"),
        sa.Column("open_command_id", UUID(as_uuid=True)),
        sa.Column("carrier", sa.Text, comment="of the open command, or of the one that waits for its turn"),
        sa.Column("commands_sent", sa.BigInteger, nullable=False),
        instant("turn_at"),
        instant("due_at"),
        sa.Column("version", sa.BigInteger, nullable=False),
    )
    op.create_index("number_queues_due_at", "number_queues", ["due_at"], postgresql_where=sa.text("due_at IS NOT NULL"))

    op.create_table(
        "carrier_commands",
        sa.Column("command_id", UUID(as_uuid=True), primary_key=True),
        sa.Column("did_id", UUID(as_uuid=True), nullable=False),
        sa.Column("number", sa.Text, nullable=False),
        sa.Column("account", sa.Text, nullable=False, comment="the holder when the command was sent"),
        sa.Column("carrier", sa.Text, nullable=False),
        sa.Column("action", sa.Text, nullable=False),
        sa.Column("content", JSONB, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("attempt", sa.Integer, nullable=False),
        instant("issued_at", nullable=False),
        instant("deadline", nullable=False),
        instant("next_at"),
        instant("give_up_at", nullable=False),
        sa.Column("code", sa.Text),
        sa.Column("message", sa.Text),
        sa.Column("carrier_reference", sa.Text),
        instant("answered_at"),
        instant("closed_at"),
        sa.Column("version", sa.BigInteger, nullable=False),
    )
    op.create_index("carrier_commands_did", "carrier_commands", ["did_id", "issued_at", "command_id"])
    op.create_index("carrier_commands_number", "carrier_commands", ["number"])
    op.create_index("carrier_commands_carrier", "carrier_commands", ["carrier", "answered_at"])
    op.create_index(
        "carrier_commands_unanswered",
        "carrier_commands",
        ["carrier", "issued_at"],
        postgresql_where=sa.text("state IN ('out', 'waiting') AND code = 'no_answer'"),
    )
    op.create_index("carrier_commands_issued_at", "carrier_commands", ["issued_at", "command_id"])
    op.create_index(
        "carrier_commands_unfinished",
        "carrier_commands",
        ["state", "issued_at", "command_id"],
        postgresql_where=sa.text("state <> 'succeeded'"),
    )

    op.create_table(
        "carrier_turns",
        sa.Column("carrier", sa.Text, primary_key=True),
        instant("next_at"),
        sa.Column("sent", JSONB, nullable=False, comment="how many attempts were sent at the last instants"),
        sa.Column("version", sa.BigInteger, nullable=False),
    )
    op.execute(CARRIER_LOADS)
    op.execute(CARRIER_CONTACTS)

    op.create_table(
        "voice_trunks",
        sa.Column("trunk_id", UUID(as_uuid=True), primary_key=True),
        sa.Column("account", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("endpoints", JSONB, nullable=False),
        instant("created_at", nullable=False),
        sa.Column("deleted", sa.Boolean, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
    )
    op.create_index("voice_trunks_account", "voice_trunks", [sa.text('account COLLATE "C"'), "name", "trunk_id"])

    op.create_table(
        "voice_trunk_groups",
        sa.Column("group_id", UUID(as_uuid=True), primary_key=True),
        sa.Column("account", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("trunks", JSONB, nullable=False),
        instant("created_at", nullable=False),
        sa.Column("deleted", sa.Boolean, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
    )
    op.create_index(
        "voice_trunk_groups_account", "voice_trunk_groups", [sa.text('account COLLATE "C"'), "name", "group_id"]
    )
    op.create_index(
        "voice_trunk_groups_trunks",
        "voice_trunk_groups",
        ["trunks"],
        postgresql_using="gin",
        postgresql_ops={"trunks": "jsonb_path_ops"},
        postgresql_where=sa.text("NOT deleted"),
    )
    op.execute(VOICE_TARGET_USES)

    op.create_table(
        "capacity_groups",
        sa.Column("group_id", UUID(as_uuid=True), primary_key=True),
        sa.Column("account", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("channels", sa.BigInteger, nullable=False),
        sa.Column("overcommit", sa.Boolean, nullable=False),
        sa.Column("reserved", sa.BigInteger, nullable=False, comment="by all members"),
        sa.Column("dids", sa.BigInteger, nullable=False, comment="members, all of them live"),
        instant("created_at", nullable=False),
        sa.Column("deleted", sa.Boolean, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
    )
    op.create_index("capacity_groups_account", "capacity_groups", [sa.text('account COLLATE "C"'), "name", "group_id"])

    op.create_table(
        "configuration_profiles",
        sa.Column("profile_id", UUID(as_uuid=True), primary_key=True),
        sa.Column("account", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("voice_trunk_id", UUID(as_uuid=True)),
        sa.Column("voice_trunk_group_id", UUID(as_uuid=True)),
        sa.Column("capacity", JSONB),
        sa.Column("capacity_group_id", UUID(as_uuid=True)),
        sa.Column("sms_trunk_id", UUID(as_uuid=True)),
        sa.Column("automatic_for", sa.Text, comment="the account whose new DIDs get it by itself"),
        instant("created_at", nullable=False),
        sa.Column("deleted", sa.Boolean, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
    )
    op.create_index(
        "configuration_profiles_account",
        "configuration_profiles",
        [sa.text('account COLLATE "C"'), "name", "profile_id"],
    )
    op.create_table(
        "automatic_profiles",
        sa.Column("account", sa.Text, primary_key=True),
        sa.Column("profile", JSONB, comment="as it is now; null if there is none any more"),
        sa.Column("version", sa.BigInteger, nullable=False),
    )
    for name in NAMED_BY_PROFILES:
        op.create_index(
            f"configuration_profiles_{name}",
            "configuration_profiles",
            [f"{name}_id"],
            postgresql_where=sa.text(f"{name}_id IS NOT NULL AND NOT deleted"),
        )
    op.execute(CONFIGURATION_PROFILE_USES)
    op.execute(NAMING_PROFILES)

    op.create_table(
        "sms_trunks",
        sa.Column("trunk_id", UUID(as_uuid=True), primary_key=True),
        sa.Column("account", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("endpoint", JSONB, nullable=False),
        sa.Column("key_id", sa.Text, comment="the key of the secret"),
        sa.Column("secret", BYTEA, comment="AES-256-GCM; null for a trunk without a secret"),
        sa.Column("secret_version", sa.Integer, nullable=False),
        instant("created_at", nullable=False),
        sa.Column("deleted", sa.Boolean, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
    )
    op.create_index("sms_trunks_account", "sms_trunks", [sa.text('account COLLATE "C"'), "name", "trunk_id"])
    op.create_index("sms_trunks_key", "sms_trunks", ["key_id", "trunk_id"])
    op.create_table(
        "credential_reads",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column(
            "written_at",
            TIMESTAMP(timezone=True),
            nullable=False,
            server_default=sa.text("clock_timestamp()"),
            comment="database time",
        ),
        sa.Column("subject", sa.Text, nullable=False, comment="the subject of the reader"),
        sa.Column("account", sa.Text, nullable=False, comment="the account of the reader"),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("trunk_id", UUID(as_uuid=True), nullable=False),
    )
    op.create_index("credential_reads_trunk", "credential_reads", ["trunk_id", "written_at"])
    op.create_index("credential_reads_written_at", "credential_reads", ["written_at"])
    op.execute(SMS_TRUNK_USES)


def downgrade() -> None:
    op.execute("DROP VIEW naming_profiles")
    op.execute("DROP VIEW configuration_profile_uses")
    op.drop_table("automatic_profiles")
    op.drop_table("configuration_profiles")
    op.drop_table("capacity_groups")
    op.execute("DROP VIEW voice_target_uses")
    op.execute("DROP VIEW sms_trunk_uses")
    op.drop_table("credential_reads")
    op.drop_table("sms_trunks")
    op.drop_table("voice_trunk_groups")
    op.drop_table("voice_trunks")
    op.execute("DROP VIEW carrier_contacts")
    op.execute("DROP VIEW carrier_loads")
    op.drop_table("carrier_turns")
    op.drop_table("carrier_commands")
    op.drop_table("number_queues")
    op.drop_table("routings")

"""The tables and views of provisioning and the kinds of states in them."""

from datetime import timedelta

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import BYTEA, JSONB
from sqlalchemy.dialects.postgresql import UUID as PG_UUID

from didflow_chassis.row_access import AllRows, RowsOfAccount, RowsOfParent, append_only
from didflow_chassis.states import WRITTEN_AT, Kind, instant, state_table, written_at
from didflow_provisioning.domain.capacity.group import CapacityGroup
from didflow_provisioning.domain.carrier_command import CarrierCommand
from didflow_provisioning.domain.carriers.silence import CarrierContact
from didflow_provisioning.domain.carriers.turns import CarrierLoad, CarrierTurns
from didflow_provisioning.domain.number_queue import NumberQueue
from didflow_provisioning.domain.profiles.profile import (
    AutomaticProfile,
    NamingProfiles,
    Profile,
    ProfileUse,
)
from didflow_provisioning.domain.routing import Routing
from didflow_provisioning.domain.targets.sms_trunks import SmsTrunk, SmsTrunkUse
from didflow_provisioning.domain.targets.voice_trunk_groups import VoiceTrunkGroup
from didflow_provisioning.domain.targets.voice_trunks import VoiceTargetUse, VoiceTrunk

METADATA = sa.MetaData()
"""The tables."""

VIEWS = sa.MetaData()
"""The views. They are loaded like tables and never written."""

VOICE_TARGET = "(voice -> 'delivery' ->> 'id')::uuid"
"""The voice target of a routing, as an expression with an index."""

PROFILE = "(profile ->> 'profile_id')::uuid"
"""The configuration profile of a routing, as an expression with an index."""

SMS_TARGET = "(sms -> 'delivery' ->> 'id')::uuid"
"""The SMS trunk of a routing, as an expression with an index."""

routings = state_table(
    "routings",
    METADATA,
    sa.Column("did_id", PG_UUID(as_uuid=True), primary_key=True),
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
    sa.Index("routings_due_at", "due_at", postgresql_where=sa.text("due_at IS NOT NULL")),
    sa.Index("routings_live_number", "number", postgresql_where=sa.text("end_reason IS NULL")),
    sa.Index(
        "routings_voice_target",
        sa.text(f"({VOICE_TARGET})"),
        "did_id",
        postgresql_where=sa.text("voice IS NOT NULL"),
    ),
    sa.Index(
        "routings_profile",
        sa.text(f"({PROFILE})"),
        postgresql_where=sa.text("profile IS NOT NULL"),
    ),
    sa.Index(
        "routings_sms_target",
        sa.text(f"({SMS_TARGET})"),
        "did_id",
        postgresql_where=sa.text("sms IS NOT NULL"),
    ),
    emits=True,
    rows=RowsOfAccount(),
)

number_queues = state_table(
    "number_queues",
    METADATA,
    sa.Column("number", sa.Text, primary_key=True),
    sa.Column("did_ids", JSONB, nullable=False, comment="DIDs that are not released yet, earliest first"),
    sa.Column("open_command_id", PG_UUID(as_uuid=True)),
    sa.Column("carrier", sa.Text, comment="of the open command, or of the one that waits for its turn"),
    sa.Column("commands_sent", sa.BigInteger, nullable=False),
    instant("turn_at"),
    instant("due_at"),
    sa.Index("number_queues_due_at", "due_at", postgresql_where=sa.text("due_at IS NOT NULL")),
)

carrier_commands = state_table(
    "carrier_commands",
    METADATA,
    sa.Column("command_id", PG_UUID(as_uuid=True), primary_key=True),
    sa.Column("did_id", PG_UUID(as_uuid=True), nullable=False),
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
    sa.Index("carrier_commands_did", "did_id", "issued_at", "command_id"),
    sa.Index("carrier_commands_number", "number"),
    sa.Index("carrier_commands_carrier", "carrier", "answered_at"),
    sa.Index(
        "carrier_commands_unanswered",
        "carrier",
        "issued_at",
        postgresql_where=sa.text("state IN ('out', 'waiting') AND code = 'no_answer'"),
    ),
    sa.Index("carrier_commands_issued_at", "issued_at", "command_id"),
    sa.Index(
        "carrier_commands_unfinished",
        "state",
        "issued_at",
        "command_id",
        postgresql_where=sa.text("state <> 'succeeded'"),
    ),
    rows=RowsOfParent(parent="routings", key="did_id"),
)

voice_trunks = state_table(
    "voice_trunks",
    METADATA,
    sa.Column("trunk_id", PG_UUID(as_uuid=True), primary_key=True),
    sa.Column("account", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("endpoints", JSONB, nullable=False),
    instant("created_at", nullable=False),
    sa.Column("deleted", sa.Boolean, nullable=False),
    sa.Index("voice_trunks_account", sa.text('account COLLATE "C"'), "name", "trunk_id"),
    rows=RowsOfAccount(serves_below=True),
)

voice_trunk_groups = state_table(
    "voice_trunk_groups",
    METADATA,
    sa.Column("group_id", PG_UUID(as_uuid=True), primary_key=True),
    sa.Column("account", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("trunks", JSONB, nullable=False),
    instant("created_at", nullable=False),
    sa.Column("deleted", sa.Boolean, nullable=False),
    sa.Index("voice_trunk_groups_account", sa.text('account COLLATE "C"'), "name", "group_id"),
    sa.Index(
        "voice_trunk_groups_trunks",
        "trunks",
        postgresql_using="gin",
        postgresql_ops={"trunks": "jsonb_path_ops"},
        postgresql_where=sa.text("NOT deleted"),
    ),
    rows=RowsOfAccount(serves_below=True),
)

sms_trunks = state_table(
    "sms_trunks",
    METADATA,
    sa.Column("trunk_id", PG_UUID(as_uuid=True), primary_key=True),
    sa.Column("account", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("endpoint", JSONB, nullable=False),
    sa.Column("key_id", sa.Text, comment="the key of the secret"),
    sa.Column("secret", BYTEA, comment="AES-256-GCM; null for a trunk without a secret"),
    sa.Column("secret_version", sa.Integer, nullable=False),
    instant("created_at", nullable=False),
    sa.Column("deleted", sa.Boolean, nullable=False),
    sa.Index("sms_trunks_account", sa.text('account COLLATE "C"'), "name", "trunk_id"),
    sa.Index("sms_trunks_key", "key_id", "trunk_id"),
    rows=RowsOfAccount(serves_below=True),
)

credential_reads = sa.Table(
    "credential_reads",
    METADATA,
    sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    written_at(),
    sa.Column("subject", sa.Text, nullable=False, comment="the subject of the reader"),
    sa.Column("account", sa.Text, nullable=False, comment="the account of the reader"),
    sa.Column("role", sa.Text, nullable=False),
    sa.Column("trunk_id", PG_UUID(as_uuid=True), nullable=False),
    sa.Index("credential_reads_trunk", "trunk_id", WRITTEN_AT),
    sa.Index("credential_reads_written_at", WRITTEN_AT),
    info=append_only(kept_for=timedelta(days=400)),
)
"""Who has read the credentials of an SMS trunk. The rows of the last year are there, and some more days."""

sms_trunk_uses = state_table(
    "sms_trunk_uses",
    VIEWS,
    sa.Column("trunk_id", PG_UUID(as_uuid=True), primary_key=True),
    sa.Column("dids", sa.BigInteger, nullable=False, comment="live DIDs; an ended DID has no SMS trunk"),
)

voice_target_uses = state_table(
    "voice_target_uses",
    VIEWS,
    sa.Column("target_id", PG_UUID(as_uuid=True), primary_key=True),
    sa.Column("dids", sa.BigInteger, nullable=False, comment="live DIDs; an ended DID has no voice target"),
    sa.Column("groups", sa.BigInteger, nullable=False, comment="groups that contain the voice trunk"),
)

capacity_groups = state_table(
    "capacity_groups",
    METADATA,
    sa.Column("group_id", PG_UUID(as_uuid=True), primary_key=True),
    sa.Column("account", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("channels", sa.BigInteger, nullable=False),
    sa.Column("overcommit", sa.Boolean, nullable=False),
    sa.Column("reserved", sa.BigInteger, nullable=False, comment="by all members"),
    sa.Column("dids", sa.BigInteger, nullable=False, comment="members, all of them live"),
    instant("created_at", nullable=False),
    sa.Column("deleted", sa.Boolean, nullable=False),
    sa.Index("capacity_groups_account", sa.text('account COLLATE "C"'), "name", "group_id"),
    rows=RowsOfAccount(serves_below=True),
)

carrier_turns = state_table(
    "carrier_turns",
    METADATA,
    sa.Column("carrier", sa.Text, primary_key=True),
    instant("next_at"),
    sa.Column("sent", JSONB, nullable=False, comment="how many attempts were sent at the last instants"),
)

carrier_loads = state_table(
    "carrier_loads",
    VIEWS,
    sa.Column("carrier", sa.Text, primary_key=True),
    sa.Column("out", sa.BigInteger, nullable=False),
)

carrier_contacts = state_table(
    "carrier_contacts",
    VIEWS,
    sa.Column("carrier", sa.Text, primary_key=True),
    instant("last_result_at"),
    instant("unanswered_since"),
    rows=AllRows(),
)

configuration_profiles = state_table(
    "configuration_profiles",
    METADATA,
    sa.Column("profile_id", PG_UUID(as_uuid=True), primary_key=True),
    sa.Column("account", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("voice_trunk_id", PG_UUID(as_uuid=True)),
    sa.Column("voice_trunk_group_id", PG_UUID(as_uuid=True)),
    sa.Column("capacity", JSONB),
    sa.Column("capacity_group_id", PG_UUID(as_uuid=True)),
    sa.Column("sms_trunk_id", PG_UUID(as_uuid=True)),
    sa.Column("automatic_for", sa.Text, comment="the account whose new DIDs get it by itself"),
    instant("created_at", nullable=False),
    sa.Column("deleted", sa.Boolean, nullable=False),
    sa.Index("configuration_profiles_account", sa.text('account COLLATE "C"'), "name", "profile_id"),
    *(
        sa.Index(
            f"configuration_profiles_{name}",
            f"{name}_id",
            postgresql_where=sa.text(f"{name}_id IS NOT NULL AND NOT deleted"),
        )
        for name in ("voice_trunk", "voice_trunk_group", "capacity_group", "sms_trunk")
    ),
    rows=RowsOfAccount(serves_below=True),
)

automatic_profiles = state_table(
    "automatic_profiles",
    METADATA,
    sa.Column("account", sa.Text, primary_key=True),
    sa.Column("profile", JSONB, comment="as it is now; null if there is none any more"),
)

configuration_profile_uses = state_table(
    "configuration_profile_uses",
    VIEWS,
    sa.Column("profile_id", PG_UUID(as_uuid=True), primary_key=True),
    sa.Column("dids", sa.BigInteger, nullable=False, comment="live DIDs; an ended DID has no profile"),
)

naming_profiles = state_table(
    "naming_profiles",
    VIEWS,
    sa.Column("named_id", PG_UUID(as_uuid=True), primary_key=True),
    sa.Column("profiles", sa.BigInteger, nullable=False, comment="configuration profiles that name it"),
)

ROUTING = Kind(model=Routing, table=routings, key="did_id", subject="number", due="due_at")
NUMBER_QUEUE = Kind(model=NumberQueue, table=number_queues, key="number", subject="number", due="due_at")
CARRIER_COMMAND = Kind(model=CarrierCommand, table=carrier_commands, key="command_id", subject="number")
VOICE_TRUNK = Kind(model=VoiceTrunk, table=voice_trunks, key="trunk_id")
CAPACITY_GROUP = Kind(model=CapacityGroup, table=capacity_groups, key="group_id")
VOICE_TRUNK_GROUP = Kind(model=VoiceTrunkGroup, table=voice_trunk_groups, key="group_id")
SMS_TRUNK = Kind(model=SmsTrunk, table=sms_trunks, key="trunk_id")
SMS_TRUNK_USE = Kind(model=SmsTrunkUse, table=sms_trunk_uses, key="trunk_id")
VOICE_TARGET_USE = Kind(model=VoiceTargetUse, table=voice_target_uses, key="target_id")
CARRIER_TURNS = Kind(model=CarrierTurns, table=carrier_turns, key="carrier")
CARRIER_LOAD = Kind(model=CarrierLoad, table=carrier_loads, key="carrier")
CARRIER_CONTACT = Kind(model=CarrierContact, table=carrier_contacts, key="carrier")
PROFILE_KIND = Kind(model=Profile, table=configuration_profiles, key="profile_id")
AUTOMATIC_PROFILE = Kind(model=AutomaticProfile, table=automatic_profiles, key="account")
NAMING_PROFILES = Kind(model=NamingProfiles, table=naming_profiles, key="named_id")
PROFILE_USE = Kind(model=ProfileUse, table=configuration_profile_uses, key="profile_id")
KINDS = (
    ROUTING,
    NUMBER_QUEUE,
    CARRIER_COMMAND,
    CARRIER_TURNS,
    CARRIER_LOAD,
    CARRIER_CONTACT,
    VOICE_TRUNK,
    VOICE_TRUNK_GROUP,
    VOICE_TARGET_USE,
    SMS_TRUNK,
    SMS_TRUNK_USE,
    CAPACITY_GROUP,
    PROFILE_KIND,
    AUTOMATIC_PROFILE,
    PROFILE_USE,
    NAMING_PROFILES,
)

"""What uses a target is found by one index, whatever the number of other DIDs, groups and profiles."""

import re
from typing import Any
from uuid import UUID

import pytest

from didflow_provisioning.store.moves import SMS, VOICE, VOICE_WITH_GROUPS, MovedDids
from didflow_provisioning.store.tables import (
    CARRIER_CONTACT,
    CARRIER_LOAD,
    NAMING_PROFILES,
    SMS_TRUNK_USE,
    VOICE_TARGET_USE,
)

TRUNK, JOB, ZERO = UUID(int=1), UUID(int=2), UUID(int=0)
OF_VOICE, OF_SMS, OF_GROUPS = "routings_voice_target", "routings_sms_target", "voice_trunk_groups_trunks"


def of_job(moved: MovedDids) -> dict[str, tuple[str, list[Any]]]:
    """Return the statements of a job and their values."""
    return {
        "count": (moved.count, [TRUNK]),
        "page": (moved.page, [TRUNK, ZERO, ZERO, 100]),
        "late page": (moved.late, [TRUNK, JOB, [UUID(int=3)], 100]),
    }


STATEMENTS: dict[str, tuple[str, list[Any], set[str]]] = {
    "voice, use": (VOICE_TARGET_USE.load_sql, [[TRUNK]], {OF_VOICE, OF_GROUPS}),
    "SMS, use": (SMS_TRUNK_USE.load_sql, [[TRUNK]], {OF_SMS}),
    "profiles, use": (
        NAMING_PROFILES.load_sql,
        [[TRUNK]],
        {
            f"configuration_profiles_{name}"
            for name in ("voice_trunk", "voice_trunk_group", "capacity_group", "sms_trunk")
        },
    ),
    **{f"voice, {name}": (*found, {OF_VOICE}) for name, found in of_job(VOICE).items()},
    **{f"SMS, {name}": (*found, {OF_SMS}) for name, found in of_job(SMS).items()},
    "voice with groups, count": (*of_job(VOICE_WITH_GROUPS)["count"], {OF_VOICE, OF_GROUPS}),
    "voice with groups, page": (*of_job(VOICE_WITH_GROUPS)["page"], {OF_VOICE, OF_GROUPS}),
}
"""Each statement, its values, and the indexes by which it finds what uses a target."""

OTHERS = """
INSERT INTO routings SELECT (jsonb_populate_record(r, jsonb_build_object(
    'did_id', gen_random_uuid(),
    'voice', jsonb_build_object('delivery', jsonb_build_object('id', gen_random_uuid())),
    'sms', jsonb_build_object('delivery', jsonb_build_object('id', gen_random_uuid()))
))).* FROM routings r, generate_series(1, 2000)
"""
OTHER_GROUPS = """
INSERT INTO voice_trunk_groups (group_id, account, name, trunks, created_at, deleted, version)
SELECT gen_random_uuid(), 'master', 'x', jsonb_build_array(jsonb_build_object('voice_trunk_id', gen_random_uuid())),
    now(), false, 1 FROM generate_series(1, 2000)
"""
OTHER_PROFILES = """
INSERT INTO configuration_profiles (profile_id, account, name, voice_trunk_id, voice_trunk_group_id,
    capacity_group_id, sms_trunk_id, created_at, deleted, version)
SELECT gen_random_uuid(), 'master', 'x', gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), gen_random_uuid(),
    now(), false, 1 FROM generate_series(1, 2000)
"""
LARGE = {"routings", "voice_trunk_groups", "configuration_profiles"}


ALL_INDEXES = set[str]().union(*(indexes for _, _, indexes in STATEMENTS.values()))


async def test_what_uses_a_target_is_found_by_one_index(purchased: Any) -> None:
    """Among 2,000 DIDs, groups and profiles, PostgreSQL chooses the indexes by itself and reads no other rows."""
    for others in (OTHERS, OTHER_GROUPS, OTHER_PROFILES):
        await purchased.fetch(others)
    await purchased.fetch("ANALYZE routings, voice_trunk_groups, configuration_profiles")
    wrong = {}
    for name, (statement, values, indexes) in STATEMENTS.items():
        plan = "\n".join(row[0] for row in await purchased.fetch(f"EXPLAIN {statement}", *values))
        scans = re.findall(r"(\w+(?: Only)? Scan)(?: using (\w+))? on (\w+)", plan)
        is_read_whole = any(kind == "Seq Scan" and on in LARGE for kind, _, on in scans)
        if is_read_whole or {using or on for _, using, on in scans} & ALL_INDEXES != indexes:
            wrong[name] = plan
    assert not wrong, "\n\n".join(f"{name}:\n{plan}" for name, plan in wrong.items())


COMMANDS = """
INSERT INTO carrier_commands SELECT (jsonb_populate_record(c, jsonb_build_object(
    'command_id', gen_random_uuid(), 'carrier', 'carrier ' || n % 3, 'state', 'succeeded',
    'answered_at', now() - n * interval '1 second'
))).* FROM carrier_commands c, generate_series(1, 3000) n
"""


@pytest.mark.parametrize("kind", [CARRIER_CONTACT, CARRIER_LOAD], ids=lambda kind: kind.table.name)
async def test_what_a_carrier_was_last_heard_of_is_read_by_indexes(
    purchased: Any, messages: Any, kind: Any
) -> None:
    """Among 3,000 commands of three carriers, PostgreSQL reads no table of commands from end to end."""
    await purchased.receive(messages.registration())
    await purchased.fetch(COMMANDS)
    await purchased.fetch("ANALYZE carrier_commands")
    plan = "\n".join(row[0] for row in await purchased.fetch(f"EXPLAIN {kind.load_sql}", ["carrier 1"]))
    assert "Seq Scan on carrier_commands" not in plan, plan
    loaded = await purchased.fetch(kind.load_sql, ["carrier 1", "simulator", "unknown"])
    assert {row[0] for row in loaded} == (
        {"carrier 1", "simulator"} if kind is CARRIER_CONTACT else {"simulator"}
    )

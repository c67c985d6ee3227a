"""The DIDs of a voice trunk are found by one index, whatever the number of other DIDs."""

import re
from typing import Any
from uuid import UUID

import pytest

from didflow_provisioning.store.moves import VOICE, VOICE_WITH_GROUPS
from didflow_provisioning.store.tables import CARRIER_CONTACT, CARRIER_LOAD, VOICE_TARGET_USE

TRUNK, JOB = UUID(int=1), UUID(int=2)
STATEMENTS: dict[str, tuple[str, list[Any]]] = {
    "count": (VOICE_TARGET_USE.load_sql, [[TRUNK]]),
    "count of the job": (VOICE.count, [TRUNK]),
    "page": (VOICE.page, [TRUNK, UUID(int=0), UUID(int=0), 100]),
    "page with groups": (VOICE_WITH_GROUPS.page, [TRUNK, UUID(int=0), UUID(int=0), 100]),
    "late page": (VOICE.late, [TRUNK, JOB, [UUID(int=3)], 100]),
}
USED_TRUNKS = """
INSERT INTO routings SELECT (jsonb_populate_record(r, jsonb_build_object(
    'did_id', gen_random_uuid(), 'voice', jsonb_build_object('delivery', jsonb_build_object('id', gen_random_uuid()))
))).* FROM routings r, generate_series(1, 2000)
"""


@pytest.mark.parametrize("name", STATEMENTS)
async def test_the_dids_of_a_trunk_are_found_by_one_index(purchased: Any, name: str) -> None:
    """Among 2,000 DIDs with trunks of their own, PostgreSQL chooses the index by itself and reads no other DIDs."""
    statement, values = STATEMENTS[name]
    await purchased.fetch(USED_TRUNKS)
    await purchased.fetch("ANALYZE routings")
    plan = "\n".join(row[0] for row in await purchased.fetch(f"EXPLAIN {statement}", *values))
    scans = set(re.findall(r"(\w+ Scan)(?: using (\w+))? on (\w+)", plan))
    of_dids = {scan for scan in scans if scan[2] in {"routings", "routings_voice_target"}}
    assert of_dids <= {
        ("Index Scan", "routings_voice_target", "routings"),
        ("Heap Scan", "", "routings"),
        ("Index Scan", "", "routings_voice_target"),
    }
    assert "routings_voice_target" in plan


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

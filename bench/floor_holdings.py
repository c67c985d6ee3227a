"""What the floor writes for a batch of holdings: all that provisioning writes when it sends the activation."""

from collections.abc import Sequence
from typing import Any, Final
from uuid import uuid4

from bench.floor_record import Record, Statement, json_text, record

_ROUTINGS: Final = """
UPDATE routings AS r SET account = a, features = f, carrier = 'simulator', origin = 'purchased', stock = 'assigned',
    confirmed = true, carrier_state = 'activating', served_by = 'simulator', open_command = c,
    sequences = r.sequences || '{"holding:/didflow/inventory": 1}', version = r.version + 1, sequence = r.sequence + 2
FROM unnest($1::uuid[], $2::text[], $3::jsonb[], $4::jsonb[]) AS u (d, a, f, c) WHERE did_id = d
"""
_QUEUES: Final = """
INSERT INTO number_queues (number, did_ids, open_command_id, carrier, commands_sent, due_at, version)
SELECT n, d, c, 'simulator', 1, clock_timestamp() + interval '2 minutes', 1
FROM unnest($1::text[], $2::jsonb[], $3::uuid[]) AS u (n, d, c)
"""
_COMMANDS: Final = """
INSERT INTO carrier_commands (command_id, did_id, number, account, carrier, action, content, state, attempt, issued_at,
    deadline, next_at, give_up_at, version)
SELECT c, d, n, a, 'simulator', 'activate', p, 'out', 1, s, s + interval '2 minutes', s + interval '2 minutes',
    s + interval '7 days', 1
FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::jsonb[]) AS u (c, d, n, a, p),
    LATERAL (SELECT clock_timestamp() AS s) AS now
"""


def as_provisioning(events: Sequence[Any]) -> tuple[list[Statement], list[Record]]:
    """Write the routing, the queue of the number and the command, and publish the axis and the command."""
    data = [event["data"] for event in events]
    ids, numbers, accounts = ([d[name] for d in data] for name in ("did_id", "number", "account"))
    commands = [str(uuid4()) for _ in data]
    contents = [{"features": d["features"], "keep": False} for d in data]
    opened = [
        json_text({"command_id": command, "action": "activate", "content": content})
        for command, content in zip(commands, contents, strict=True)
    ]
    statements: list[Statement] = [
        (_ROUTINGS, (ids, accounts, [json_text(d["features"]) for d in data], opened)),
        (_QUEUES, (numbers, [json_text([did_id]) for did_id in ids], commands)),
        (_COMMANDS, (commands, ids, numbers, accounts, [json_text(content) for content in contents])),
    ]
    said = [
        each
        for event, command in zip(events, commands, strict=True)
        for each in (_routing_changed(event), _command_issued(event, command))
    ]
    return statements, said


def _routing_changed(event: Any) -> Record:
    data = {
        **dict.fromkeys(("reason", "voice", "capacity", "capacity_group", "sms")),
        "carrier": "simulator",
        "carrier_state": "activating",
        "unapplied": [{"action": "activate", "state": "out", "code": None}],
        "voice_ready": False,
        "sms_ready": False,
        "missing": {"voice": "await_carrier", "sms": None},
    }
    return record(event, "routing.changed", "provisioning", "1", data)


def _command_issued(event: Any, command: str) -> Record:
    data = {
        "command_id": command,
        "carrier": "simulator",
        "action": "activate",
        "parameters": {"features": event["data"]["features"], "voice": None, "capacity": None, "sms": None},
        "attempt": 1,
        "deadline": event["time"],
        "give_up_at": event["time"],
    }
    return record(event, "provisioning.commands", "provisioning", "2", data)

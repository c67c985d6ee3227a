"""The parked messages of several services, on real databases: the stage writes them, the command lists them."""

import json
import os
import subprocess
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import asyncpg

from didflow import parked
from didflow.parked import Wanted
from didflow.processes import script
from didflow.services import service
from didflow_chassis.testing import ServiceOnPostgres

TOPIC = "verification.approved"
SAID = (Path(__file__).parents[3] / "examples" / "events" / f"{TOPIC}.json").read_bytes()
DID, NUMBER = UUID(json.loads(SAID)["data"]["did_id"]), json.loads(SAID)["subject"]
SECRET = "Mary Example, 1 Example Quay"
WRITE = """
INSERT INTO parked (entity, subject, model, reason, attempts, due_at, since, last_error, inbox_id, topic, value)
VALUES ($1, '+442079460018', 'Term', $2, 2, clock_timestamp() + interval '1 hour',
        clock_timestamp() - make_interval(hours => $3), $4, '', 'did.purchased', $5)
"""


async def receive_early(name: str, dsn: str) -> None:
    """Let the service receive a registration before the purchase."""
    async with ServiceOnPostgres.open(service(name), dsn, migrate=False) as opened:
        await opened.receive_record(TOPIC, SAID, key=NUMBER.encode())


async def insert_parked(dsn: str, entity: str, reason: str, *, hours: int) -> None:
    """Insert a message whose bytes and error name a person."""
    connection = await asyncpg.connect(dsn)
    value = json.dumps({"type": SECRET, "data": {"name": SECRET}}).encode()
    await connection.execute(WRITE, entity, reason, hours, f"ValueError: {SECRET}", value)
    await connection.close()


async def test_an_early_message_is_listed_with_what_it_waits_for(databases: Mapping[str, str]) -> None:
    """The entity, the event, what is missing and since when, for every service."""
    for name, dsn in databases.items():
        await receive_early(name, dsn)
    found = await parked.listed(databases, Wanted(), limit=10)
    assert [one.service for one in found] == ["billing", "provisioning"]
    for one in found:
        assert (one.entity, one.number, one.topic) == (str(DID), NUMBER, TOPIC)
        assert one.type == "didflow.verification.approved.v1"
        assert (one.reason, one.attempts, one.due_at) == ("early", 0, None)
        assert timedelta(0) <= one.age < timedelta(minutes=1)
    assert found[0].missing == "did.purchased"
    assert found[1].missing


async def test_the_list_is_by_age_and_can_be_narrowed(databases: Mapping[str, str]) -> None:
    """The longest parked comes first, over all services. Reason, DID, number and limit narrow the list."""
    await receive_early("billing", databases["billing"])
    for name, entity, reason, hours in (("provisioning", "a", "dead", 9), ("billing", "b", "behind", 3)):
        await insert_parked(databases[name], entity, reason, hours=hours)
    found = await parked.listed(databases, Wanted(), limit=10)
    assert [one.entity for one in found] == ["a", "b", str(DID)]
    assert found[0].due_at is not None
    for wanted in (Wanted(reason="early"), Wanted(entity=str(DID)), Wanted(number=NUMBER)):
        narrowed = await parked.listed(databases, wanted, limit=10)
        assert [one.entity for one in narrowed] == [str(DID)]
    assert [one.entity for one in await parked.listed(databases, Wanted(), limit=1)] == ["a"]
    assert await parked.listed(databases, Wanted(reason="early", number="+442079460018"), limit=1) == []


def didflow(folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    here = {name: value for name, value in os.environ.items() if not name.startswith("DIDFLOW_")}
    verb = () if arguments[:1] == ("give-up",) else ("list",)
    command = [script("didflow"), "parked", *verb, *arguments, "--data", str(folder)]
    return subprocess.run(command, env=here, capture_output=True, text=True, timeout=60, check=False)


async def test_the_command_prints_no_content_of_a_message(databases: Mapping[str, str], folder: Path) -> None:
    """It prints no value, no header and no error text, because each can name a person."""
    await insert_parked(databases["billing"], str(DID), "retry", hours=30)
    await receive_early("provisioning", databases["provisioning"])
    table, lines = didflow(folder), didflow(folder, "--json")
    assert SECRET not in table.stdout + lines.stdout
    assert "1 d 6 h" in table.stdout
    said = [json.loads(line) for line in lines.stdout.splitlines()]
    assert [(one["service"], one["reason"], one["type"]) for one in said] == [
        ("billing", "retry", ""),
        ("provisioning", "early", "didflow.verification.approved.v1"),
    ]
    assert 108_000 <= said[0]["age_seconds"] < 108_100
    assert len(didflow(folder, "--service", "billing", "--json").stdout.splitlines()) == 1
    nothing = didflow(folder, "--number", "+10000000000")
    assert nothing.stdout.strip() == "no parked messages"
    assert "no numbering plan contains +10000000000" in nothing.stderr


async def test_a_did_is_named_by_the_beginning_of_its_id(databases: Mapping[str, str], folder: Path) -> None:
    """If two DIDs begin so, the error lists both. If none does, nothing is listed."""
    for entity in (str(DID), f"{str(DID)[:-1]}f"):
        await insert_parked(databases["billing"], entity, "behind", hours=1)
    one = didflow(folder, "--did", f"{str(DID)[:-1]}f", "--json")
    assert [json.loads(line)["entity"] for line in one.stdout.splitlines()] == [f"{str(DID)[:-1]}f"]
    both = didflow(folder, "--did", str(DID)[:20])
    assert both.returncode == 1
    assert both.stderr.startswith(f"didflow: ambiguous: {str(DID)[:20]} is the beginning of 2 ids.")
    assert [line.strip() for line in both.stderr.splitlines()[1:]] == [str(DID), f"{str(DID)[:-1]}f"]
    assert didflow(folder, "--did", "ffff").stdout.strip() == "no parked messages"


async def test_an_unknown_reason_is_an_error(folder: Path) -> None:
    """One line with a stable code and the reasons that exist."""
    done = didflow(folder, "--reason", "tired")
    assert done.returncode == 1
    assert (
        done.stderr.strip()
        == "didflow: bad_input: Unknown reason 'tired'. Use one of early, retry, behind, dead."
    )


async def test_messages_under_retry_are_given_up(databases: Mapping[str, str], folder: Path) -> None:
    """Those that the options name have no attempts left and are due at once. The others stay as they are."""
    await insert_parked(databases["billing"], "a", "retry", hours=1)
    await insert_parked(databases["provisioning"], "b", "retry", hours=1)
    await insert_parked(databases["billing"], "c", "behind", hours=1)
    assert "Say which messages" in didflow(folder, "give-up").stderr
    assert didflow(folder, "give-up", "--type", "did.removed").stdout.strip() == "no messages under retry"
    asked = didflow(folder, "give-up", "--service", "billing", "--all")
    assert (asked.returncode, "--yes" in asked.stderr) == (1, True)
    done = didflow(folder, "give-up", "--service", "billing", "--number", "+442079460018", "--yes")
    assert done.stdout.startswith("1 messages are tried once more.")
    found = await parked.listed(databases, Wanted(), limit=10)
    assert {one.entity: one.attempts for one in found} == {"a": 4, "b": 2, "c": 2}
    (given_up,) = (one for one in found if one.entity == "a")
    assert given_up.due_at is not None
    assert given_up.due_at - given_up.since < timedelta(hours=1, minutes=1)

"""`didflow dlq` and `didflow parked` in terminals of 60, 80 and 200 columns, and in a pipe."""

import asyncio
import os
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from uuid import UUID

import asyncpg
import pytest
from harness.terminal import Seen, in_terminal

from didflow.processes import script
from didflow_contracts.ids import uuid7

WIDTHS = (60, 80, 200)
LETTER = """
INSERT INTO dead_letters (id, at, reason, detail, topic, partition, "offset", key, value, headers, truncated)
VALUES ($1, clock_timestamp(), 'unsupported_version', $2, 'verification.not_required', 11, $3, 'k', 'v', '[]', $4)
"""
PARKED = """
INSERT INTO parked (entity, subject, model, reason, missing, attempts, due_at, since, inbox_id, topic, type)
VALUES ($1, '+442079460018', 'Term', 'retry', 'verification.not_required', 3, clock_timestamp(),
        clock_timestamp() - interval '40 hours', '', 'verification.not_required',
        'didflow.verification.not_required.v1')
"""
DETAIL = "\x1b[31mThe event has version 2, and this release knows version 1 of it only. " * 2
ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


async def insert(databases: Mapping[str, str], count: int, *, truncated: bool = False) -> list[UUID]:
    """Insert records that both services gave up, and DIDs with a parked message in both. Return the first ids."""
    ids = [[uuid7() for _ in range(count)] for _ in databases]
    for dsn, mine in zip(databases.values(), ids, strict=True):
        connection = await asyncpg.connect(dsn)
        for offset, letter in enumerate(mine):
            await connection.execute(LETTER, letter, DETAIL, offset, truncated)
            await connection.execute(PARKED, str(ids[0][offset]))
        await connection.close()
    return ids[0]


def environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("DIDFLOW_")}


async def on_terminal(width: int, folder: Path, *arguments: str, answer: str = "") -> Seen:
    command = [script("didflow"), *arguments, "--data", str(folder)]
    return await asyncio.to_thread(in_terminal, command, width=width, answer=answer, env=environment())


def piped(folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [script("didflow"), *arguments, "--data", str(folder)]
    nobody = subprocess.DEVNULL
    return subprocess.run(
        command, env=environment(), capture_output=True, stdin=nobody, text=True, timeout=60, check=False
    )


@pytest.mark.parametrize("command", ["dlq", "parked"])
async def test_every_id_is_whole_on_one_line_at_every_width(
    databases: Mapping[str, str], folder: Path, command: str
) -> None:
    """In terminals of 60, 80 and 200 columns and in a pipe. No line is wider than its terminal: nothing wraps."""
    ids = await insert(databases, 3)
    seen = await asyncio.gather(*(on_terminal(width, folder, command, "list") for width in WIDTHS))
    shown = [one.lines for one in seen]
    for width, lines in zip(WIDTHS, shown, strict=True):
        assert all(len(re.sub("\x1b\\[\\d*m", "", line)) <= width for line in lines)
    for lines in (*shown, piped(folder, command, "list").stdout.splitlines()):
        rows = 1 if command == "dlq" else len(databases)
        assert [sum(str(one) in line for line in lines) for one in ids] == [rows] * len(ids)
        text = " ".join(lines)
        assert "verification.not_required" in text
        assert "\x1b[31m" not in text


async def test_a_record_of_two_services_is_one_row_that_names_both(
    databases: Mapping[str, str], folder: Path
) -> None:
    """Also where each row is a block. In a pipe, each record is one line with its whole detail."""
    ids = await insert(databases, 2)
    seen = await on_terminal(60, folder, "dlq", "list")
    assert ID.findall(seen.text) == [str(one) for one in ids]
    assert seen.text.count("billing, provisioning") == len(ids)
    lines = piped(folder, "dlq", "list").stdout.splitlines()
    assert len(lines) == 1 + len(ids)
    assert all("knows version 1 of it only. \\u001b[31mThe event" in line for line in lines[1:])


async def test_everything_is_handled_only_after_a_yes(databases: Mapping[str, str], folder: Path) -> None:
    """The question has the count. Any other answer changes nothing, with exit code 1."""
    await insert(databases, 2)
    refused = await on_terminal(80, folder, "dlq", "drop", "--all", answer="n\n")
    assert "Drop 4 dead letters of billing, provisioning? [y/N]" in refused.text
    assert "Nothing was changed." in refused.text
    assert refused.exit_code == 1
    done = await on_terminal(60, folder, "dlq", "drop", "--all", "--service", "billing", answer="y\n")
    assert done.exit_code == 0
    assert "Drop 2 dead letters of billing? [y/N]" in done.text
    assert done.text.count(" dropped") == 2
    assert piped(folder, "dlq", "drop", "--all", "--yes").stdout.count(" dropped") == 2
    assert piped(folder, "dlq", "drop", "--all").stdout.strip() == "no dead letters"


@pytest.mark.parametrize("verb", ["retry", "drop"])
async def test_without_a_terminal_and_without_yes_nothing_is_changed(
    databases: Mapping[str, str], folder: Path, verb: str
) -> None:
    """The error says what to add."""
    await insert(databases, 2)
    done = piped(folder, "dlq", verb, "--all")
    assert done.returncode == 1
    assert done.stderr.startswith("didflow: no_terminal: ")
    assert f"To {verb} 4 dead letters of billing, provisioning: --yes." in done.stderr
    assert len(piped(folder, "dlq", "list").stdout.splitlines()) == 3


async def test_one_id_handles_the_record_in_every_service(databases: Mapping[str, str], folder: Path) -> None:
    """A beginning of the id is enough. Each service has its own line. A second retry has nothing to do."""
    one, other = await insert(databases, 2)
    assert str(one)[:8] == str(other)[:8]
    ambiguous = piped(folder, "dlq", "retry", str(one)[:8])
    assert (ambiguous.returncode, ID.findall(ambiguous.stderr)) == (1, [str(one), str(other)])
    retried = piped(folder, "dlq", "retry", str(one)[:-2], "--no-wait")
    assert retried.returncode == 0
    assert re.findall(r"(\w+) +retried$", retried.stdout, re.MULTILINE) == ["billing", "provisioning"]
    again = piped(folder, "dlq", "retry", str(one), "--no-wait")
    assert (again.returncode, "nothing to do" in again.stdout) == (0, True)
    narrow = await on_terminal(60, folder, "dlq", "drop", str(other))
    assert ID.findall(narrow.text)[0] == str(other)
    assert narrow.text.count("dropped") == 2


async def test_a_record_that_was_stored_in_part_cannot_be_retried(
    databases: Mapping[str, str], folder: Path
) -> None:
    """Each of its lines says so, and the exit code is 1."""
    (cut,) = await insert(databases, 1, truncated=True)
    done = piped(folder, "dlq", "retry", str(cut))
    assert (done.returncode, done.stdout.count("refused (truncated)")) == (1, 2)


async def test_one_object_has_the_record_and_its_dead_letters(
    databases: Mapping[str, str], folder: Path
) -> None:
    """`list --json` has one line for each record, `show` also the bytes of the record."""
    import json

    (one,) = await insert(databases, 1)
    (line,) = piped(folder, "dlq", "list", "--json").stdout.splitlines()
    listed, shown = json.loads(line), json.loads(piped(folder, "dlq", "show", str(one)[:-4]).stdout)
    assert listed["services"] == ["billing", "provisioning"]
    assert {letter["service"] for letter in listed["letters"]} == set(databases)
    assert "value" not in listed
    assert shown == listed | {"headers": {}, "value": "v"}
    assert shown["letters"][0]["detail"] == DETAIL


@pytest.mark.parametrize("command", [("dlq", "list"), ("parked", "list"), ("dlq", "list", "--json")])
async def test_a_closed_pipe_ends_a_list_quietly(
    databases: Mapping[str, str], folder: Path, command: tuple[str, ...]
) -> None:
    """`head -1` gets its line. There is no message, and the exit code is that of SIGPIPE, or 0."""
    await insert(databases, 200)
    line = " ".join([script("didflow"), *command, "--limit", "1000", "--data", str(folder)])
    shell = ["bash", "-c", f"{line} | head -1; exit ${{PIPESTATUS[0]}}"]
    done = await asyncio.to_thread(
        subprocess.run, shell, env=environment(), capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.stderr, len(done.stdout.splitlines())) == ("", 1)
    assert done.returncode in (0, 141)


async def test_a_reason_that_no_dead_letter_has_is_answered_with_those_that_exist(
    databases: Mapping[str, str], folder: Path
) -> None:
    """A typing error is not taken for an empty list."""
    await insert(databases, 1)
    done = piped(folder, "dlq", "list", "--reason", "unsuported_version")
    assert "there are: unsupported_version" in done.stdout

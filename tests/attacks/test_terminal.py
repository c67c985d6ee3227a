"""Records with terminal escapes, as an operator sees them: no command prints a byte that a terminal obeys."""

import asyncio
import os
import re
from contextlib import suppress
from pathlib import Path
from typing import Final

from harness.outside_records import ATTACKED, numbers, purchase, record

from attacks.target import PATIENCE_S, Target
from didflow import processes as programs
from didflow import state
from didflow_chassis.records import Record

NUMBERS = numbers("+12129")
ESCAPES: Final = "\x1b]0;owned\x07\x1b[2J\x1b[31m\x9b31m\u202e\r"
LETTER: Final = 'SELECT id FROM dead_letters WHERE topic = $1 AND partition = $2 AND "offset" = $3'
CONTROL: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
"""What a terminal may obey. Line ends and tabs are no danger."""


def escaping() -> list[Record]:
    """Return a purchase with escapes in each text, and records that are no events, with escapes all over."""
    number = next(NUMBERS)
    texts = {name: ESCAPES + name for name in ("order_id", "carrier", "region", "area")}
    good = record("did.purchased", purchase(number, **texts))
    bad = ESCAPES.encode()
    headers = ((ESCAPES, bad), ("ce_type", bad))
    return [
        good,
        Record("did.purchased", ATTACKED, 0, bad, bad, headers),
        record("did.purchased", purchase(number, **texts), source=f"/orders/{ESCAPES}", id=ESCAPES),
        record("did.purchased", purchase(number, account=ESCAPES), actor=ESCAPES),
        record("did.purchased", purchase(number), source=f"/intruders/{ESCAPES}"),
    ]


async def test_what_an_operator_is_shown_contains_no_terminal_escapes(target: Target, tmp_path: Path) -> None:
    """`didflow dlq list`, `dlq show` and `events` print them as text."""
    parts = target.installation.parts
    running = state.StackState(
        pid=os.getpid(),
        born=state.birth_of(os.getpid()),
        kafka=parts.kafka,
        http="http://127.0.0.1:1",
        postgres={state.ADMIN: parts.postgres["billing"], **parts.postgres},
        topic_prefix=parts.topic_prefix,
        embedded_kafka=False,
        embedded_postgres=False,
    )
    state.write(tmp_path, running)
    async with target.beside_bystanders("terminal escapes in records"):
        places = await target.publish(escaping())
        await target.fates(places)
        letter_id = await target.databases["billing"].fetchval(LETTER, *places[1])
        folder = ("--data", str(tmp_path))
        await prints_no_escapes("dlq", "list", "--reason", "unexpected_source", *folder, shows="intruders")
        await prints_no_escapes("dlq", "show", str(letter_id), "--service", "billing", *folder, shows="owned")
        topics = ("--topic", "did.purchased", "--topic", "billing.dlq")
        await prints_no_escapes("events", "--from-start", *topics, *folder, shows="owned")


async def prints_no_escapes(*arguments: str, shows: str) -> None:
    """Run a command until it ends or has printed this text, and a second longer."""
    process = await asyncio.create_subprocess_exec(
        programs.script("didflow"),
        *arguments,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    assert process.stdout is not None
    printed = b""
    try:
        async with asyncio.timeout(PATIENCE_S):
            while shows.encode() not in printed and (found := await process.stdout.read(65_536)):
                printed += found
        with suppress(TimeoutError):
            async with asyncio.timeout(1):
                while found := await process.stdout.read(65_536):
                    printed += found
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()
    text = printed.decode("utf-8", "surrogateescape")
    assert shows in text, f"{arguments} printed {text[:500]!r}"
    found_controls = CONTROL.findall(text)
    assert not found_controls, f"{arguments} printed {sorted(set(found_controls))!r}"

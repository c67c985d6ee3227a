"""Every command line of `didflow` that the documents show, on one running stack, as a reader would type it."""

import asyncio
import json
import os
import re
import subprocess
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import asyncpg
import pytest
import typer
from aiokafka import AIOKafkaProducer
from harness.processes import RunningProcess, until

from didflow import dead_letters
from didflow.cli import app
from didflow.processes import script
from didflow.services import SERVICES
from didflow_contracts.ids import uuid7

ROOT = Path(__file__).parents[3]
DOCUMENTS = (
    "README.md",
    "stack/README.md",
    "docs/operations.md",
    "docs/faults/F22.md",
    "docs/faults/final-check.md",
)
NAMES = "|".join(typer.main.get_group(app).commands)
NUMBER = "+442079460018"
EXAMPLES = ROOT / "examples" / "events"

ELSEWHERE = {
    "didflow up": "every test of this file runs on it",
    "didflow up --json": "test_up.py",
    "didflow demo": "test_demo.py",
    "didflow adapter test": "test_conformance.py",
    "didflow adapter test NAME": "test_conformance.py",
}
"""Command lines that other tests run."""
GROUPS = {"didflow dlq", "didflow jobs", "didflow parked give-up"}
"""Names of groups of commands, and of commands that need options. They are run with `--help`."""
PUBLISHED_ALL_THE_TIME = "did.status_changed"
"""A topic that no service reads: `didflow events` needs a record that comes after its start."""
JOB = """
WITH job AS (
    INSERT INTO jobs (job_id, kind, account, role, created_by, created_at, parameters, state, total, done, leased_until)
    VALUES ($1, 'an example', 'master', 'operator', 'user:ann', clock_timestamp(), '{}', $2, 2, 1, clock_timestamp()))
INSERT INTO job_results (job_id, n, item, outcome, code) VALUES ($1, 1, 'one', 'refused', 'not_found')
"""
"""A job that no worker takes, because no service knows its kind."""


def command_lines(text: str) -> list[str]:
    """Return the command lines of a document: code in its text, and lines of its blocks, with and without options."""
    blocks = [
        code for language, code in re.findall(r"```(\w*)\n(.*?)```", text, re.DOTALL) if language != "mermaid"
    ]
    prose = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
    spans = [" ".join(span.split()) for span in re.findall(r"`([^`]+)`", prose)]
    found = [span for span in spans if re.match(rf"didflow ({NAMES})\b", span)]
    for block in blocks:
        lines = re.findall(rf"didflow (?:{NAMES})\b.*", block)
        found += [re.split(r"  +| #|\)", line)[0].strip() for line in lines]
    return [way for line in found for way in {re.sub(r" \[.*?\]", "", line), re.sub(r"[\[\]]", "", line)}]


def of_all_documents() -> list[str]:
    lines = {line for name in DOCUMENTS for line in command_lines((ROOT / name).read_text())}
    return sorted(lines - ELSEWHERE.keys())


LINES = of_all_documents()


def is_last(line: str) -> bool:
    """Return True for a line that would change what the others find."""
    return "--all" in line or "advance" in line


def registered_sources() -> str:
    """Return the example of a file of registered sources."""
    blocks = re.findall(r"```json\n(.*?)```", (ROOT / "docs" / "operations.md").read_text(), re.DOTALL)
    return next(block for block in blocks if '"prefix"' in block)


class Stack:
    """A running stack with a dead record for each line that names one, and what the lines printed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.process = RunningProcess.start(
            [script("didflow"), "up", "--json", "--port", "0", "--data", str(folder)], log=folder / "up.log"
        )
        self.sources = folder / "sources.json"
        self.sources.write_text(registered_sources())
        self.done: dict[str, subprocess.CompletedProcess[str]] = {}

    async def run_lines(self) -> None:
        """Run all lines: those that change everything last, one after the other."""
        said = json.loads(await until(self._said, within=120, what="the line of `didflow up --json`"))
        databases = {name: said["postgres"][name] for name in SERVICES}
        with_id = [line for line in LINES if "dlq" in line and " ID" in line]
        producer = AIOKafkaProducer(bootstrap_servers=said["kafka"], acks="all")
        await producer.start()
        try:
            await publish(producer, len(with_id))

            async def all_dead() -> bool:
                return await dead_letters.counted(databases) == {
                    n: {"not_json": len(with_id)} for n in SERVICES
                }

            await until(all_dead, within=60, what="a dead letter of each record in each service")
            records = await dead_letters.records(databases, reason=None, limit=99)
            ids = {line: str(record.id) for line, record in zip(with_id, records, strict=True)}
            await self._run(producer, ids | await insert_jobs(databases["inventory"]))
        finally:
            await producer.stop()

    async def _run(self, producer: AIOKafkaProducer, ids: dict[str, str]) -> None:
        publishing = asyncio.create_task(publish_for_ever(producer))
        with ThreadPoolExecutor(4) as pool:
            loop = asyncio.get_running_loop()
            for lines in (
                [line for line in LINES if not is_last(line)],
                *([line] for line in LINES if is_last(line)),
            ):
                runs = (loop.run_in_executor(pool, self._run_line, line, ids.get(line, "")) for line in lines)
                self.done |= dict(zip(lines, await asyncio.gather(*runs), strict=True))
        publishing.cancel()

    def _run_line(self, line: str, letter_id: str) -> "subprocess.CompletedProcess[str]":
        text = line.replace(" ID", f" {letter_id}").replace("R --account P", "reseller --account master/acme")
        text = text.replace("sources.json", str(self.sources))
        if line in GROUPS:
            text += " --help"
        if line.startswith("didflow events") and "|" not in line:
            text += " | head -1"
        here = {name: value for name, value in os.environ.items() if not name.startswith("DIDFLOW_")}
        path = f"{Path(script('didflow')).parent}:{here['PATH']}"
        environment = {**here, "PATH": path, "DIDFLOW_DATA": str(self.folder)}
        shell = ["bash", "-o", "pipefail", "-c", text]
        return subprocess.run(
            shell,
            env=environment,
            capture_output=True,
            stdin=subprocess.DEVNULL,
            text=True,
            timeout=100,
            check=False,
        )

    def _said(self) -> str | None:
        assert self.process.exit_code is None, self.process.log_tail()
        lines = [text for text in (self.folder / "up.log").read_text().splitlines() if text.startswith("{")]
        return lines[-1] if lines else None


async def insert_jobs(dsn: str) -> dict[str, str]:
    """Insert a job for each line that names one: a running one to be canceled, else a failed one. Return their ids."""
    ids = {line: uuid7() for line in LINES if "jobs" in line and " ID" in line}
    connection = await asyncpg.connect(dsn)
    for line, job_id in ids.items():
        await connection.execute(JOB, job_id, "running" if "cancel" in line else "failed")
    await connection.close()
    return {line: str(job_id) for line, job_id in ids.items()}


async def publish(producer: AIOKafkaProducer, dead: int) -> None:
    """Publish as many records that are dead in every service, and one that is early."""
    for number in range(dead):
        await producer.send_and_wait("did.purchased", b"no JSON %d" % number, key=NUMBER.encode())
    approved = json.loads((EXAMPLES / "verification.approved.json").read_bytes())
    approved["subject"] = approved["data"]["number"] = NUMBER
    await producer.send_and_wait("verification.approved", json.dumps(approved).encode(), key=NUMBER.encode())


async def publish_for_ever(producer: AIOKafkaProducer) -> None:
    value = (EXAMPLES / f"{PUBLISHED_ALL_THE_TIME}.json").read_bytes()
    while True:
        await producer.send_and_wait(PUBLISHED_ALL_THE_TIME, value, key=NUMBER.encode())
        await asyncio.sleep(0.2)


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    running = Stack(tmp_path_factory.mktemp("documents"))
    asyncio.run(running.run_lines())
    yield running
    asyncio.run(running.process.stop())


@pytest.mark.parametrize("line", LINES)
def test_the_command_line_does_what_the_document_says(stack: Stack, line: str) -> None:
    """It prints something, no error, and its exit code is 0. What differs is listed here."""
    done = stack.done[line]
    codes: Sequence[int] = (0, 141) if line.startswith("didflow events") else (0,)
    if line == "didflow dlq retry ID":
        # The record is still not JSON, so it is dead again.
        assert done.stdout.count("dead again (not_json)") == len(SERVICES)
        codes = (1,)
    assert (done.returncode in codes, done.stderr) == (True, ""), done
    assert done.stdout.strip(), done


def test_the_documents_show_every_command() -> None:
    """Each command is tried: a reader finds an example of it."""
    shown = {line.split()[1] for line in (*LINES, *ELSEWHERE)}
    assert shown == set(NAMES.split("|"))

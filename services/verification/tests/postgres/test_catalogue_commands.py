"""`didflow-verification catalogue` on a real database: what a file changes, which DIDs it touches, and the load."""

import asyncio
import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from typer.testing import CliRunner, Result

from didflow_chassis.commandline import Program, application
from didflow_verification.catalogue.commandline import catalogue_tools
from didflow_verification.catalogue.files import read_catalogue
from didflow_verification.service import service
from didflow_verification.settings import VerificationSettings

SERVICE = service(VerificationSettings.placeholder())

MIDNIGHT = datetime(2026, 11, 21, tzinfo=UTC)
SECOND = """
- key: ie.local.business
  number_type: local
  end_user_types: [business]
  version: 2
  effective_from: 2026-11-21
  reverify: true
  grace_until: 2026-12-15
  required: true
  identity_fields: [{field: company_name}]
  address: {required: true, match: area, proof: null}
  documents: []
  cross_checks: []
  restrictions: [{code: state_the_use, text: Say what for.}]
  review: {manual: true}
  sources: [{title: t, publisher: p, url: null, seen: s}]
"""

Tool = Callable[..., Any]


@pytest.fixture
def tool(running: Any) -> Tool:
    """Runs one catalogue command as an operator would."""
    app = application(Program("verification", service, VerificationSettings), {"catalogue": catalogue_tools})
    settings = {"DIDFLOW_POSTGRES": running.database.dsn, "DIDFLOW_KAFKA": "127.0.0.1:1"}

    async def run(*arguments: str) -> Result:
        return await asyncio.to_thread(CliRunner().invoke, app, ["catalogue", *arguments], env=settings)

    return run


@pytest.fixture
async def file(tool: Tool, tmp_path: Path) -> Path:
    """A file with the stored rules for Ireland, and a second version from tomorrow on."""
    made = tmp_path / "ie.yaml"
    made.write_text((await tool("show", "IE")).stdout + SECOND.lstrip("\n"))
    return made


def changed(file: Path, *change: str) -> str:
    """Change the text of the file once. Return the text before."""
    before = file.read_text()
    file.write_text(before.replace(*change, 1))
    return before


@pytest.fixture
async def approved(running: Any, build: Any, rita: Any, bakery: Any, pending_id: str) -> list[Any]:
    """Three approved numbers, of which two rest on the review of the first, and one number that awaits details."""
    await rita.post(f"/v1/verifications/{pending_id}/approve")
    others = []
    for n in range(3):
        one = type(build)()
        one.did, one.number = uuid4(), f"+3531960{n:04}"
        others.append(one)
    await running.receive(*(one.purchased() for one in others))
    await running.receive(*(one.assigned(bakery, bakery) for one in others[:2]))
    return others


async def test_load_reads_what_show_prints(tool: Tool, tmp_path: Path) -> None:
    """Loading the printed file of a country changes nothing."""
    for country in ("IE", "DE", "JP", "MX", "*"):
        shown = (await tool("show", country)).stdout
        assert read_catalogue(shown)[0].country == country
        (tmp_path / "same.yaml").write_text(shown)
        unchanged = await tool("diff", str(tmp_path / "same.yaml"))
        assert (unchanged.exit_code, unchanged.stdout) == (0, "")
    assert "IE ie.local.business version 1 from 2026-01-01 required" in (await tool("show")).stdout
    assert (await tool("show", "IE", "--on", "2025-12-31")).stdout == ""
    assert (await tool("show", "XX")).exit_code == os.EX_DATAERR


async def test_a_dry_run_prints_the_changes_and_the_dids_touched(
    running: Any, tool: Tool, file: Path, approved: Any
) -> None:
    """Four live DIDs are touched, of which three must be verified again. Nothing is written."""
    assert len(approved) == 3
    events = await tool("load", "--dry-run", str(file))
    assert events.exit_code == 0
    assert events.stdout.splitlines() == [
        "IE",
        (
            "  ie.local.business version 2 is new, in force from 2026-11-21; "
            "approved DIDs must be verified again, their approval counts until 2026-12-15"
        ),
        "    DIDs touched: 4; to verify again: 3; newly required: 0",
        "Nothing was loaded: this was a dry run.",
    ]
    assert (await tool("diff", str(file))).exit_code == 1
    assert await running.count("catalogue_changes") == 0


async def test_a_load_warns_at_once_and_ends_approvals_on_its_date(
    running: Any, tool: Tool, file: Path, approved: Any
) -> None:
    """The load prints its job. Three warnings are published at once, and three DIDs expire at 00:00 UTC."""
    loaded = await tool("load", str(file))
    assert loaded.exit_code == 0
    (job,) = await running.fetch("SELECT job_id, kind, account, role, state FROM jobs")
    assert tuple(job)[1:] == ("recheck_dids", "", "operator", "queued")
    assert loaded.stdout.splitlines()[-1] == f"Job {job['job_id']} rechecks 4 live DIDs of IE."
    before = await running.axis_topics()
    await running.run_jobs()
    await running.run_due_timers()
    assert (await running.axis_topics())[len(before) :] == ["expiring"] * 3
    await running.set_time(MIDNIGHT - timedelta(seconds=30))
    await running.run_due_timers()
    assert (await running.axis_topics())[len(before) + 3 :] == []
    await running.set_time(MIDNIGHT)
    await running.run_due_timers()
    events = (await running.outbox())[len(before) + 3 :]
    assert [event["topic"] for event in events] == ["verification.expired"] * 3
    assert {event["data"]["grace_until"][:10] for event in events} == {"2026-12-15"}
    assert {event["time"][:19] for event in events} == {"2026-11-21T00:00:00"}
    assert await running.count("jobs", "state = 'done' AND total = 4 AND done = 4") == 1
    assert await running.count("catalogue_changes") == 1
    assert (await tool("load", str(file))).stdout.splitlines() == ["IE: nothing changes"]
    assert len(approved) == 3


async def test_a_version_in_force_cannot_be_changed(running: Any, tool: Tool, file: Path) -> None:
    """The whole file is refused and the row is named. The version can only be ended."""
    changed(file, "match: area", "match: country")
    refused = await tool("load", str(file))
    assert refused.exit_code == os.EX_DATAERR
    assert "ie.local.business version 1 changes, but it is already in force" in refused.stdout
    assert await running.count("catalogue_changes") == 0
    changed(file, "match: country", "match: area")
    changed(file, "effective_from: 2026-01-01", "effective_from: 2026-01-01\n  effective_to: 2027-01-01")
    assert (await tool("load", str(file))).exit_code == 0


async def test_every_fault_of_a_file_is_printed(tool: Tool, tmp_path: Path) -> None:
    """Each fault has one line. The database is not used."""
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text("country: XX\n---\ncountry: YY\n")
    refused = await tool("load", str(wrong))
    assert refused.exit_code == os.EX_DATAERR
    assert "requirements" in refused.stderr


async def test_a_revocation_reaches_every_number_that_rests_on_it(
    running: Any, rita: Any, pending_id: str, approved: Any
) -> None:
    """The reviewed number expires at once, the other two when the job runs. Their events name the reviewer."""
    before = len(await running.outbox())
    answer = await rita.post(f"/v1/verifications/{pending_id}/revoke", json={})
    assert (answer.status_code, answer.json()["status"]) == (200, "revoked")
    await running.run_jobs()
    events = (await running.outbox())[before:]
    assert [event["actor"] for event in events] == ["user:rita"] * 3
    assert [event["data"]["reason"] for event in events] == ["revoked"] * 3
    assert {event["subject"] for event in events[1:]} == {one.number for one in approved[:2]}
    assert await running.count("verifications", "status = 'revoked'") == 3
    await running.run_jobs()
    await running.run_due_timers()
    assert len(await running.outbox()) == before + 3

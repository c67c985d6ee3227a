"""`didflow check consistency` finds each kind of disagreement between the four databases, and nothing else."""

import asyncio
import json
import os
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import asyncpg
import pytest
import pytest_asyncio
from faults.corruptions import CORRUPTIONS, UNPROTECTED
from faults.example_events import ExampleDid
from faults.services_in_process import deliver_until_idle, services_in_process
from harness.postgres import TemplateDatabases, owner_dsn_of
from typer.testing import CliRunner

from didflow import state
from didflow.cli import app
from didflow.consistency.check import check
from didflow.consistency.codes import CODES
from didflow_chassis.database import Outage
from didflow_contracts.topics import SERVICES

BEGIN: Final = datetime.now(UTC).replace(microsecond=0) - timedelta(days=2)
LIVE, REFUSED, REMOVED = (
    ExampleDid(name=name, number=number, begin=BEGIN)
    for name, number in (("live", "+12122000001"), ("refused", "+12122000001"), ("removed", "+12122000002"))
)
DOCS: Final = Path(__file__).parents[1] / "docs"
OTHER: Final = "00000000-0000-7000-8000-000000000001"


def purchase_of(did: ExampleDid) -> Any:
    order = f"order {did.name}"
    return did.event(0, "did.purchased", order_id=order, purchased_at=BEGIN, country=None, area=None)


async def _sound_databases(databases: TemplateDatabases) -> dict[str, str]:
    """Return databases with a live, a refused and a removed DID, which nobody is connected to."""
    dsns: dict[str, str] = {}

    async def database_for(name: str, prepare: Any) -> str:
        dsns[name] = await databases.copy(name, prepare)
        return dsns[name]

    async with services_in_process(database_for) as services:
        for did in (LIVE, REFUSED, REMOVED):
            await deliver_until_idle(services, [purchase_of(did)], None)
        withdrawn = REMOVED.event(1, "did.withdrawn", 99, source="/didflow/inventory", reason="returned")
        await deliver_until_idle(services, [withdrawn], None)
    return dsns


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def sound(template_databases: TemplateDatabases) -> AsyncIterator[Mapping[str, str]]:
    """Return the four databases of an installation without a disagreement. No test changes them."""
    dsns = await _sound_databases(template_databases)
    yield dsns
    for dsn in dsns.values():
        await template_databases.drop(dsn)


class Corrupt:
    """Returns the databases with one of them replaced by a copy in which a statement was run."""

    def __init__(self, sound: Mapping[str, str], databases: TemplateDatabases) -> None:
        self._sound, self._databases, self.made = sound, databases, []

    async def __call__(self, service: str, *statements: str) -> Mapping[str, str]:
        dsn = await self._databases.duplicate(service, self._sound[service])
        self.made.append(dsn)
        for statement in (*UNPROTECTED.get(service, ()), *statements):
            await execute(owner_dsn_of(dsn), statement)
        return {**self._sound, service: dsn}


@pytest_asyncio.fixture
async def corrupt(sound: Mapping[str, str], template_databases: TemplateDatabases) -> AsyncIterator[Corrupt]:
    corrupted = Corrupt(sound, template_databases)
    yield corrupted
    for dsn in corrupted.made:
        await template_databases.drop(dsn)


async def execute(dsn: str, statement: str) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        names = {"live": LIVE, "refused": REFUSED, "removed": REMOVED}
        ids = {f"${name}": f"'{did.did_id}'::uuid" for name, did in names.items()}
        for name, value in ids.items():
            statement = statement.replace(name, value)
        status = await connection.execute(statement)
        assert status.rpartition(" ")[2] != "0", f"{statement} changed nothing"
    finally:
        await connection.close()


async def test_databases_that_agree_have_no_disagreement(sound: Mapping[str, str]) -> None:
    """A live, a refused and a removed DID, after everything was delivered. All three were looked at."""
    result = await check(sound, wait=0)
    assert result.disagreements == []
    assert result.dids == 3


@pytest.mark.parametrize("name", CORRUPTIONS)
async def test_a_changed_value_is_found_with_its_code(name: str, corrupt: Corrupt) -> None:
    """One value is changed in one database. The disagreement names the DID or its number. A total is of no DID."""
    service, statement, code = CORRUPTIONS[name]
    result = await check(await corrupt(service, statement), wait=0)
    found = [disagreement for disagreement in result.disagreements if disagreement.code == code]
    assert found, result.disagreements
    numbers = {""} if code == "totals_differ" else {LIVE.number, REMOVED.number, "+12122000009"}
    assert all(disagreement.number in numbers for disagreement in found)


def test_each_code_is_found_by_some_test() -> None:
    """No code stands in the table without a test that sees it."""
    assert {code for _, _, code in CORRUPTIONS.values()} | {"too_many"} == set(CODES)


async def test_wrong_totals_are_rebuilt_from_the_ledger(corrupt: Corrupt) -> None:
    """With the statement of the page: totals that are too high, lost or of nothing. Each account and order is named."""
    _, _, section = (DOCS / "consistency.md").read_text().partition("\n## Rebuild the totals\n")
    rebuild = section.partition("```sql\n")[2].partition("\n```")[0]
    databases = await corrupt(
        "billing",
        "UPDATE account_totals SET refunded = refunded + 1 WHERE account = 'master' AND period <> 'all'",
        "DELETE FROM order_totals WHERE order_id = 'order live'",
        "INSERT INTO order_totals VALUES ('master/none', 'none', 'EUR', '2026-01-31', 0, 5, 0)",
    )
    found = (await check(databases, wait=0)).disagreements
    assert [(one.code, one.detail.partition(":")[0]) for one in found] == [
        ("totals_differ", "account master, currency EUR"),
        ("totals_differ", "account master/acme, order_id order live, currency EUR"),
        ("totals_differ", "account master/none, order_id none, currency EUR"),
    ]
    await execute(owner_dsn_of(databases["billing"]), rebuild)
    assert (await check(databases, wait=0)).disagreements == []


async def test_each_set_of_services_can_be_checked(sound: Mapping[str, str]) -> None:
    """A service that is not checked is not missed."""
    for name in SERVICES:
        assert (await check({name: sound[name]}, wait=0)).disagreements == []
        assert (
            await check({other: sound[other] for other in SERVICES if other != name}, wait=0)
        ).disagreements == []


async def test_more_differences_than_are_kept_are_one_disagreement(corrupt: Corrupt) -> None:
    """The check ends when more DIDs differ than it keeps in memory."""
    databases = await corrupt("inventory", "DELETE FROM dids")
    result = await check(databases, wait=0, most=1)
    assert result.counts["too_many"] == 1
    assert result.dids == 2


async def test_an_event_on_its_way_is_no_disagreement(corrupt: Corrupt) -> None:
    """A view that is behind at the first look and has the event at a later one is in order."""
    behind = "UPDATE routings SET term = NULL, sequences = sequences - 'term:/didflow/billing' WHERE did_id = $live"
    databases = await corrupt("provisioning", "CREATE TABLE kept AS TABLE routings", behind)

    async def arrives() -> None:
        await asyncio.sleep(0.3)
        await execute(
            owner_dsn_of(databases["provisioning"]),
            "UPDATE routings r SET term = k.term, sequences = k.sequences, version = r.version + 1"
            " FROM kept k WHERE k.did_id = r.did_id",
        )

    result, _ = await asyncio.gather(check(databases, wait=5), arrives())
    assert result.disagreements == []
    assert result.moving == 0
    assert result.seconds < 4


async def test_a_did_that_changes_all_the_time_is_no_disagreement(corrupt: Corrupt) -> None:
    """Its view may be behind at every look. It is counted as moving."""
    behind = "UPDATE routings SET term = NULL, sequences = sequences - 'term:/didflow/billing' WHERE did_id = $live"
    databases = await corrupt("provisioning", behind)

    async def changes() -> None:
        for _ in range(15):
            await execute(
                databases["provisioning"], "UPDATE routings SET version = version + 1 WHERE did_id = $live"
            )
            await asyncio.sleep(0.1)

    result, _ = await asyncio.gather(check(databases, wait=1), changes())
    assert result.disagreements == []
    assert result.moving == 1


async def test_a_wrong_value_is_certain_although_events_are_on_their_way(corrupt: Corrupt) -> None:
    """The view comes from the last event that its owner has numbered, so no event can explain the difference."""
    statement = "UPDATE registrations SET state = 'awaiting' WHERE did_id = $live"
    result = await check(await corrupt("verification", statement), wait=60)
    assert {disagreement.code for disagreement in result.disagreements} == {"registration_differs"}
    assert result.seconds < 30


async def test_a_database_that_hides_rows_cannot_be_checked(corrupt: Corrupt) -> None:
    """With row security, a role may see only some accounts. The check ends instead of reporting unknown DIDs."""
    databases = await corrupt("billing", "DROP POLICY service ON terms")
    with pytest.raises(Outage, match="a policy hides rows of terms"):
        await check(databases, wait=0)


def run(databases: Mapping[str, str], folder: Path, *arguments: str) -> Any:
    """Run the command on a stack that seems to run on these databases."""
    here = {"pid": os.getpid(), "born": state.birth_of(os.getpid()), "kafka": "", "http": ""}
    whole: dict[str, Any] = {**here, "postgres": dict(databases), "embedded_kafka": False}
    state.write(folder, state.StackState(**whole, embedded_postgres=False))
    return CliRunner().invoke(app, ["check", "consistency", "--data", str(folder), *arguments])


def test_without_disagreements_the_exit_code_is_0(sound: Mapping[str, str], tmp_path: Path) -> None:
    """The last line counts the DIDs."""
    done = run(sound, tmp_path, "--final")
    assert done.exit_code == 0, done.output
    assert done.stdout.startswith("no disagreements about 3 DIDs, in ")


def test_with_disagreements_the_exit_code_is_1(corrupt: Corrupt, tmp_path: Path) -> None:
    """Each disagreement has its code, number and DID, in words and as JSON. The last JSON line counts the codes."""
    databases = asyncio.run(corrupt("billing", "UPDATE terms SET cycles_left = 7 WHERE did_id = $live"))
    done = run(databases, tmp_path, "--final")
    assert done.exit_code == 1
    assert LIVE.number in done.stdout
    assert "term_differs: 1" in done.stdout
    printed = run(databases, tmp_path, "--final", "--json").stdout
    *disagreements, summary = map(json.loads, printed.splitlines())
    assert [(one["kind"], one["code"], one["did_id"]) for one in disagreements] == [
        ("disagreement", "term_differs", str(LIVE.did_id))
    ]
    assert summary["kind"] == "summary"
    assert summary["counts"] == {"term_differs": 1}
    assert set(summary["backlog"]) == set(SERVICES)


def test_control_characters_in_a_disagreement_are_escaped(corrupt: Corrupt, tmp_path: Path) -> None:
    """What the databases hold cannot control the terminal."""
    statement = "UPDATE terms SET payer = E'x\\x1b[2J\\u202e' WHERE did_id = $live"
    done = run(asyncio.run(corrupt("billing", statement)), tmp_path, "--final")
    assert "\\u001b[2J\\u202e" in done.stdout
    assert not set("\x1b\u202e") & set(done.stdout)


def test_a_database_that_does_not_answer_has_the_exit_code_2(tmp_path: Path) -> None:
    """Then the check has said nothing about the data. Without a stack, the same."""
    nowhere = dict.fromkeys(SERVICES, "postgresql://x@127.0.0.1:1/x")
    done = run(nowhere, tmp_path, "--final")
    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr.startswith("didflow: outage: a database cannot be read")
    missing = CliRunner().invoke(app, ["check", "consistency", "--data", str(tmp_path / "none")])
    assert missing.exit_code == 2

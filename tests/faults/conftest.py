"""What every fault test starts with: an installation on real servers, an oracle with its ledger, and a seed.

The seed is `DIDFLOW_SEED`, or random. Every failure prints it. Setting it repeats the same run.
"""

import os
import random
import re
from collections.abc import AsyncIterator, Generator, Iterator, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from faults.carrier import Carry, serving_carrier
from faults.evidence import Evidence, gather
from faults.installation import PREPARE, Install, Installation, InstallOn, jwks_url
from faults.invariants import Judge
from faults.ledger import Ledger
from faults.oracle import Ask, Oracle, asking
from faults.report import Report, reported
from faults.summary import FILE, Summary, TestResult, Timed
from harness.fault_journal import JOURNAL
from harness.fixtures import DatabaseFor
from harness.processes import Processes

from didflow.issuer import Issuer
from didflow.servers import Servers
from didflow.web import Dispatcher
from didflow_chassis.servers import listen, serving

ISSUER = "http://didflow.localhost/faults"
RUN = os.environ.get("DIDFLOW_SEED", "")


@dataclass(kw_only=True)
class Tally:
    """What is known of a running test: its seed and its ledger, if any, and the report of its judge."""

    seed: int | None = None
    ledger: Ledger | None = None
    report: Report | None = None

    def outcome(self, name: str, rows: tuple[str, ...]) -> TestResult:
        """Return the figures of a test. If the harness injected no fault, the row itself counts as the fault."""
        if self.report is not None:
            outcome = self.report.outcome(name, rows)
        else:
            faults = tuple(Timed(fault.kind, None) for fault in JOURNAL.faults)
            counts = dict(self.ledger.counts()) if self.ledger else {}
            outcome = TestResult(
                name=name, rows=rows, faults=faults, acknowledged=counts, duplicates=JOURNAL.duplicates
            )
        own = tuple(Timed(f"as {row} says", None) for row in rows[:1])
        return replace(outcome, seed=self.seed, run=RUN, faults=outcome.faults or own)


TALLY = pytest.StashKey[Tally]()
OUTCOMES: list[TestResult] = []


@pytest.fixture(autouse=True)
def tally(request: pytest.FixtureRequest) -> Tally:
    """Return the tally of this test for the final report."""
    JOURNAL.forget()
    made = request.node.stash[TALLY] = Tally()
    return made


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Store the result of a test before its installation is removed."""
    made = yield
    rows = rows_of(item)
    if rows and (made.when == "call" or made.failed) and not made.skipped:
        outcome = item.stash.get(TALLY, Tally()).outcome(item.nodeid, rows)
        outcome = replace(outcome, passed=made.passed, took=call.duration)
        OUTCOMES.append(outcome)
        if FILE in os.environ:
            outcome.write(Path(os.environ[FILE]))
    return made


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Print one report over all tests of the matrix."""
    if OUTCOMES:
        terminalreporter.section("faults")
        terminalreporter.write_line(str(Summary(OUTCOMES)))


def rows_of(item: pytest.Item) -> tuple[str, ...]:
    """Return the rows that a test proves: those at the start of its docstring, or those in its file name."""
    if not re.match(r"test_(f\d\d_|nemesis)", item.path.stem):
        return ()
    begins = (getattr(getattr(item, "function", None), "__doc__", None) or "").partition(":")[0]
    named = re.findall(r"\bF\d\d\b", begins) or re.findall(r"_(f\d\d)(?=_)", item.path.stem)
    tier = ["nemesis"] if begins == "Tier K" else []
    return tuple(name.upper() if name[0] == "f" else name for name in named) or tuple(tier)


@pytest.fixture
def seed(tally: Tally) -> int:
    """Return the seed of this run."""
    tally.seed = chosen = int(os.environ.get("DIDFLOW_SEED") or random.randrange(2**32))
    print(f"DIDFLOW_SEED={chosen}")  # noqa: T201 - pytest shows it with a failure
    return chosen


@pytest.fixture
async def exits() -> AsyncIterator[AsyncExitStack]:
    """Return the stack of what a test opened. It is closed at the end of the test."""
    async with AsyncExitStack() as stack:
        yield stack


@pytest.fixture
def ledger(tmp_path: Path, tally: Tally) -> Iterator[Ledger]:
    """Return the ledger of this test's acknowledgements."""
    opened = tally.ledger = Ledger(tmp_path / "ledger.jsonl")
    yield opened
    opened.close()


@pytest.fixture
async def issuer(tmp_path: Path, exits: AsyncExitStack) -> tuple[Issuer, str]:
    """Return the development issuer and the URL of its keys."""
    made = Issuer.of(tmp_path, ISSUER)
    port = await exits.enter_async_context(serving(Dispatcher([], made.jwks), listen("127.0.0.1", 0), "jwks"))
    return made, jwks_url(port)


@pytest.fixture
def install_on(kafka: str, topics: str, processes: Processes, issuer: tuple[Issuer, str]) -> InstallOn:
    """Return the function that creates installations on given databases; see `InstallOn`."""

    def lay_out(dsns: Mapping[str, str]) -> Installation:
        parts = Servers(
            kafka=kafka, postgres=dsns, topic_prefix=topics, embedded_kafka=False, embedded_postgres=False
        )
        return Installation(parts=parts, issuer=issuer[0], jwks=issuer[1], launcher=processes)

    return lay_out


@pytest.fixture
async def install(install_on: InstallOn, database_for: DatabaseFor) -> Install:
    """Return the function that creates installations on the run's Kafka and PostgreSQL; see `Install`."""

    async def lay_out(*services: str) -> Installation:
        return install_on({name: await database_for(name, PREPARE[name]) for name in services})

    return lay_out


@pytest.fixture
async def ask(ledger: Ledger, seed: int, exits: AsyncExitStack) -> Ask:
    """Return the function that opens oracles; see `Ask`."""

    async def open_one(at: Installation) -> Oracle:
        return await exits.enter_async_context(asking(at, ledger, seed=seed))

    return open_one


@pytest.fixture
async def carrier(ledger: Ledger, exits: AsyncExitStack) -> Carry:
    """Return the function that opens carriers; see `Carry`."""

    async def open_one(at: Installation) -> None:
        await exits.enter_async_context(serving_carrier(at, ledger))

    return open_one


@pytest.fixture
def judge(ledger: Ledger, tally: Tally) -> Judge:
    """Return the function that judges an installation; see `Judge`."""

    async def judged(at: Installation, *oracles: Oracle) -> Evidence:
        evidence = await gather(at, await at.unrest())
        tally.report = report = reported(
            seed=tally.seed or 0,
            ledger=ledger,
            evidence=evidence,
            faults=list(JOURNAL.faults),
            duplicates=await at.duplicates(),
            odd=[words for oracle in oracles for words in oracle.odd],
        )
        assert report.passed, str(report)
        return evidence

    return judged

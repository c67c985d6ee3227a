"""Fixtures of all fault tests: an installation on real servers, a client with its ledger, and a seed.

The seed is `DIDFLOW_SEED`, or random. Every failure prints it. Set it to repeat the same run.
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
from faults import consistency
from faults.carrier import StartCarrier, running_carrier
from faults.evidence import Evidence, gather
from faults.installation import PREPARE, Install, Installation, InstallOn, jwks_url
from faults.invariants import CheckInvariants
from faults.ledger import Ledger
from faults.recording_client import OpenClient, RecordingClient, recording_client
from faults.report import Report, report_of
from faults.summary import FILE, FaultResult, Summary, Timed
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
    """The figures of a running test: its seed, its ledger and its report, if it has them."""

    seed: int | None = None
    ledger: Ledger | None = None
    report: Report | None = None

    def result(self, name: str, rows: tuple[str, ...]) -> FaultResult:
        """Return the figures of a test. If the harness injected no fault, the row itself counts as the fault."""
        if self.report is not None:
            result = self.report.result(name, rows)
        else:
            faults = tuple(Timed(fault.kind, None) for fault in JOURNAL.faults)
            counts = dict(self.ledger.counts()) if self.ledger else {}
            result = FaultResult(
                name=name, rows=rows, faults=faults, acknowledged=counts, duplicates=JOURNAL.duplicates
            )
        own = tuple(Timed(f"the fault of {row}", None) for row in rows[:1])
        return replace(result, seed=self.seed, run=RUN, faults=result.faults or own)


TALLY = pytest.StashKey[Tally]()
RESULTS: list[FaultResult] = []


@pytest.fixture(autouse=True)
def tally(request: pytest.FixtureRequest) -> Tally:
    """Return the tally of this test. Its figures are part of the final report."""
    JOURNAL.forget()
    consistency.forget()
    created = request.node.stash[TALLY] = Tally()
    return created


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, Any, Any]:
    """Check that all databases of a test that has passed agree, before its processes and databases are removed."""
    result = yield
    marker = item.get_closest_marker("disagreements")
    expected = set(marker.args if marker else ())
    found = consistency.disagreements()
    assert {disagreement.code for disagreement in found} == expected, (
        "\n".join(map(str, found[:20])) or "no disagreements"
    )
    return result


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Store the result of a test before its installation is removed."""
    report = yield
    rows = rows_of(item)
    if rows and (report.when == "call" or report.failed) and not report.skipped:
        result = item.stash.get(TALLY, Tally()).result(item.nodeid, rows)
        result = replace(result, passed=report.passed, seconds=call.duration)
        RESULTS.append(result)
        if FILE in os.environ:
            result.write(Path(os.environ[FILE]))
    return report


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Print one report over all tests of the matrix."""
    if RESULTS:
        terminalreporter.section("faults")
        terminalreporter.write_line(str(Summary(RESULTS)))


def rows_of(item: pytest.Item) -> tuple[str, ...]:
    """Return the rows that a test proves: those at the start of its docstring, or those in its file name."""
    if not re.match(r"test_(f\d\d_|random_faults)", item.path.stem):
        return ()
    beginning = (getattr(getattr(item, "function", None), "__doc__", None) or "").partition(":")[0]
    names = re.findall(r"\bF\d\d\b", beginning) or re.findall(r"_(f\d\d)(?=_)", item.path.stem)
    at_random = ["random"] if beginning == "Random faults" else []
    return tuple(name.upper() if name[0] == "f" else name for name in names) or tuple(at_random)


@pytest.fixture
def seed(tally: Tally) -> int:
    """Return the seed of this run."""
    tally.seed = chosen = int(os.environ.get("DIDFLOW_SEED") or random.randrange(2**32))
    print(f"DIDFLOW_SEED={chosen}")  # noqa: T201 - pytest shows it with a failure
    return chosen


@pytest.fixture
async def exits() -> AsyncIterator[AsyncExitStack]:
    """Return an exit stack that is closed at the end of the test."""
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
    created = Issuer.of(tmp_path, ISSUER)
    port = await exits.enter_async_context(
        serving(Dispatcher([], created.jwks), listen("127.0.0.1", 0), "jwks")
    )
    return created, jwks_url(port)


@pytest.fixture
def install_on(kafka: str, topics: str, processes: Processes, issuer: tuple[Issuer, str]) -> InstallOn:
    """Return the function that creates installations on given databases; see `InstallOn`."""

    def create(dsns: Mapping[str, str], *, is_checked: bool = True) -> Installation:
        if is_checked:
            consistency.remember(dsns, is_running=True)
        parts = Servers(
            kafka=kafka, postgres=dsns, topic_prefix=topics, embedded_kafka=False, embedded_postgres=False
        )
        return Installation(parts=parts, issuer=issuer[0], jwks=issuer[1], launcher=processes)

    return create


@pytest.fixture
async def install(install_on: InstallOn, database_for: DatabaseFor) -> Install:
    """Return the function that creates installations on the run's Kafka and PostgreSQL; see `Install`."""

    async def create(*services: str) -> Installation:
        return install_on({name: await database_for(name, PREPARE[name]) for name in services})

    return create


@pytest.fixture
async def open_client(ledger: Ledger, seed: int, exits: AsyncExitStack) -> OpenClient:
    """Return the function that opens recording clients; see `OpenClient`."""

    async def open_(installation: Installation) -> RecordingClient:
        return await exits.enter_async_context(recording_client(installation, ledger, seed=seed))

    return open_


@pytest.fixture
async def start_carrier(ledger: Ledger, exits: AsyncExitStack) -> StartCarrier:
    """Return the function that starts carriers; see `StartCarrier`."""

    async def open_(installation: Installation) -> None:
        await exits.enter_async_context(running_carrier(installation, ledger))

    return open_


@pytest.fixture
def check_invariants(ledger: Ledger, tally: Tally) -> CheckInvariants:
    """Return the function that checks the invariants of an installation; see `CheckInvariants`."""

    async def check(installation: Installation, *clients: RecordingClient) -> Evidence:
        evidence = await gather(installation, await installation.unfinished_work())
        tally.report = report = report_of(
            seed=tally.seed or 0,
            ledger=ledger,
            evidence=evidence,
            faults=list(JOURNAL.faults),
            duplicates=await installation.duplicates(),
            unexpected=[text for client in clients for text in client.unexpected],
        )
        assert report.passed, str(report)
        return evidence

    return check

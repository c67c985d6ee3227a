"""Random histories on PostgreSQL, with the real jobs: no byte of a person is outside of the person's own details."""

import asyncio
import io
import logging
import os
from collections.abc import Coroutine, Iterator
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import Any, Final
from uuid import UUID, uuid4

import pytest
from harness.fixtures import DatabaseFor
from harness.migrations import migration_of
from harness.postgres import reader_for
from harness.written_logs import written_logs
from history_machine import History
from history_stages import RunningJob
from history_world import CATALOGUE, KEYED, MARK, OPERATOR, ZERO
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import rule, run_state_machine_as_test
from table_dump import dump

from didflow_chassis.decision import NewJob
from didflow_chassis.jobs.job import UNFINISHED, Job, StartJob
from didflow_chassis.jobs.runner import JobRunner
from didflow_chassis.jobs.store import parameters_of
from didflow_chassis.testing import ServiceOnPostgres
from didflow_chassis.testing.postgres import Unpaced
from didflow_verification.documents.contents import open_contents
from didflow_verification.domain.details.identity import Identity
from didflow_verification.erasure.step import ErasePerson
from didflow_verification.jobs import ERASE_IDENTITY
from didflow_verification.service import service

EXAMPLES: Final = os.environ.get("DIDFLOW_HISTORIES")
SERVICE = service(KEYED)
SETTINGS: Final = settings(
    max_examples=max(1, int(EXAMPLES or 120) // 30),
    stateful_step_count=30,
    derandomize=EXAMPLES is None,
    database=None,
    deadline=None,
    print_blob=True,
    suppress_health_check=[*HealthCheck],
)

DETAILS: Final = frozenset(
    {"identities", "addresses", "documents", "verifications", "registrations", "service_requests"}
)
"""The tables that may have personal values, or words of reviewers, before an erasure."""


class HistoryOnPostgres:
    """The stage of a history, on PostgreSQL. Each method waits for the one of the same name of the service."""

    def __init__(self, loop: asyncio.AbstractEventLoop, database_for: DatabaseFor) -> None:
        self._loop = loop
        self._exits = AsyncExitStack()
        self._running: Any = self.wait(self._opened(database_for))
        contents = open_contents(KEYED, self._running.database)
        assert contents is not None
        self._contents = contents

    async def _opened(self, database_for: DatabaseFor) -> Any:
        dsn = await database_for(SERVICE.name, migration_of(SERVICE))
        opening = ServiceOnPostgres.open(SERVICE, dsn, now=ZERO, migrate=False, reader=reader_for(dsn))
        opened = await self._exits.enter_async_context(opening)
        await opened.store(*CATALOGUE)
        return opened

    def wait(self, work: Coroutine[Any, Any, Any]) -> Any:
        """Run a coroutine in the loop of the test, and return its result."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._running, name)
        return lambda *values, **named: self.wait(method(*values, **named))

    def close(self) -> None:
        """Close the service."""
        self.wait(self._exits.aclose())

    def unfinished_jobs(self) -> list[RunningJob]:
        """Return the jobs that are not finished. None may have failed."""
        jobs = self.states(Job)
        assert [job for job in jobs if job.state == "failed"] == []
        return [
            RunningJob(job=job, parameters=parameters_of(job, SERVICE.jobs[job.kind].parameters))
            for job in jobs
            if job.state in UNFINISHED
        ]

    def run_job_item(self, number: int) -> None:
        """Run the next item of an unfinished job."""
        jobs = self.unfinished_jobs()
        self.wait(self._runner(chunk=1).run_chunk(jobs[number % len(jobs)].job.job_id))

    def run_jobs(self) -> None:
        """Run all jobs to their end."""
        while self.unfinished_jobs():
            self.wait(self._runner().run_chunk())

    def _runner(self, **changes: Any) -> JobRunner:
        jobs = {name: replace(kind, **changes) for name, kind in SERVICE.jobs.items()}
        known = replace(self._running.service, jobs=jobs)
        database = self._running.database
        return JobRunner(known, self._running.stage, database, Unpaced(database), interval_s=0)

    def store_content(self, document_id: UUID, account: str, content_id: UUID, content: bytes) -> None:
        """Store the bytes of a document, encrypted."""

        async def store() -> None:
            writer = await self._contents.begin(document_id, account, content_id)
            await writer.add(content)
            await writer.finish()
            await self._contents.mark_used(content_id)

        self.wait(store())

    def erase_person(self, identity_id: UUID) -> bool:
        """Erase an end user as an operator does. Return False if a live DID uses the identity."""
        job = NewJob.of(
            OPERATOR,
            job_id=uuid4(),
            kind=ERASE_IDENTITY,
            now=self.now(),
            parameters=ErasePerson(identity_id=identity_id),
        )
        self.run(StartJob(entity_id=job.job_id, subject="", caller=OPERATOR, job=job))
        self.wait(self._runner().finish(job.job_id, lambda _: None))
        (ended,) = [each for each in self.states(Job) if each.job_id == job.job_id]
        return ended.state == "done" and ended.refused == 0

    def tables(self) -> dict[str, bytes]:
        """Return the content of every table."""
        found: dict[str, bytes] = self.wait(dump(self._running))
        return found


class HistoryInTables(History):
    """A history whose tables are searched."""

    stage: HistoryOnPostgres

    @rule(number=st.integers(0, 7))
    def erase_person(self, number: int) -> None:
        """Erase an end user by a job. Afterwards no table has a value or a reviewer's word about this end user."""
        found = self.newest(Identity, number)
        if self.stage.erase_person(found.identity_id):
            values = [value.lower().encode() for value in self.marks.about[found.identity_id]]
            tables = {name: content.lower() for name, content in self.stage.tables().items()}
            places = {name for name, content in tables.items() if any(value in content for value in values)}
            assert places == set(), f"values of the erased {found.identity_id}"

    def teardown(self) -> None:
        """Check once more, search the tables that need no personal data, and close."""
        try:
            super().teardown()
            tables = self.stage.tables()
            places = {name for name, content in tables.items() if MARK.encode() in content.lower()}
            assert places <= DETAILS
        finally:
            self.stage.close()


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """All log lines of this process at the lowest level, as a deployment would write them."""
    with written_logs("verification") as written:
        yield written


async def test_no_history_leaves_a_byte_of_a_person_where_it_must_not_be(
    database_for: DatabaseFor, build: Any, log: io.StringIO
) -> None:
    """Events, jobs and log lines have no value of any person. No table has one of an erased person."""
    loop = asyncio.get_running_loop()

    def history() -> History:
        return HistoryInTables(HistoryOnPostgres(loop, database_for), type(build))

    await asyncio.to_thread(run_state_machine_as_test, history, settings=SETTINGS)
    logging.getLogger(__name__).info("The histories have ended")
    written = log.getvalue()
    assert ("The histories have ended" in written, MARK in written.lower()) == (True, False)

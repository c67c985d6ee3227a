"""The service of a random history in memory: its stage, and its jobs, item by item."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from history_views import views_of
from history_world import CATALOGUE, ZERO

from didflow_chassis.decision import NewJob
from didflow_chassis.jobs.job import Job
from didflow_chassis.jobs.kinds import Item, JobTools
from didflow_chassis.jobs.store import parameters_of
from didflow_chassis.service import Service
from didflow_chassis.testing import FakeStage
from didflow_verification.domain.axes.registration import Registration


@dataclass(kw_only=True)
class RunningJob:
    """A job, its parameters, and the id of the last DID that it has decided."""

    job: Job
    parameters: Any
    position: str = ""

    @property
    def kind(self) -> str:
        """The kind of the job."""
        return self.job.kind


class HistoryInMemory(FakeStage):
    """Verification in memory, with the catalogue of the histories.

    A job runs its command for every live DID, in the order of their ids. The queries that leave out the DIDs that it
    does not affect are tested on PostgreSQL.
    """

    def __init__(self, service: Service) -> None:
        super().__init__(service, now=ZERO)
        self._memory: Any = self._tested.database
        for model, states in views_of(self).items():
            self._memory.compute(service.kind_of[model], states)
        self.store(*CATALOGUE)
        self._service = service
        self._jobs: list[RunningJob] = []
        self._started = 0

    def store_content(self, document_id: UUID, account: str, content_id: UUID, content: bytes) -> None:
        """Contents of documents are not stored in memory."""

    def unfinished_jobs(self) -> list[RunningJob]:
        """Return the jobs that are not finished."""
        started = [Job.of(new) for new in self.rows(NewJob)]
        for job in started[self._started :]:
            parameters = parameters_of(job, self._service.jobs[job.kind].parameters)
            self._jobs.append(RunningJob(job=job, parameters=parameters))
        self._started = len(started)
        return self._jobs

    def run_job_item(self, number: int) -> None:
        """Run the next item of an unfinished job."""
        unfinished = self.unfinished_jobs()
        running = unfinished[number % len(unfinished)]
        item = self._next_item(running)
        if item is None:
            self._jobs.remove(running)
            return
        running.position = item.position
        tools: JobTools[Any] = JobTools(
            job=running.job, parameters=running.parameters, database=self._memory, service=self._service
        )
        working = self._service.jobs[running.kind].work(tools, [item])
        self.run_batch([*_result(working)])

    def run_jobs(self) -> None:
        """Run all jobs to their end."""
        while self.unfinished_jobs():
            self.run_job_item(0)

    def _next_item(self, running: RunningJob) -> Item | None:
        live = [each for each in self.states(Registration) if each.ended is None]
        places = {f"{each.country} {each.did_id}": each for each in live}
        position = min((place for place in places if place > running.position), default=None)
        if position is None:
            return None
        return Item(places[position].number, position, places[position].did_id)


def _result(work: Any) -> Any:
    """Return the result of a coroutine that awaits nothing."""
    try:
        work.send(None)
    except StopIteration as end:
        return end.value
    raise RuntimeError("The work of a job awaited something.")

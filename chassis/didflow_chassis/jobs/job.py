"""A job and the decisions about it as a whole. The work on its items is decided by the handlers of the service.

Source: spec http, Jobs.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal
from uuid import UUID

from msgspec import Struct
from msgspec.structs import asdict, replace

from didflow_chassis.decision import Caller, Command, Decided, Decision, NewJob, Refused, Unchanged

JobState = Literal["queued", "running", "done", "canceled", "failed"]
UNFINISHED: Final[tuple[JobState, ...]] = ("queued", "running")


class Job(Struct, frozen=True, kw_only=True):
    """A job as it is stored. `total` is None until its items are counted.

    `done` counts the items that are done or unchanged, `refused` the others. `position` is the position of the last
    item that was decided. `failures` counts the errors since the last chunk that was committed, and `reference`
    finds the last error in the log. `changed_by` is who canceled or retried the job last.
    """

    job_id: UUID
    kind: str
    account: str
    role: str
    created_by: str
    created_at: datetime
    parameters: Any
    state: JobState = "queued"
    total: int | None = None
    done: int = 0
    refused: int = 0
    position: str | None = None
    failures: int = 0
    reference: str | None = None
    finished_at: datetime | None = None
    changed_by: str | None = None

    @classmethod
    def of(cls, new: NewJob) -> "Job":
        """Return a new job as it is stored."""
        return cls(**asdict(new))

    @property
    def caller(self) -> Caller:
        """The caller of the commands of this job."""
        kind, _, subject = self.created_by.partition(":")
        return Caller(subject=subject, account=self.account, role=self.role, is_service=kind == "service")

    @property
    def processed(self) -> int:
        """How many items were decided."""
        return self.done + self.refused


@dataclass(frozen=True, kw_only=True)
class StartJob(Command):
    """Start a job that no other decision starts, such as one that an operator starts on the command line.

    `entity_id` is the id of the job.
    """

    job: NewJob


def start_job(job: Job | None, command: StartJob, now: datetime) -> Decision:  # noqa: ARG001
    """Start a job. A job that was started before is unchanged."""
    return Unchanged() if job is not None else Decided(also=(command.job,))


@dataclass(frozen=True, kw_only=True)
class CancelJob(Command):
    """Cancel a job. `kinds` are the kinds that the caller sees, and `kept` are those that it may not cancel."""

    kinds: frozenset[str]
    kept: frozenset[str] = frozenset()


def cancel_job(job: Job | None, command: CancelJob, now: datetime) -> Decision:
    """Cancel a job between two of its chunks. What was done stays done.

    Refused `not_found`, `job_finished`, `job_completes_decision`.
    """
    if job is None or job.kind not in command.kinds or not command.caller.reaches(job.account):
        return Refused("not_found", "No such job in your accounts.")
    if job.state == "canceled":
        return Unchanged(answer=job)
    if job.state not in UNFINISHED:
        return Refused("job_finished", f"The job is {job.state}. It cannot be canceled any more.")
    if job.kind in command.kept:
        return Refused(
            "job_completes_decision",
            "The job carries out a decision that is in force. Only an operator can cancel it.",
        )
    canceled = replace(job, state="canceled", finished_at=now, changed_by=command.caller.actor)
    return Decided(state=canceled, answer=canceled)


@dataclass(frozen=True, kw_only=True)
class RetryJob(Command):
    """Let a failed or canceled job go on. Only the command line of operators has this command."""


def retry_job(job: Job | None, command: RetryJob, now: datetime) -> Decision:  # noqa: ARG001
    """Let a failed or canceled job go on at its position. Refused `not_found`, `job_finished`.

    It may fail again after as many errors as at first.
    """
    if job is None:
        return Refused("not_found", "There is no such job.")
    if job.state in UNFINISHED:
        return Unchanged(answer=job)
    if job.state == "done":
        return Refused("job_finished", "The job is done. Only a failed or canceled job can be retried.")
    state: JobState = "queued" if job.total is None else "running"
    retried = replace(job, state=state, failures=0, finished_at=None, changed_by=command.caller.actor)
    return Decided(state=retried, answer=retried)

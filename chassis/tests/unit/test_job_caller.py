"""The caller of a job's commands is whoever started the job: a person, or a service."""

from datetime import UTC, datetime
from uuid import UUID

import pytest

from didflow_chassis.decision import Caller, NewJob
from didflow_chassis.jobs.job import Job


@pytest.mark.parametrize("created_by", ["user:ann", "service:inventory", "user:service:inventory"])
def test_the_actor_of_a_jobs_commands_is_who_started_it(created_by: str) -> None:
    """So histories name the same actor as the events. A person cannot pass for a service by its subject."""
    started = NewJob(
        job_id=UUID(int=1),
        kind="rebuild",
        created_by=created_by,
        created_at=datetime(2026, 3, 1, tzinfo=UTC),
        parameters=None,
    )
    assert Job.of(started).caller.actor == created_by


def test_the_subject_of_a_token_is_always_a_user() -> None:
    """Also one that is written like a service."""
    assert Caller(subject="service:billing", account="master", role="service").actor == "user:service:billing"

"""What is returned about jobs: a job, and the result of one of its items. The shape is the same in every service.

Source: spec http, Jobs.
"""

from datetime import datetime
from typing import Self
from uuid import UUID

from pydantic import BaseModel, Field

from didflow_chassis.jobs.job import Job, JobState
from didflow_chassis.jobs.results import ItemOutcome


class JobResponse(BaseModel):
    """A job: work that is longer than one transaction."""

    job_id: UUID
    kind: str
    state: JobState
    total: int | None = Field(description="Number of items; null until they are counted.")
    done: int = Field(description="Items that are done or unchanged.")
    refused: int
    created_by: str = Field(description="`user:<sub>` of the token, or `service:<name>`.")
    created_at: datetime
    finished_at: datetime | None

    @classmethod
    def of(cls, job: Job) -> Self:
        """Return the response for a job."""
        return cls.model_validate(job, from_attributes=True)


class JobResultResponse(BaseModel):
    """The result of one item of a job."""

    item: str = Field(description="What the item is called, such as a number or an id.")
    outcome: ItemOutcome
    code: str | None = Field(description="Null unless the item was refused.")
    message: str | None
    reference: str | None = Field(description="With `internal_error`: the reference in the log.")


def path_of(service: str, job_id: UUID) -> str:
    """Return the path of a job."""
    return f"/v1/{service}/jobs/{job_id}"

"""One chunk of a job: a call of the stage that is claimed by the position of the job.

The decisions on the items, their results and the new position are committed together. If the job is not at the
expected position any more, another runner has done the chunk, and nothing happens.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from didflow_chassis.decision import Command, Decided, Unchanged
from didflow_chassis.jobs import store
from didflow_chassis.jobs.job import UNFINISHED, Job
from didflow_chassis.jobs.kinds import Item, Statement, Work
from didflow_chassis.jobs.results import ItemResult, item_result
from didflow_chassis.stage.call import CommandDecision
from didflow_chassis.stage.messages import TooWide


class JobMoved(Exception):
    """The job has ended, or another runner has done this chunk. Nothing was done."""


@dataclass(frozen=True, kw_only=True)
class Chunk:
    """The next items of a job with the work for each of them, in order."""

    job: Job
    items: Sequence[Item]
    works: Sequence[Work]
    is_last: bool
    lists_unchanged: bool = True
    origin: str = "job"
    key: None = None

    @property
    def actor(self) -> str:
        """Whoever started the job."""
        return self.job.created_by

    @property
    def correlation_id(self) -> str:
        """The id of the job."""
        return str(self.job.job_id)

    @property
    def commands(self) -> list[Command]:
        """The commands among the works."""
        return [work for work in self.works if isinstance(work, Command)]

    def first_half(self) -> "Chunk":
        """Return the chunk with the first half of its items. Raises TooWide if it has one item."""
        half = len(self.items) // 2
        if not half:
            raise TooWide("one item of a job needs too many locks")
        return replace(self, items=self.items[:half], works=self.works[:half], is_last=False)

    async def claim(self, connection: Any) -> None:
        """Lock the job. Raises JobMoved unless it is unfinished and at the expected position."""
        place = await store.lock_place(connection, self.job.job_id)
        here = (self.job.position, self.job.processed)
        if (
            place is None
            or place["state"] not in UNFINISHED
            or (place["position"], place["processed"]) != here
        ):
            raise JobMoved

    async def finish(self, connection: Any, decisions: Sequence[CommandDecision]) -> list[ItemResult]:
        """Run the statements, store the results and move the position. Return the results, in order.

        Raises JobMoved if the job has failed meanwhile.
        """
        outcomes = [work_outcome async for work_outcome in self._outcomes(connection, iter(decisions))]
        results = [item_result(item.name, one) for item, one in zip(self.items, outcomes, strict=True)]
        numbered = enumerate(results, self.job.processed + 1)
        listed = [(n, r) for n, r in numbered if self.lists_unchanged or r.outcome != "unchanged"]
        await store.add_results(connection, self.job.job_id, listed)
        position = self.items[-1].position if self.items else self.job.position
        if not await store.advance(connection, self.job.job_id, position, results, is_last=self.is_last):
            raise JobMoved
        return results

    async def _outcomes(self, connection: Any, decisions: Iterator[CommandDecision]) -> Any:
        for work in self.works:
            if isinstance(work, Command):
                yield next(decisions)
            elif isinstance(work, Statement):
                status = await connection.execute(work.sql, *work.values)
                yield Unchanged() if status.endswith(" 0") else Decided()
            else:
                yield work

"""The kinds of jobs: which items a job has, and what is done with each of them."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from msgspec import Struct

from didflow_chassis.database import Database
from didflow_chassis.decision import OPERATOR, Caller, Command, Refused, Unchanged
from didflow_chassis.jobs.job import Job
from didflow_chassis.jobs.results import ItemOutcome
from didflow_contracts.roles import Action, may

if TYPE_CHECKING:
    from didflow_chassis.service import Service

P = TypeVar("P")


class Item(Struct, frozen=True):
    """One item of a job. `name` is what results call it, such as a number or an id.

    `position` sorts the items: a page continues after it. `data` is what the work needs besides.
    """

    name: str
    position: str
    data: Any = None


class Statement(Struct, frozen=True):
    """A statement that is run in the transaction of the chunk, for tables that hold no states.

    The item is `done` if the statement changes a row, else `unchanged`. The statement must not overwrite what was
    written since the item was read: its condition names the old value.
    """

    sql: str
    values: tuple[Any, ...]


Work = Command | Statement | Refused | Unchanged
"""What is done with an item: a command that the stage decides, a statement, or a result that is known already."""


@dataclass(frozen=True, kw_only=True)
class JobTools(Generic[P]):
    """What the functions of a kind receive: the job with its parameters, the database for reads, and the service."""

    job: Job
    parameters: P
    database: Database
    service: "Service"

    @property
    def caller(self) -> Caller:
        """The caller of the commands of this job."""
        return self.job.caller


@dataclass(frozen=True, kw_only=True)
class JobKind(Generic[P]):
    """One kind of job. The functions read outside of the transaction in which the chunk is then decided.

    `action` says which roles may start it and see it and, with one exception, cancel it.
    `count(tools)` returns the number of items.
    `page(tools, after, limit)` returns the next items after a position (None: from the start), at most `limit`; a
    shorter page is the last one. It uses one statement, in the order of an index. If `has_short_pages`, only an empty
    page is the last one: a kind with items of several tables reads one table for each page.
    `work(tools, items)` returns the work for each item of a page, in order.
    `after(tools, items, outcomes)` is called when the chunk is committed, for what transactions cannot do. It is called
    once at most: not again if it raises, and not at all if the process ends before.

    `chunk` is the number of items in a transaction: 100 or less, so that live traffic never waits long for a lock.
    If not `lists_unchanged`, the results do not list the items that were unchanged.

    A job `completes_decision` if it carries out a decision that is in force already, such as the revocation of an
    approval. Whoever made the decision sees the job, and only an operator may cancel it.
    """

    action: Action
    parameters: type[P]
    count: Callable[[JobTools[P]], Awaitable[int]]
    page: Callable[[JobTools[P], str | None, int], Awaitable[Sequence[Item]]]
    work: Callable[[JobTools[P], Sequence[Item]], Awaitable[Sequence[Work]]]
    after: Callable[[JobTools[P], Sequence[Item], Sequence[ItemOutcome]], Awaitable[None]] | None = None
    chunk: int = 100
    has_short_pages: bool = False
    lists_unchanged: bool = True
    completes_decision: bool = False

    def is_last(self, page: Sequence[Item]) -> bool:
        """Return True if no page follows this one."""
        return not page or (len(page) < self.chunk and not self.has_short_pages)


def kinds_of_role(jobs: Mapping[str, JobKind[Any]], role: str) -> frozenset[str]:
    """Return the names of the kinds that a role may start, and so see. An operator sees all of them.

    Source: spec roles, Jobs.
    """
    return frozenset(name for name, kind in jobs.items() if role == OPERATOR or may(role, kind.action))


def kept_from_role(jobs: Mapping[str, JobKind[Any]], role: str) -> frozenset[str]:
    """Return the names of the kinds that a role may not cancel, even if it sees them."""
    return frozenset(name for name, kind in jobs.items() if kind.completes_decision and role != OPERATOR)

"""The tables `jobs` and `job_results`: the kinds of states in them, and all SQL of jobs.

A lease names the one runner that works on a job. It only avoids double work: what makes a chunk happen once is the
position of the job, which is compared under the lock of the job. `leased_until` of an unfinished job is in the past
while nobody works on it. A lease is given back in the statement that ends its chunk, so a renewal that arrives later
has no effect.

Accounts take turns, so that many jobs of one account do not delay the job of another. Of the account whose turn it is,
the job that waits longest is next. `turn_at` is when a job last had the turn of its account. A finished job keeps it,
so an account with many small jobs has no more turns than the others.
"""

from collections.abc import AsyncIterator, Sequence
from typing import Any, Final
from uuid import UUID

import msgspec
import sqlalchemy as sa

from didflow_chassis import tables
from didflow_chassis.database import Database, hash64
from didflow_chassis.decision import NewJob
from didflow_chassis.jobs.job import Job, JobState
from didflow_chassis.jobs.results import ItemOutcome, ItemResult
from didflow_chassis.row_pages import Fetch, pages
from didflow_chassis.states import Kind
from didflow_chassis.tables import NOW_SQL

NEW_JOBS: Final = Kind(model=NewJob, table=tables.jobs, key="job_id", append_only=True)
JOBS: Final = Kind(model=Job, table=tables.jobs, key="job_id")
KINDS: Final[tuple[Kind[Any], ...]] = (NEW_JOBS, JOBS)

LEASE_S: Final = 10.0
MAX_FAILURES: Final = 5
"""A job fails after this many errors without a committed chunk between them."""
LONGEST_PAUSE_S: Final = 4.0 ** (MAX_FAILURES - 2)
"""The last pause before a job fails. No lease is longer. A `leased_until` later than this was written before the clock
of the database went back."""

_COLUMNS: Final = ", ".join(f'"{name}"' for name in JOBS.names)
_UNFINISHED: Final = "state IN ('queued', 'running')"
_IS_FREE: Final = f"""{_UNFINISHED} AND NOT (leased_until > clock_timestamp()
    AND leased_until <= clock_timestamp() + make_interval(secs => {LONGEST_PAUSE_S}))"""
_LEASE: Final = """
UPDATE jobs SET lease = $1, leased_until = clock_timestamp() + make_interval(secs => $2),
    turn_at = statement_timestamp()
"""
CLAIM: Final = f"""
WITH RECURSIVE waiting (account) AS (
    (SELECT account FROM jobs WHERE {_UNFINISHED} ORDER BY account LIMIT 1)
    UNION ALL
    SELECT (SELECT j.account FROM jobs j WHERE {_UNFINISHED} AND j.account > w.account ORDER BY j.account LIMIT 1)
    FROM waiting w WHERE w.account IS NOT NULL
), first_jobs AS (
    SELECT job.job_id, turn.turn_at AS last_turn_at
    FROM waiting w
    CROSS JOIN LATERAL (
        SELECT job_id FROM jobs WHERE account = w.account AND kind = ANY($3::text[]) AND {_IS_FREE}
        ORDER BY leased_until, job_id LIMIT 1) job
    LEFT JOIN LATERAL (
        SELECT turn_at FROM jobs WHERE account = w.account AND turn_at <= statement_timestamp()
        ORDER BY turn_at DESC LIMIT 1) turn ON true)
{_LEASE} WHERE job_id = (
    SELECT job_id FROM first_jobs JOIN jobs USING (job_id) WHERE {_IS_FREE}
    ORDER BY last_turn_at NULLS FIRST, leased_until, job_id LIMIT 1 FOR UPDATE OF jobs SKIP LOCKED)
RETURNING {_COLUMNS}
"""  # noqa: S608
"""Takes the account whose last turn is longest ago, and of its jobs the one that waits longest.

The accounts are found by steps in the index of the unfinished jobs, and the last turn of each by one step in the index
of turns. So the statement does not take longer with more jobs of an account, finished or not.
"""
CLAIM_ONE: Final = f"""
{_LEASE} WHERE job_id = (
    SELECT job_id FROM jobs WHERE job_id = $4 AND kind = ANY($3::text[]) AND {_IS_FREE} FOR UPDATE SKIP LOCKED)
RETURNING {_COLUMNS}
"""  # noqa: S608
_RENEW: Final = """
UPDATE jobs SET leased_until = clock_timestamp() + make_interval(secs => $3) WHERE job_id = $1 AND lease = $2
"""
_BEGIN: Final = f"""
UPDATE jobs SET state = 'running', total = $2, version = version + 1 WHERE job_id = $1 AND state = 'queued'
RETURNING {_COLUMNS}
"""  # noqa: S608
_FAIL: Final = f"""
UPDATE jobs SET lease = NULL, failures = failures + 1, reference = $4, version = version + 1,
    leased_until = clock_timestamp()
        + CASE WHEN failures + 1 >= $3 THEN interval '0' ELSE make_interval(secs => 4 ^ failures) END,
    state = CASE WHEN failures + 1 >= $3 THEN 'failed' ELSE state END,
    finished_at = CASE WHEN failures + 1 >= $3 THEN {NOW_SQL} END
WHERE job_id = $1 AND lease = $2 AND state IN ('queued', 'running')
RETURNING state
"""  # noqa: S608
_LOCK: Final = "SELECT pg_advisory_xact_lock($1)"
_PLACE: Final = "SELECT state, position, done + refused AS processed FROM jobs WHERE job_id = $1"
_ADVANCE: Final = f"""
UPDATE jobs SET position = $2, done = done + $3, refused = refused + $4, failures = 0, version = version + 1,
    lease = NULL, leased_until = clock_timestamp(),
    state = CASE WHEN $5 THEN 'done' ELSE state END,
    total = CASE WHEN $5 THEN done + refused + $3 + $4 ELSE total END,
    finished_at = CASE WHEN $5 THEN {NOW_SQL} END
WHERE job_id = $1 AND state IN ('queued', 'running')
"""  # noqa: S608
_ADD_RESULTS: Final = """
INSERT INTO job_results (job_id, n, item, outcome, code, message, reference)
SELECT $1, * FROM unnest($2::bigint[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[])
"""
PRUNE_RESULTS: Final = f"""
DELETE FROM job_results WHERE (job_id, n) IN (
    SELECT r.job_id, r.n FROM jobs j JOIN job_results r ON r.job_id = j.job_id
    WHERE j.finished_at < (SELECT {NOW_SQL} - make_interval(days => $1)) LIMIT $2)
"""  # noqa: S608
PRUNE: Final = f"""
DELETE FROM jobs j WHERE finished_at < (SELECT {NOW_SQL} - make_interval(days => $1))
    AND NOT EXISTS (SELECT FROM job_results r WHERE r.job_id = j.job_id)
"""  # noqa: S608
_FIND: Final = f"SELECT {_COLUMNS} FROM jobs WHERE job_id = $1"  # noqa: S608
COUNT_BY_STATE: Final = """
SELECT state, count(*) AS jobs FROM jobs WHERE state IN ('queued', 'running') GROUP BY state
"""
COUNT_UNFINISHED: Final = "SELECT count(*) FROM jobs WHERE state IN ('queued', 'running')"


async def claim(database: Database, lease: UUID, kinds: Sequence[str], job_id: UUID | None) -> Job | None:
    """Lease the job whose turn it is, or this one, and return it; None if there is none. Raises Outage.

    The accounts take turns: all jobs of an account share one turn.
    """
    if job_id is None:
        rows = await database.fetch(CLAIM, lease, LEASE_S, list(kinds))
    else:
        rows = await database.fetch(CLAIM_ONE, lease, LEASE_S, list(kinds), job_id)
    return to_job(rows[0]) if rows else None


async def renew(database: Database, job_id: UUID, lease: UUID) -> None:
    """Extend a lease, unless another runner has the job. Raises Outage."""
    await database.fetch(_RENEW, job_id, lease, LEASE_S)


async def begin(database: Database, job_id: UUID, total: int) -> Job | None:
    """Store the number of items of a queued job and return the job. None: it is not queued. Raises Outage."""
    rows = await database.fetch(_BEGIN, job_id, total)
    return to_job(rows[0]) if rows else None


async def fail(database: Database, job_id: UUID, lease: UUID, reference: str) -> JobState | None:
    """Count an error. Return the state of the job, which pauses for 1, 4, 16, 64 s and then is `failed`.

    `reference` finds the error in the log. Raises Outage.
    """
    rows = await database.fetch(_FAIL, job_id, lease, MAX_FAILURES, reference)
    return rows[0]["state"] if rows else None


async def find(database: Database, job_id: UUID) -> Job | None:
    """Return a job. Raises Outage."""
    rows = await database.fetch(_FIND, job_id)
    return to_job(rows[0]) if rows else None


async def prune(database: Database, days: int, limit: int) -> None:
    """Delete jobs that ended this many days ago, in the service's time. Raises Outage.

    At most `limit` of their results are deleted. A job that still has results is kept.
    """
    await database.fetch(PRUNE_RESULTS, days, limit)
    await database.fetch(PRUNE, days)


async def lock_place(connection: Any, job_id: UUID) -> Any:
    """Lock a job as the stage does, and return its state, position and number of processed items."""
    await connection.execute(_LOCK, hash64(JOBS.lock_of(job_id)))
    return await connection.fetchrow(_PLACE, job_id)


async def advance(
    connection: Any, job_id: UUID, position: str | None, results: Sequence[ItemResult], *, is_last: bool
) -> bool:
    """Store the new position of a locked job, give its lease back, and end the job if this was its last chunk.

    Return False if the job has failed meanwhile: an error is counted without the lock of the job.
    """
    refused = sum(result.outcome == "refused" for result in results)
    values = (job_id, position, len(results) - refused, refused, is_last)
    status: str = await connection.execute(_ADVANCE, *values)
    return status.endswith(" 1")


async def add_results(connection: Any, job_id: UUID, results: Sequence[tuple[int, ItemResult]]) -> None:
    """Insert results with their numbers, which count the items of the job from 1."""
    if results:
        rows = [(n, r.item, r.outcome, r.code, r.message, r.reference) for n, r in results]
        await connection.execute(_ADD_RESULTS, job_id, *map(list, zip(*rows, strict=True)))


def select_jobs(
    *conditions: sa.ColumnElement[bool],
    job_id: UUID | None = None,
    kind: str | None = None,
    state: JobState | None = None,
) -> sa.Select[Any]:
    """Return the statement of the jobs that satisfy all that is given. `to_job` makes a job of each row."""
    columns = tables.jobs.c
    wanted = {columns.job_id: job_id, columns.kind: kind, columns.state: state}
    given = (column == value for column, value in wanted.items() if value is not None)
    return sa.select(*(columns[name] for name in JOBS.names)).where(*conditions, *given)


def to_job(row: Any) -> Job:
    """Return the job of a row that has all columns of a job."""
    job: Job = JOBS.from_row((*(row[name] for name in JOBS.names), 0)).state
    return job


def select_results(job_id: UUID, outcome: ItemOutcome | None = None) -> sa.Select[Any]:
    """Return the statement of the results of a job, in any order."""
    columns = tables.job_results.c
    statement = sa.select(tables.job_results).where(columns.job_id == job_id)
    return statement if outcome is None else statement.where(columns.outcome == outcome)


def pages_of_results(
    fetch: Fetch, job_id: UUID, outcome: ItemOutcome | None = None
) -> AsyncIterator[Sequence[Any]]:
    """Yield the results of a job in the order of its items, page by page."""
    return pages(fetch, select_results(job_id, outcome), tables.job_results.c.n)


def parameters_of(job: Job, model: type) -> Any:
    """Return the parameters of a job as a value of their class."""
    return msgspec.convert(job.parameters, model, strict=False)

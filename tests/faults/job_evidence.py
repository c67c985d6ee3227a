"""What became of a job: its results, the states of its items and their events. Each item must be done exactly once."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import orjson
from faults.evidence import open_records
from faults.job_items import is_item
from faults.job_run import JobRun, StartedJob

from didflow_chassis.jobs.job import Job

_RESULTS: Final = "SELECT n, item, outcome FROM job_results WHERE job_id = $1 ORDER BY n"
_LEFT: Final = """
SELECT (SELECT count(*) FROM outbox) AS outbox, (SELECT count(*) FROM parked) AS parked,
    (SELECT count(*) FROM dead_letters) AS dead_letters
"""
_PURCHASES: Final = "SELECT number FROM {table} WHERE number = ANY($1::text[])"


@dataclass(frozen=True, kw_only=True)
class JobEvidence:
    """The evidence about one job. `events` counts the different events of the job by topic and number.

    `states` has how much the version and the sequence of each item have risen, and `lines` how many lines were added,
    without the items of which nothing has changed.
    """

    job: Job
    results: tuple[tuple[int, str, str], ...]
    states: Mapping[str, tuple[int, int]]
    lines: Mapping[str, int]
    events: Mapping[str, Counter[str]]
    repeats: int
    left: Mapping[str, int]
    lost: frozenset[str]


async def evidence_of(run: JobRun, started: StartedJob) -> JobEvidence:
    """Wait until the service is idle, and read everything."""
    idle = await run.installation.unfinished_work(within=120, carrier=False)
    assert not idle, idle
    states, lines = await run.states(), await run.lines()
    events, repeats = await _events(run, str(started.job_id))
    sent = list(run.purchases.sent)
    stored = await run.service.fetch(_PURCHASES.format(table=run.items.main_table), sent)
    return JobEvidence(
        job=await run.job(started.job_id),
        results=tuple(tuple(row) for row in await run.service.fetch(_RESULTS, started.job_id)),
        states={
            number: (after[0] - before[0], after[1] - before[1])
            for number, after in states.items()
            if (before := started.states[number]) != after
        },
        lines={
            number: count - started.lines.get(number, 0)
            for number, count in lines.items()
            if count != started.lines.get(number, 0)
        },
        events=events,
        repeats=repeats,
        left=dict((await run.service.fetch(_LEFT))[0]),
        lost=frozenset(run.purchases.lost | (set(sent) - {row["number"] for row in stored})),
    )


async def _events(run: JobRun, job_id: str) -> tuple[dict[str, Counter[str]], int]:
    """Return how many different events each item has because of the job, by topic, and the number of repeats."""
    ids: defaultdict[str, defaultdict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    records = 0
    if not run.items.published:
        return {}, 0
    async with open_records(run.installation, run.items.published) as found:
        async for record in found:
            event = orjson.loads(record.value)
            if event["causationid"] == job_id:
                topic = record.topic.removeprefix(run.installation.parts.topic_prefix)
                ids[topic][event["subject"]].add(event["id"])
                records += 1
    events = {topic: Counter({n: len(of_n) for n, of_n in numbers.items()}) for topic, numbers in ids.items()}
    return events, records - sum(counts.total() for counts in events.values())


def violations(run: JobRun, evidence: JobEvidence, *, state: str) -> Iterator[str]:
    """Yield what is wrong about a job that must have ended in this state."""
    job, name = evidence.job, run.items.service
    done = {item for _, item, outcome in evidence.results if outcome == "done"}
    items = Counter(item for _, item, _ in evidence.results)
    if job.state != state:
        yield f"{name}: the job is {job.state}, not {state}"
    if state == "done" and len(done) != run.count:
        yield f"{name}: {len(done)} items are done, not {run.count}"
    if state == "canceled" and not 0 < len(done) < run.count:
        yield f"{name}: the job was canceled when {len(done)} of {run.count} items were done"
    if items and max(items.values()) > 1:
        yield f"{name}: {sum(count > 1 for count in items.values())} items have two results"
    if any(outcome != "done" for _, _, outcome in evidence.results):
        yield f"{name}: {Counter(outcome for _, _, outcome in evidence.results)}"
    yield from _progress(run, evidence)
    changed = {number: (1, len(run.items.published)) for number in done}
    yield from _compared(f"{name}: versions and sequences", changed, evidence.states)
    if run.items.lines:
        yield from _compared(f"{name}: lines", dict.fromkeys(done, 1), evidence.lines)
    for topic in run.items.published:
        found = {number: count for number, count in evidence.events.get(topic, {}).items() if is_item(number)}
        yield from _compared(f"{name}: {topic}", dict.fromkeys(done, 1), found)
    if any(evidence.left.values()):
        yield f"{name}: {evidence.left}"
    if evidence.lost:
        yield f"{name}: {len(evidence.lost)} purchases are lost: {sorted(evidence.lost)[:5]}"


def _progress(run: JobRun, evidence: JobEvidence) -> Iterator[str]:
    """Compare the counts of a job with its results. They are numbered without a gap if all items are listed."""
    job, name, results = evidence.job, run.items.service, evidence.results
    numbers = [n for n, _, _ in results]
    if job.refused:
        yield f"{name}: {job.refused} items are refused"
    if run.items.covers_purchases:
        if not len(numbers) <= numbers[-1] <= job.done <= len(numbers) + len(run.purchases.sent):
            yield f"{name}: {len(numbers)} results up to number {numbers[-1]}, but {job.done} items are done"
    elif numbers != list(range(1, job.done + 1)):
        yield f"{name}: {len(numbers)} results up to number {numbers[-1:]}, but {job.done} items are done"
    if job.state == "done" and job.total != job.processed:
        yield f"{name}: {job.processed} items are processed, not {job.total}"


def _compared(what: str, required: Mapping[str, Any], found: Mapping[str, Any]) -> Iterator[str]:
    wrong = {n for n in required.keys() | found.keys() if required.get(n) != found.get(n)}
    if wrong:
        shown = [(n, found.get(n), required.get(n)) for n in sorted(wrong)[:5]]
        yield f"{what}: {len(wrong)} items are wrong, such as (number, found, required) {shown}"

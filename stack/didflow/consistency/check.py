"""The whole check: all DIDs once, then more looks at those whose differences may be caused by events on their way.

A difference that is not certain becomes a disagreement only if it outlasts the wait and the rows of the DID have not
changed in the second half of the wait. What has changed is counted as `moving` and is no disagreement.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeVar
from uuid import UUID

from didflow.consistency.backlog import Backlog, read_backlog
from didflow.consistency.codes import Disagreement
from didflow.consistency.did import disagreements_of
from didflow.consistency.numbers import wrong_numbers
from didflow.consistency.proof import proved
from didflow.consistency.rows import DidRows
from didflow.consistency.snapshot import PAGE, Snapshot, snapshot
from didflow.consistency.totals import wrong_totals

WAIT_S: Final = 10.0
"""How long differences have time to disappear."""

MOST: Final = 10_000
"""How many DIDs are looked at again. Only they stay in memory."""

_FIRST_PAUSE_S: Final = 0.5

T = TypeVar("T")


@dataclass(kw_only=True)
class Result:
    """The result of a check. `moving`: DIDs that still changed. `backlog`: what each service has yet to process."""

    services: tuple[str, ...]
    dids: int = 0
    disagreements: list[Disagreement] = field(default_factory=list)
    moving: int = 0
    backlog: Mapping[str, Backlog] = field(default_factory=dict)
    seconds: float = 0.0

    @property
    def counts(self) -> Mapping[str, int]:
        """Code -> number of disagreements."""
        return Counter(disagreement.code for disagreement in self.disagreements)


@dataclass(frozen=True, kw_only=True)
class _Suspect:
    """A DID that differs, the versions of its rows, and since when they have not changed (monotonic seconds)."""

    versions: Mapping[str, int]
    since: float
    disagreements: Sequence[Disagreement]


async def check(databases: Mapping[str, str], *, wait: float = WAIT_S, most: int = MOST) -> Result:
    """Check these databases, service -> DSN. Without a wait, every difference is a disagreement. Raises Outage.

    At most `most` DIDs are looked at again. If more differ, the check ends there with a disagreement `too_many`.
    """
    looks = _Looks(result=Result(services=tuple(databases)), most=most)
    began = time.monotonic()
    async with snapshot(databases) as found:
        await looks.first(found)
    pause, until = _FIRST_PAUSE_S, time.monotonic() + wait
    while looks.is_doubtful and (left := until - time.monotonic()) > 0:
        await asyncio.sleep(min(pause, left))
        pause *= 2
        async with snapshot(databases) as found:
            await looks.again(found)
    async with snapshot(databases) as found:
        await looks.conclude(found, quiet_since=time.monotonic() - wait / 2)
    looks.result.seconds = time.monotonic() - began
    return looks.result


@dataclass(kw_only=True)
class _Looks:
    """What the looks so far have found. `numbers` are doubtful disagreements about numbers, not about DIDs."""

    result: Result
    most: int
    certain: dict[tuple[str, ...], Disagreement] = field(default_factory=dict)
    suspects: dict[UUID, _Suspect] = field(default_factory=dict)
    numbers: list[Disagreement] = field(default_factory=list)

    @property
    def is_doubtful(self) -> bool:
        return bool(self.suspects or self.numbers)

    async def first(self, found: Snapshot) -> None:
        """Look at all DIDs and totals."""
        async for did in found.dids():
            self.result.dids += 1
            self._judge(did, found)
            if len(self.suspects) > self.most:
                del self.suspects[did.did_id]
                self._add(_too_many(did, self.most))
                break
        await self._judge_numbers(found, None)
        for disagreement in await wrong_totals(found, self.most):
            self._add(disagreement)

    async def again(self, found: Snapshot) -> None:
        """Look again at the DIDs that differed."""
        before, self.suspects = self.suspects, {}
        for did_ids in _pages(list(before)):
            for did in await found.some(did_ids):
                self._judge(did, found, before[did.did_id])
        await self._judge_numbers(found, {_identity(disagreement) for disagreement in self.numbers})

    async def conclude(self, found: Snapshot, *, quiet_since: float) -> None:
        """Turn what is still doubtful into disagreements, unless its rows have changed since then."""
        quiet = [suspect for suspect in self.suspects.values() if suspect.since <= quiet_since]
        self.result.moving = len(self.suspects) - len(quiet)
        doubtful = [disagreement for suspect in quiet for disagreement in suspect.disagreements]
        for disagreements in _pages(doubtful):
            for disagreement in await proved(found, disagreements):
                self._add(disagreement)
        for disagreement in self.numbers:
            self._add(disagreement)
        self.result.disagreements = sorted(self.certain.values(), key=lambda one: (one.code, one.number))
        self.result.backlog = await read_backlog(found)

    def _judge(self, did: DidRows, found: Snapshot, before: _Suspect | None = None) -> None:
        doubtful = []
        for disagreement in disagreements_of(did, found.services):
            if disagreement.certain:
                self._add(disagreement)
            else:
                doubtful.append(disagreement)
        if doubtful:
            same = before is not None and before.versions == did.versions
            since = before.since if before is not None and same else time.monotonic()
            self.suspects[did.did_id] = _Suspect(versions=did.versions, since=since, disagreements=doubtful)

    async def _judge_numbers(self, found: Snapshot, known: set[tuple[str, ...]] | None) -> None:
        """Find wrong numbers; on another look, only those that were found before."""
        if known is not None and not known:
            return
        self.numbers = []
        for disagreement in await wrong_numbers(found, self.most):
            if disagreement.certain:
                self._add(disagreement)
            elif known is None or _identity(disagreement) in known:
                self.numbers.append(disagreement)

    def _add(self, disagreement: Disagreement) -> None:
        self.certain.setdefault(_identity(disagreement), disagreement)


def _identity(disagreement: Disagreement) -> tuple[str, ...]:
    """Return what makes two disagreements the same. Two differences in one ledger are two disagreements."""
    about = (
        disagreement.code,
        str(disagreement.did_id),
        disagreement.number,
        disagreement.service,
        disagreement.axis or "",
    )
    return about if disagreement.axis else (*about, disagreement.detail)


def _pages(values: Sequence[T]) -> Iterator[Sequence[T]]:
    return (values[n : n + PAGE] for n in range(0, len(values), PAGE))


def _too_many(did: DidRows, most: int) -> Disagreement:
    detail = f"{most} DIDs differ already, and the check ended at {did.did_id}"
    return Disagreement(code="too_many", did_id=did.did_id, number=did.number, service="", detail=detail)

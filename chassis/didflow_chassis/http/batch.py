"""Batch actions: every entry has its own outcome, in the order asked; one bad entry never fails the rest.

However many entries, they are resolved by one statement and decided in one call of the stage (spec http).
"""

from collections import Counter
from collections.abc import Awaitable, Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from didflow_chassis.decision import Command, Refused, Unchanged
from didflow_chassis.http.idempotency import REPLAYED
from didflow_chassis.http.problems import FieldError, Problem, clean
from didflow_chassis.stage.once import Answer, Result

MAX_ENTRIES = 1_000
ENTRY = "did"
"""What an entry of the answer calls its name on the wire (spec http, Batch actions)."""

NOT_FOUND = Refused("not_found", "nothing of this name is in the caller's reach")


@dataclass(frozen=True, kw_only=True, slots=True)
class Target:
    """What a name stands for: the state's key and the key that it is ordered by."""

    entity_id: Hashable
    subject: str


Outcome = Literal["done", "unchanged", "refused"]
Targets = Mapping[str, Target]
Resolve = Callable[[Any, list[str]], Awaitable[Targets]]
Make = Callable[[Target], Command]


class BatchAnswer(Response):
    """The response of a batch action; its body is a `Batch`."""

    media_type = "application/json"


class BatchEntry(BaseModel):
    """What came of one entry; `code` and `message` say why it was refused, else null."""

    model_config = ConfigDict(validate_by_name=True)

    name: str = Field(alias=ENTRY, description="as the caller wrote it")
    outcome: Outcome
    code: str | None = None
    message: str | None = None


class Batch(BaseModel):
    """What came of each entry, in the order asked, and how often."""

    results: list[BatchEntry]
    done: int
    unchanged: int
    refused: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """Which entry is decided by which command: each distinct target once, where it was first named."""

    names: Sequence[str]
    targets: Sequence[Target]
    first: Mapping[int, int]
    repeats: frozenset[int]

    def answer(self, results: Sequence[Result]) -> Answer:
        """Build the answer from the results of the targets' commands."""
        entries = [self._entry(place, results) for place in range(len(self.names))]
        counts = Counter(entry.outcome for entry in entries)
        said = Batch(
            results=entries, done=counts["done"], unchanged=counts["unchanged"], refused=counts["refused"]
        )
        return Answer(status=200, body=said.model_dump_json(by_alias=True).encode())

    def _entry(self, place: int, results: Sequence[Result]) -> BatchEntry:
        name = clean(self.names[place])
        outcome = results[self.first[place]].outcome if place in self.first else NOT_FOUND
        if place in self.repeats or isinstance(outcome, Unchanged):
            return BatchEntry(name=name, outcome="unchanged")
        if isinstance(outcome, Refused):
            return BatchEntry(name=name, outcome="refused", code=outcome.code, message=outcome.message)
        return BatchEntry(name=name, outcome="done")


def batch_response(answer: Answer) -> BatchAnswer:
    """Make the response that carries a batch's answer."""
    return BatchAnswer(answer.body, answer.status, REPLAYED if answer.replayed else None)


def check_size(names: Sequence[str]) -> None:
    """Raise Problem `too_few` or `too_many` unless there are 1 to 1,000 entries."""
    code = "too_few" if not names else "too_many" if len(names) > MAX_ENTRIES else None
    if code:
        wrong = FieldError(field=f"{ENTRY}s", code=code, message=f"1 to {MAX_ENTRIES} entries")
        raise Problem(code, f"Name 1 to {MAX_ENTRIES} entries.", errors=[wrong])


def plan(names: Sequence[str], targets: Targets) -> Plan:
    """Fold repeats: a target named again, by whichever of its names, is not decided again."""
    distinct: dict[Hashable, Target] = {}
    first: dict[int, int] = {}
    repeats: set[int] = set()
    for place, name in enumerate(names):
        target = targets.get(name)
        if target is None:
            continue
        if target.entity_id in distinct:
            repeats.add(place)
            continue
        first[place] = len(distinct)
        distinct[target.entity_id] = target
    return Plan(names=names, targets=tuple(distinct.values()), first=first, repeats=frozenset(repeats))

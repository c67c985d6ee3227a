"""The kind of the job: its steps one after another, and the position of the job in them.

A position is the number of the step and the position in the step. A refusal ends the job after its chunk: if the
details are in use, nothing was erased, and if a copy could not be removed, the details keep the values to search for.
"""

from collections.abc import Iterable, Sequence
from typing import Any, Final

from didflow_chassis import kept_messages
from didflow_chassis.jobs.kinds import Item, JobKind, Work
from didflow_verification.erasure.contents import DeleteContents
from didflow_verification.erasure.copies import KeptMessages, ReviewerTexts
from didflow_verification.erasure.details import EmptyDetails, HideDetails
from didflow_verification.erasure.step import ErasePerson, Step, Tools

_COPIES: Final[tuple[Step, ...]] = (ReviewerTexts(), *map(KeptMessages, kept_messages.TABLES))
_STEPS: Final[tuple[Step, ...]] = (HideDetails(), *_COPIES, *_COPIES, EmptyDetails(), DeleteContents())


async def _count(tools: Tools) -> int:
    return sum([await step.count(tools) for step in _STEPS])


async def _page(tools: Tools, after: str | None, limit: int) -> Sequence[Item]:
    if tools.job.refused:
        return ()
    number, last = _place(after)
    for n, step in enumerate(_STEPS[number:], number):
        items = await step.page(tools, last, limit)
        if items:
            return [Item(f"{step.name} {item.name}", f"{n} {item.position}", item.data) for item in items]
        last = None
    return ()


async def _work(tools: Tools, items: Sequence[Item]) -> Sequence[Work]:
    number, _ = _place(items[0].position)
    return await _STEPS[number].work(tools, items)


def _place(position: str | None) -> tuple[int, str | None]:
    """Return the number of a step and the position in it. None: the start of the step."""
    number, _, last = (position or "0").partition(" ")
    return int(number), last or None


ERASURE: Final[JobKind[ErasePerson]] = JobKind(
    action="operate",
    parameters=ErasePerson,
    count=_count,
    page=_page,
    work=_work,
    chunk=10,
    has_short_pages=True,
    lists_unchanged=False,
)


def count_copies(results: Iterable[Any]) -> int:
    """Return how many results are about copies of the data, in texts or messages."""
    names = {step.name for step in _COPIES}
    return sum(row["item"].partition(" ")[0] in names for row in results)


def begun_refusal(results: Iterable[Any]) -> Any | None:
    """Return the result of the first step among refused results: nothing was erased. None: there is none."""
    return next((row for row in results if row["item"].startswith(f"{_STEPS[0].name} ")), None)

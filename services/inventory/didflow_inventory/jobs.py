"""The kinds of jobs of inventory: work that is longer than one transaction."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import islice
from typing import Any, Final
from uuid import UUID

from msgspec import Struct

from didflow_chassis.decision import Unchanged
from didflow_chassis.jobs.kinds import Item, JobKind, JobTools, Work
from didflow_contracts import areas
from didflow_contracts.names import parse_number
from didflow_inventory.domain.commands import RebuildDid
from didflow_inventory.domain.did import Did
from didflow_inventory.domain.packages.commands import FollowPackage
from didflow_inventory.domain.packages.lifecycle import FOLLOW_PACKAGE, PackageNumbers
from didflow_inventory.domain.rebuild import rebuild
from didflow_inventory.domain.stock.availability import NO_NUMBER
from didflow_inventory.domain.stock.commands import AddNumber
from didflow_inventory.domain.stock.ranges import NumberRange, expanded
from didflow_inventory.domain.stock.upload import UPLOAD, Upload
from didflow_inventory.store import packages, queries


class Rebuild(Struct, frozen=True):
    """The parameters of a rebuild: it has none, because it is about all DIDs."""


async def _count(tools: JobTools[Rebuild]) -> int:
    rows = await tools.database.fetch(queries.number_of_dids())
    found: int = rows[0][0]
    return found


async def _page(tools: JobTools[Rebuild], after: str | None, limit: int) -> Sequence[Item]:
    rows = await tools.database.fetch(queries.dids_after(UUID(after) if after else None, limit))
    dids = [queries.did_of_row(row) for row in rows]
    return [Item(did.holding.number, str(did.holding.did_id), did) for did in dids]


async def _work(tools: JobTools[Rebuild], items: Sequence[Item]) -> Sequence[Work]:
    """Only a DID whose stored listing is not that of the present rules is locked and decided.

    For the others the decision is taken on the row as it was read. A DID that changes afterwards gets the listing of
    the present rules with its change.
    """
    now = tools.job.created_at
    commands = [
        RebuildDid(entity_id=item.data.holding.did_id, subject=item.name, caller=tools.caller)
        for item in items
    ]
    return [
        Unchanged() if _is_current(item.data, command, now) else command
        for item, command in zip(items, commands, strict=True)
    ]


def _is_current(did: Did, command: RebuildDid, now: datetime) -> bool:
    """Return True if nothing changes. A decision that raises is left to the stage, which refuses this item alone."""
    try:
        return isinstance(rebuild(did, command, now), Unchanged)
    except Exception:  # noqa: BLE001 - a defect about one DID must not end the job
        return False


async def _count_upload(tools: JobTools[Upload]) -> int:
    return sum(part.count if isinstance(part, NumberRange) else 1 for part in tools.parameters.ranges)


async def _page_of_upload(tools: JobTools[Upload], after: str | None, limit: int) -> Sequence[Item]:
    start = 0 if after is None else int(after) + 1
    numbers = islice(expanded(tools.parameters.ranges), start, start + limit)
    return [Item(name, str(position)) for position, name in enumerate(numbers, start)]


async def _work_of_upload(tools: JobTools[Upload], items: Sequence[Item]) -> Sequence[Work]:
    await asyncio.to_thread(areas.load)
    fields = tools.parameters.fields
    return [
        AddNumber(entity_id=number, subject=number, caller=tools.caller, fields=fields)
        if (number := parse_number(item.name))
        else NO_NUMBER
        for item in items
    ]


async def _count_of_package(tools: JobTools[PackageNumbers]) -> int:
    rows = await tools.database.fetch(packages.count_of_dids(tools.parameters))
    found: int = rows[0][0]
    return found


async def _page_of_package(tools: JobTools[PackageNumbers], after: str | None, limit: int) -> Sequence[Item]:
    place = UUID(after) if after else None
    rows = await tools.database.fetch(packages.next_dids(tools.parameters, place, limit))
    return [Item(row["number"], str(row["did_id"]), row["did_id"]) for row in rows]


async def _follow(tools: JobTools[PackageNumbers], items: Sequence[Item]) -> Sequence[Work]:
    return [FollowPackage(entity_id=item.data, subject=item.name, caller=tools.caller) for item in items]


JOBS: Final[Mapping[str, JobKind[Any]]] = {
    "rebuild": JobKind(
        action="operate", parameters=Rebuild, count=_count, page=_page, work=_work, lists_unchanged=False
    ),
    UPLOAD: JobKind(
        action="upload",
        parameters=Upload,
        count=_count_upload,
        page=_page_of_upload,
        work=_work_of_upload,
    ),
    FOLLOW_PACKAGE: JobKind(
        action="manage_packages",
        parameters=PackageNumbers,
        count=_count_of_package,
        page=_page_of_package,
        work=_follow,
        lists_unchanged=False,
    ),
}
"""Each kind of job by its name."""

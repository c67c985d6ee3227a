"""The kinds of jobs of provisioning: work that is longer than one transaction.

The replacement of a voice trunk decides the DIDs on the trunk in the order of their ids. A DID can take the trunk when
the job is already past it. So the job then decides the DIDs on the trunk that have no result yet, until there is none.
It decides each number once. Therefore it ends even if others continue to set the trunk.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from didflow_chassis.jobs.kinds import Item, JobKind, JobTools, Work
from didflow_contracts.ids import uuid7
from didflow_provisioning.domain.commands import MoveVoice
from didflow_provisioning.domain.trunk_replacement import REPLACE_VOICE_TRUNK, TrunkReplacement
from didflow_provisioning.store import queries
from didflow_provisioning.store.tables import VOICE_TRUNK_USE

_FIRST: Final = UUID(int=0)
_IN_ORDER, _LATE = "in order", "late"

Replacing = JobTools[TrunkReplacement]


async def _count(tools: Replacing) -> int:
    rows = await tools.database.fetch(VOICE_TRUNK_USE.load_sql, [tools.parameters.trunk_id])
    return rows[0]["dids"] if rows else 0


async def _page(tools: Replacing, after: str | None, limit: int) -> Sequence[Item]:
    part, _, last = (after or f"{_IN_ORDER} {_FIRST}").rpartition(" ")
    trunk_id, items = tools.parameters.trunk_id, list[Item]()
    if part == _IN_ORDER:
        rows = await tools.database.fetch(queries.dids_on_trunk(trunk_id, UUID(last), limit))
        items = [_item(_IN_ORDER, row) for row in rows]
    if len(items) < limit:
        known = [item.data for item in items]
        statement = queries.late_dids_on_trunk(trunk_id, tools.job.job_id, known, limit - len(items))
        items += [_item(_LATE, row) for row in await tools.database.fetch(statement)]
    return items


async def _work(tools: Replacing, items: Sequence[Item]) -> Sequence[Work]:
    return [
        MoveVoice(
            entity_id=item.data,
            subject=item.name,
            caller=tools.caller,
            next_command_id=uuid7(),
            voice_trunk_id=tools.parameters.by,
            former=tools.parameters.trunk_id,
        )
        for item in items
    ]


def _item(part: str, row: Any) -> Item:
    return Item(row["number"], f"{part} {row['did_id']}", row["did_id"])


JOBS: Final[Mapping[str, JobKind[Any]]] = {
    REPLACE_VOICE_TRUNK: JobKind(
        action="manage_routing", parameters=TrunkReplacement, count=_count, page=_page, work=_work
    )
}
"""Each kind of job by its name."""

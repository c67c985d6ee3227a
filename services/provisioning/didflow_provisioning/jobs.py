"""The kinds of jobs of provisioning: work that is longer than one transaction.

A change and a replacement of a target decide the DIDs on the target in the order of their ids. A DID can take a target
when the job that replaces it is already past the DID. So this job then decides the DIDs on the target that have no
result yet, until there is none. It decides each number once. Therefore it ends even if others continue to set the
target. A change needs no such second pass: a DID that takes the target meanwhile takes it as it is now.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import Any, Final
from uuid import UUID

from didflow_chassis.jobs.kinds import Item, JobKind, JobTools, Work
from didflow_contracts.ids import uuid7
from didflow_provisioning.domain.targets.commands import MoveSms, MoveVoice
from didflow_provisioning.domain.targets.job_kinds import (
    CHANGE_SMS_TRUNK,
    CHANGE_VOICE_TRUNK,
    CHANGE_VOICE_TRUNK_GROUP,
    REPLACE_SMS_TRUNK,
    REPLACE_VOICE_TRUNK,
    REPLACE_VOICE_TRUNK_GROUP,
    Move,
)
from didflow_provisioning.store.moves import SMS, VOICE, VOICE_WITH_GROUPS, MovedDids
from didflow_provisioning.store.secrets import SECRETS

_ZERO: Final = UUID(int=0)
_IN_ORDER, _LATE = "in_order", "late"

Moving = JobTools[Move]


async def _count(moved: MovedDids, tools: Moving) -> int:
    rows = await tools.database.fetch(moved.count, tools.parameters.former)
    found: int = rows[0][0]
    return found


async def _page(moved: MovedDids, tools: Moving, after: str | None, limit: int) -> Sequence[Item]:
    part, target, last = (after or f"{_IN_ORDER} {_ZERO} {_ZERO}").split(" ")
    former, items = tools.parameters.former, list[Item]()
    if part == _IN_ORDER:
        rows = await tools.database.fetch(moved.page, former, UUID(target), UUID(last), limit)
        items = [_item(_IN_ORDER, row) for row in rows]
    if len(items) < limit and tools.parameters.by is not None:
        known = [item.data["did_id"] for item in items]
        left = limit - len(items)
        rows = await tools.database.fetch(moved.late, former, tools.job.job_id, known, left)
        items += [_item(_LATE, row) for row in rows]
    return items


def _item(part: str, row: Any) -> Item:
    return Item(row["number"], f"{part} {row['target']} {row['did_id']}", row)


async def _move_voice(tools: Moving, items: Sequence[Item]) -> Sequence[Work]:
    return [_moved_voice(tools, item) for item in items]


def _moved_voice(tools: Moving, item: Item) -> MoveVoice:
    """Return the command for one DID: it takes the target of the job, or what it has as it is now."""
    move, row = tools.parameters, item.data
    target = move.by or row["target"]
    is_group = move.is_group if move.by else row["kind"] == "trunk_group"
    return MoveVoice(
        entity_id=row["did_id"],
        subject=item.name,
        caller=tools.caller,
        next_command_id=uuid7(),
        voice_trunk_id=None if is_group else target,
        voice_trunk_group_id=target if is_group else None,
        former=row["target"],
    )


async def _move_sms(tools: Moving, items: Sequence[Item]) -> Sequence[Work]:
    move = tools.parameters
    return [
        MoveSms(
            entity_id=item.data["did_id"],
            subject=item.name,
            caller=tools.caller,
            next_command_id=uuid7(),
            sms_trunk_id=move.by or move.former,
            former=move.former,
        )
        for item in items
    ]


def _job(
    moved: MovedDids, work: Callable[[Moving, Sequence[Item]], Awaitable[Sequence[Work]]]
) -> JobKind[Move]:
    return JobKind(
        action="manage_routing",
        parameters=Move,
        count=partial(_count, moved),
        page=partial(_page, moved),
        work=work,
    )


ROTATE_SECRETS: Final = "rotate_secrets"
"""The kind of the job that encrypts the secrets of SMS trunks again."""

JOBS: Final[Mapping[str, JobKind[Any]]] = {
    ROTATE_SECRETS: SECRETS.rotation(),
    CHANGE_SMS_TRUNK: _job(SMS, _move_sms),
    REPLACE_SMS_TRUNK: _job(SMS, _move_sms),
    CHANGE_VOICE_TRUNK: _job(VOICE_WITH_GROUPS, _move_voice),
    REPLACE_VOICE_TRUNK: _job(VOICE, _move_voice),
    CHANGE_VOICE_TRUNK_GROUP: _job(VOICE, _move_voice),
    REPLACE_VOICE_TRUNK_GROUP: _job(VOICE, _move_voice),
}
"""Each kind of job by its name."""

"""The job that encrypts former identities and addresses again: those under another key than the wanted one.

The ciphertext is made outside of the transaction. In the transaction of the chunk, the command ReplaceCiphertext
replaces the old one, unless it was erased or replaced meanwhile.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final
from uuid import UUID

from msgspec import Struct

from didflow_chassis.database import Database
from didflow_chassis.decision import Refused, Unchanged
from didflow_chassis.jobs.kinds import Item, JobKind, JobTools, Work
from didflow_verification import store
from didflow_verification.documents.errors import ContentUnreadable, KeyMissing
from didflow_verification.documents.former import encrypted_again
from didflow_verification.domain.commands import ReplaceCiphertext

if TYPE_CHECKING:
    from didflow_chassis.encryption import Keyring
    from didflow_verification.domain.details.former import FormerDetails

_OUTDATED = "FROM former_details WHERE key_id <> $1"
_COUNT = f"SELECT count(*) {_OUTDATED}"
_PAGE = f"SELECT former_id {_OUTDATED} AND former_id > $2 ORDER BY former_id LIMIT $3"
_COUNT_BY_KEY = """
SELECT key_id, count(*) FROM former_details WHERE key_id IS NOT NULL GROUP BY key_id ORDER BY key_id
"""


class RotateFormerDetails(Struct, frozen=True, kw_only=True):
    """The parameters: the id of the key under which all former details must be."""

    key_id: str


Tools = JobTools[RotateFormerDetails]


async def _count(tools: Tools) -> int:
    rows = await tools.database.fetch(_COUNT, tools.parameters.key_id)
    found: int = rows[0][0]
    return found


async def _page(tools: Tools, after: str | None, limit: int) -> Sequence[Item]:
    last = UUID(after) if after else UUID(int=0)
    rows = await tools.database.fetch(_PAGE, tools.parameters.key_id, last, limit)
    return [Item(str(row["former_id"]), str(row["former_id"])) for row in rows]


async def _work(tools: Tools, items: Sequence[Item]) -> Sequence[Work]:
    """Encrypt again what is stored now. Refused with the code of what cannot be decrypted."""
    rows = await tools.database.fetch(store.by_keys(store.FORMER_DETAILS, [UUID(i.name) for i in items]))
    states: list[FormerDetails] = [store.state_of(store.FORMER_DETAILS, row) for row in rows]
    found = {str(state.former_id): state for state in states}
    try:
        keyring = _keyring(tools)
    except KeyMissing as error:
        return [Refused(error.code, str(error))] * len(items)
    return [_replacement(keyring, found[item.name], tools) for item in items]


def _keyring(tools: Tools) -> "Keyring":
    """Return the keys with that of the job as the current one. Raises KeyMissing."""
    keyring: Keyring | None = tools.service.settings.keyring()
    if keyring is None:
        raise KeyMissing("no key for personal data is configured")
    return keyring.aimed_at(tools.parameters.key_id)


def _replacement(keyring: "Keyring", former: "FormerDetails", tools: Tools) -> Work:
    try:
        moved = encrypted_again(keyring, former)
    except ContentUnreadable as error:
        return Refused(error.code, str(error))
    if former.key_id is None or moved.key_id is None or moved.content is None:
        return Unchanged()  # erased meanwhile
    return ReplaceCiphertext(
        entity_id=former.former_id,
        subject="",
        caller=tools.caller,
        former_key_id=former.key_id,
        key_id=moved.key_id,
        content=moved.content,
    )


ROTATION: Final[JobKind[RotateFormerDetails]] = JobKind(
    action="operate",
    parameters=RotateFormerDetails,
    count=_count,
    page=_page,
    work=_work,
)


async def count_by_key(database: Database) -> dict[str, int]:
    """Return the number of former details under each key. Raises Outage."""
    return {row[0]: row[1] for row in await database.fetch(_COUNT_BY_KEY)}

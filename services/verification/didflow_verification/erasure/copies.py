"""The steps of an erasure that search for copies of a person's data: the texts of reviewers, and kept messages."""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from didflow_chassis import kept_messages
from didflow_chassis.decision import Unchanged
from didflow_chassis.jobs.kinds import Item, Work
from didflow_chassis.kept_messages import KeptMessage
from didflow_verification import store
from didflow_verification.domain.commands import EraseReviewerTexts
from didflow_verification.erasure.person import find_person
from didflow_verification.erasure.personal_values import PersonalValues, masked_message
from didflow_verification.erasure.step import Tools, former_of

_NOTHING: Final = PersonalValues(strong=(), weak=())


class ReviewerTexts:
    """Replaces the texts of reviewers. The items are the DIDs that have verifications or requests of the person."""

    name: Final = "texts"

    async def count(self, tools: Tools) -> int:
        """Return the number of DIDs."""
        rows = await tools.database.fetch(store.number_of_dids_named(tools.parameters.identity_id))
        found: int = rows[0][0]
        return found

    async def page(self, tools: Tools, after: str | None, limit: int) -> Sequence[Item]:
        """Return DIDs by their ids."""
        last = UUID(after) if after else UUID(int=0)
        rows = await tools.database.fetch(store.dids_named(tools.parameters.identity_id, last, limit))
        return [Item(str(row["did_id"]), str(row["did_id"]), row) for row in rows]

    async def work(self, tools: Tools, items: Sequence[Item]) -> Sequence[Work]:
        """Return the commands."""
        return [
            EraseReviewerTexts(
                entity_id=item.data["did_id"],
                subject=item.data["number"],
                caller=tools.caller,
                identity_id=tools.parameters.identity_id,
                verification_ids=tuple(item.data["verification_ids"]),
                request_ids=tuple(item.data["request_ids"]),
            )
            for item in items
        ]


class KeptMessages:
    """Masks the values of the person in the messages of one table."""

    def __init__(self, table: str) -> None:
        self.name = table

    async def count(self, tools: Tools) -> int:
        """Return the number of messages."""
        return await kept_messages.count(tools.database, self.name)

    async def page(self, tools: Tools, after: str | None, limit: int) -> Sequence[Item]:
        """Return messages in the order of the table. There are none if no values are left to search for."""
        if after is None and not (await _values(tools)).strong:
            return []
        messages = await kept_messages.page(tools.database, self.name, after, limit)
        return [Item(message.position, message.position, message) for message in messages]

    async def work(self, tools: Tools, items: Sequence[Item]) -> Sequence[Work]:
        """Return a statement for each message that has values of the person."""
        values = await _values(tools)
        return [_masking(item.data, values) for item in items]


def _masking(message: KeptMessage, values: PersonalValues) -> Work:
    masked = masked_message(message, values)
    return Unchanged() if masked is None else kept_messages.replacement(message, masked)


async def _values(tools: Tools) -> PersonalValues:
    person = await find_person(tools.database, tools.parameters.identity_id)
    return _NOTHING if person is None else person.values(await former_of(tools))

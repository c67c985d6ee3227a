"""What a step of an erasure is, and the parameters of the job."""

from collections.abc import Sequence
from typing import Protocol
from uuid import UUID

from msgspec import Struct

from didflow_chassis.jobs.kinds import Item, JobTools, Work
from didflow_verification.domain.details.identity import Address, Identity
from didflow_verification.erasure.person import former_revisions


class ErasePerson(Struct, frozen=True, kw_only=True):
    """The parameters of the job: whose data is erased."""

    identity_id: UUID


Tools = JobTools[ErasePerson]


async def former_of(tools: Tools) -> list[Identity | Address]:
    """Return the former revisions that are kept of the person. Raises ContentUnreadable, Outage."""
    keyring = tools.service.settings.keyring()
    return await former_revisions(tools.database, keyring, tools.parameters.identity_id)


class Step(Protocol):
    """One step of the erasure. Its items and their positions have no personal data."""

    @property
    def name(self) -> str:
        """What results call the step."""

    async def count(self, tools: Tools) -> int:
        """Return the number of items."""

    async def page(self, tools: Tools, after: str | None, limit: int) -> Sequence[Item]:
        """Return the next items after a position in this step. None: from the start. No items: the step is done."""

    async def work(self, tools: Tools, items: Sequence[Item]) -> Sequence[Work]:
        """Return the work for each item."""

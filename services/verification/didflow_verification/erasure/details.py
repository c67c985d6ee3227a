"""The steps of an erasure that change the details: they are hidden first, and lose their values at the end."""

from collections.abc import Sequence
from typing import Final

from didflow_chassis.decision import Refused
from didflow_chassis.jobs.kinds import Item, Work
from didflow_verification.documents.errors import ContentUnreadable
from didflow_verification.domain.commands import BeginErasure, CompleteErasure
from didflow_verification.erasure.contents import missing_stores
from didflow_verification.erasure.step import Tools, former_of


class _OneItem:
    """A step that has the identity as its one item."""

    async def count(self, tools: Tools) -> int:  # noqa: ARG002 - a step receives the tools
        """Return 1."""
        return 1

    async def page(self, tools: Tools, after: str | None, limit: int) -> Sequence[Item]:  # noqa: ARG002
        """Return the identity once."""
        identity_id = str(tools.parameters.identity_id)
        return [] if after else [Item(identity_id, identity_id)]


class HideDetails(_OneItem):
    """Hides the details. Refused `in_use` by live DIDs, or `unavailable` if this process cannot delete a document.

    Refused `key_missing` or `document_unopenable` if it cannot read former revisions, whose values are searched for.
    """

    name: Final = "identity"

    async def work(self, tools: Tools, items: Sequence[Item]) -> Sequence[Work]:  # noqa: ARG002
        """Return the command, or the refusal."""
        missing = await missing_stores(tools)
        if missing:
            stores = " and ".join(sorted(missing))
            return [Refused("unavailable", f"Documents are in the store {stores}, which is not configured.")]
        try:
            await former_of(tools)
        except ContentUnreadable as error:
            return [Refused(error.code, str(error))]
        return [BeginErasure(entity_id=tools.parameters.identity_id, subject="", caller=tools.caller)]


class EmptyDetails(_OneItem):
    """Removes the values of the hidden details."""

    name: Final = "details"

    async def work(self, tools: Tools, items: Sequence[Item]) -> Sequence[Work]:  # noqa: ARG002
        """Return the command."""
        return [CompleteErasure(entity_id=tools.parameters.identity_id, subject="", caller=tools.caller)]

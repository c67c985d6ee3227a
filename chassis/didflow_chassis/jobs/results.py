"""The result of one item of a job, in the words of the results of a batch."""

from typing import Literal

from msgspec import Struct

from didflow_chassis.decision import Decision, Refused, Unchanged

ItemOutcome = Literal["done", "unchanged", "refused"]


class ItemResult(Struct, frozen=True):
    """The outcome of one item. `reference` finds an internal error in the log."""

    item: str
    outcome: ItemOutcome
    code: str | None = None
    message: str | None = None
    reference: str | None = None


def item_result(item: str, decision: Decision) -> ItemResult:
    """Return the result that a decision means for an item."""
    if isinstance(decision, Refused):
        return ItemResult(item, "refused", decision.code, decision.message, decision.reference)
    return ItemResult(item, "unchanged" if isinstance(decision, Unchanged) else "done")

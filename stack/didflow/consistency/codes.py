"""The codes of disagreements: what each means, and what an operator does about it. The docs have the same table."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final
from uuid import UUID


@dataclass(frozen=True, kw_only=True, slots=True)
class Code:
    """One code: its meaning, and what to do."""

    meaning: str
    action: str


_LOST: Final = "[F22](faults/F22.md)"
_MISSING: Final = (
    f"find the event with `didflow parked list` or `didflow dlq list`, and retry it. If it is lost: {_LOST}"
)
_WRONG: Final = (
    "the row was changed outside of the service, or a decision has a bug. Report it with the DID's history"
)

CODES: Final[Mapping[str, Code]] = MappingProxyType(
    {
        "did_unknown": Code(meaning="a service does not know a DID that others know", action=_MISSING),
        "number_differs": Code(
            meaning="a `did_id` belongs to different numbers",
            action="a producer used one `did_id` for two purchases. Cancel one of them",
        ),
        "payer_differs": Code(
            meaning="billing charges another account than the one that inventory names as the payer",
            action="a producer used one `did_id` for two accounts. Cancel one of the purchases",
        ),
        "end_differs": Code(
            meaning="a DID is removed or refused in one service and live in another", action=_MISSING
        ),
        "number_twice": Code(
            meaning="a service has several live DIDs of one number",
            action="the refusal or the removal of one of them is missing. "
            + _MISSING[0].upper()
            + _MISSING[1:],
        ),
        "number_row_differs": Code(
            meaning="inventory's table `numbers` does not name the live DID of a number", action=_WRONG
        ),
        "holding_differs": Code(
            meaning="a service has another holder, stock, carrier or features than inventory, by the same event",
            action=_WRONG,
        ),
        "registration_differs": Code(
            meaning="a service has another registration than verification, by the same event", action=_WRONG
        ),
        "term_differs": Code(
            meaning="a service has another term than billing, by the same event", action=_WRONG
        ),
        "routing_differs": Code(
            meaning="inventory has another carrier state or routing than provisioning, by the same event",
            action=_WRONG,
        ),
        "service_differs": Code(
            meaning="inventory has another state of an additional service than verification, by the same event",
            action=_WRONG,
        ),
        "view_behind": Code(
            meaning="a service has not applied the last event of an axis. The disagreement names the axis",
            action=_MISSING,
        ),
        "view_ahead": Code(
            meaning="a service has applied an event that its owner does not know: the owner has lost data",
            action=_LOST,
        ),
        "entries_missing": Code(
            meaning="the ledger has not exactly the entries 1 to n that the term of the DID counts",
            action=_WRONG,
        ),
        "period_not_charged": Code(
            meaning="a paid period, or the setup, has no charge in the ledger", action=_WRONG
        ),
        "period_charged_twice": Code(
            meaning="a DID has two charges for the same start of a period", action=_WRONG
        ),
        "charge_differs": Code(
            meaning="a charge does not follow from the price of the term, or has another payer", action=_WRONG
        ),
        "refund_differs": Code(
            meaning="a refund is not the exact reversal of one charge of its DID", action=_WRONG
        ),
        "refund_above_charges": Code(meaning="more was refunded than charged", action=_WRONG),
        "refusal_not_refunded": Code(
            meaning="a refused purchase was charged, and its charges and refunds do not add up to zero",
            action=_MISSING,
        ),
        "totals_differ": Code(
            meaning="a total of an account or of an order is not the sum of its ledger entries, so a balance is wrong",
            action="totals or entries were written outside of the service. [Rebuild the totals](#rebuild-the-totals)",
        ),
        "too_many": Code(
            meaning="more DIDs differ than the check looks at twice. The others are not listed",
            action="a service does not receive events at all: [Outages](operations.md#outages). Then check again",
        ),
    }
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Disagreement:
    """One disagreement. `service` is the one whose data differs, as far as that is known.

    A disagreement that is `certain` cannot be caused by an event on its way. Any other is looked at again. `axis` and
    `sequences` (the applied one, and the owner's last one) are set if an axis differs.
    """

    code: str
    did_id: UUID | None
    number: str
    service: str
    detail: str
    certain: bool = False
    axis: str | None = None
    sequences: tuple[int, int] | None = None

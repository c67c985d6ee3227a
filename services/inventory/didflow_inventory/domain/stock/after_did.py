"""What becomes of a number when its DID is removed."""

from typing import Final

from msgspec.structs import replace

from didflow_contracts.vocabulary import AfterHold, RemovalReason
from didflow_inventory.domain.did import Did
from didflow_inventory.domain.stock.number import Number, StockStatus

_AFTER_HOLD: Final[dict[AfterHold | None, StockStatus]] = {
    "in_stock": "in_stock",
    "reserved": "reserved",
    "archived": "archived",
}


def without_did(number: Number, did: Did, reason: RemovalReason) -> Number:
    """Return the number after the removal of its live DID. `did` is the DID before the removal.

    A number from stock is in stock again, after a hold in the state of `after_hold`; its carriers and its region are
    those that the DID had last. Its features are those of the uploader, so a carrier that the DID did not need stays.
    It cannot be purchased until its carrier has released it. A number that was ported out is in no stock.
    Source: spec lifecycle, Stock and holders.
    """
    held = did.holding
    left = replace(number, did_id=None, releasing=did.views.routing.carrier_state != "released")
    if held.origin != "stock" or reason == "ported_out":
        return out_of_stock(left)
    return replace(
        left,
        stock=_AFTER_HOLD.get(held.after_hold, "in_stock") if reason == "hold_ended" else "in_stock",
        carrier=held.carrier or number.carrier,
        sms_carrier=held.sms_carrier or number.sms_carrier,
        region=did.listing.shown_region,
    )


def out_of_stock(number: Number) -> Number:
    """Return the number in no stock. What its uploader said about it is forgotten."""
    return Number(
        number=number.number,
        did_id=number.did_id,
        last_did_id=number.last_did_id,
        releasing=number.releasing,
    )

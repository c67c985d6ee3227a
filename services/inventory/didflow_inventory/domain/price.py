"""The price of a purchase: who may name one, and that there is one.

Until there is a price list, every purchase names its price. Other ways to get a number need none.
Source: spec roles, `name_price`; spec billing, Prices.
"""

from didflow_chassis.decision import Caller, Known, Refused
from didflow_contracts.events import DidPurchased
from didflow_contracts.events.purchase import Acquisition
from didflow_inventory.domain.accounts.account import may_name_price


def refusal_of_named_price(caller: Caller, data: Acquisition, known: Known) -> Refused | None:
    """Return `price_not_allowed` if the purchase names a price and the caller may not."""
    if data.price is None or may_name_price(caller, known):
        return None
    return Refused(
        "price_not_allowed",
        f"The account {caller.account} may not set prices. Leave the price out.",
        "price",
    )


def refusal_of_missing_price(data: DidPurchased) -> Refused | None:
    """Return `price_needed` if a purchase names no price. A number that is not purchased needs none."""
    if data.price is not None or data.acquired != "purchased":
        return None
    return Refused("price_needed", "There is no price list yet. Name a price.", "price")

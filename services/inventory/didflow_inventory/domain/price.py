"""The price of a purchase: who may name one. If none is named, billing takes that of its price list.

Source: spec roles, `name_price`; spec billing, Prices.
"""

from didflow_chassis.decision import Caller, Known, Refused
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

"""Which other states each message needs. Most of them are decided on the term of their DID alone."""

from collections.abc import Iterable

from didflow_billing.domain.prices.lookup import is_looked_up, keys_of_purchase
from didflow_billing.domain.prices.row import PriceSeries
from didflow_chassis.service import Ref
from didflow_contracts.envelope import Event
from didflow_contracts.events import DidPurchased


def prices_of_purchase(event: Event[DidPurchased]) -> Iterable[Ref]:
    """Return the series of prices that a purchase without a price can be charged by."""
    if not is_looked_up(event.data):
        return ()
    return (Ref(PriceSeries, key, subject=account) for account, key in keys_of_purchase(event.data))

"""What inventory owns of a DID, and every change of it."""

from didflow_inventory.domain.holding.holding import NOT_LIVE, Holding, Stock

__all__ = ["NOT_LIVE", "Holding", "Stock"]

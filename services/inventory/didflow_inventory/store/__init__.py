"""The tables of inventory and the queries over them."""

from didflow_inventory.store.tables import KINDS, METADATA

__all__ = ["KINDS", "METADATA"]

"""How the states of provisioning are stored, and the queries that read them."""

from didflow_provisioning.store.tables import KINDS, METADATA

__all__ = ["KINDS", "METADATA"]

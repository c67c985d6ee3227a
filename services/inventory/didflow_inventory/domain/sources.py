"""Whose word a message is: our own services know of each other's changes, outsiders must name the owner."""

from typing import Final, TypeAlias

from didflow_contracts.envelope import Event
from didflow_contracts.event_data import EventData
from didflow_inventory.domain.did import Did

OURS: Final = "/didflow/"

Said: TypeAlias = Event[EventData]
"""Any event at all, where only its envelope and the DID that it names matter."""


def is_foreign(event: Said, did: Did) -> bool:
    """Say whether an outside source speaks of a DID of another account. Source: spec events, `not_yours`."""
    return not event.source.startswith(OURS) and event.data.account != did.account

"""What others say of a DID, taken in their order: an older word on an axis never undoes a newer one."""

from typing import Literal

from msgspec.structs import replace

from didflow_billing.domain.term import Term
from didflow_contracts.envelope import Event
from didflow_contracts.event_data import EventData

Axis = Literal["registration", "stock"]


def is_newer(term: Term, event: Event[EventData], axis: Axis) -> bool:
    """Say whether the event is later than all heard on that axis from its source. Source: spec events."""
    return event.sequence is None or event.sequence > term.seen.get(_place(event, axis), 0)


def noted(term: Term, event: Event[EventData], axis: Axis) -> Term:
    """Remember the event as the last one heard on that axis from its source."""
    if event.sequence is None:
        return term
    return replace(term, seen={**term.seen, _place(event, axis): event.sequence})


def _place(event: Event[EventData], axis: Axis) -> str:
    return f"{axis}:{event.source}"

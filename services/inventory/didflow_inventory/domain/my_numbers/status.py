"""The status of a DID, with its label and its circle: one closed table over the condition."""

from functools import lru_cache
from typing import Final

from didflow_contracts.vocabulary import Circle, Status
from didflow_inventory.domain.my_numbers.condition import REGISTERED, TERMINATED, Condition, Predicate

STATUSES: Final[tuple[tuple[Status, str, Circle, Predicate], ...]] = (
    ("porting_in_progress", "Porting in Progress", "yellow", lambda c: c.stock == "porting_in"),
    ("terminated", "Terminated", "red", lambda c: c.term in TERMINATED),
    ("blocked", "Blocked", "red", lambda c: c.stock == "blocked"),
    ("hold", "Hold", "red", lambda c: c.stock == "on_hold"),
    ("awaiting_registration", "Awaiting Registration", "yellow", lambda c: c.registration not in REGISTERED),
    ("delayed_service_removal", "Delayed Service Removal", "yellow", lambda c: c.term == "delayed_removal"),
    ("not_configured", "Not Configured", "yellow", lambda c: c.carrier != "active" or c.lacks is not None),
    ("active", "Active", "green", lambda _: True),
)
"""Status, label, circle, condition. The first line that matches is the status. Source: spec lifecycle, Status."""

LABELS: Final = {status: label for status, label, _, _ in STATUSES}
CIRCLES: Final = {status: circle for status, _, circle, _ in STATUSES}


@lru_cache(maxsize=1_024)
def status_of(condition: Condition) -> Status | None:
    """Return the status of a DID; None for a DID that is not live."""
    if not condition.is_live:
        return None
    return next(status for status, _, _, holds in STATUSES if holds(condition))

"""The ids of events in a stream. To clients an id is a text; it says where to go on."""

import re
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

from didflow_chassis.commit_order import Place

KEPT_FOR: Final = timedelta(hours=24)
"""How old an id may be when a client resumes with it. Source: spec http, `GET /v1/dids/changes`."""

_FORM: Final = re.compile(r"([0-9]{1,18})-([0-9]{1,18})-([0-9]{1,11})(?:-([a-z0-9]{1,32}))?")


class EventId(NamedTuple):
    """A place in a list, the service's time at which the row there was written, and how the client sees the list.

    `view` is empty or a short hash. With another one than before, a client has to read anew.
    """

    place: Place
    at: datetime
    view: str = ""

    def __str__(self) -> str:
        """Return the id as it is sent."""
        parts = (self.place.transaction, self.place.position, int(self.at.timestamp()))
        return "-".join(map(str, (*parts, self.view) if self.view else parts))

    def can_resume(self, end: "EventId") -> bool:
        """Return True if all rows from this id to the present end are still stored and mean the same to the client.

        An id behind the end was not given by this database.
        """
        return abs(end.at - self.at) <= KEPT_FOR and self.view == end.view and self.place <= end.place


def parse_id(text: str) -> EventId | None:
    """Return what an id says, or None if it is not one of these."""
    found = _FORM.fullmatch(text)
    if found is None:
        return None
    transaction, position, at, view = found.groups()
    try:
        return EventId(
            Place(int(transaction), int(position)), datetime.fromtimestamp(int(at), UTC), view or ""
        )
    except (ValueError, OverflowError, OSError):
        return None

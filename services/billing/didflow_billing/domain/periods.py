"""Calendar arithmetic of paid periods. All instants are UTC; a period's end is counted from its kept anchor.

Counting from the anchor, never from the last end, is what brings 31 January back to 31 March.
"""

from calendar import monthrange
from datetime import datetime, timedelta

POOL = timedelta(days=34)
"""How long an expired DID may still come back. Source: spec product, The words (SAP)."""

EXTENSION = timedelta(days=1)
"""One step of the extension for a registration that is still pending. Source: spec lifecycle, Term."""

MOST_EXTENSIONS = 30
"""How many such steps there are at most. Source: spec lifecycle, Term."""


def months_after(anchor: datetime, months: int) -> datetime:
    """Go whole calendar months on from `anchor`, to its day or the month's last, at its time of day.

    Raises ValueError past the year 9999. Source: spec lifecycle, Term.
    """
    years, month = divmod(anchor.month - 1 + months, 12)
    year = anchor.year + years
    day = min(anchor.day, monthrange(year, month + 1)[1])
    return anchor.replace(year=year, month=month + 1, day=day)

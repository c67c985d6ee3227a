"""The header Retry-After. Source: RFC 9110, section 10.2.3."""

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

MAX_WAIT_S: Final = 86_400


def seconds_of(retry_after: str | None) -> int | None:
    """Return the seconds of the header, a number or a date, within a day. None if it has none."""
    text = (retry_after or "").strip()
    if text.isascii() and text.isdigit() and len(text) < 10:
        return min(int(text), MAX_WAIT_S)
    try:
        instant = parsedate_to_datetime(text)
    except (TypeError, ValueError, OverflowError):
        return None
    until = instant if instant.tzinfo else instant.replace(tzinfo=UTC)
    return min(max(0, int((until - datetime.now(UTC)).total_seconds()) + 1), MAX_WAIT_S)

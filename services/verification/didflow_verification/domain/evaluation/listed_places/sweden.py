"""Places around the largest Swedish cities that the numbering plan does not name, by prefix.

Source: docs/verification/places.md.
"""

from typing import Final

NAMES: Final = {
    "+468": "Nacka|Sundbyberg|Upplands Väsby|Vallentuna",
    "+4631": "Göteborg",
    "+4640": "Vellinge",
}

PARTLY: Final = "Vallentuna|Vellinge"
"""Municipalities at the edge of their area: a part can have the code of the next one."""

"""Polish cities that the numbering plan does not name, by the prefix of their zone.

Source: docs/verification/places.md.
"""

from typing import Final

NAMES: Final = {
    "+4832": "Gliwice|Sosnowiec",
    "+4858": "Gdynia",
}

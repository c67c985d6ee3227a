"""Places of German areas that the numbering plan does not name, by a prefix of the area. Written by hand."""

from typing import Final

NAMES: Final = {
    "+4989": "Garching bei München|Germering|Haar|Ottobrunn|Unterhaching|Unterschleißheim",
}

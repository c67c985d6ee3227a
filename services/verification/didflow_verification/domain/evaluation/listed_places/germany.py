"""Places of German areas that the numbering plan does not name, by a prefix of the area.

Source: docs/verification/places.md.
"""

from typing import Final

NAMES: Final = {
    "+49208": "Mülheim an der Ruhr",
    "+49621": "Ludwigshafen am Rhein",
    "+496237": "Ludwigshafen am Rhein",
    "+4969": "Offenbach am Main",
    "+49711": "Esslingen am Neckar",
    "+4989": "Garching bei München|Germering|Haar|Ottobrunn|Unterhaching|Unterschleißheim",
    "+49911": "Fürth",
}

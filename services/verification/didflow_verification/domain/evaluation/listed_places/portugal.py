"""Municipalities around Lisbon, Porto and Braga, by prefix.

Source: docs/verification/places.md.
"""

from typing import Final

NAMES: Final = {
    "+35121": "Almada|Amadora|Barreiro|Cascais|Loures|Odivelas|Oeiras|Seixal|Sintra",
    "+35122": "Gondomar|Maia|Matosinhos|Valongo|Vila Nova de Gaia",
    "+351252": "Póvoa de Varzim|Santo Tirso|Trofa|Vila do Conde",
    "+351253": "Guimarães",
}

PARTLY: Final = (
    "Barreiro|Gondomar|Guimarães|Loures|Maia|Matosinhos|Póvoa de Varzim|Santo Tirso|Setúbal|Sintra|"
    "Trofa|Valongo|Vila Nova de Gaia|Vila do Conde"
)
"""Municipalities on the edge of their area: a part can have the code of the next one."""

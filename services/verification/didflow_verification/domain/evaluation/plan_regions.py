"""Names in the numbering plan that are not of a place but of a state, by calling code.

The geocoder of `phonenumbers` names more than half of Mexico's area codes by their state. Codes of one state do
not serve one place.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

REGIONS: Final[Mapping[str, frozenset[str]]] = MappingProxyType(
    {
        "52": frozenset(
            {
                "Baja California", "Baja California Sur", "Campeche", "Chiapas", "Chihuahua", "Coahuila",
                "Coahuila/Durango", "Durango", "Estado de Mexico", "Guanajuato", "Guerrero", "Hidalgo",
                "Jalisco", "Jalisco/Zacatecas", "Michoacan", "Morelos", "Nayarit", "Nuevo Leon", "Oaxaca",
                "Puebla", "Puebla/Veracruz", "Queretaro", "Quintana Roo", "Sinaloa", "Sonora", "Tabasco",
                "Tamaulipas", "Tlaxcala", "Veracruz", "Yucatan", "Zacatecas",
            }
        )
    }
)  # fmt: skip

"""Places of Belgian areas that the numbering plan does not name, by a prefix of the area. Written by hand."""

from typing import Final

NAMES: Final = {
    "+322": "Dilbeek|Enghien|Edingen|Grimbergen|Machelen|Vilvoorde|Vilvorde",
    "+323": "Berchem|Borgerhout|Deurne|Ekeren|Hoboken|Merksem|Saint-Nicolas|Sint-Niklaas|Wilrijk",
    "+324": "Fourons|Seraing|Voeren",
    "+3215": "Vilvoorde|Vilvorde",
    "+3255": "Audenarde|Oudenaarde",
    "+3256": "Comines-Warneton|Komen-Waasten|Moeskroen|Mouscron",
    "+3261": "Bastenaken|Bastogne",
    "+3280": "Malmedy|Waimes|Weismes",
    "+3285": "Andenne",
}

PARTLY: Final = (
    "Andenne|Audenarde|Bastenaken|Bastogne|Berchem|Comines-Warneton|Deurne|Dilbeek|Edingen|Enghien|Fourons|"
    "Grimbergen|Hoboken|Komen-Waasten|Machelen|Malmedy|Moeskroen|Mouscron|Oudenaarde|Saint-Nicolas|Seraing|"
    "Sint-Niklaas|Vilvoorde|Vilvorde|Voeren|Waimes|Weismes"
)
"""Names of several places, and municipalities that border on one with another code."""

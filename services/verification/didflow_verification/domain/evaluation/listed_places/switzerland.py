"""Towns of Swiss areas that the numbering plan does not name, by a prefix of the area. Written by hand."""

from typing import Final

NAMES: Final = {
    "+4121": "Montreux|Vevey",
    "+4122": "Onex",
    "+4124": "Yverdon-les-Bains",
    "+4127": "Zermatt",
    "+4132": "La Chaux-de-Fonds",
    "+4133": "Gstaad|Interlaken|Wengen",
    "+4141": "Andermatt|Zoug|Zug",
    "+4144": "Kloten",
    "+4152": "Schaffhausen|Schaffhouse",
    "+4162": "Aarau",
    "+4181": "Arosa|Davos|Klosters|Saint-Moritz|St. Moritz",
    "+4191": "Chiasso|Locarno|Lugano",
}

PARTLY: Final = "Aarau|Kloten|Montreux|Onex|Schaffhausen|Schaffhouse|Wengen|Yverdon-les-Bains|Zoug|Zug"
"""Names of several places, and towns near the edge of their area."""

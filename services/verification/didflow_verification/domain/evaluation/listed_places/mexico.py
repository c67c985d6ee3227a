"""Large Mexican cities that the numbering plan does not name, boroughs and suburbs, by prefix.

Source: docs/verification/places.md.
"""

from typing import Final

NAMES: Final = {
    "+5233": "El Salto|San Pedro Tlaquepaque|Tlajomulco de Zúñiga|Tlaquepaque|Tonalá|Zapopan",
    "+5255": (
        "Azcapotzalco|Benito Juárez|Coyoacán|Cuajimalpa|Cuajimalpa de Morelos|Cuauhtémoc|"
        "Gustavo A. Madero|Iztacalco|Iztapalapa|La Magdalena Contreras|Magdalena Contreras|"
        "Miguel Hidalgo|Milpa Alta|Tlalpan|Tláhuac|Venustiano Carranza|Xochimilco|Álvaro Obregón|"
        "Ecatepec|Ecatepec de Morelos"
    ),
    "+5281": (
        "Apodaca|García|General Escobedo|Guadalupe|Juárez|San Nicolás de los Garza|"
        "San Pedro Garza García|Santa Catarina"
    ),
    "+52656": "Ciudad Juárez",
    "+52657": "Ciudad Juárez",
    "+52660": "Culiacán",
    "+52662": "Hermosillo",
    "+52663": "Tijuana",
    "+52664": "Tijuana",
    "+52667": "Culiacán",
    "+52686": "Mexicali",
    "+52720": "Toluca|Toluca de Lerdo",
    "+52722": "Toluca|Toluca de Lerdo",
    "+52770": "Cuernavaca",
    "+52777": "Cuernavaca",
    "+52871": "Torreón",
    "+52899": "Reynosa",
    "+52960": "Tuxtla Gutiérrez",
    "+52961": "Tuxtla Gutiérrez",
    "+52993": "Villahermosa",
    "+52998": "Cancún",
}

PARTLY: Final = (
    "Apodaca|Benito Juárez|Cancún|Ciudad Juárez|Cuauhtémoc|Cuernavaca|Culiacán|Ecatepec|"
    "Ecatepec de Morelos|El Salto|García|General Escobedo|Guadalupe|Hermosillo|Juárez|Mexicali|"
    "Miguel Hidalgo|Reynosa|Santa Catarina|Tijuana|Tlajomulco de Zúñiga|Toluca|Toluca de Lerdo|"
    "Tonalá|Torreón|Tuxtla Gutiérrez|Venustiano Carranza|Villahermosa|Zapopan|Álvaro Obregón"
)
"""Cities that may have another code too, municipalities at the edge of their area, and frequent names."""

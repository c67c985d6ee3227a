"""Places of Italian areas that the numbering plan does not name, by a prefix of the area. Written by hand."""

from typing import Final

NAMES: Final = {
    "+3902": (
        "Abbiategrasso|Albairate|Arese|Arluno|Assago|Baranzate|Bareggio|Basiano|Basiglio|"
        "Bellinzago Lombardo|Bernate Ticino|Besate|Binasco|Boffalora sopra Ticino|Bollate|Bresso|"
        "Bubbiano|Buccinasco|Bussero|Calvignasco|Cambiago|Carpiano|Carugate|Casarile|Casorezzo|"
        "Cassina de' Pecchi|Cassinetta di Lugagnano|Cernusco sul Naviglio|Cerro al Lambro|"
        "Cesano Boscone|Cesate|Cinisello Balsamo|Cisliano|Cologno Monzese|Colturano|Corbetta|"
        "Cormano|Cornaredo|Corsico|Cuggiono|Cusago|Cusano Milanino|Dresano|Gaggiano|"
        "Garbagnate Milanese|Gessate|Gorgonzola|Grezzago|Gudo Visconti|Inveruno|Inzago|"
        "Lacchiarella|Lainate|Liscate|Locate di Triulzi|Magenta|Marcallo con Casone|Masate|"
        "Mediglia|Melegnano|Melzo|Mesero|Morimondo|Motta Visconti|Novate Milanese|Noviglio|Opera|"
        "Ossona|Ozzero|Paderno Dugnano|Pantigliate|Paullo|Pero|Peschiera Borromeo|"
        "Pessano con Bornago|Pieve Emanuele|Pioltello|Pogliano Milanese|Pozzo d'Adda|"
        "Pozzuolo Martesana|Sesto San Giovanni"
    ),
}

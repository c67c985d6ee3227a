"""The places of large areas that the numbering plan does not name, country by country."""

import pytest

from didflow_verification.catalogue.files import packaged
from didflow_verification.domain.evaluation.areas import (
    area_of,
    area_of_prefix,
    lies_in_area,
)
from didflow_verification.domain.evaluation.listed_places import (
    listed_places,
    names_of_several_places,
)
from didflow_verification.domain.evaluation.place_names import folded

RULES = {rules.country: rules for rules in packaged()}
BRUSSELS, ANTWERP, GENEVA = "+3223456789", "+3234567890", "+41223456789"
DUBLIN, CORK = "+35312345678", "+353212345678"
VIENNA, GRAZ, ROME, MILAN = "+4315123456", "+43316123456", "+390612345678", "+390212345678"
TOKYO, OSAKA, TAMA, SENDAI = "+81312345678", "+81612345678", "+81425123456", "+81221234567"
AMSTERDAM, ROTTERDAM, THE_HAGUE = "+31201234567", "+31101234567", "+31701234567"
LISBON, PORTO, BRAGA = "+351211234567", "+351221234567", "+351253123456"
MEXICO_CITY, SECOND_CODE, GUADALAJARA, MONTERREY = (
    "+525512345678",
    "+525612345678",
    "+523312345678",
    "+528112345678",
)
SAPPORO, KYOTO = "+81112345678", "+81751234567"


@pytest.mark.parametrize(
    ("number", "place", "there"),
    [
        (TOKYO, "東京", True),
        (TOKYO, "東京都", True),
        (TOKYO, "Tokyo", True),
        (TOKYO, "Tokyo-to", None),
        (TOKYO, "東京都渋谷区", None),
        (TOKYO, "Shibuya", None),
        (TOKYO, "大阪市", False),
        (TOKYO, "八王子市", False),
        (TOKYO, "Yokohama", False),
        (OSAKA, "Osaka", True),
        (OSAKA, "Ōsaka-shi", True),
        (OSAKA, "大阪市", True),
        (OSAKA, "大阪府大阪市北区", True),
        (OSAKA, "大阪府豊中市", None),
        (OSAKA, "Suita", None),
        (OSAKA, "Ikeda", None),
        (OSAKA, "東京都", False),
        ("+81721234567", "Osaka", None),
        (TAMA, "Hachioji", True),
        (TAMA, "Tokyo", None),
        (TAMA, "Yokohama", None),
        (TAMA, "府中市", None),
        (TAMA, "Sapporo", False),
        (SENDAI, "仙台市", True),
        (SENDAI, "Sendai-shi", True),
        (SENDAI, "富谷市", None),
        (SAPPORO, "江別市", None),
        (SAPPORO, "Yokohama", False),
        (SAPPORO, "府中市", None),
        ("+81250223456", "Niigata", None),
        ("+81250223456", "新潟市", None),
        ("+81256123456", "新潟市", True),
        ("+81593123456", "四日市市", True),
        (KYOTO, "京都府京都市", True),
        (KYOTO, "架空市", None),
    ],
)
def test_a_japanese_city_is_outside_an_area_only_if_its_code_begins_with_another_digit(
    number: str, place: str, there: bool | None
) -> None:
    """The plan names an area by one municipality, and a municipality can have several codes."""
    assert lies_in_area(place, number, RULES["JP"]) is there


@pytest.mark.parametrize(
    ("number", "place", "there"),
    [
        (AMSTERDAM, "Amsterdam", True),
        (AMSTERDAM, "Amstelveen", None),
        (AMSTERDAM, "Rotterdam", False),
        (AMSTERDAM, "Verzonnendam", None),
        (ROTTERDAM, "Capelle a/d IJssel", None),
        (THE_HAGUE, "Den Haag", True),
        (THE_HAGUE, "'s-Gravenhage", True),
        (THE_HAGUE, "The Hague", True),
        ("+31731234567", "Den Bosch", True),
        ("+31481123456", "Bemmel", True),
    ],
)
def test_a_dutch_town_that_the_numbering_plan_does_not_name_is_left_to_a_reviewer(
    number: str, place: str, there: bool | None
) -> None:
    """The Netherlands have no list."""
    assert lies_in_area(place, number, RULES["NL"]) is there


@pytest.mark.parametrize(
    ("number", "place", "there"),
    [
        (LISBON, "Lisboa", True),
        (LISBON, "Lisbon", True),
        (LISBON, "Amadora", True),
        (LISBON, "Sintra", True),
        (LISBON, "Setúbal", None),
        (LISBON, "Guimarães", None),
        (LISBON, "Condeixa-a-Nova", None),
        (LISBON, "Vila Inventada", None),
        (PORTO, "Porto", True),
        (PORTO, "Vila Nova de Gaia", True),
        (PORTO, "V. N. de Gaia", True),
        (PORTO, "Matosinhos", True),
        (PORTO, "Odivelas", False),
        (PORTO, "Lisboa", False),
        (PORTO, "Santo Tirso", None),
        (BRAGA, "Guimarães", True),
        (BRAGA, "Amadora", False),
        ("+351265123456", "Setubal", True),
        ("+351252123456", "Póvoa de Varzim", True),
    ],
)
def test_a_portuguese_municipality_at_the_edge_of_its_area_is_never_outside(
    number: str, place: str, there: bool | None
) -> None:
    """A part of it can have the code of the next area. The others are in their area only."""
    assert lies_in_area(place, number, RULES["PT"]) is there


@pytest.mark.parametrize(
    ("number", "place", "there"),
    [
        (MEXICO_CITY, "CDMX", True),
        (MEXICO_CITY, "Ciudad de México", True),
        (MEXICO_CITY, "Mexico City", True),
        (MEXICO_CITY, "Coyoacán", True),
        (MEXICO_CITY, "Alcaldía Coyoacán", None),
        (MEXICO_CITY, "Benito Juarez", True),
        (MEXICO_CITY, "Ecatepec", True),
        (MEXICO_CITY, "Naucalpan de Juárez", None),
        (MEXICO_CITY, "Tlaquepaque", False),
        (MEXICO_CITY, "Zapopan", None),
        (MEXICO_CITY, "Pueblo Inventado", None),
        (SECOND_CODE, "Iztapalapa", True),
        (SECOND_CODE, "Ciudad de México", True),
        (GUADALAJARA, "Guadalajara", True),
        (GUADALAJARA, "Zapopan", True),
        (GUADALAJARA, "Iztapalapa", False),
        (GUADALAJARA, "Benito Juárez", None),
        (MONTERREY, "Apodaca", True),
        (MONTERREY, "San Pedro Garza García", True),
        (MONTERREY, "Guadalajara", False),
        (MONTERREY, "Tijuana", None),
        ("+526641234567", "Tijuana", True),
        ("+526631234567", "Tijuana", True),
        ("+526561234567", "Ciudad Juárez", True),
        ("+527221234567", "Toluca", True),
        ("+527201234567", "Toluca", True),
        ("+527291234567", "Toluca", None),
        ("+526671234567", "Culiacán", True),
        ("+527771234567", "Cuernavaca", True),
        ("+529611234567", "Tuxtla Gutiérrez", True),
        ("+526461234567", "Mexicali", None),
        ("+529981234567", "Cancún", True),
        ("+529981234567", "Benito Juárez", None),
    ],
)
def test_a_borough_of_mexico_city_is_known_and_a_frequent_name_is_never_outside(
    number: str, place: str, there: bool | None
) -> None:
    """A municipality at the edge of an area can have the code of the next one."""
    assert lies_in_area(place, number, RULES["MX"]) is there


@pytest.mark.parametrize(
    ("number", "other"), [("+526141234567", "+526561234567"), ("+526621234567", "+526431234567")]
)
def test_area_codes_of_one_mexican_state_are_not_one_area(number: str, other: str) -> None:
    """The geocoder names most Mexican codes by their state. A review in one city says nothing of another city."""
    assert area_of(number) != area_of(other)


@pytest.mark.parametrize(
    ("number", "country", "place", "there"),
    [
        ("+48221234567", "PL", "Warszawa", True),
        ("+48221234567", "PL", "Warsaw", True),
        ("+48221234567", "PL", "Gdynia", False),
        ("+48221234567", "PL", "Piaseczno", None),
        ("+48581234567", "PL", "Gdynia", True),
        ("+48581234567", "PL", "Gdańsk", True),
        ("+48321234567", "PL", "Sosnowiec", True),
        ("+48321234567", "PL", "Gliwice", True),
        ("+48321234567", "PL", "Kraków", False),
        ("+46812345678", "SE", "Stockholm", True),
        ("+46812345678", "SE", "Nacka", True),
        ("+46812345678", "SE", "VALLENTUNA", True),
        ("+46812345678", "SE", "Södertälje", None),
        ("+46812345678", "SE", "Göteborg", False),
        ("+46812345678", "SE", "Vellinge", None),
        ("+46812345678", "SE", "Påhittad", None),
        ("+46311234567", "SE", "Göteborg", True),
        ("+46311234567", "SE", "Goteborg", True),
        ("+46311234567", "SE", "Gothenburg", True),
        ("+46311234567", "SE", "Sundbyberg", False),
        ("+46401234567", "SE", "Vellinge", True),
    ],
)
def test_a_city_that_the_numbering_plan_names_in_english_only_or_not_is_known(
    number: str, country: str, place: str, there: bool | None
) -> None:
    """The plan has `Gothenburg` as the Swedish name, and does not name a second city of a zone."""
    assert lies_in_area(place, number, RULES[country]) is there


@pytest.mark.parametrize(
    ("number", "place", "there"),
    [
        (VIENNA, "Wien", True),
        (VIENNA, "Vienna", True),
        (VIENNA, "Wien 10", True),
        (VIENNA, "1100 Wien", True),
        (VIENNA, "Schwechat", None),
        (VIENNA, "Graz", False),
        (VIENNA, "Klosterneuburg", False),
        (VIENNA, "Erfundendorf", None),
        (GRAZ, "Wien", False),
        ("+43463123456", "Klagenfurt", True),
        ("+4327421234", "Sankt Pölten", True),
        ("+4322361234", "Perchtoldsdorf", None),
        ("+4322361234", "Wien", False),
    ],
)
def test_an_austrian_place_is_known_by_the_numbering_plan(
    number: str, place: str, there: bool | None
) -> None:
    """A municipality without a local network of its own is left to a reviewer."""
    assert lies_in_area(place, number, RULES["AT"]) is there


@pytest.mark.parametrize(
    ("number", "place", "there"),
    [
        (ROME, "Roma", True),
        (ROME, "Rome", True),
        (ROME, "Fiumicino", None),
        (ROME, "Milano", False),
        (ROME, "Sesto San Giovanni", False),
        (ROME, "Castro", None),
        (ROME, "Città Inventata", None),
        (MILAN, "Bollate", True),
        (MILAN, "Boffalora s. Ticino", True),
        ("+390811234567", "Naples", True),
        ("+390101234567", "Recco", None),
    ],
)
def test_the_municipalities_of_milan_are_known_and_others_are_left_to_a_reviewer(
    number: str, place: str, there: bool | None
) -> None:
    """The numbering plan names the large cities."""
    assert lies_in_area(place, number, RULES["IT"]) is there


@pytest.mark.parametrize(
    ("number", "place", "there"),
    [
        (DUBLIN, "Dublin 4", True),
        (DUBLIN, "Dublin 6W", True),
        (DUBLIN, "Tallaght, Dublin 24", True),
        (DUBLIN, "Swords", True),
        (DUBLIN, "Dun Laoghaire", True),
        (DUBLIN, "Dún Laoghaire", True),
        (DUBLIN, "Blackrock", True),
        (DUBLIN, "Maynooth", True),
        (DUBLIN, "Cork", False),
        (DUBLIN, "Galway", False),
        (DUBLIN, "Ballymadeup", None),
        (CORK, "Cork", True),
        (CORK, "Tallaght", None),
        (CORK, "Dublin 4", False),
        (CORK, "Blackrock", None),
        (CORK, "Maynooth", None),
        ("+353429312345", "Dundalk", True),
    ],
)
def test_a_suburb_of_dublin_is_known_and_a_name_of_several_irish_places_is_not_decided(
    number: str, place: str, there: bool | None
) -> None:
    """Blackrock is a suburb of Dublin, of Cork, and a village near Dundalk."""
    assert lies_in_area(place, number, RULES["IE"]) is there


@pytest.mark.parametrize(
    ("number", "place", "there"),
    [
        (BRUSSELS, "Bruxelles", True),
        (BRUSSELS, "Brussel", True),
        (BRUSSELS, "Brussels", True),
        (BRUSSELS, "Vilvoorde", True),
        (BRUSSELS, "Dilbeek", True),
        (BRUSSELS, "Antwerpen", False),
        (BRUSSELS, "Merksem", False),
        (BRUSSELS, "Sint-Niklaas", None),
        (BRUSSELS, "Verzonnegem", None),
        (ANTWERP, "Anvers", True),
        (ANTWERP, "Deurne", True),
        (ANTWERP, "Sint-Niklaas", True),
        (ANTWERP, "Liège", False),
        ("+3215123456", "Vilvorde", True),
        ("+3242345678", "Seraing", True),
        ("+3242345678", "Luik", True),
        ("+3256123456", "Mouscron", True),
    ],
)
def test_a_belgian_municipality_at_the_edge_of_its_zone_is_never_outside(
    number: str, place: str, there: bool | None
) -> None:
    """Vilvoorde has two codes. The districts of Antwerp are in its zone only."""
    assert lies_in_area(place, number, RULES["BE"]) is there


@pytest.mark.parametrize(
    ("number", "place", "there"),
    [
        (GENEVA, "Genève", True),
        (GENEVA, "Geneva", True),
        (GENEVA, "Genf", True),
        (GENEVA, "Onex", True),
        (GENEVA, "Zürich", False),
        (GENEVA, "Lugano", False),
        (GENEVA, "Kloten", None),
        (GENEVA, "Erfundenwil", None),
        ("+41912345678", "Lugano", True),
        ("+41443643535", "Kloten", True),
        ("+41433643535", "Kloten", True),
        ("+41413643535", "Zug", True),
        ("+41324567890", "La Chaux-de-Fonds", True),
        ("+41523456789", "Schaffhausen", True),
        ("+41813456789", "Sankt Moritz", True),
    ],
)
def test_a_swiss_town_is_known_by_its_code(number: str, place: str, there: bool | None) -> None:
    """The prefixes 043 and 044 are one area, so a place of one is a place of the other."""
    assert lies_in_area(place, number, RULES["CH"]) is there


@pytest.mark.parametrize(
    ("number", "place", "there"),
    [
        ("+496912345678", "Offenbach am Main", True),
        ("+496912345678", "Offenbach a. M.", True),
        ("+4971112345678", "Esslingen", True),
        ("+4962112345678", "Ludwigshafen", True),
        ("+49623712345", "Ludwigshafen am Rhein", True),
        ("+4920812345678", "Mülheim an der Ruhr", True),
        ("+4991112345678", "Fürth", True),
        ("+498912345678", "Fürth", False),
        ("+498912345678", "Offenbach am Main", False),
        ("+4962531234", "Fürth", None),
    ],
)
def test_a_large_german_city_without_a_local_network_of_its_own_is_known(
    number: str, place: str, there: bool | None
) -> None:
    """The numbering plan names only the larger city of the network. Fürth in the Odenwald is a smaller place."""
    assert lies_in_area(place, number, RULES["DE"]) is there


@pytest.mark.parametrize("code", ["32", "39", "41", "46", "48", "49", "52", "351", "353"])
def test_every_prefix_with_a_list_is_an_area_of_its_country(code: str) -> None:
    """A wrong prefix would make its places known for no number."""
    for prefix, names in listed_places(code).items():
        assert prefix.startswith(f"+{code}")
        assert area_of_prefix(prefix) != prefix[1:]
        assert names == tuple(dict.fromkeys(names))
        assert all(map(folded, names))


@pytest.mark.parametrize("code", ["46", "52", "351"])
def test_a_name_that_nobody_can_decide_is_a_listed_name(code: str) -> None:
    """A misspelled name would leave the listed one decided."""
    listed = {folded(name) for names in listed_places(code).values() for name in names}
    assert names_of_several_places(code) & listed

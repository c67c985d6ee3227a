"""The area of a number, and which places are in it."""

from typing import Any

import pytest

from didflow_contracts.areas import area_name, calling_code, prefix_of
from didflow_verification.catalogue.files import packaged
from didflow_verification.domain.details.identity import Place
from didflow_verification.domain.evaluation import numbering_plan
from didflow_verification.domain.evaluation.areas import (
    area_of,
    inside,
    lies_in_area,
    lies_in_named_area,
    locate_for,
)
from didflow_verification.domain.evaluation.checks import is_po_box
from didflow_verification.domain.evaluation.listed_places import listed_places
from didflow_verification.domain.evaluation.normalization import normalized
from didflow_verification.domain.evaluation.place_names import folded, same_place

RULES = {rules.country: rules for rules in packaged()}
BERLIN, MUNICH, BRUSSELS, ZURICH = "+493012345678", "+498912345678", "+3223456789", "+41443643535"
FRANKFURT, DUBLIN, OREBRO, COPENHAGEN = "+496912345678", "+35319609036", "+4619123456", "+4532123456"
ODER, HALLE, CORK, MEXICO = "+4933512345678", "+4934512345678", "+353214123456", "+525512345678"


@pytest.mark.parametrize(
    ("number", "country", "place", "there"),
    [
        (BERLIN, "DE", "Berlin", True),
        (BERLIN, "DE", "München", False),
        (MUNICH, "DE", "MÜNCHEN", True),
        (MUNICH, "DE", "Muenchen", True),
        (MUNICH, "DE", "Munich", True),
        (BRUSSELS, "BE", "Bruxelles", True),
        (BRUSSELS, "BE", "Ixelles", True),
        (BRUSSELS, "BE", "Antwerp", False),
        (ZURICH, "CH", "Zurigo", True),
        ("+41712345678", "CH", "St. Gallen", True),
        ("+41712345678", "CH", "Sankt Gallen", True),
        (FRANKFURT, "DE", "Frankfurt", True),
        (FRANKFURT, "DE", "Frankfurt am Main", True),
        (FRANKFURT, "DE", "Frankfurt a. M.", True),
        (FRANKFURT, "DE", "Frankfurt/M.", True),
        (FRANKFURT, "DE", "Frankfurt (Oder)", False),
        (ODER, "DE", "Frankfurt (Oder)", True),
        (ODER, "DE", "Frankfurt", None),
        (ODER, "DE", "Frankfurt a. M.", False),
        (HALLE, "DE", "Halle (Saale)", True),
        (HALLE, "DE", "Halle", None),
        ("+49212912345", "DE", "Haan", True),
        ("+498121123456", "DE", "Markt Schwaben", True),
        (MUNICH, "DE", "Unterhaching", True),
        (BERLIN, "DE", "Unterhaching", False),
        (MUNICH, "DE", "Garching b. München", True),
        ("+390212345678", "IT", "Sesto San Giovanni", True),
        ("+390612345678", "IT", "Sesto San Giovanni", False),
        ("+34931234567", "ES", "Badalona", True),
        ("+34831234567", "ES", "Badalona", True),
        ("+34931234567", "ES", "L'Hospitalet de Llobregat", True),
        ("+34911234567", "ES", "Badalona", False),
        ("+34961234567", "ES", "Torrent", True),
        ("+34911234567", "ES", "Torrent", None),
        (BERLIN, "DE", "Schwerin", None),
        (DUBLIN, "IE", "Dublin 2", True),
        (DUBLIN, "IE", "Dublin 6W", True),
        (DUBLIN, "IE", "Dublin D6W", True),
        (DUBLIN, "IE", "Cork", False),
        (DUBLIN, "IE", "2", None),
        (DUBLIN, "IE", "", None),
        (CORK, "IE", "Cork", True),
        (CORK, "IE", "Kinsale", True),
        (OREBRO, "SE", "Kumla", True),
        (OREBRO, "SE", "Orebro", True),
        ("+48422123456", "PL", "Łódź", True),
        (MEXICO, "MX", "Ciudad de México", True),
        (MEXICO, "MX", "Mexico City", True),
        (MEXICO, "MX", "CDMX", True),
        ("+525612345678", "MX", "CDMX", True),
        ("+41322345678", "CH", "Biel/Bienne", True),
        ("+81112345678", "JP", "Sapporo, Hokkaido", True),
        ("+81312345678", "JP", "Sapporo, Hokkaido", False),
        (MEXICO, "MX", "Puebla", False),
        ("+351252123456", "PT", "Vila Nova de Famalicão", True),
        ("+351252123456", "PT", "V. N. Famalicão", None),
        ("+35193212345", "PT", "Lisboa", None),
    ],
)
def test_a_place_lies_in_the_area_or_in_another_or_nobody_can_say(
    number: str, country: str, place: str, there: bool | None
) -> None:
    """True: a place of the prefix. False: a place of other prefixes only. None: a person decides."""
    assert lies_in_area(place, number, RULES[country]) is there


@pytest.mark.parametrize(
    ("number", "country"), [(BERLIN, "DE"), (DUBLIN, "IE"), (MEXICO, "MX"), ("+43112345678", "AT")]
)
def test_a_suburb_that_no_list_names_goes_to_a_person(number: str, country: str) -> None:
    """It is never outside only because no list has it."""
    assert lies_in_area("Atlantis", number, RULES[country]) is None


@pytest.mark.parametrize("number", [COPENHAGEN, "+43720123456", "+80012345678", "+9991234567"])
def test_a_number_without_an_area_leaves_the_place_to_a_person(number: str) -> None:
    """The country has no areas, the range is national, or the number has no country."""
    assert lies_in_area("Berlin", number, None) is None
    assert area_name(number) is None


@pytest.mark.parametrize("number", ["+12125551234", "+14165551234"])
def test_a_place_of_a_shared_calling_code_is_never_outside(number: str) -> None:
    """Paris is a place in Texas, Ontario and Kentucky. The plan does not say of which country."""
    assert lies_in_area("Paris", number, None) is None


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Dublin 6W", "dublin"),
        ("D6W Dublin", "dublin"),
        ("Paris 12e", "Paris"),
        ("St. Gallen", "Sankt Gallen"),
        ("St-Gilles", "Saint Gilles"),
        ("Koeln", "Köln"),
        ("大阪府大阪市北区", "大阪"),
        ("東京都", "東京"),
        ("四日市市", "四日市"),
        ("Ōsaka-shi", "Osaka"),
        ("Frankfurt (Oder)", "Frankfurt/Oder"),
        ("s-Gravenhage", "'s Gravenhage"),
    ],
)
def test_names_are_folded_alike(one: str, other: str) -> None:
    """Case, accents, punctuation, districts and usual spellings do not matter."""
    assert folded(one) == folded(other)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("Frankfurt a. M.", "Frankfurt am Main", True),
        ("Rothenburg o. d. T.", "Rothenburg ob der Tauber", True),
        ("V. N. de Gaia", "Vila Nova de Gaia", True),
        ("Frankfurt a. M.", "Frankfurt (Oder)", False),
        ("Santa Ana", "Santa Anastasia", False),
        ("F. a. M.", "Frankfurt am Main", False),
        ("Oe-machi", "Okagaki-machi", False),
    ],
)
def test_single_letters_stand_for_words(one: str, other: str, same: bool) -> None:
    """At least one whole word must be the same."""
    assert same_place(folded(one), folded(other)) is same
    assert same_place(folded(other), folded(one)) is same


@pytest.mark.parametrize(
    ("area", "place", "there"),
    [
        ("Berlin", "Berlin", True),
        ("münchen", "Munich", True),
        ("Frankfurt a. M.", "Frankfurt", True),
        ("Berlin", "München", False),
        ("Berlin", "Atlantis", None),
        ("Spreestadt", "Spreestadt", True),
        ("", "Berlin", None),
    ],
)
def test_an_area_can_be_given_by_its_name(area: str, place: str, there: bool | None) -> None:
    """A what-if without a number names the area. It is compared like a number's area."""
    assert lies_in_named_area(place, area, "DE", RULES["DE"]) is there


@pytest.mark.parametrize(
    ("region", "city", "there"),
    [
        ("Barcelona", "Badalona de Prova", True),
        ("", "Barcelona", True),
        ("Madrid", "Madrid", False),
        ("Catalunya", "Madrid", None),
        ("Madrid", "Atlantis", None),
    ],
)
def test_a_region_is_outside_only_if_city_and_region_are_known_elsewhere(
    region: str, city: str, there: bool | None
) -> None:
    """A place of another prefix can lie in the region of the number."""
    place = Place(street="1", city=city, region=region, country="ES")
    assert inside("region", place, locate_for("+34931234567", RULES["ES"])) is there


@pytest.mark.parametrize(
    ("number", "area"),
    [
        (BERLIN, "Berlin"),
        (MUNICH, "Munich"),
        (DUBLIN, "Dublin"),
        ("+34930123456", "Barcelona"),
        ("+34931123456", "Barcelona"),
        ("+34934123456", "Barcelona"),
        ("+34939123456", "Barcelona"),
        ("+34855123456", "Seville / Sevilla"),
        ("+34955123456", "Seville / Sevilla"),
        (ZURICH, "Zurich"),
        ("+41433643535", "Zurich"),
        ("+39011123456", "Turin / Torino"),
        ("+390122123456", "Turin / Susa"),
        (CORK, "Cork +35321"),
        ("+81422123456", "+8142"),
        ("+525612345678", "Mexico City, FD"),
        ("+525512345678", "Mexico City, FD"),
        ("+43720123456", "+43720"),
        (COPENHAGEN, "+4532"),
        ("+9991234567", "+9991234567"),
    ],
)
def test_prefixes_that_serve_one_place_are_one_area(number: str, area: str) -> None:
    """Prefixes of one name are one area. A prefix of several places, or of none, is an area of its own."""
    assert area_of(number) == area


@pytest.mark.parametrize(
    ("number", "name"),
    [(BERLIN, "Berlin"), (MUNICH, "Munich"), ("+41433643535", "Zurich"), ("+390121123456", "Pinerolo")],
)
def test_an_area_has_an_english_name(number: str, name: str) -> None:
    """It is the plan's English name, or its only name."""
    assert area_name(number) == name


@pytest.mark.parametrize(
    ("number", "prefix"),
    [
        (BERLIN, "+4930"),
        (DUBLIN, "+3531"),
        ("+35391123456", "+35391"),
        ("+34911234567", "+34911"),
        ("+9991234567", "+9991234567"),
    ],
)
def test_the_prefix_is_calling_code_and_area_code(number: str, prefix: str) -> None:
    """A number that no numbering plan has shares its prefix with no other number."""
    assert prefix_of(number) == prefix


@pytest.mark.parametrize(
    ("one", "other"),
    [("São João", "sao joao"), ("Straße", "STRASSE"), ("Søborg", "soborg"), ("A.B.  C-D", "a b c d")],
)
def test_names_are_compared_without_case_accents_and_punctuation(one: str, other: str) -> None:
    """Different spellings are the same name."""
    assert normalized(one) == normalized(other)


@pytest.mark.parametrize(
    "street",
    [
        "PO Box 12",
        "P.O. Box 7, Dublin",
        "Postfach 10 11 12",
        "Apartado de Correos 33",
        "Apartado 5",
        "BP 123",
        "Boîte postale 4",
        "Postbus 99",
        "Locked Bag 20",
        "Caixa Postal 1",
        "Quay House\nBox 17",
    ],
)
def test_a_post_office_box_is_recognized(street: str) -> None:
    """It is recognized in the languages of the catalogue's countries."""
    assert is_po_box(street)


@pytest.mark.parametrize(
    "street",
    ["1 Quay Street", "Postfachweg 3", "Boxhagener Straße 12", "Calle Apartadero 4", "12 Box Hill Road"],
)
def test_a_street_name_similar_to_a_box_is_accepted(street: str) -> None:
    """Only a real box is refused."""
    assert not is_po_box(street)


def test_the_longest_listed_prefix_names_the_places() -> None:
    """The list of a longer prefix replaces that of a shorter one."""
    rules = RULES["DE"].__class__(
        country="DE", places={"+49": ("Everywhere",), "+4930": ("Spreestadt",)}, requirements=()
    )
    assert lies_in_area("Spreestadt", BERLIN, rules) is True
    assert lies_in_area("Everywhere", BERLIN, rules) is False


@pytest.mark.parametrize("code", ["34", "39", "49"])
def test_every_packaged_list_belongs_to_an_area_with_a_name(code: str) -> None:
    """A wrong prefix would make its places known for no number."""
    for prefix, names in listed_places(code).items():
        assert calling_code(prefix) == code
        assert area_name(f"{prefix}00000") is not None
        assert names == tuple(dict.fromkeys(names))
        assert all(map(folded, names))


def test_a_numbering_plan_is_read_whole_for_every_prefix_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its entries are put in order once, and each prefix reads only its own."""
    read = []

    class Plan(tuple[Any, ...]):
        __slots__ = ()

        def __iter__(self) -> Any:
            read.append(self)
            return super().__iter__()

    plan = Plan(numbering_plan.entries("49"))
    monkeypatch.setattr(numbering_plan, "entries", lambda _: plan)
    for digits, _ in tuple(plan)[:50]:
        numbering_plan.plan_area.__wrapped__(f"+{digits}")
    assert len(read) <= 2

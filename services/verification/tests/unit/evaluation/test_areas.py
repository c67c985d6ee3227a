"""The area of a number, and which places are in it."""

from typing import Any

import pytest

from didflow_verification.catalogue.files import packaged
from didflow_verification.domain.evaluation.areas import lies_in, place_names, prefix_of
from didflow_verification.domain.evaluation.checks import is_po_box
from didflow_verification.domain.evaluation.normalization import normalized

RULES = {rules.country: rules for rules in packaged()}
BERLIN, MUNICH, BRUSSELS, ZURICH = "+493012345678", "+498912345678", "+3223456789", "+41443643535"
FRANKFURT, DUBLIN, OREBRO, COPENHAGEN = "+496912345678", "+35319609036", "+4619123456", "+4532123456"


@pytest.mark.parametrize(
    ("number", "country", "place", "there"),
    [
        (BERLIN, "DE", "Berlin", True),
        (BERLIN, "DE", "München", False),
        (MUNICH, "DE", "MÜNCHEN", True),
        (MUNICH, "DE", "Munich", True),
        (BRUSSELS, "BE", "Bruxelles", True),
        (BRUSSELS, "BE", "Ixelles", True),
        (BRUSSELS, "BE", "Antwerp", False),
        (ZURICH, "CH", "Zurigo", True),
        (FRANKFURT, "DE", "Frankfurt", True),
        (FRANKFURT, "DE", "Frankfurt am Main", True),
        (FRANKFURT, "DE", "Frankfurt (Oder)", False),
        (DUBLIN, "IE", "Dublin 2", True),
        (DUBLIN, "IE", "2", False),
        (DUBLIN, "IE", "", False),
        (OREBRO, "SE", "Kumla", True),
        (OREBRO, "SE", "Orebro", True),
        ("+48422123456", "PL", "Łódź", True),
        ("+525512345678", "MX", "Ciudad de México", True),
        ("+35193212345", "PT", "Lisboa", False),
    ],
)
def test_a_city_is_in_the_area_of_a_prefix_or_not(number: str, country: str, place: str, there: bool) -> None:
    """Names are in English or a language of the country, without case and accents, or from the catalogue."""
    assert lies_in(place, place_names(number, RULES[country])) is there


@pytest.mark.parametrize("number", [COPENHAGEN, "+43720123456", "+80012345678", "+9991234567"])
def test_some_numbers_have_no_area_with_a_name(number: str) -> None:
    """The country has no areas, the range is national, or the number has no country. A reviewer decides."""
    assert place_names(number, None) == frozenset()


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


def test_the_longest_listed_prefix_names_the_places(make: Any) -> None:
    """The list of a longer prefix replaces that of a shorter one."""
    rules = RULES["DE"].__class__(
        country="DE", places={"+49": ("Everywhere",), "+4930": ("Spreestadt",)}, requirements=()
    )
    names = place_names(BERLIN, rules)
    assert lies_in("Spreestadt", names)
    assert not lies_in("Everywhere", names)

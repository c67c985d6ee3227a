"""Where a number belongs: its prefix, and what the places of that prefix are called.

The geocoder's tables (seconds to load, 200 MB) come in with `warm_up`, at the start of a process, or with first use.
"""

from collections.abc import Iterable
from functools import cache, lru_cache
from importlib import import_module
from typing import Any

import phonenumbers

from didflow_contracts.numbers import split_number
from didflow_verification.domain.catalogue.rules import CountryRules
from didflow_verification.domain.evaluation.folding import folded

SHORTEST_PART = 3
NUMBERS_REMEMBERED = 4_096


def warm_up() -> None:
    """Load the geocoder's tables now rather than with the first number that needs them, and keep plans' patterns."""
    phonenumbers.enable_pattern_cache()
    _geocoder()


@cache
def _geocoder() -> Any:
    return import_module("phonenumbers.geocoder")


@lru_cache(maxsize=NUMBERS_REMEMBERED)
def prefix_of(number: str) -> str:
    """Return calling code and area code, e.g. `+4930`; the calling code alone where there is no area code.

    A number that no plan knows is its own prefix: nothing else is of its area.
    """
    read = split_number(number)
    if read is None:
        return number
    length = phonenumbers.length_of_national_destination_code(read)
    national = phonenumbers.national_significant_number(read)
    return f"+{read.country_code}{national[:length]}"


def place_names(number: str, rules: CountryRules | None) -> frozenset[str]:
    """Return the folded names of a number's area; empty where nobody can name it.

    The numbering plan's names in English and the country's languages, and the catalogue's for the prefix.
    """
    listed = _listed(number, rules) if rules else ()
    return frozenset(spoken for name in (*_geocoded(number, rules), *listed) for spoken in _readings(name))


def lies_in(place: str, names: Iterable[str]) -> bool:
    """Whether a place as typed is one of the names; a district number after it is passed over."""
    typed = folded(place)
    city = " ".join(word for word in typed.split() if not word.isdigit())
    return bool(city) and city in names


def _listed(number: str, rules: CountryRules) -> Iterable[str]:
    fitting = [prefix for prefix in rules.places if number.startswith(prefix)]
    return rules.places[max(fitting, key=len)] if fitting else ()


def _geocoded(number: str, rules: CountryRules | None) -> Iterable[str]:
    geocoder = _geocoder()
    read = split_number(number)
    if read is None:
        return set()
    languages = ("en", *(rules.languages if rules else ()))
    found = {geocoder.description_for_number(read, language) for language in languages}
    return found - {geocoder.country_name_for_number(read, language) for language in languages} - {""}


def _readings(name: str) -> Iterable[str]:
    """Read a plan's name: places side by side stand with a slash or a dash, a state after a comma."""
    for side in name.partition(",")[0].split("/"):
        yield folded(side)
        yield from (folded(p) for p in side.split("-") if len(p) >= SHORTEST_PART and p[0].isupper())

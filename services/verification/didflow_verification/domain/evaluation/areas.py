"""The area of a number: its prefix, and the names of the places of that prefix.

The geocoder's tables take seconds to load and 200 MB. `warm_up` loads them when a process starts, else their first use.
"""

from collections.abc import Iterable
from functools import cache, lru_cache
from importlib import import_module
from typing import Any

import phonenumbers

from didflow_contracts.numbers import split_number
from didflow_verification.domain.evaluation.normalization import normalized
from didflow_verification.domain.requirements import CountryRules

SHORTEST_PART = 3
CACHED_NUMBERS = 4_096


def warm_up() -> None:
    """Load the geocoder's tables before the first number needs them, and cache the patterns of numbering plans."""
    phonenumbers.enable_pattern_cache()
    _geocoder()


@cache
def _geocoder() -> Any:
    return import_module("phonenumbers.geocoder")


@lru_cache(maxsize=CACHED_NUMBERS)
def prefix_of(number: str) -> str:
    """Return the calling code and the area code, e.g. `+4930`. Without an area code, return the calling code.

    If no numbering plan has the number, the number is its own prefix: no other number is in its area.
    """
    read = split_number(number)
    if read is None:
        return number
    length = phonenumbers.length_of_national_destination_code(read)
    national = phonenumbers.national_significant_number(read)
    return f"+{read.country_code}{national[:length]}"


def place_names(number: str, rules: CountryRules | None) -> frozenset[str]:
    """Return the normalized names of the number's area, or nothing if it has no known name.

    The names come from the numbering plan, in English and the country's languages, and from the catalogue.
    """
    listed = _listed(number, rules) if rules else ()
    return frozenset(part for name in (*_geocoded(number, rules), *listed) for part in _name_parts(name))


def lies_in(place: str, names: Iterable[str]) -> bool:
    """Return True if an entered place is one of the names. A district number after the place is ignored."""
    city = folded_place(place)
    return bool(city) and city in names


def folded_place(place: str) -> str:
    """Return the name of an entered place as it is compared: normalized, without the number of a district."""
    return " ".join(word for word in normalized(place).split() if not word.isdigit())


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


def _name_parts(name: str) -> Iterable[str]:
    """Yield the places of a plan's name: a slash or dash separates places, a comma precedes a state."""
    for side in name.partition(",")[0].split("/"):
        yield normalized(side)
        yield from (normalized(p) for p in side.split("-") if len(p) >= SHORTEST_PART and p[0].isupper())

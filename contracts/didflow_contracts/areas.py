"""The area of a number, by its English name: what the numbering plan calls the places that its prefix serves.

Inventory shows it as the region of a number in stock, and verification publishes it for a DID. One rule, so they agree.

The names are those of the geocoder of `phonenumbers`. Its tables take a second to load and 100 MB or more. `load` loads
them before the first number needs them, else their first use.

Source: spec verification, Evaluation: Area match; spec events, `area`.
"""

from collections.abc import Mapping
from functools import cache, lru_cache
from importlib import import_module
from types import MappingProxyType
from typing import Any, Final

import phonenumbers

from didflow_contracts.bounds import NAME
from didflow_contracts.numbers import split_number

CACHED_NUMBERS: Final = 4_096

Names = Mapping[str, str]
"""The names of a place by language (ISO 639-1)."""

SAME_PLACE: Final[Mapping[str, str]] = MappingProxyType(
    {"+5256": "+5255", "+34850": "+34950", "+34855": "+34854"}
)
"""By prefix, another prefix that serves the same place. The geocoder does not name the first, or spells it otherwise.

Source: docs/verification/places.md.
"""


def area_name(number: str) -> str | None:
    """Return the English name of the number's area, or None if the numbering plan does not name it.

    Some areas in Australia are lists of dozens of places. A list that is too long for a name is no name.
    """
    names = names_at(named_prefix(prefix_of(number))) or names_at(number)
    label = label_of(names) if names else ""
    return label if len(label) in NAME else None


@cache
def load() -> Mapping[str, Names]:
    """Return the names of all places by the digits of their prefixes."""
    tables: Any = import_module("phonenumbers.geodata").GEOCODE_DATA
    return tables  # type: ignore[no-any-return]


def named_prefix(prefix: str) -> str:
    """Return the prefix under which the geocoder names the place of a prefix."""
    return SAME_PLACE.get(prefix, prefix)


def label_of(names: Names) -> str:
    """Return the English name of a place, or its only name."""
    return names.get("en") or min(names.values())


def names_at(number: str) -> Names | None:
    """Return the entry of the longest prefix of this number or prefix, or None if the plan does not name it."""
    digits, tables = number.removeprefix("+"), load()
    shortest = len(calling_code(number))
    found = (tables.get(digits[:length]) for length in range(len(digits), shortest, -1))
    return next((names for names in found if names), None)


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


@lru_cache(maxsize=CACHED_NUMBERS)
def calling_code(number: str) -> str:
    """Return the digits of the calling code of a number or prefix, or all digits if no such code is in use."""
    digits = number.removeprefix("+")
    codes = (digits[:length] for length in (1, 2, 3))
    return next((c for c in codes if c and int(c) in phonenumbers.COUNTRY_CODE_TO_REGION_CODE), digits)

"""Numbering plans in which neighbouring areas begin with the same digit.

The geocoder of `phonenumbers` names a Japanese area by one municipality. A municipality can have several codes, and
most of them begin with the same digit. So the plan does not say that a place is outside an area whose code begins with
the same digit as its own.
"""

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import Final

from didflow_contracts.areas import calling_code
from didflow_verification.domain.evaluation.numbering_plan import entries
from didflow_verification.domain.evaluation.place_names import whole_names

BESIDE: Final[Mapping[str, Mapping[str, str]]] = MappingProxyType({"81": {"4": "34", "6": "67", "7": "67"}})
"""By calling code and first digit of an area code, the first digits of the areas that could be beside it.

A digit that is missing stands for itself. By the geocoder's names, areas of Tokyo begin with 3 and 4, and areas of
Osaka with 6 and 7.
"""


def names_beside(prefix: str) -> frozenset[str]:
    """Return the folded names of all areas that could be beside that of a prefix. Empty for most countries."""
    code = calling_code(prefix)
    first = prefix.removeprefix(f"+{code}")[:1]
    digits = BESIDE[code].get(first, first) if code in BESIDE else ""
    return frozenset().union(*(_names_at(code, digit) for digit in digits))


@cache
def _names_at(code: str, digit: str) -> frozenset[str]:
    found = (names for each, names in entries(code) if each.startswith(f"{code}{digit}"))
    return frozenset(folded for names in found for name in names.values() for folded in whole_names(name))

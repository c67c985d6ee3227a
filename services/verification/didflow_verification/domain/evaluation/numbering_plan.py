"""The names of places in the numbering plans, as the geocoder of `phonenumbers` has them.

The tables take a second to load and 200 MB. `warm_up` loads them when a process starts, else their first use.
"""

from bisect import bisect_left
from collections.abc import Mapping
from functools import cache, lru_cache
from importlib import import_module
from typing import Any, Final

import phonenumbers
from msgspec import Struct

from didflow_contracts.numbers import split_number

CACHED_NUMBERS: Final = 4_096

Names = Mapping[str, str]
"""The names of a place by language (ISO 639-1)."""


class PlanArea(Struct, frozen=True, kw_only=True):
    """What the numbering plan says of a prefix: its own entry, if it has one, and the entries of longer prefixes."""

    prefix: str
    own: Names | None
    finer: tuple[Names, ...]

    @property
    def entries(self) -> tuple[Names, ...]:
        """Return all entries, the prefix's own first."""
        return (self.own, *self.finer) if self.own else self.finer


def warm_up() -> None:
    """Load the tables before the first number needs them, and cache the patterns of numbering plans."""
    phonenumbers.enable_pattern_cache()
    _tables()


@cache
def _tables() -> Mapping[str, Names]:
    tables: Any = import_module("phonenumbers.geodata").GEOCODE_DATA
    return tables  # type: ignore[no-any-return]


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


def names_at(number: str) -> Names | None:
    """Return the entry of the longest prefix of this number or prefix, or None if the plan does not name it."""
    digits, tables = number.removeprefix("+"), _tables()
    shortest = len(calling_code(number))
    found = (tables.get(digits[:length]) for length in range(len(digits), shortest, -1))
    return next((names for names in found if names), None)


@lru_cache(maxsize=CACHED_NUMBERS)
def plan_area(prefix: str) -> PlanArea:
    """Return what the plan says of a prefix. A calling code alone is no area."""
    if prefix.removeprefix("+") == calling_code(prefix):
        return PlanArea(prefix=prefix, own=None, finer=())
    own, finer = names_at(prefix), _names_below(prefix)
    return PlanArea(prefix=prefix, own=own, finer=tuple(names for names in finer if names is not own))


def _names_below(prefix: str) -> tuple[Names, ...]:
    """Return the entries of a prefix and of longer ones, in the order of the plan."""
    code, digits = calling_code(prefix), prefix.removeprefix("+")
    first = bisect_left(_places_in_plan(code), (digits,))
    after = bisect_left(_places_in_plan(code), (f"{digits}:",))  # the character after the digit 9
    return tuple(
        entries(code)[place][1] for place in sorted(at for _, at in _places_in_plan(code)[first:after])
    )


@cache
def _places_in_plan(code: str) -> tuple[tuple[str, int], ...]:
    """Return the digits of all entries in order, each with its place in `entries`."""
    return tuple(sorted((digits, place) for place, (digits, _) in enumerate(entries(code))))


@cache
def entries(code: str) -> tuple[tuple[str, Names], ...]:
    """Return all entries of a calling code, each with its digits."""
    longer = len(code) + 1
    return tuple(e for e in _tables().items() if e[0].startswith(code) and len(e[0]) >= longer)


@lru_cache(maxsize=CACHED_NUMBERS)
def calling_code(number: str) -> str:
    """Return the digits of the calling code of a number or prefix, or all digits if no such code is in use."""
    digits = number.removeprefix("+")
    codes = (digits[:length] for length in (1, 2, 3))
    return next((c for c in codes if c and int(c) in phonenumbers.COUNTRY_CODE_TO_REGION_CODE), digits)

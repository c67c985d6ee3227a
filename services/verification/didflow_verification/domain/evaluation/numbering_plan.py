"""The names of places in the numbering plans, as the geocoder of `phonenumbers` has them.

The tables take a second to load and 200 MB. `warm_up` loads them when a process starts, else their first use.
"""

from bisect import bisect_left
from functools import cache, lru_cache

import phonenumbers
from msgspec import Struct

from didflow_contracts.areas import CACHED_NUMBERS, Names, calling_code, load, names_at


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
    load()


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
    return tuple(e for e in load().items() if e[0].startswith(code) and len(e[0]) >= longer)

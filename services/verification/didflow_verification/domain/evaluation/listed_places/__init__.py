"""Lists of places of large areas, as data. docs/verification/places.md says what they are made from."""

from collections.abc import Mapping
from functools import cache
from typing import Final

from didflow_verification.domain.evaluation.listed_places import (
    belgium,
    germany,
    homonyms,
    ireland,
    italy,
    mexico,
    poland,
    portugal,
    spain,
    sweden,
    switzerland,
)
from didflow_verification.domain.evaluation.place_names import folded

_LISTS: Final[Mapping[str, Mapping[str, str]]] = {
    "32": belgium.NAMES,
    "34": spain.NAMES,
    "39": italy.NAMES,
    "41": switzerland.NAMES,
    "46": sweden.NAMES,
    "48": poland.NAMES,
    "49": germany.NAMES,
    "52": mexico.NAMES,
    "351": portugal.NAMES,
    "353": ireland.NAMES,
}
_PARTLY: Final[Mapping[str, str]] = {
    "32": belgium.PARTLY,
    "41": switzerland.PARTLY,
    "46": sweden.PARTLY,
    "52": mexico.PARTLY,
    "351": portugal.PARTLY,
    "353": "|".join(ireland.NAMES.values()),
}


@cache
def listed_places(code: str) -> Mapping[str, tuple[str, ...]]:
    """Return the places of a calling code, by a prefix of their area."""
    return {prefix: tuple(names.split("|")) for prefix, names in _LISTS.get(code, {}).items()}


@cache
def names_of_several_places(code: str) -> frozenset[str]:
    """Return the folded names of a calling code that several places have, or places with parts in several areas.

    Nobody can say which place or part is meant.
    """
    by_hand = map(folded, _PARTLY.get(code, "").split("|"))
    return frozenset((*homonyms.NAMES.get(code, "").split("|"), *by_hand))

"""Lists of places of large areas, as data. docs/verification/places.md says what they are made from."""

from collections.abc import Mapping
from functools import cache
from typing import Final

from didflow_verification.domain.evaluation.listed_places import germany, homonyms, italy, spain

_LISTS: Final[Mapping[str, Mapping[str, str]]] = {
    "34": spain.NAMES,
    "39": italy.NAMES,
    "49": germany.NAMES,
}


@cache
def listed_places(code: str) -> Mapping[str, tuple[str, ...]]:
    """Return the places of a calling code, by a prefix of their area."""
    return {prefix: tuple(names.split("|")) for prefix, names in _LISTS.get(code, {}).items()}


@cache
def names_of_several_places(code: str) -> frozenset[str]:
    """Return the folded names of a calling code that several places have. Nobody can say which is meant."""
    return frozenset(homonyms.NAMES.get(code, "").split("|"))

"""The area of a number: the places of its prefix.

This module decides whether a place lies in an area, and which prefixes are one area.

The names come from the numbering plan, in English and the country's languages, and from the catalogue's lists.
Source: spec verification, Evaluation: Area match.
"""

from collections.abc import Callable, Iterable
from functools import cache, lru_cache, partial
from typing import Final

import phonenumbers
from msgspec import Struct

from didflow_contracts.areas import Names, calling_code, label_of, named_prefix, prefix_of
from didflow_verification.domain.details.identity import Place
from didflow_verification.domain.evaluation.listed_places import (
    listed_places,
    names_of_several_places,
)
from didflow_verification.domain.evaluation.numbering_plan import entries, plan_area
from didflow_verification.domain.evaluation.place_names import (
    folded,
    has_short_form,
    parts_of_names,
    same_place,
    whole_names,
)
from didflow_verification.domain.evaluation.plan_neighbours import names_beside
from didflow_verification.domain.evaluation.plan_regions import REGIONS
from didflow_verification.domain.requirements import CountryRules

SHARED_CODES: Final = frozenset({"1", "7"})
"""Calling codes whose area codes belong to several countries. A name of their plan may be another country's place."""

CACHED_AREAS: Final = 1_024

Locate = Callable[[str], bool | None]
"""Returns whether an entered place lies in the area of a number: True, False, or None if nobody can say."""

Lists = tuple[tuple[str, tuple[str, ...]], ...]


class KnownPlaces(Struct, frozen=True, kw_only=True):
    """Folded names of places, such as all of a country's prefixes. `shortened` are those with a word of one letter."""

    names: frozenset[str]
    shortened: frozenset[str]

    @classmethod
    def of(cls, names: frozenset[str]) -> "KnownPlaces":
        """Return the places with these folded names."""
        return cls(names=names, shortened=frozenset(filter(has_short_form, names)))

    def has(self, place: str) -> bool:
        """Return True if a folded name is one of the places."""
        if place in self.names:
            return True
        candidates = self.names if has_short_form(place) else self.shortened
        return any(same_place(place, name) for name in candidates)

    def has_beginning(self, place: str) -> bool:
        """Return True if a place has this name, or a longer one that begins with it."""
        return self.has(place) or any(name.startswith(f"{place} ") for name in self.names)


@lru_cache(maxsize=CACHED_AREAS)
def area_of_prefix(prefix: str) -> str:
    """Return the area of a prefix. Prefixes that serve one place have the same area.

    It is the name of the place that the numbering plan gives the prefix. A prefix with several places, with the name of
    a state or without a name is an area of its own: the name, if there is one, and the prefix.
    """
    prefix = named_prefix(prefix)
    plan = plan_area(prefix)
    label = label_of(plan.own) if plan.own else ""
    is_region = label in REGIONS.get(calling_code(prefix), ())
    if is_region or len({_all_names(names) for names in plan.entries}) != 1:
        return f"{label} {prefix}".strip()
    (names,) = {_all_names(names) for names in plan.entries}
    label = label_of(plan.entries[0])
    if len(_meanings(calling_code(prefix))[label]) > 1:
        return " / ".join(dict.fromkeys((label, *sorted(names))))
    return label


def area_of(number: str) -> str:
    """Return the area of a number: that of its prefix."""
    return area_of_prefix(prefix_of(number))


def area_named(name: str, country: str, rules: CountryRules | None) -> str | None:
    """Return the area of a country that a name means: that of the shortest prefix that serves a place of this name.

    None if no prefix serves such a place, or if the shortest ones are several areas.
    """
    languages, lists = _data_of(rules)
    code = str(phonenumbers.country_code_for_region(country))
    prefixes = _prefixes_of(folded(name), code, languages, lists) if folded(name) else ()
    shortest = min(map(len, prefixes), default=0)
    areas = {area_of_prefix(prefix) for prefix in prefixes if len(prefix) == shortest}
    return areas.pop() if len(areas) == 1 else None


def lies_in_area(place: str, number: str, rules: CountryRules | None) -> bool | None:
    """Return True if a place is one of the number's prefix, False if it is one of other prefixes only, else None."""
    prefix = prefix_of(number)
    languages, lists = _data_of(rules)
    own = _names_of_prefix(prefix, languages, _listed(number, lists))
    known = _known_places(calling_code(number), languages, lists)
    return _judged(place, own, known, _near_prefix(prefix))


def lies_in_named_area(place: str, area: str, country: str, rules: CountryRules | None) -> bool | None:
    """Return whether a place lies in the areas of a country that have this name, as `lies_in_area` does."""
    languages, lists = _data_of(rules)
    code = str(phonenumbers.country_code_for_region(country))
    wanted = folded(area)
    known = _known_places(code, languages, lists)
    own = _names_of_area(wanted, code, languages, lists) | ({wanted} - {""})
    return _judged(place, frozenset(own), known, _near_area(wanted, code, languages))


def inside(match: str, place: Place, locate: Locate) -> bool | None:
    """Return whether an address lies where a row with match `area` or `region` wants it, or None if nobody can say.

    A region is larger than an area: a place of another prefix can lie in it. So an address is outside the region only
    if its region and its city are both known as places of other prefixes.
    """
    city = locate(place.city)
    if match == "area" or city:
        return city
    region = locate(place.region)
    return region or (False if (city, region) == (False, False) else None)


def _judged(entered: str, own: frozenset[str], known: KnownPlaces, near: KnownPlaces) -> bool | None:
    whole, *sides = whole_names(entered) if folded(entered) else [""]
    if any(_lies_in(side, own, known) for side in sides):
        return True
    found = _lies_in(whole, own, known)
    return None if found is False and near.has(whole) else found


def _lies_in(place: str, own: frozenset[str], known: KnownPlaces) -> bool | None:
    if not place or not own:
        return None
    if place in own or any(same_place(place, name) for name in own):
        return True
    if any(name.startswith(f"{place} ") for name in own):
        others = KnownPlaces(names=known.names - own, shortened=known.shortened - own)
        return None if others.has_beginning(place) else True
    return False if known.has(place) else None


def _data_of(rules: CountryRules | None) -> tuple[tuple[str, ...], Lists]:
    """Return the languages and lists of a country in a form that can be a key of a cache."""
    if rules is None:
        return (), ()
    return tuple(rules.languages), tuple((prefix, tuple(names)) for prefix, names in rules.places.items())


def _listed(number: str, lists: Lists) -> tuple[str, ...]:
    fitting = [(prefix, names) for prefix, names in lists if number.startswith(prefix)]
    return max(fitting, key=lambda each: len(each[0]))[1] if fitting else ()


@lru_cache(maxsize=CACHED_AREAS)
def _names_of_prefix(prefix: str, languages: tuple[str, ...], listed: tuple[str, ...]) -> frozenset[str]:
    names = [
        name for entry in plan_area(named_prefix(prefix)).entries for name in _names_in(entry, languages)
    ]
    return frozenset(_with_parts((*names, *listed, *_packaged(prefix))))


@lru_cache(maxsize=CACHED_AREAS)
def _names_of_area(area: str, code: str, languages: tuple[str, ...], lists: Lists) -> frozenset[str]:
    groups = (
        (*_names_in(names, languages), *_listed(f"+{digits}", lists), *_packaged(f"+{digits}"))
        for digits, names in entries(code)
    )
    found = (set(_with_parts(group)) for group in (*groups, *(names for _, names in lists)))
    return frozenset().union(
        *(names for names in found if any(area == n or same_place(area, n) for n in names))
    )


@lru_cache(maxsize=CACHED_AREAS)
def _prefixes_of(place: str, code: str, languages: tuple[str, ...], lists: Lists) -> tuple[str, ...]:
    """Return the prefixes that serve a place with this folded name."""
    groups = (
        (
            f"+{digits}",
            (*_names_in(names, languages), *_listed(f"+{digits}", lists), *_packaged(f"+{digits}")),
        )
        for digits, names in entries(code)
    )
    return tuple(
        prefix
        for prefix, names in groups
        if any(place == name or same_place(place, name) for name in _with_parts(names))
    )


@lru_cache(maxsize=64)
def _known_places(code: str, languages: tuple[str, ...], lists: Lists) -> KnownPlaces:
    plan = () if code in SHARED_CODES else entries(code)
    named = [name for _, entry in plan for name in _names_in(entry, languages)]
    packaged = [name for names in listed_places(code).values() for name in names]
    listed = [*packaged, *(name for _, names in lists for name in names)]
    names = frozenset(folded_name for name in (*named, *listed) for folded_name in whole_names(name))
    return KnownPlaces.of(names - names_of_several_places(code))


@lru_cache(maxsize=CACHED_AREAS)
def _near_prefix(prefix: str) -> KnownPlaces:
    return KnownPlaces.of(names_beside(prefix))


@lru_cache(maxsize=CACHED_AREAS)
def _near_area(area: str, code: str, languages: tuple[str, ...]) -> KnownPlaces:
    prefixes = _prefixes_of(area, code, languages, ())
    return KnownPlaces.of(frozenset().union(*map(names_beside, prefixes)))


@cache
def _meanings(code: str) -> dict[str, set[frozenset[str]]]:
    """Return for each name of a calling code's areas the different sets of names that it stands for."""
    found: dict[str, set[frozenset[str]]] = {}
    for _, names in entries(code):
        found.setdefault(label_of(names), set()).add(_all_names(names))
    return found


@lru_cache(maxsize=CACHED_AREAS)
def _packaged(prefix: str) -> tuple[str, ...]:
    """Return the packaged list of the prefix's area. Every prefix of an area has the list of each of them."""
    lists = listed_places(calling_code(prefix))
    if not lists:
        return ()
    area = area_of_prefix(prefix)
    return tuple(name for listed, names in lists.items() if area_of_prefix(listed) == area for name in names)


def _all_names(names: Names) -> frozenset[str]:
    return frozenset(names.values())


def _names_in(names: Names, languages: tuple[str, ...]) -> Iterable[str]:
    return dict.fromkeys(names[language] for language in ("en", *languages) if names.get(language))


def _with_parts(names: Iterable[str]) -> Iterable[str]:
    for name in names:
        yield from whole_names(name)
        yield from parts_of_names(name)


def locate_for(number: str, rules: CountryRules | None) -> Locate:
    """Return the function that locates places for a number."""
    return partial(lies_in_area, number=number, rules=rules)

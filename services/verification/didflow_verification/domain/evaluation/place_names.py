"""The folding of place names. Names of the data and names that people enter are folded by the same function.

Source: spec verification, Evaluation: Area match.
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from string import ascii_lowercase
from typing import Final

from didflow_verification.domain.evaluation.normalization import normalized

SHORTEST_PART: Final = 3
SHORTEST_UMLAUT: Final = 3
CACHED_NAMES: Final = 4_096

_DISTRICT = re.compile(r"^d?\d+(?:[a-z]|er|re|e|eme|th)?$")
"""A district or postal code in a name: `6`, `6W`, `D6W`, `12e`, `1100`."""

_JAPANESE_PREFECTURE = re.compile(r"^(?:東京都|北海道|(?:京都|大阪)府|\S{2,3}県)(?=.)")
_JAPANESE_WARD = re.compile(r"(?<=.市).{1,5}区$")
"""What stands before and after a city's name in a Japanese address: `大阪府` and `北区` in `大阪府大阪市北区`."""

_JAPANESE_CITY = re.compile(r"(?<=.)(?<!日)市$|(?<=東京)都$|(?<=\w)-shi$", re.IGNORECASE)
"""What says that a name is a city: `市` in `大阪市`, `-shi` in `Osaka-shi`. But `四日市` is a whole name."""

_SAINTS: Final = {"st": "saint", "sankt": "saint", "sint": "saint", "ste": "sainte"}
_UMLAUTS = re.compile(r"([aou])e")


@lru_cache(maxsize=CACHED_NAMES)
def folded(name: str) -> str:
    """Return a name without case, accents, punctuation and districts, in one spelling of `Saint` and of umlauts.

    `Dublin 6W` is `dublin`, `St. Gallen` and `Sankt Gallen` are `saint gallen`, `Köln` and `Koeln` are `koln`.
    `大阪府大阪市北区` and `Osaka-shi` are `大阪` and `osaka`.
    """
    name = _JAPANESE_WARD.sub("", _JAPANESE_PREFECTURE.sub("", name.strip()))
    name = _JAPANESE_CITY.sub("", name)
    words = (word for word in normalized(name).split() if not _DISTRICT.match(word))
    return " ".join(_without_umlaut(_SAINTS.get(word, word)) for word in words)


def _without_umlaut(word: str) -> str:
    """Return `koln` for `koeln`. A word of two letters is a name of its own: `Oe` is a town in Japan."""
    return _UMLAUTS.sub(r"\1", word) if len(word) >= SHORTEST_UMLAUT else word


def same_place(one: str, other: str) -> bool:
    """Return True if two folded names are equal, or differ only in words that one of them shortens to a letter.

    `frankfurt a m` is `frankfurt am main`, and `v n de famalicao` is `vila nova de famalicao`.
    """
    words, others = one.split(), other.split()
    if len(words) != len(others) or not set(words) & set(others) - set(ascii_lowercase):
        return False
    return all(w == o or (1 in {len(w), len(o)} and w[0] == o[0]) for w, o in zip(words, others, strict=True))


def has_short_form(name: str) -> bool:
    """Return True if a folded name has a word of one letter."""
    return any(len(word) == 1 for word in name.split())


def whole_names(name: str) -> Iterator[str]:
    """Yield the folded names in a name: as it is, and each side of a slash. What follows a comma is a state."""
    place = name.partition(",")[0]
    yield from filter(None, map(folded, dict.fromkeys((place, *place.split("/")))))


def parts_of_names(name: str) -> Iterator[str]:
    """Yield the places that a plan's name joins by a dash: `Eslöv-Höör` are two."""
    for side in name.partition(",")[0].split("/"):
        yield from (
            folded(part) for part in side.split("-") if len(part) >= SHORTEST_PART and part[0].isupper()
        )

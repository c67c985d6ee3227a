"""Normal forms for comparison: names without case, accents and punctuation, identifiers without separators."""

import re
import unicodedata

_LETTERS = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "ð": "d", "æ": "ae", "œ": "oe", "þ": "th"})
_SEPARATORS = re.compile(r"[\s.\-\u2010-\u2015]+")


def normalized(text: str) -> str:
    """Return lower-case words without accents or punctuation, separated by one space."""
    letters = unicodedata.normalize("NFKD", text.casefold().translate(_LETTERS))
    kept = "".join(c if c.isalnum() else " " for c in letters if not unicodedata.combining(c))
    return " ".join(kept.split())


def words(text: str) -> frozenset[str]:
    """Return the normalized words of a text."""
    return frozenset(normalized(text).split())


def compact(identifier: str) -> str:
    """Return an identifier in upper case without spaces, dots and dashes."""
    return _SEPARATORS.sub("", unicodedata.normalize("NFC", identifier)).upper()

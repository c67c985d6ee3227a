"""National identifiers: their format and, if the country has one, their check character.

A rule has the id that catalogue rows use (`de.vat`). python-stdnum implements most rules.
"""

import re
from collections.abc import Callable, Mapping
from functools import cache
from importlib import import_module

from stdnum.exceptions import InvalidChecksum, ValidationError

from didflow_verification.domain.evaluation.normalization import compact

BAD_FORMAT = "bad_format"
BAD_CHECKSUM = "bad_checksum"

Validate = Callable[[str], object]

_MODULES: Mapping[str, str] = {"nz.nzbn": "stdnum.ean"}
_FORMAT_ONLY = frozenset({"de.hr", "nl.kvk"})
_BY_LIBRARY: Mapping[str, tuple[str, ...]] = {
    "at": ("uid",),
    "au": ("abn", "acn"),
    "be": ("vat",),
    "br": ("cnpj", "cpf"),
    "ca": ("bn",),
    "ch": ("uid",),
    "cn": ("uscc",),
    "de": ("handelsregisternummer", "vat"),
    "dk": ("cvr",),
    "ee": ("ik", "registrikood"),
    "es": ("cif", "dni", "nie", "nif"),
    "fr": ("siren", "siret"),
    "gb": ("vat",),
    "hr": ("oib",),
    "ie": ("vat",),
    "it": ("codicefiscale", "iva"),
    "jp": ("cn",),
    "kr": ("brn",),
    "mx": ("rfc",),
    "nl": ("btw",),
    "no": ("orgnr",),
    "nz": ("ird", "nzbn"),
    "pl": ("nip", "pesel"),
    "pt": ("nif",),
    "se": ("orgnr",),
    "sg": ("uen",),
    "us": ("ein",),
    "za": ("idnr",),
}
RULES = (
    {f"{country}.{name}" for country, names in _BY_LIBRARY.items() for name in names}
    | _FORMAT_ONLY
    | {"sg.nric"}
)
"""Every checksum id that a catalogue row may name."""


def match_format(value: str, pattern: str | None, country: str) -> str | None:
    """Return the form of the value that matches the pattern, or None if no form matches.

    The forms, in this order: as entered, compact, and compact without the country code in front.
    """
    entered = value.strip()
    if pattern is None:
        return entered
    short = compact(entered)
    forms = (entered, short, short.removeprefix(country))
    return next((form for form in forms if re.fullmatch(pattern, form)), None)


def check_character(rule: str, value: str) -> str | None:
    """Return the code of the fault of an identifier that has the right format, or None.

    Raises KeyError if the rule is not in `RULES`.
    """
    try:
        _validator(rule)(compact(value) if rule not in _SPACED else value)
    except InvalidChecksum:
        return BAD_CHECKSUM
    except ValidationError:
        return BAD_FORMAT
    return None


_SPACED = frozenset({"de.handelsregisternummer"})


@cache
def _validator(rule: str) -> Validate:
    if rule not in RULES:
        raise KeyError(rule)
    if rule in _FORMAT_ONLY:
        return str
    if rule == "sg.nric":
        return _nric
    validate: Callable[..., object] = import_module(_MODULES.get(rule, f"stdnum.{rule}")).validate
    if rule == "mx.rfc":
        return lambda value: validate(value, validate_check_digits=True)
    return validate


def _nric(value: str) -> None:
    """Check NRIC and FIN of Singapore: a weighted sum mod 11 gives the letter. The M series has no check here."""
    letters = {
        "S": (0, "JZIHGFEDCBA"),
        "T": (4, "JZIHGFEDCBA"),
        "F": (0, "XWUTRQPNMLK"),
        "G": (4, "XWUTRQPNMLK"),
    }
    if value[0] not in letters:
        return
    offset, table = letters[value[0]]
    total = offset + sum(w * int(d) for w, d in zip((2, 7, 6, 5, 4, 3, 2), value[1:8], strict=True))
    if value[-1] != table[total % 11]:
        raise InvalidChecksum

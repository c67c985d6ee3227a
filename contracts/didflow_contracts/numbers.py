"""E.164 numbers. The form is checked by the type; whether such a number can exist, phonenumbers says."""

import re
from functools import lru_cache
from typing import Annotated, Final

import phonenumbers
from pydantic import Field

E164_PATTERN: Final = r"^\+[1-9][0-9]{6,14}$"
_E164: Final = re.compile(E164_PATTERN.removesuffix("$"), re.ASCII)

E164 = Annotated[
    str,
    Field(
        pattern=E164_PATTERN,
        description="A phone number in E.164 form: plus sign, calling code, national number.",
        examples=["+35312345678"],
    ),
]

CountryCode = Annotated[
    str, Field(pattern=r"^[A-Z]{2}$", description="ISO 3166-1 alpha-2 country code, upper case.")
]


def is_e164(text: str) -> bool:
    """Return True if the text has E.164 form. Such a number need not exist: see `is_valid`."""
    return _E164.fullmatch(text) is not None


def country_of(number: str) -> str | None:
    """Give the ISO-2 country of a number; None for non-geographic, impossible and unparsable ones."""
    region, _ = _planned(number)
    return region if region and region.isalpha() and region != "ZZ" else None


def is_valid(number: str) -> bool:
    """Say whether the numbering plan knows such a number (a form check alone is `E164`).

    A number has one spelling: with a trunk prefix left in (`+44020...`) it is another number, and none.
    """
    return _planned(number)[1]


def parsed(number: str) -> phonenumbers.PhoneNumber | None:
    """Part E.164 into calling code and national number; None for anything else, or for a code that is nobody's.

    It is read as it stands: the library's own parser mends what it reads, and one number would have two spellings.
    """
    if not is_e164(number):
        return None
    for length in (1, 2, 3):
        code, national = int(number[1 : 1 + length]), number[1 + length :]
        if code in phonenumbers.COUNTRY_CODE_TO_REGION_CODE:
            zeros = len(national) - len(national.lstrip("0"))
            return phonenumbers.PhoneNumber(
                country_code=code,
                national_number=int(national),
                italian_leading_zero=True if zeros else None,
                number_of_leading_zeros=zeros if zeros > 1 else None,
            )
    return None


@lru_cache(maxsize=10_000)
def _planned(number: str) -> tuple[str | None, bool]:
    """Find a number's region, and whether it is valid there."""
    read = parsed(number)
    if read is None:
        return None, False
    region = phonenumbers.region_code_for_number(read)
    if region is None:
        return None, False
    found = _is_found_by_plan(read.country_code, region)
    return region, found or phonenumbers.is_valid_number_for_region(read, region)


@lru_cache
def _is_found_by_plan(code: int, region: str) -> bool:
    """Whether a region, having been found, is one where the number is valid.

    Among several of one calling code it is looked for by its plan, unless it is told by leading digits.
    """
    if len(phonenumbers.COUNTRY_CODE_TO_REGION_CODE[code]) == 1:
        return False
    plan = phonenumbers.PhoneMetadata.metadata_for_region(region, None)
    return plan is not None and plan.leading_digits is None

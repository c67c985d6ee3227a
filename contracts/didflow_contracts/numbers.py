"""E.164 numbers. The type `E164` checks the form only. `is_valid` checks that such a number can exist."""

import re
from functools import lru_cache
from typing import Annotated, Final

import phonenumbers
from pydantic import Field

from didflow_contracts.vocabulary import NumberType

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

COUNTRY_PATTERN: Final = r"^[A-Z]{2}$"

CountryCode = Annotated[
    str, Field(pattern=COUNTRY_PATTERN, description="ISO 3166-1 alpha-2 country code, upper case.")
]

_TYPES: Final[dict[int, NumberType]] = {
    phonenumbers.PhoneNumberType.FIXED_LINE: "local",
    phonenumbers.PhoneNumberType.FIXED_LINE_OR_MOBILE: "local",
    phonenumbers.PhoneNumberType.MOBILE: "mobile",
    phonenumbers.PhoneNumberType.TOLL_FREE: "toll_free",
}
"""The number type for each type of the numbering plans. Every other one is national: it belongs to no place."""


def is_e164(text: str) -> bool:
    """Return True if the text has E.164 form. Use `is_valid` to check that such a number can exist."""
    return _E164.fullmatch(text) is not None


def country_of(number: str) -> str | None:
    """Return the ISO-2 country of a number, or None for numbers that are non-geographic or not valid."""
    region, _ = _planned(number)
    return region if region and region.isalpha() and region != "ZZ" else None


def is_valid(number: str) -> bool:
    """Return True if the numbering plan of a country contains the number.

    A number has one spelling. With a trunk prefix left in (`+44020...`) it is not valid.
    """
    return _planned(number)[1]


def number_type_of(number: str) -> NumberType:
    """Return the type that the numbering plan gives a number."""
    found = split_number(number)
    return "national" if found is None else _TYPES.get(phonenumbers.number_type(found), "national")


def split_number(number: str) -> phonenumbers.PhoneNumber | None:
    """Return calling code and national number. None if the text is not E.164 or the calling code is not in use.

    The parser of the library is not used: it corrects its input, so one number would have two spellings.
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
    """Return the region of a number, and True if the number is valid there."""
    read = split_number(number)
    if read is None:
        return None, False
    region = phonenumbers.region_code_for_number(read)
    if region is None:
        return None, False
    found = _is_found_by_plan(read.country_code, region)
    return region, found or phonenumbers.is_valid_number_for_region(read, region)


@lru_cache
def _is_found_by_plan(code: int, region: str) -> bool:
    """Return True if the lookup of the region has already checked that the number is valid there.

    If several regions share a calling code, the library looks the number up in the plan of each region,
    except for regions that it recognizes by leading digits.
    """
    if len(phonenumbers.COUNTRY_CODE_TO_REGION_CODE[code]) == 1:
        return False
    plan = phonenumbers.PhoneMetadata.metadata_for_region(region, None)
    return plan is not None and plan.leading_digits is None

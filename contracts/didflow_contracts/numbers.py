"""E.164 numbers. The form is checked by the type; whether such a number can exist, phonenumbers says."""

from typing import Annotated

import phonenumbers
from pydantic import Field

E164 = Annotated[
    str,
    Field(
        pattern=r"^\+[1-9][0-9]{6,14}$",
        description="A phone number in E.164 form: plus sign, calling code, national number.",
        examples=["+35312345678"],
    ),
]

CountryCode = Annotated[
    str, Field(pattern=r"^[A-Z]{2}$", description="ISO 3166-1 alpha-2 country code, upper case.")
]


def country_of(number: str) -> str | None:
    """Give the ISO-2 country of a number; None for non-geographic, impossible and unparsable ones."""
    parsed = _parsed(number)
    region = phonenumbers.region_code_for_number(parsed) if parsed else None
    return region if region and region.isalpha() and region != "ZZ" else None


def is_valid(number: str) -> bool:
    """Say whether the numbering plan knows such a number (a form check alone is `E164`)."""
    parsed = _parsed(number)
    return parsed is not None and bool(phonenumbers.is_valid_number(parsed))


def _parsed(number: str) -> phonenumbers.PhoneNumber | None:
    try:
        return phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        return None

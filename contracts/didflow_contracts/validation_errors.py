"""What is wrong with a value, as one sentence for people. Messages never contain a regular expression."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from pydantic_core import PydanticCustomError

from didflow_contracts.accounts import ACCOUNT_PATTERN
from didflow_contracts.numbers import COUNTRY_PATTERN, E164_PATTERN

PATTERN_MESSAGES: Final[Mapping[str, str]] = MappingProxyType(
    {
        E164_PATTERN: "A number must have E.164 form: a plus sign and 7 to 15 digits, such as +3532212345.",
        ACCOUNT_PATTERN: "An account must be a path of lower-case names, such as master/acme/shop.",
        COUNTRY_PATTERN: "A country must be an ISO 3166-1 code of two capital letters, such as IE.",
    }
)
OTHER_PATTERN: Final = "The text does not have the required form."

_PREFIXES = ("Value error, ", "Assertion failed, ")


def wrong_field(field: str, message: str, *, code: str = "value_invalid") -> PydanticCustomError:
    """Return the error for a model validator to raise. `field` is the first field that the error concerns."""
    return PydanticCustomError(code, "{message}", {"field": field, "message": message})


def field_of(error: Mapping[str, Any]) -> str | None:
    """Return the field that `wrong_field` named in one error of a pydantic `ValidationError`, else None."""
    field: str | None = error.get("ctx", {}).get("field")
    return field


def message_of(error: Mapping[str, Any]) -> str:
    """Return the message of one error of a pydantic `ValidationError`."""
    if error["type"] == "string_pattern_mismatch":
        return PATTERN_MESSAGES.get(error.get("ctx", {}).get("pattern", ""), OTHER_PATTERN)
    message: str = error["msg"]
    for prefix in _PREFIXES:
        message = message.removeprefix(prefix)
    return message if message.endswith((".", "!", "?")) else f"{message}."

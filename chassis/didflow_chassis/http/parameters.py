"""Types of query parameters and fields that several services have."""

from typing import Annotated

from pydantic import AfterValidator, Field

from didflow_chassis.http.input_errors import ErrorMessage
from didflow_contracts.bounds import NAME
from didflow_contracts.names import parse_number


def _number(text: str) -> str:
    number = parse_number(text)
    if number is None:
        raise ValueError("not a number")
    return number


Number = Annotated[
    str,
    Field(max_length=NAME.most),
    AfterValidator(_number),
    ErrorMessage("Write a number with its country code, such as +3532212345. The plus sign can be left out."),
]
"""A number as callers write it. The value begins with a plus sign."""

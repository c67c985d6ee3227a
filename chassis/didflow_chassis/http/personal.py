"""Personal data in requests: a field of a body is marked, and the answer to the change does not have it.

The answer to a change is stored under the idempotency key, and would keep the data after the thing was deleted. So it
names the thing by its id, and only GET shows the data.
"""

from typing import Any, Final

from pydantic import BaseModel, Field

MARK: Final = "x-personal"
"""Where the OpenAPI document says that a field has personal data."""

Personal: Final[Any] = Field(json_schema_extra={MARK: True})
"""Marks a field of a body: `name: Annotated[str, Personal]`."""


def check_answer(route: str, bodies: list[type[BaseModel]], answer: Any) -> None:
    """Raise TypeError if the answer of a route has a field that is personal in one of its bodies."""
    if not (isinstance(answer, type) and issubclass(answer, BaseModel)):
        return
    repeated = sorted({name for body in bodies for name in personal_fields(body)} & set(answer.model_fields))
    if repeated:
        raise TypeError(f"{route} answers with personal data: {', '.join(repeated)}. Only GET shows it.")


def personal_fields(body: type[BaseModel]) -> frozenset[str]:
    """Return the names of the fields of a body that are marked."""
    return frozenset(name for name, field in body.model_fields.items() if _is_marked(field.json_schema_extra))


def _is_marked(extra: Any) -> bool:
    return isinstance(extra, dict) and bool(extra.get(MARK))

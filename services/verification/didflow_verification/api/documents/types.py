"""The check of an upload against the catalogue: the type of the document, and the data that it states."""

from collections.abc import Iterator, Sequence
from typing import Final

from didflow_chassis.http import FieldError, HttpContext, Problem
from didflow_contracts.near_misses import nearest
from didflow_verification import store
from didflow_verification.api.documents.bodies import DocumentFields
from didflow_verification.domain.document_types import document_types

MIN_SIMILARITY: Final = 0.6
"""How much a known name must resemble an unknown one, from 0 to 1, to be suggested."""


async def check_type(http: HttpContext, fields: DocumentFields) -> None:
    """Raise Problem `document_type_not_accepted` or `unknown_field` with what the catalogue knows.

    The type is not repeated: it may be any text.
    """
    rows = await http.rows(store.all_rules())
    known = document_types(store.state_of(store.RULES, row) for row in rows)
    if fields.type not in known:
        message = f"This type of document is unknown. {_advice('types', fields.type, tuple(known))}"
        error = FieldError(field="type", code="document_type_not_accepted", message=message)
        raise Problem("document_type_not_accepted", message, status=422, errors=[error])
    unknown = list(_unknown_keys(fields, known[fields.type]))
    if unknown:
        raise Problem("unknown_field", unknown[0].message, errors=unknown)


def _unknown_keys(fields: DocumentFields, known: Sequence[str]) -> Iterator[FieldError]:
    for key in fields.states:
        if key not in known:
            advice = _advice(f"keys of {fields.type}", key, known)
            message = f"The key {key!r} is unknown. {advice}"
            yield FieldError(field=f"states.{key}", code="unknown_field", message=message)


def _advice(what: str, name: str, known: Sequence[str]) -> str:
    close = nearest(name, known, similarity=MIN_SIMILARITY)
    suggestion = f"Did you mean {close!r}? " if close else ""
    return f"{suggestion}Known {what}: {', '.join(known) or 'none'}."

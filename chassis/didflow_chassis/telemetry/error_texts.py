"""How an exception is written into a log line or a span: without any value of a row or of an input.

An error of the database shows its type, SQLSTATE and constraint. PostgreSQL's message, detail and hint have values of
the row, which can be personal data. An error of a model shows where the input is wrong, and not the input.
"""

import traceback
from collections.abc import Iterator
from typing import Any

import asyncpg
from pydantic import ValidationError
from sqlalchemy.exc import SQLAlchemyError

_DRIVER = (
    asyncpg.PostgresError,
    asyncpg.PostgresLogMessage,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
)
_MOST_PLACES = 10
_CAUSE = "\nThe above exception was the direct cause of the following exception:\n"
_CONTEXT = "\nDuring handling of the above exception, another exception occurred:\n"


def error_text(error: BaseException) -> str:
    """Return what may be written about an exception, without its type."""
    if isinstance(error, asyncpg.PostgresError):
        constraint = getattr(error, "constraint_name", None)
        return f"SQLSTATE {error.sqlstate}" + (f", constraint {constraint}" if constraint else "")
    if isinstance(error, (*_DRIVER, SQLAlchemyError)):
        original = getattr(error, "orig", None)
        return "not shown" if original is None else f"{_name(original)}: {error_text(original)}"
    if isinstance(error, ValidationError):
        places = [
            f"{'.'.join(map(str, one['loc'])) or 'input'} {one['type']}"
            for one in error.errors(include_url=False, include_context=False, include_input=False)
        ]
        return f"{error.title}: {', '.join(places[:_MOST_PLACES])}"
    return str(error)


def described(error: BaseException) -> str:
    """Return an exception in one line: its type and what may be written about it."""
    text = error_text(error)
    return f"{_name(error)}: {text}" if text else _name(error)


def traceback_text(error: BaseException) -> str:
    """Return an exception with its traceback, causes, contexts and notes, in the form of Python."""
    return "\n".join(_lines(error, set()))


def _name(error: BaseException) -> str:
    kind = type(error)
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


def _lines(error: BaseException, seen: set[int]) -> Iterator[str]:
    seen.add(id(error))
    cause = error.__cause__
    before = cause or (None if error.__suppress_context__ else error.__context__)
    if before is not None and id(before) not in seen:
        yield from _lines(before, seen)
        yield _CONTEXT if cause is None else _CAUSE
    if error.__traceback__ is not None:
        yield "Traceback (most recent call last):"
        yield "".join(traceback.format_tb(error.__traceback__)).rstrip("\n")
    yield described(error)
    yield from _notes(error)
    if isinstance(error, BaseExceptionGroup):
        for inner in error.exceptions:
            if id(inner) not in seen:
                yield "  | " + "\n  | ".join("\n".join(_lines(inner, seen)).splitlines())


def _notes(error: BaseException) -> Iterator[Any]:
    if not isinstance(error, (*_DRIVER, SQLAlchemyError, ValidationError)):
        yield from map(str, getattr(error, "__notes__", ()))

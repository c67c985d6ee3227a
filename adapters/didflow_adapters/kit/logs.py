"""Log lines of an adapter process: JSON on standard error, without secrets.

An exception is written with its type and where it was raised, without its text: the text of a library can have URLs,
headers and bodies. Values with names such as `password`, passwords in URLs and bearer tokens are masked.
"""

import json
import logging
import re
import sys
import traceback
from types import TracebackType
from typing import Any, Final

import structlog
from structlog.typing import EventDict, WrappedLogger

from didflow_contracts.terminal import escaped

MASK: Final = "***"

_SECRET_NAMES = re.compile(
    r"passw(or)?d|secret|authorization|cookie|credential|api_?key|(^|_)token$", re.IGNORECASE
)
_PASSWORD_IN_URL = re.compile(r"(\b[a-z][a-z0-9+.-]*://[^/\s:@]*:)[^@\s]*@", re.IGNORECASE)
_BEARER = re.compile(r"(\b(?:Bearer|Basic)\s+)[\w.~+/=-]+", re.IGNORECASE)


def configure_logs(level: str) -> None:
    """Write the lines of the kit and of libraries (from WARNING) to standard error. `level` is the kit's lowest."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _exceptions,
            _mask,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level]),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    handler = logging.StreamHandler()
    handler.setFormatter(_Library())
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)


def masked(text: str) -> str:
    """Return a text without passwords in URLs and without tokens."""
    return _BEARER.sub(rf"\1{MASK}", _PASSWORD_IN_URL.sub(rf"\1{MASK}@", text))


def where(error: BaseException) -> str:
    """Return the type of an exception and of its causes, each with where it was raised, without their texts."""
    lines: list[str] = []
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        lines.append(
            f"{type(current).__module__}.{type(current).__qualname__}\n{_places(current.__traceback__)}"
        )
        current = current.__cause__ or (None if current.__suppress_context__ else current.__context__)
    return "caused by ".join(lines)


def _places(at: TracebackType | None) -> str:
    return "".join(
        f"  {frame.filename}:{frame.lineno} in {frame.name}\n" for frame in traceback.extract_tb(at)
    )


def _exceptions(_: WrappedLogger, __: str, line: EventDict) -> EventDict:
    given = line.pop("exc_info", None)
    error = given if isinstance(given, BaseException) else sys.exc_info()[1] if given else None
    if error is not None:
        line["exception"] = where(error)
    return line


def _mask(_: WrappedLogger, __: str, line: EventDict) -> EventDict:
    return {name: _safe(name, value) for name, value in line.items()}


def _safe(name: str, value: Any) -> Any:
    if _SECRET_NAMES.search(name):
        return MASK
    if isinstance(value, BaseException):
        return type(value).__name__
    if isinstance(value, dict):
        return {key: _safe(str(key), one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_safe("", one) for one in value]
    return masked(value) if isinstance(value, str) else value


class _Library(logging.Formatter):
    """One line of JSON for each record of a library, without control characters."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": masked(escaped(record.getMessage())),
        }
        if record.exc_info and record.exc_info[1] is not None:
            line["exception"] = where(record.exc_info[1])
        return json.dumps(line)

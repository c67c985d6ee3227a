"""Log lines: one JSON object each on stderr, for loggers of the standard library and of structlog.

No line contains a control character; JSON alone would allow some that a terminal obeys. No line contains a secret. Just
before a line is written, values with names such as `password` and passwords in URLs are masked. No line contains the
value of a row: exceptions are written by `error_texts`, wherever they are in the line.
"""

import json
import logging
import re
import sys
from copy import copy
from typing import Any, TextIO

import orjson
import structlog
from opentelemetry import trace
from structlog.typing import EventDict, Processor, WrappedLogger

from didflow_chassis.telemetry.error_texts import error_text, traceback_text
from didflow_contracts.terminal import escaped

MASK = "***"

_SECRET_NAMES = re.compile(
    r"passw(or)?d|secret|authorization|cookie|credential|api_?key|^dsn$|^postgres$|(^|_)token$", re.IGNORECASE
)
_PASSWORD_IN_URL = re.compile(r"(\b[a-z][a-z0-9+.-]*://[^/\s:@]*:)[^@\s]*@", re.IGNORECASE)
_BEARER = re.compile(r"(\bBearer\s+)[\w.~+/=-]+", re.IGNORECASE)
_VERBOSE = ("alembic", "aiokafka", "httpx", "httpcore", "uvicorn.access", "faststream")


def configure(*, service: str, process: str, level: str = "info", stream: TextIO | None = None) -> None:
    """Write all log lines of this process to `stream` (default stderr) as JSON, with the names of service and process.

    `level` is the lowest level that is written: debug, info, warning or error. A second call replaces the first.
    """
    shared = _shared(service, process)
    handler = _Handler(stream or sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, structlog.stdlib.ExtraAdder()],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                _format_exception,
                _mask,
                structlog.processors.JSONRenderer(serializer=_json),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for name in _VERBOSE:
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )


def _shared(service: str, process: str) -> list[Processor]:
    def add_process(_: WrappedLogger, __: str, line: EventDict) -> EventDict:
        line["service"], line["process"] = service, process
        return line

    return [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        _safe_arguments,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
        add_process,
        _add_trace,
    ]


def _add_trace(_: WrappedLogger, __: str, line: EventDict) -> EventDict:
    span = trace.get_current_span().get_span_context()
    if span.is_valid:
        line["trace_id"] = trace.format_trace_id(span.trace_id)
        line["span_id"] = trace.format_span_id(span.span_id)
    return line


class _Handler(logging.StreamHandler[TextIO]):
    """Writes records. Exceptions in the message are shown as `error_texts` writes them."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line of a record."""
        if record.args:
            record = copy(record)
            record.args = _safe(record.args)
        return super().format(record)


def _safe_arguments(_: WrappedLogger, __: str, line: EventDict) -> EventDict:
    if "positional_args" in line:
        line["positional_args"] = _safe(line["positional_args"])
    return line


def _safe(value: Any) -> Any:
    if isinstance(value, BaseException):
        return error_text(value)
    if isinstance(value, dict):
        return {name: _safe(one) for name, one in value.items()}
    return tuple(_safe(one) for one in value) if isinstance(value, list | tuple) else value


def _format_exception(_: WrappedLogger, __: str, line: EventDict) -> EventDict:
    given = line.pop("exc_info", None)
    if isinstance(given, BaseException):
        error: BaseException | None = given
    else:
        error = given[1] if isinstance(given, tuple) else sys.exc_info()[1] if given else None
    if error is not None:
        line["exception"] = traceback_text(error)
    return line


def _mask(_: WrappedLogger, __: str, line: EventDict) -> EventDict:
    masked: EventDict = _masked(line)
    return masked


def _masked(value: Any) -> Any:
    if isinstance(value, BaseException):
        value = error_text(value)
    if isinstance(value, str):
        return _BEARER.sub(rf"\1{MASK}", _PASSWORD_IN_URL.sub(rf"\1{MASK}@", value))
    if isinstance(value, dict):
        return {k: MASK if _SECRET_NAMES.search(str(k)) else _masked(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_masked(each) for each in value]
    return value


def _json(line: EventDict, **_: Any) -> str:
    try:
        return escaped(orjson.dumps(line, default=_text, option=orjson.OPT_NON_STR_KEYS).decode())
    except orjson.JSONEncodeError:  # integers over 64 bits, lone surrogates
        return json.dumps(line, default=_text, skipkeys=True)


def _text(value: Any) -> str:
    return str(_masked(value if isinstance(value, BaseException) else str(value)))

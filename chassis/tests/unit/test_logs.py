"""Each log line is one JSON object with the names of service and process, and without secrets."""

import io
import json
import logging

import pytest
import structlog
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from pydantic import SecretStr

from didflow_chassis.telemetry import logs
from didflow_chassis.telemetry.tracing import Tracing

PASSWORD = "kept-to-itself"


@pytest.fixture
def stream():
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    stream = io.StringIO()
    logs.configure(service="inventory", process="worker", level="info", stream=stream)
    yield stream
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def lines(stream: io.StringIO) -> list[dict]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_both_kinds_of_loggers_write_the_same_lines(stream):
    """`extra` of the standard library and keywords of structlog become the same fields."""
    logging.getLogger("ours").warning("parked %s", 3, extra={"entity": "e"})
    structlog.get_logger("ours").warning("parked 3", entity="e")

    first, second = lines(stream)
    at = first.pop("at"), second.pop("at")

    assert first == second
    assert first == {
        "event": "parked 3",
        "entity": "e",
        "level": "warning",
        "logger": "ours",
        "service": "inventory",
        "process": "worker",
    }
    assert all(instant.endswith("Z") for instant in at)


@pytest.mark.parametrize(
    "extra",
    [
        {"dsn": f"postgresql://u:{PASSWORD}@db/d"},
        {"url": f"postgresql://u:{PASSWORD}@db/d"},
        {"kafka_password": PASSWORD},
        {"headers": {"Authorization": PASSWORD}},
        {"seen": [f"Bearer {PASSWORD}"]},
        {"secret": SecretStr(PASSWORD)},
        {"settings": SecretStr(PASSWORD)},
    ],
)
def test_a_secret_is_masked_everywhere(stream, extra):
    """Values with secret names, passwords in URLs and bearer tokens are not written."""
    logging.getLogger("ours").error("failed", extra=extra)

    assert PASSWORD not in stream.getvalue()
    assert "***" in stream.getvalue()


def test_a_traceback_shows_no_password_and_no_variables(stream):
    """A URL in an exception is masked, and local variables are not written."""

    def fail():
        hidden = "held-by-a-variable"
        raise ValueError(f"cannot reach postgresql://u:{PASSWORD}@db/d", len(hidden))

    try:
        fail()
    except ValueError:
        logging.getLogger("ours").exception("failed")

    (line,) = lines(stream)

    assert "cannot reach postgresql://u:***@db/d" in line["exception"]
    assert "held-by-a-variable" not in stream.getvalue()
    assert PASSWORD not in stream.getvalue()


def test_ordinary_words_are_not_masked(stream):
    """Only values with secret names are masked."""
    logging.getLogger("ours").info("said", extra={"key": "k", "tokens": 2, "topic": "t"})

    (line,) = lines(stream)

    assert (line["key"], line["tokens"], line["topic"]) == ("k", 2, "t")


def test_a_line_inside_a_span_has_the_id_of_its_trace(stream):
    """`trace_id` and `span_id` connect logs and traces."""
    tracing = Tracing(service="inventory", process="worker", exporter=InMemorySpanExporter())

    with tracing.batch("batch", [], {}) as span:
        logging.getLogger("ours").info("inside")
    logging.getLogger("ours").info("outside")

    inside, outside = lines(stream)
    assert inside["trace_id"] == f"{span.get_span_context().trace_id:032x}"
    assert inside["span_id"] == f"{span.get_span_context().span_id:016x}"
    assert "trace_id" not in outside


def test_a_value_that_is_not_json_is_written_as_text(stream):
    """The line is written, and nothing is raised."""
    logging.getLogger("ours").info("said", extra={"value": object(), "number": 2**70, "surrogate": "\ud800"})

    assert len(lines(stream)) == 1


def test_no_line_controls_the_terminal_that_shows_it(stream):
    """JSON escapes only some control characters. The others, and changes of direction, are escaped too."""
    text = "\x1b[2J\x9b31m\x9d0;x\x9c\x7f\u202e\u2028"
    structlog.get_logger("ours").warning(text, key=text)

    written = stream.getvalue().removesuffix("\n")
    assert written.isprintable()
    assert json.loads(written)["event"] == json.loads(written)["key"] == text


def test_verbose_libraries_write_warnings_only(stream):
    """Info lines of the Kafka client and the HTTP client are not written."""
    logging.getLogger("aiokafka.consumer").info("joined")
    logging.getLogger("aiokafka.consumer").warning("lost")

    assert [line["event"] for line in lines(stream)] == ["lost"]

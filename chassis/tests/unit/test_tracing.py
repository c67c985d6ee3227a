"""Traces: each batch is one span with links. Without a collector, nothing is traced. Forged headers are ignored."""

import asyncpg
import pytest
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

from didflow_chassis.telemetry.tracing import (
    MOST_LINKS,
    Tracing,
    carried,
    current_traceparent,
    parse,
    start_tracing,
)

TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
OTHER = "00-1af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@pytest.fixture
def exporter() -> InMemorySpanExporter:
    return InMemorySpanExporter()


@pytest.fixture
def tracing(exporter: InMemorySpanExporter):
    tracing = Tracing(service="inventory", process="worker", exporter=exporter)
    yield tracing
    tracing.stop()


def finished(tracing: Tracing, exporter: InMemorySpanExporter):
    tracing._provider.force_flush()
    return exporter.get_finished_spans()


def test_a_batch_is_one_span_with_a_link_for_each_trace(tracing, exporter):
    """Two messages of one trace make one link. A message without a trace makes none."""
    with tracing.batch("batch", [TRACEPARENT, None, OTHER, TRACEPARENT, "nonsense"], {"size": 5}):
        pass

    (span,) = finished(tracing, exporter)
    assert [f"{link.context.trace_id:032x}"[:2] for link in span.links] == ["0a", "1a"]
    assert span.attributes == {"size": 5}
    assert span.resource.attributes["service.name"] == "didflow-inventory"


def test_the_number_of_links_is_limited(tracing, exporter):
    """A span has as many links as collectors accept."""
    with tracing.batch("batch", [f"00-{n:032x}-b7ad6b7169203331-01" for n in range(1, 500)], {}):
        pass

    assert len(finished(tracing, exporter)[0].links) == MOST_LINKS


def test_a_request_belongs_to_the_trace_of_its_caller(tracing, exporter):
    """The span of a request is a child of the span in the caller's header."""
    with tracing.request("POST /v1/things", TRACEPARENT):
        assert current_traceparent().startswith(TRACEPARENT[:36])

    (span,) = finished(tracing, exporter)
    assert f"{span.parent.span_id:016x}" == "b7ad6b7169203331"


def test_without_a_collector_nothing_is_traced():
    """The trace of a message is still passed on."""
    tracing = start_tracing(service="inventory", process="worker", endpoint=None)

    with tracing.batch("batch", [TRACEPARENT], {}):
        assert current_traceparent() is None
        assert carried(TRACEPARENT) == TRACEPARENT
        assert carried(None) is None
    tracing.stop()


def test_an_event_belongs_to_the_trace_of_its_message(tracing):
    """If the message has no trace, the event belongs to the trace of the batch."""
    with tracing.batch("batch", [], {}):
        assert carried(TRACEPARENT) == TRACEPARENT
        assert carried(None) == current_traceparent()
        assert carried("nonsense") == current_traceparent()


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "00-00000000000000000000000000000000-b7ad6b7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
        "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
        TRACEPARENT + "\n",
        TRACEPARENT * 10_000,
    ],
)
def test_a_forged_traceparent_is_ignored(text):
    """Only a valid W3C traceparent is a trace."""
    assert parse(text) is None


def test_a_span_of_a_failed_batch_has_no_value_of_a_row(tracing, exporter):
    """A collector gets the kind of the error. The driver's message would have the values of the row."""
    error = asyncpg.UniqueViolationError("Key (name)=(Aoife Byrne) already exists.")
    with pytest.raises(asyncpg.UniqueViolationError), tracing.batch("batch", [], {}):
        raise error

    (span,) = finished(tracing, exporter)
    assert span.status.status_code is StatusCode.ERROR
    assert "UniqueViolationError: SQLSTATE 23505" in span.status.description
    assert "Aoife" not in span.to_json()

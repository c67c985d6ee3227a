"""Traces: one span for each batch, with links to the traces of its messages. Without a collector, nothing is traced.

Each message stays in its own trace: the events that it causes carry its `traceparent`.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from opentelemetry import trace
from opentelemetry.util.types import AttributeValue

from didflow_chassis.telemetry.error_texts import described

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SpanExporter

# ruff: noqa: PLC0415 - without a collector the SDK is not loaded

MOST_LINKS = 128
"""Maximum number of links of a span. Collectors drop further links."""

_TRACEPARENT = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})")


def parse(traceparent: str | None) -> trace.SpanContext | None:
    """Read a W3C traceparent. Return None for anything else."""
    found = _TRACEPARENT.fullmatch(traceparent) if traceparent and len(traceparent) == 55 else None
    if not found:
        return None
    flags = trace.TraceFlags(int(found[3], 16))
    return trace.SpanContext(int(found[1], 16), int(found[2], 16), is_remote=True, trace_flags=flags)


def current_traceparent() -> str | None:
    """Return the traceparent of the current span, or None if nothing is traced."""
    span = trace.get_current_span().get_span_context()
    if not span.is_valid:
        return None
    return f"00-{span.trace_id:032x}-{span.span_id:016x}-{span.trace_flags:02x}"


def carried(traceparent: str | None) -> str | None:
    """Return the traceparent of an event that a message causes: the message's, or else the current one."""
    return traceparent if parse(traceparent) else current_traceparent()


@contextmanager
def _with_errors(span: trace.Span) -> Iterator[None]:
    """Mark a span whose block raises. The SDK itself would write the whole message, with values of rows."""
    try:
        yield
    except Exception as error:
        span.set_status(trace.Status(trace.StatusCode.ERROR, described(error)))
        raise


class Tracing:
    """The spans of one process. Without an exporter, it does nothing."""

    def __init__(self, *, service: str, process: str, exporter: "SpanExporter | None" = None) -> None:
        self._provider: TracerProvider | None = None
        self._tracer: trace.Tracer = trace.NoOpTracer()
        if exporter is not None:
            self._provider = _provider(service, process, exporter)
            self._tracer = self._provider.get_tracer("didflow_chassis")

    @contextmanager
    def batch(
        self, name: str, traceparents: Iterable[str | None], attributes: Mapping[str, AttributeValue]
    ) -> Iterator[trace.Span]:
        """Open the span of a batch, with a link for each trace of its messages."""
        parents = dict.fromkeys(p for p in traceparents if p) if self._provider else {}
        contexts = (parse(parent) for parent in parents)
        links = [trace.Link(context) for context in contexts if context][:MOST_LINKS]
        opening = self._tracer.start_as_current_span(
            name,
            links=links,
            attributes=dict(attributes),
            record_exception=False,
            set_status_on_exception=False,
        )
        with opening as span, _with_errors(span):
            yield span

    @contextmanager
    def request(self, name: str, traceparent: str | None) -> Iterator[trace.Span]:
        """Open the span of an HTTP request. If the caller sent a trace, the span belongs to it."""
        parent = parse(traceparent)
        context = trace.set_span_in_context(trace.NonRecordingSpan(parent)) if parent else None
        kind = trace.SpanKind.SERVER
        opening = self._tracer.start_as_current_span(
            name, context=context, kind=kind, record_exception=False, set_status_on_exception=False
        )
        with opening as span, _with_errors(span):
            yield span

    def stop(self) -> None:
        """Send the remaining spans to the collector. This takes at most a few seconds."""
        if self._provider is not None:
            self._provider.force_flush(5_000)
            self._provider.shutdown()


def _provider(service: str, process: str, exporter: "SpanExporter") -> "TracerProvider":
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    resource = Resource.create({"service.name": f"didflow-{service}", "didflow.process": process})
    provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(exporter))
    return provider


def start_tracing(*, service: str, process: str, endpoint: str | None) -> Tracing:
    """Start tracing to an OTLP/HTTP collector with this base address. With None, nothing is traced."""
    if endpoint is None:
        return Tracing(service=service, process=process)
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

    exporter = OTLPSpanExporter(endpoint=f"{endpoint.rstrip('/')}/v1/traces")
    return Tracing(service=service, process=process, exporter=exporter)

"""Metrics: each process has its own registry, and labels are closed sets."""

import sqlalchemy as sa

from didflow_chassis.telemetry.metrics import Metrics
from didflow_chassis.telemetry.service_gauges import ServiceGauge


def test_all_metrics_are_exposed():
    """The names of counters, histograms and gauges begin with `didflow_`."""
    metrics = Metrics()
    metrics.messages.labels(type="did.changed", outcome="refused", code="too_late").inc()
    metrics.batch_size.labels(origin="kafka").observe(500)
    metrics.outbox_rows.set(7)

    text = metrics.expose().decode()

    assert 'didflow_messages_total{code="too_late",outcome="refused",type="did.changed"} 1.0' in text
    assert 'didflow_batch_size_bucket{le="500.0",origin="kafka"} 1.0' in text
    assert "didflow_outbox_rows 7.0" in text


def test_two_services_in_one_process_have_separate_metrics():
    """The embedded stack runs four APIs in one process."""
    one, other = Metrics(), Metrics()

    one.duplicates.labels(origin="kafka").inc()

    assert 'didflow_duplicates_total{origin="kafka"} 1.0' in one.expose().decode()
    assert "didflow_duplicates_total{" not in other.expose().decode()


def test_a_gauge_of_a_service_has_no_labels_but_those_that_are_declared():
    """Others are summed up. A label that is not measured any more is 0."""
    metrics = Metrics()
    own = ServiceGauge(
        name="silent",
        what="Silent things",
        label="thing",
        values=("a", "b"),
        statement=sa.select(1),
        measure=dict,
    )
    gauge = own.register(metrics.registry)

    own.set(gauge, [("a", 1.0), ("x", 1.0), ("y", 2.0)])
    assert 'didflow_silent{thing="a"} 1.0' in metrics.expose().decode()
    own.set(gauge, [("b", 1.0), ("x", 1.0), ("y", 2.0)])

    lines = [line for line in metrics.expose().decode().splitlines() if line.startswith("didflow_silent{")]
    assert sorted(lines) == [
        'didflow_silent{thing="a"} 0.0',
        'didflow_silent{thing="b"} 1.0',
        'didflow_silent{thing="other"} 3.0',
    ]

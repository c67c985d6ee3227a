"""Metrics: each process has its own registry, and labels are closed sets."""

from didflow_chassis.telemetry.metrics import Metrics


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

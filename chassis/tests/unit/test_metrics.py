"""Metrics: each process has its own registry, and labels are closed sets."""

from didflow_chassis.telemetry.metrics import Metrics


def test_what_was_measured_is_exposed():
    """Counters, histograms and gauges come out under `didflow_` names."""
    metrics = Metrics()
    metrics.messages.labels(type="did.changed", outcome="refused", code="too_late").inc()
    metrics.batch_size.labels(origin="kafka").observe(500)
    metrics.outbox_rows.set(7)

    text = metrics.expose().decode()

    assert 'didflow_messages_total{code="too_late",outcome="refused",type="did.changed"} 1.0' in text
    assert 'didflow_batch_size_bucket{le="500.0",origin="kafka"} 1.0' in text
    assert "didflow_outbox_rows 7.0" in text


def test_two_processes_in_one_interpreter_do_not_mix():
    """The embedded stack runs four APIs at once: each counts for itself."""
    one, other = Metrics(), Metrics()

    one.duplicates.labels(origin="kafka").inc()

    assert 'didflow_duplicates_total{origin="kafka"} 1.0' in one.expose().decode()
    assert "didflow_duplicates_total{" not in other.expose().decode()

"""The operations page is held against what the processes really measure."""

import re
from pathlib import Path

from didflow_chassis.telemetry.metrics import Metrics

PAGE = Path(__file__).parents[1] / "docs" / "operations.md"


def test_every_metric_is_on_the_operations_page_and_no_other() -> None:
    """The table names exactly the metrics of the registry; those of the process itself are Prometheus' own."""
    ours = {m.name for m in Metrics().registry.collect() if m.name.startswith("didflow_")}
    named = set(re.findall(r"^\| `(didflow_\w+)`", PAGE.read_text(), re.MULTILINE))
    assert named == ours

"""The operations page agrees with the metrics of the processes."""

import re
from pathlib import Path

from didflow_chassis.telemetry.metrics import Metrics

PAGE = Path(__file__).parents[1] / "docs" / "operations.md"


def test_every_metric_is_on_the_operations_page_and_no_other() -> None:
    """The table has exactly the metrics of the registry. Prometheus documents those of the process itself."""
    ours = {m.name for m in Metrics().registry.collect() if m.name.startswith("didflow_")}
    named = set(re.findall(r"^\| `(didflow_\w+)`", PAGE.read_text(), re.MULTILINE))
    assert named == ours

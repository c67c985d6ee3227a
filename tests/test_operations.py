"""The pages for operators agree with the metrics of the processes and with the codes of the consistency check."""

import re
from pathlib import Path

from didflow.consistency.codes import CODES
from didflow.services import SERVICES, service, settings_class
from didflow_chassis.telemetry.metrics import Metrics

DOCS = Path(__file__).parents[1] / "docs"
PAGE = DOCS / "operations.md"
CONSISTENCY = DOCS / "consistency.md"


def test_every_metric_is_on_the_operations_page_and_no_other() -> None:
    """The table has exactly those of the registry and of the services. Prometheus documents those of the process."""
    ours = {m.name for m in Metrics().registry.collect() if m.name.startswith("didflow_")}
    services = (service(name, settings_class(name).placeholder()) for name in SERVICES)
    ours |= {f"didflow_{gauge.name}" for each in services for gauge in each.gauges}
    section = PAGE.read_text().partition("\n## Metrics\n")[2].partition("\n## ")[0]
    named = set(re.findall(r"^\| `(didflow_\w+)`", section, re.MULTILINE))
    assert named == ours


def test_every_code_of_the_consistency_check_is_on_its_page_and_no_other() -> None:
    """The table has the meaning and the action of each code, word by word."""
    table = "".join(f"| `{name}` | {code.meaning} | {code.action} |\n" for name, code in CODES.items())
    assert f"|---|---|---|\n{table}\n" in CONSISTENCY.read_text()

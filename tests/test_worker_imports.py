"""What a worker loads: nothing of what only the API needs, so that it starts soon and is small."""

import subprocess
import sys

from didflow_contracts.topics import SERVICES

NOT_FOR_WORKERS = ("fastapi", "httpx", "jwt", "opentelemetry.sdk", "opentelemetry.exporter", "alembic")


def test_a_worker_loads_no_framework_of_the_api() -> None:
    """All four workers, imported as they are started: no routes, no client of a token issuer, no tracing SDK."""
    services = ", ".join(f"didflow_{name}.service" for name in SERVICES)
    code = f"import sys, didflow_chassis.processes, {services}; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    assert [name for name in NOT_FOR_WORKERS if name in loaded] == []

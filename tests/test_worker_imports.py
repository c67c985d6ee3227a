"""A worker does not import what only the API needs. It starts faster and uses less memory."""

import subprocess
import sys

from didflow_contracts.topics import SERVICES

NOT_FOR_WORKERS = ("fastapi", "httpx", "jwt", "opentelemetry.sdk", "opentelemetry.exporter", "alembic")


def test_a_worker_imports_no_framework_of_the_api() -> None:
    """The modules of all four workers import no web framework, no client of a token issuer and no tracing SDK."""
    services = ", ".join(f"didflow_{name}.service" for name in SERVICES)
    code = f"import sys, didflow_chassis.processes, {services}; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    assert [name for name in NOT_FOR_WORKERS if name in loaded] == []

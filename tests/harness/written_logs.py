"""What a process logs, written as in a deployment."""

import io
import logging
from collections.abc import Iterator
from contextlib import contextmanager

from didflow_chassis.telemetry import logs


@contextmanager
def written_logs(service: str, level: str = "debug") -> Iterator[io.StringIO]:
    """Collect all log lines of this process from a level on. The former handlers and level are back afterwards."""
    root, written = logging.getLogger(), io.StringIO()
    handlers, former = root.handlers[:], root.level
    logs.configure(service=service, process="test", level=level, stream=written)
    try:
        yield written
    finally:
        root.handlers[:] = handlers
        root.setLevel(former)

"""The only code that depends on private parts of aiokafka and FastStream.

Each module lists the versions that it fits in `FITS`, and names the public interface that would replace it. A
process does not start with any other version. To support a new version, run `chassis/tests/kafka` with it, then add
it to `FITS`.
"""

from didflow_chassis.kafka_internals import (
    fetch_sessions,
    poll_observer,
    producer_shutdown,
    record_headers,
)
from didflow_chassis.kafka_internals.versions import require

MODULES = (fetch_sessions, poll_observer, producer_shutdown, record_headers)


def check_versions() -> None:
    """Raise UnsupportedVersion if a library is installed in a version that a module of this folder does not fit."""
    for module in MODULES:
        require(module.FITS, user=module.__name__)


def install() -> None:
    """Change how every consumer of this process fetches and reads records. It is safe to call this twice.

    Raises UnsupportedVersion.
    """
    check_versions()
    fetch_sessions.install()
    record_headers.install()

"""The processes of a stack, with their environments: a worker for each service, and the carrier simulator."""

import os
import sysconfig
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from annotated_types import Ge

from didflow.embedded.kafka import FETCH_WAIT_MS, HEARTBEAT_INTERVAL_MS, SESSION_TIMEOUT_MS
from didflow.embedded.ports import free_port
from didflow.servers import Servers
from didflow.supervisor import Launch, Spec
from didflow_chassis.settings import PREFIX, Settings

SIMULATOR: Final = "simulator"
_LOOPBACK: Final = "127.0.0.1,localhost"


def worker(service: str, servers: Servers) -> Spec:
    """Return the description of a service's worker."""

    def launch() -> Launch:
        port = free_port()
        values = {
            "POSTGRES": servers.postgres[service],
            "POOL_SIZE": "5",
            "HEALTH_HOST": "127.0.0.1",
            "HEALTH_PORT": str(port),
        }
        return Launch(environment=environment(servers, service, values), health=f"http://127.0.0.1:{port}")

    return Spec(name=service, command=(script(f"didflow-{service}"), "worker"), launch=launch)


def simulator(servers: Servers) -> Spec:
    """Return the description of the carrier simulator."""
    return Spec(
        name=SIMULATOR,
        command=(script("didflow-simulator"),),
        launch=lambda: Launch(environment=environment(servers, SIMULATOR, {})),
    )


def environment(servers: Servers, name: str, values: Mapping[str, str]) -> dict[str, str]:
    """Return a child's environment: that of this process, overridden by what this stack decides."""
    group = _embedded_group() if servers.embedded_kafka else {"MEMBER_ID": f"{name}-0"}
    ours = {
        "KAFKA": servers.kafka,
        "PRODUCTION": "false",
        "TOPIC_PREFIX": servers.topic_prefix,
        **group,
        **values,
    }
    decided = {f"{PREFIX}{key}": value for key, value in ours.items()}
    files = {f"{variable}_FILE" for variable in decided}
    kept = {variable: value for variable, value in os.environ.items() if variable not in files}
    return {**kept, "NO_PROXY": _LOOPBACK, **decided}


def script(name: str) -> str:
    """Return the path of an installed command of this environment."""
    return str(Path(sysconfig.get_path("scripts")) / name)


def _embedded_group() -> dict[str, str]:
    """Return the consumer settings for the embedded broker: no static member, the shortest session, short fetches.

    On this broker the successor of a killed worker waits for the session timeout.
    """
    least = next(m.ge for m in Settings.model_fields["session_timeout_ms"].metadata if isinstance(m, Ge))
    session = max(SESSION_TIMEOUT_MS, int(str(least)))
    return {
        "MEMBER_ID": "",
        "SESSION_TIMEOUT_MS": str(session),
        "HEARTBEAT_MS": str(HEARTBEAT_INTERVAL_MS),
        "FETCH_WAIT_MS": str(FETCH_WAIT_MS),
    }

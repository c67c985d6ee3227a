"""The environment of a stack's processes."""

import socket

import pytest

from didflow import processes, web
from didflow.errors import BadInput
from didflow.servers import Servers
from didflow.services import SERVICES
from didflow_chassis.settings import Settings, load

PARTS = Servers(
    kafka="127.0.0.1:1",
    postgres={name: f"postgresql://{name}:secret@127.0.0.1:2/{name}" for name in ("admin", *SERVICES)},
    topic_prefix="p.",
    embedded_kafka=True,
    embedded_postgres=True,
)
GIVEN = Servers(
    kafka="kafka:9092",
    postgres=PARTS.postgres,
    topic_prefix="p.",
    embedded_kafka=False,
    embedded_postgres=True,
)


def read_settings(monkeypatch: pytest.MonkeyPatch, environment: dict[str, str]) -> Settings:
    """Read settings as the child does."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return load(Settings)


def test_a_worker_gets_its_own_database_and_a_health_port(monkeypatch: pytest.MonkeyPatch) -> None:
    """The settings are valid, and the supervisor knows the port."""
    launch = processes.worker("billing", PARTS).launch()
    settings = read_settings(monkeypatch, dict(launch.environment))
    assert settings.dsn == PARTS.postgres["billing"]
    assert launch.health == f"http://127.0.0.1:{settings.health_port}"
    assert (settings.kafka, settings.topic_prefix, settings.production) == ("127.0.0.1:1", "p.", False)


def test_each_start_has_its_own_port() -> None:
    """A port that another process took is not tried again."""
    worker = processes.worker("billing", PARTS)
    assert worker.launch().health != worker.launch().health


def test_on_the_embedded_broker_members_are_dynamic_and_sessions_short(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The broker has no static members, and the successor of a killed worker waits for the session timeout."""
    monkeypatch.setenv("DIDFLOW_MEMBER_ID", "mine")
    settings = read_settings(
        monkeypatch, processes.environment(PARTS, "billing", {"POSTGRES": PARTS.postgres["billing"]})
    )
    assert settings.member_id is None
    assert settings.session_timeout_ms < Settings.model_fields["session_timeout_ms"].default


def test_on_a_real_broker_members_are_static(monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker that was killed gets its partitions back at once."""
    settings = read_settings(
        monkeypatch, processes.environment(GIVEN, "billing", {"POSTGRES": PARTS.postgres["billing"]})
    )
    assert settings.member_id == "billing-0"


def test_settings_of_this_process_reach_the_children(monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment tunes the workers. What the stack decides wins, also over secret files."""
    monkeypatch.setenv("DIDFLOW_BATCH_SIZE", "7")
    monkeypatch.setenv("DIDFLOW_KAFKA", "elsewhere:9092")
    monkeypatch.setenv("DIDFLOW_POSTGRES_FILE", "/nowhere")
    environment = processes.environment(PARTS, "billing", {"POSTGRES": PARTS.postgres["billing"]})
    assert environment["DIDFLOW_BATCH_SIZE"] == "7"
    assert environment["DIDFLOW_KAFKA"] == "127.0.0.1:1"
    assert "DIDFLOW_POSTGRES_FILE" not in environment


def test_a_used_port_is_refused_or_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    """A port that was named must be free. The default port is replaced by a free one."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(BadInput, match=str(port)):
            web.listen(port)
        monkeypatch.setattr(web, "USUAL_PORT", port)
        with web.listen(None) as free:
            assert free.getsockname()[1] != port

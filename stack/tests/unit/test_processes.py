"""What a stack's processes are told."""

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


def told(monkeypatch: pytest.MonkeyPatch, environment: dict[str, str]) -> Settings:
    """Read settings as the child would."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return load(Settings)


def test_a_worker_is_told_its_own_database_and_a_health_port(monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings that the chassis takes, with the port at which the supervisor will ask."""
    launch = processes.worker("billing", PARTS).launch()
    settings = told(monkeypatch, dict(launch.environment))
    assert settings.dsn == PARTS.postgres["billing"]
    assert launch.health == f"http://127.0.0.1:{settings.health_port}"
    assert (settings.kafka, settings.topic_prefix, settings.production) == ("127.0.0.1:1", "p.", False)


def test_each_start_has_a_port_of_its_own() -> None:
    """A port that somebody took meanwhile is not tried for ever."""
    worker = processes.worker("billing", PARTS)
    assert worker.launch().health != worker.launch().health


def test_on_the_embedded_broker_members_are_dynamic_and_sessions_short(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It has no static members, and a killed worker's successor waits for the session timeout."""
    monkeypatch.setenv("DIDFLOW_MEMBER_ID", "mine")
    settings = told(
        monkeypatch, processes.environment(PARTS, "billing", {"POSTGRES": PARTS.postgres["billing"]})
    )
    assert settings.member_id is None
    assert settings.session_timeout_ms < Settings.model_fields["session_timeout_ms"].default


def test_on_a_real_broker_members_are_static(monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker that was killed takes its partitions back at once."""
    settings = told(
        monkeypatch, processes.environment(GIVEN, "billing", {"POSTGRES": PARTS.postgres["billing"]})
    )
    assert settings.member_id == "billing-0"


def test_settings_of_this_process_reach_the_children(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever starts the stack can tune it; what the stack decides itself wins, also over secret files."""
    monkeypatch.setenv("DIDFLOW_BATCH_SIZE", "7")
    monkeypatch.setenv("DIDFLOW_KAFKA", "elsewhere:9092")
    monkeypatch.setenv("DIDFLOW_POSTGRES_FILE", "/nowhere")
    environment = processes.environment(PARTS, "billing", {"POSTGRES": PARTS.postgres["billing"]})
    assert environment["DIDFLOW_BATCH_SIZE"] == "7"
    assert environment["DIDFLOW_KAFKA"] == "127.0.0.1:1"
    assert "DIDFLOW_POSTGRES_FILE" not in environment


def test_a_port_that_is_taken_is_refused_or_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    """Asked for by name it must be that one; the usual one gives way to a free one."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(BadInput, match=str(port)):
            web.listen(port)
        monkeypatch.setattr(web, "USUAL_PORT", port)
        with web.listen(None) as free:
            assert free.getsockname()[1] != port

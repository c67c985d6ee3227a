"""What a conformance run needs around it: a Kafka with the two topics, and the process of the adapter."""

import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from didflow.conformance.convention import EXECUTIONS_VARIABLE
from didflow.conformance.restarts import AdapterProcess, Person, RestartCommand, started
from didflow.embedded.kafka import FETCH_WAIT_MS, HEARTBEAT_INTERVAL_MS, SESSION_TIMEOUT_MS, EmbeddedKafka
from didflow.embedded.temporary_folder import temporary_folder
from didflow.topics import create_topics
from didflow_chassis.settings import PREFIX, Settings, load
from didflow_contracts.events import CarrierCommandIssued, ResultReported

_TOPICS: Final = (CarrierCommandIssued.topic, ResultReported.topic)
_NO_POSTGRES: Final = "postgresql://unused/unused"
_LEAST_SESSION_MS: Final = 6_000
"""The shortest session that brokers accept by default. After a kill, the next process waits for its end."""


@asynccontextmanager
async def broker(kafka: str | None, topic_prefix: str) -> AsyncIterator[Settings]:
    """Yield the settings of a Kafka with both topics: the given one, or an embedded one. Raises Missing."""
    if kafka:
        settings = _settings(kafka, topic_prefix)
        await create_topics(settings)
        yield settings
        return
    async with await EmbeddedKafka.start(_TOPICS) as embedded:
        yield _settings(embedded.bootstrap, "", SESSION_TIMEOUT_MS)


def _settings(kafka: str, topic_prefix: str, session_timeout_ms: int = _LEAST_SESSION_MS) -> Settings:
    return load(
        Settings,
        kafka=kafka,
        postgres=_NO_POSTGRES,
        topic_prefix=topic_prefix,
        session_timeout_ms=session_timeout_ms,
        heartbeat_ms=HEARTBEAT_INTERVAL_MS,
        fetch_wait_ms=FETCH_WAIT_MS,
        production=False,
    )


@asynccontextmanager
async def adapter_of(
    settings: Settings,
    *,
    command: str | None,
    restart_command: str | None,
    executions: Path | None,
    tell: Callable[[str], None],
) -> AsyncIterator[AdapterProcess]:
    """Yield the adapter: started here, or elsewhere. `tell` prints what a person must know. Raises DidNotStart."""
    decided = environment(settings, executions)
    if command:
        with temporary_folder() as folder:
            async with started(command, {**os.environ, **decided}, folder / "adapter.log") as process:
                yield process
        return
    tell("Start the adapter now with these variables:")
    for name, value in decided.items():
        tell(f"  {name}={value}")
    yield RestartCommand(restart_command) if restart_command else Person(_ask(tell))


def environment(settings: Settings, executions: Path | None) -> dict[str, str]:
    """Return the variables that the adapter under test needs. The short session is for the restart of the check."""
    values = {
        "KAFKA": settings.kafka,
        "TOPIC_PREFIX": settings.topic_prefix,
        "MEMBER_ID": "",
        "SESSION_TIMEOUT_MS": str(settings.session_timeout_ms),
        "HEARTBEAT_MS": str(settings.heartbeat_ms),
        "FETCH_WAIT_MS": str(settings.fetch_wait_ms),
    }
    decided = {f"{PREFIX}{name}": value for name, value in values.items()}
    return decided | ({EXECUTIONS_VARIABLE: str(executions.absolute())} if executions else {})


def _ask(tell: Callable[[str], None]) -> Callable[[str], None]:
    def ask(text: str) -> None:
        tell(text)
        input()

    return ask

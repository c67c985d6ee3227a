"""Which installation a command works on: the stack of a data folder, or what options and environment name."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from didflow import state
from didflow.errors import BadInput
from didflow.services import SERVICES
from didflow.state import ADMIN

if TYPE_CHECKING:
    from didflow_chassis.settings import Settings

KAFKA_VARIABLE: Final = "DIDFLOW_KAFKA"
POSTGRES_VARIABLE: Final = "DIDFLOW_POSTGRES"


@dataclass(frozen=True, kw_only=True)
class Target:
    """Addresses as the person gave them (None: not at all), and the folder where a stack may run."""

    folder: Path
    kafka: str | None = None
    postgres: str | None = None

    def kafka_settings(self) -> "Settings":
        """Return how to reach Kafka. Raises NoStack, SettingsError."""
        from didflow_chassis.settings import Settings, load  # noqa: PLC0415 - many commands need no settings

        if self.kafka:
            return load(Settings, kafka=self.kafka, postgres="postgresql://unused/unused", production=False)
        running = state.read(self.folder)
        return load(
            Settings,
            kafka=running.kafka,
            postgres=running.postgres[ADMIN],
            topic_prefix=running.topic_prefix,
            production=False,
        )

    def databases(self) -> dict[str, str]:
        """Return service -> DSN of its database. Raises NoStack, BadInput."""
        if not self.postgres:
            return {name: dsn for name, dsn in state.read(self.folder).postgres.items() if name != ADMIN}
        return {name: service_dsn(self.postgres, name) for name in SERVICES}


def service_dsn(dsn: str, service: str) -> str:
    """Put a service's database into a DSN: for `{service}`, or `didflow_<service>` for the database named."""
    if "{service}" in dsn:
        return dsn.replace("{service}", service)
    base, slash, rest = dsn.partition("://")
    host, _, named = rest.partition("/")
    if not slash or not host:
        raise BadInput("a DSN looks like postgresql://user:password@host:5432/database")
    _, question, options = named.partition("?")
    return f"{base}://{host}/didflow_{service}{question}{options}"

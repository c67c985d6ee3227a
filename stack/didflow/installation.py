"""Which installation a command works on: the stack of a data folder, or the servers that are named."""

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
class Installation:
    """The addresses that were given (None: not given), and the folder of the stack."""

    folder: Path
    kafka: str | None = None
    postgres: str | None = None

    def kafka_settings(self) -> "Settings":
        """Return the settings for Kafka. Raises NoStack, SettingsError."""
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
    """Return the DSN of a service's database: `{service}` is replaced, or else the database's name is."""
    if "{service}" in dsn:
        return dsn.replace("{service}", service)
    base, slash, rest = dsn.partition("://")
    host, _, named = rest.partition("/")
    if not slash or not host:
        raise BadInput("Write the DSN like postgresql://user:password@host:5432/database.")
    _, question, options = named.partition("?")
    return f"{base}://{host}/didflow_{service}{question}{options}"

"""What a process is told by its environment: variables `DIDFLOW_*`, secrets also from files.

Settings are read once, at start, and never change; a secret is never printed, not in an error either.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypeVar
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr, StringConstraints, ValidationError, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from didflow_chassis.secret_files import SecretFiles, variable_of

PREFIX = "DIDFLOW_"


class SettingsError(Exception):
    """The process cannot start with these settings. `problems` has one line for each, none with a value."""

    code = "settings_invalid"

    def __init__(self, *problems: str) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


def _postgres_dsn(value: SecretStr) -> SecretStr:
    parts = urlsplit(value.get_secret_value())
    if parts.scheme not in ("postgresql", "postgres"):
        raise ValueError("must be a DSN such as postgresql://user:password@host:5432/database")
    if not parts.path.strip("/"):
        raise ValueError("must name the service's own database after the host")
    return value


Addresses = Annotated[str, StringConstraints(pattern=r"^[^\s,:]+:\d+(,[^\s,:]+:\d+)*$")]
PostgresSecret = Annotated[SecretStr, AfterValidator(_postgres_dsn)]
Port = Annotated[int, Field(ge=0, le=65535)]
Url = Annotated[str, StringConstraints(pattern=r"^https?://[^\s/]+")]


@dataclass(frozen=True, kw_only=True, slots=True)
class Oidc:
    """Whose tokens the HTTP API takes."""

    issuer: str
    jwks_url: str
    audience: str | None


class Told(BaseSettings):
    """Settings from variables `DIDFLOW_*` and secret files, wherever they are declared."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, frozen=True, extra="ignore", hide_input_in_errors=True, env_ignore_empty=True
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """What code passes comes first, then variables, then secret files."""
        return init_settings, env_settings, SecretFiles(settings_cls)


class Settings(Told):
    """All that the chassis can be told. A service that needs more subclasses it."""

    model_config = SettingsConfigDict(extra="forbid")

    kafka: Addresses = Field(description="Kafka bootstrap addresses, host:port separated by commas")
    kafka_security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = Field(
        default="PLAINTEXT", description="how connections to Kafka are protected"
    )
    kafka_sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = Field(
        default="SCRAM-SHA-512", description="how the process proves who it is, under SASL_*"
    )
    kafka_username: str | None = Field(default=None, description="user name, under SASL_*")
    kafka_password: SecretStr | None = Field(default=None, description="password, under SASL_*")
    kafka_ssl_ca_file: Path | None = Field(
        default=None, description="PEM file of the authority that signed the brokers; else the system's"
    )
    topic_prefix: str = Field(
        default="",
        pattern=r"^[a-zA-Z0-9._-]*$",
        description="put before every topic and group name, so that several installations share a cluster",
    )
    member_id: str | None = Field(
        default=None,
        pattern=r"^[a-zA-Z0-9._-]+$",
        description="static group instance id of this worker (its pod's name); none: a dynamic member",
    )
    session_timeout_ms: int = Field(
        default=10_000, ge=2_000, le=60_000, description="after this silence the group gives a worker up"
    )
    heartbeat_ms: int = Field(
        default=1_000, ge=100, le=20_000, description="how often a worker says that it lives"
    )
    batch_size: int = Field(default=500, ge=1, le=2_000, description="most records in one batch")
    batch_timeout_ms: int = Field(
        default=15,
        ge=10,
        le=20,
        description="how long the framework waits for records; a poll ends with the first, so nothing waits for it",
    )
    postgres: PostgresSecret = Field(
        description="DSN of the service's own database, directly, not through a pooler"
    )
    pool_size: int = Field(default=8, ge=2, le=50, description="most database connections of this process")
    statement_timeout_ms: int = Field(
        default=30_000,
        ge=100,
        le=600_000,
        description="the database ends a statement that runs longer",
    )
    http_host: str = Field(default="127.0.0.1", description="address of the API and of the health port")
    http_port: Port = Field(default=8080, description="port of the API; 0 takes a free one")
    health_port: Port = Field(default=9090, description="port of health and metrics; 0 takes a free one")
    oidc_issuer: Url | None = Field(default=None, description="issuer of the tokens that the API takes")
    oidc_jwks_url: Url | None = Field(default=None, description="where the issuer publishes its keys")
    oidc_audience: str | None = Field(
        default=None, description="what a token's `aud` must hold; none: unchecked"
    )
    production: bool = Field(
        default=True, description="false only under the embedded stack: plain-HTTP issuer, movable clock"
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="least level logged"
    )
    otlp_endpoint: Url | None = Field(
        default=None, description="OTLP/HTTP collector of traces; none: no traces"
    )
    outbox_cap: int = Field(
        default=200_000, ge=1_000, le=10_000_000, description="with so many rows unpublished, work is refused"
    )
    inbox_days: int = Field(
        default=30,
        ge=30,
        le=3_650,
        description="how long a repeat is known as one",
    )
    clock_interval_s: float = Field(
        default=0.5, gt=0, le=60, description="how often the clock looks for what is due"
    )
    relay_poll_s: float = Field(
        default=1.0,
        gt=0,
        le=1,
        description="how often the outbox is read unasked; renews the relay's lease",
    )

    @model_validator(mode="after")
    def _sasl_is_whole(self) -> Self:
        if self.kafka_security_protocol.startswith("SASL") and not (
            self.kafka_username and self.kafka_password
        ):
            raise ValueError(f"{PREFIX}KAFKA_USERNAME and {PREFIX}KAFKA_PASSWORD are needed under SASL")
        return self

    @model_validator(mode="after")
    def _heartbeats_fit_the_session(self) -> Self:
        if self.heartbeat_ms * 3 > self.session_timeout_ms:
            raise ValueError(f"{PREFIX}HEARTBEAT_MS must be at most a third of {PREFIX}SESSION_TIMEOUT_MS")
        return self

    @model_validator(mode="after")
    def _issuer_is_protected(self) -> Self:
        urls = (self.oidc_issuer, self.oidc_jwks_url)
        if self.production and any(url and not url.startswith("https://") for url in urls):
            raise ValueError(f"{PREFIX}OIDC_ISSUER and {PREFIX}OIDC_JWKS_URL must be https in production")
        return self

    @property
    def dsn(self) -> str:
        """The database's DSN in clear: for the driver, never for a log."""
        return self.postgres.get_secret_value()

    @property
    def oidc(self) -> Oidc:
        """Whose tokens are taken. Raises SettingsError where that was not said: only the API needs it."""
        if not self.oidc_issuer or not self.oidc_jwks_url:
            raise SettingsError(f"{PREFIX}OIDC_ISSUER and {PREFIX}OIDC_JWKS_URL: the API needs both")
        return Oidc(issuer=self.oidc_issuer, jwks_url=self.oidc_jwks_url, audience=self.oidc_audience)


AnySettings = TypeVar("AnySettings", bound=Settings)


def load(settings: type[AnySettings], **given: Any) -> AnySettings:
    """Read the settings from the environment. `given` values go before it.

    Raises SettingsError with one line for each missing or wrong variable, and no value in any of them.
    """
    try:
        return settings(**given)
    except ValidationError as error:
        raise SettingsError(*(_line(e["loc"], e["type"], e["msg"]) for e in error.errors())) from None
    except ValueError as error:
        raise SettingsError(str(error)) from None


def _line(place: tuple[int | str, ...], kind: str, message: str) -> str:
    said = "is missing" if kind == "missing" else message.removeprefix("Value error, ")
    return f"{variable_of(PREFIX, str(place[0]))}: {said}" if place else said


def as_table(settings: type[Settings]) -> str:
    """Write the settings as a Markdown table: variable, default, meaning."""
    lines = ["| variable | default | meaning |", "|---|---|---|"]
    for name, field in settings.model_fields.items():
        default = (
            "required" if field.is_required() else "" if field.default in (None, "") else f"`{field.default}`"
        )
        lines.append(f"| `{variable_of(PREFIX, name)}` | {default} | {field.description} |")
    return "\n".join(lines)

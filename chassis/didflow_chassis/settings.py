"""The settings of a process: environment variables `DIDFLOW_*`, or one file for each setting.

Settings are read once, at start, and never change. No error message contains the value of a setting.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Self, TypeVar

from pydantic import Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from didflow_chassis.encryption import Keyring
from didflow_chassis.grants import Roles
from didflow_chassis.setting_sources import PREFIX, SettingFiles, SettingsError, Variables, variable_of
from didflow_chassis.setting_types import (
    Addresses,
    Failpoints,
    HeaderName,
    KafkaName,
    Port,
    PostgresSecret,
    RoleName,
    Url,
    is_loopback,
)

__all__ = ["PREFIX", "Oidc", "Settings", "SettingsError", "as_table", "load"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Oidc:
    """The issuer whose tokens the HTTP API accepts."""

    issuer: str
    jwks_url: str
    audience: str | None


class Settings(BaseSettings):
    """The settings of every service. A service with settings of its own declares them in a subclass."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, frozen=True, extra="forbid", hide_input_in_errors=True, env_ignore_empty=True
    )

    kafka: Addresses = Field(
        description="Kafka bootstrap addresses, `host:port`, separated by commas.",
        examples=["127.0.0.1:9092"],
    )
    kafka_security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = Field(
        default="PLAINTEXT", description="How connections to Kafka are protected."
    )
    kafka_sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = Field(
        default="SCRAM-SHA-512", description="How the process authenticates to Kafka. Used with `SASL_*`."
    )
    kafka_username: str | None = Field(default=None, description="Kafka user name. Required with `SASL_*`.")
    kafka_password: SecretStr | None = Field(
        default=None, description="Kafka password. Required with `SASL_*`."
    )
    kafka_ssl_ca_file: Path | None = Field(
        default=None,
        description="PEM file of the authority that signed the brokers' certificates. "
        "The default is the system's list of authorities.",
    )
    topic_prefix: KafkaName = Field(
        default="",
        description="Prefix of all topic and group names. With different prefixes, installations can share a cluster.",
    )
    member_id: KafkaName | None = Field(
        default=None,
        description="Static group instance id of this worker, for example the name of its pod. "
        "Without it, the worker is a dynamic member.",
    )
    session_timeout_ms: int = Field(
        default=10_000,
        ge=2_000,
        le=60_000,
        description="If a worker sends no heartbeat for this long, its partitions go to other workers.",
    )
    heartbeat_ms: int = Field(
        default=1_000, ge=100, le=20_000, description="Interval between the heartbeats of a worker."
    )
    batch_size: int = Field(default=500, ge=1, le=2_000, description="Maximum number of records in a batch.")
    batch_timeout_ms: int = Field(
        default=15,
        ge=10,
        le=20,
        description="How long FastStream waits for records. A poll ends with the first record.",
    )
    fetch_wait_ms: int = Field(
        default=250,
        ge=5,
        le=5_000,
        description="How long a broker may hold a fetch for which it has no records.",
    )
    postgres: PostgresSecret = Field(
        description="DSN of the service's own database. The connection must not go through a pooler.",
        examples=[SecretStr("postgresql://didflow@127.0.0.1:5432/didflow")],
    )
    postgres_role: RoleName | None = Field(
        default=None,
        description="The role of the service. `migrate` grants it its rights. Only `migrate` reads this.",
    )
    postgres_reader: RoleName | None = Field(
        default=None,
        description="The role as which HTTP reads rows. The role of the service is a member of it. Without it, no "
        "policy of the database limits what HTTP reads. `migrate` and the API read this.",
    )
    pool_size: int = Field(
        default=8,
        ge=2,
        le=50,
        description="Maximum number of database connections of this process. "
        "The API has two pools of this size: one to read and one to write.",
    )
    statement_timeout_ms: int = Field(
        default=30_000, ge=100, le=600_000, description="The database cancels a statement that runs longer."
    )
    http_host: str = Field(default="127.0.0.1", description="Address on which the API listens.")
    http_port: Port = Field(default=8080, description="Port of the API. 0 takes a free port.")
    http_connections: int = Field(
        default=500,
        ge=10,
        le=100_000,
        description="Maximum number of open connections to the API. Above it, connections that wait for their client "
        "are closed, the oldest first. The process needs as many file descriptors.",
    )
    http_connections_per_address: int = Field(
        default=100,
        ge=1,
        le=100_000,
        description="Maximum number of open connections from one address. Not used with "
        "`DIDFLOW_HTTP_CLIENT_ADDRESS_HEADER`, because then all connections come from the proxy.",
    )
    http_client_address_header: HeaderName | None = Field(
        default=None,
        description="Header in which a proxy in front of the API writes the client's address, such as `X-Real-IP`. "
        "Without it, the address of the connection is used. The proxy must overwrite the header, or append to it.",
    )
    health_host: str = Field(
        default="0.0.0.0",  # noqa: S104 - probes and Prometheus come from other machines
        description="Address on which health and metrics are served. The default is all interfaces.",
    )
    health_port: Port = Field(default=9090, description="Port of health and metrics. 0 takes a free port.")
    oidc_issuer: Url | None = Field(
        default=None, description="Issuer of the tokens that the API accepts. Required by the API."
    )
    oidc_jwks_url: Url | None = Field(
        default=None, description="URL of the issuer's public keys. Required by the API."
    )
    oidc_audience: str | None = Field(
        default=None,
        description="The `aud` that a token must have. Required by the API in production. "
        "Without it, `aud` is not checked.",
    )
    production: bool = Field(
        default=True,
        description="If false, an issuer over plain HTTP, a movable clock and failpoints are allowed.",
    )
    sources_file: Path | None = Field(
        default=None,
        description="JSON file of the registered sources. It is the same for all services, "
        "and it is read again when it changes.",
    )
    unregistered_sources: Literal["open", "closed"] | None = Field(
        default=None,
        description="What sources that are not registered may say: everything that their topics allow (`open`) or "
        "nothing (`closed`). The default is closed in production, else open.",
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="Lowest level that is logged."
    )
    otlp_endpoint: Url | None = Field(
        default=None, description="OTLP/HTTP collector of traces. Without it, nothing is traced."
    )
    outbox_cap: int = Field(
        default=200_000,
        ge=1_000,
        le=10_000_000,
        description="If so many records wait to be published, the API answers 503.",
    )
    inbox_days: int = Field(
        default=30,
        ge=30,
        le=3_650,
        description="Number of days for which repeated events are recognized. After as many days, answers under "
        "idempotency keys, ended jobs and other ended things are deleted.",
    )
    clock_interval_s: float = Field(
        default=0.5, gt=0, le=60, description="Interval at which due timers are looked up."
    )
    timers_per_s: int = Field(
        default=500,
        ge=1,
        le=10_000,
        description="How many due timers of one kind a worker runs in a second at most while more are due. "
        "The consumers of their events must take as many, besides live traffic.",
    )
    relay_poll_s: float = Field(
        default=1.0,
        gt=0,
        le=1,
        description="Longest interval between two reads of the outbox. Each read renews the relay's lease.",
    )
    failpoints: Failpoints = Field(
        default="", description="Places where the process fails on purpose. Only for tests."
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Use arguments first, then variables, then files."""
        return init_settings, Variables(settings_cls), SettingFiles(settings_cls)

    @classmethod
    def placeholder(cls) -> Self:
        """Return settings with defaults and examples, without reading the environment.

        A service that is built from them can describe itself, but it cannot run.
        """
        examples = {
            name: field.examples[0] for name, field in cls.model_fields.items() if field.examples is not None
        }
        built: Any = cls.model_construct(**examples)
        return built  # type: ignore[no-any-return]

    @model_validator(mode="after")
    def _sasl_is_complete(self) -> Self:
        if self.kafka_security_protocol.startswith("SASL") and not (
            self.kafka_username and self.kafka_password
        ):
            raise ValueError(f"{PREFIX}KAFKA_USERNAME and {PREFIX}KAFKA_PASSWORD are required with SASL")
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

    @model_validator(mode="after")
    def _production_does_not_fail_on_purpose(self) -> Self:
        if self.production and self.failpoints:
            raise ValueError(f"{PREFIX}FAILPOINTS must not be set in production")
        return self

    @property
    def dsn(self) -> str:
        """The database's DSN with its password. It MUST NOT be logged."""
        return self.postgres.get_secret_value()

    @property
    def roles(self) -> Roles | None:
        """The roles that `migrate` grants rights to. None: one role owns the tables and does everything.

        Raises SettingsError if only one of them is named, since only `migrate` requires both.
        """
        if self.postgres_role is None:
            return None
        if self.postgres_reader is None:
            raise SettingsError(f"{PREFIX}POSTGRES_READER is required by migrate with {PREFIX}POSTGRES_ROLE")
        return Roles(
            service=self.postgres_role, reader=self.postgres_reader, movable_clock=not self.production
        )

    @property
    def oidc(self) -> Oidc:
        """The issuer. Raises SettingsError if it is incomplete, since only the API requires it."""
        if not self.oidc_issuer or not self.oidc_jwks_url:
            raise SettingsError(f"{PREFIX}OIDC_ISSUER and {PREFIX}OIDC_JWKS_URL are required by the API")
        if self.production and not self.oidc_audience:
            raise SettingsError(
                f"{PREFIX}OIDC_AUDIENCE is required by the API in production: "
                "without it, the API would accept tokens that were issued for other systems"
            )
        return Oidc(issuer=self.oidc_issuer, jwks_url=self.oidc_jwks_url, audience=self.oidc_audience)

    @property
    def policy_for_unregistered(self) -> Literal["open", "closed"]:
        """What sources that are not registered may say."""
        return self.unregistered_sources or ("closed" if self.production else "open")

    def keyring(self) -> Keyring | None:
        """Return the keys of what this service encrypts at rest, or None if it has none."""
        return None

    def warnings(self) -> Iterable[str]:
        """Return one sentence for each setting that is allowed but dangerous in production."""
        for name in ("http_host", "health_host"):
            if is_loopback(getattr(self, name)):
                yield f"{variable_of(name)} is a loopback address: no other machine can reach this port."
        if not self.production:
            yield f"{PREFIX}PRODUCTION is false: the clock can be moved, and tokens need less protection."
        if self.kafka_security_protocol in ("PLAINTEXT", "SASL_PLAINTEXT"):
            yield f"{PREFIX}KAFKA_SECURITY_PROTOCOL is {self.kafka_security_protocol}: traffic is not encrypted."
        if self.policy_for_unregistered == "open":
            yield f"{PREFIX}UNREGISTERED_SOURCES is open: an order system may name any account."
        elif self.sources_file is None:
            yield f"{PREFIX}SOURCES_FILE is not set: all events from outside become dead letters."


AnySettings = TypeVar("AnySettings", bound=Settings)


def load(settings: type[AnySettings], **given: Any) -> AnySettings:
    """Read the settings from the environment. A value in `given` takes precedence.

    Raises SettingsError with one sentence for each variable that is missing or wrong.
    """
    try:
        return settings(**given)
    except ValidationError as error:
        raise SettingsError(*(_problem(e["loc"], e["type"], e["msg"]) for e in error.errors())) from None


def _problem(place: tuple[int | str, ...], kind: str, message: str) -> str:
    problem = "is missing" if kind == "missing" else message.removeprefix("Value error, ")
    if not place:
        return problem
    inside = "".join(f"[{step}]" for step in place[1:])
    return f"{variable_of(str(place[0]))}{inside}: {problem}"


def as_table(settings: type[Settings]) -> str:
    """Return the settings as a Markdown table: variable, default, meaning."""
    lines = ["| variable | default | meaning |", "|---|---|---|"]
    for name, field in settings.model_fields.items():
        default = "required" if field.is_required() else _shown(field.get_default(call_default_factory=True))
        lines.append(f"| `{variable_of(name)}` | {default} | {field.description} |")
    return "\n".join(lines)


def _shown(default: Any) -> str:
    return "" if default in (None, "", {}) else f"`{default}`"

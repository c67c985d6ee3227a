"""The settings of an adapter: environment variables `DIDFLOW_*` with the names that didflow's services use."""

import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Final, Literal

from faststream.security import BaseSecurity, SASLPlaintext, SASLScram256, SASLScram512
from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from didflow_adapters.kit.call_limits import HEADROOM_S

_SASL: Final[Mapping[str, type[SASLPlaintext | SASLScram256 | SASLScram512]]] = {
    "PLAIN": SASLPlaintext,
    "SCRAM-SHA-256": SASLScram256,
    "SCRAM-SHA-512": SASLScram512,
}


class AdapterSettings(BaseSettings):
    """How to reach the broker, and how many commands run at once."""

    model_config = SettingsConfigDict(
        env_prefix="DIDFLOW_", frozen=True, env_ignore_empty=True, hide_input_in_errors=True
    )

    kafka: str = Field(description="Bootstrap addresses, host:port separated by commas.")
    kafka_security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = "PLAINTEXT"
    kafka_sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = "SCRAM-SHA-512"
    kafka_username: str | None = None
    kafka_password: SecretStr | None = None
    kafka_ssl_ca_file: Path | None = Field(
        default=None, description="PEM file. Default: the certificates of the system."
    )
    topic_prefix: str = Field(default="", description="Prefix of every topic and group name.")
    member_id: str | None = Field(default=None, description="Static member id. None: a dynamic member.")
    session_timeout_ms: int = Field(
        default=10_000, description="Time without a heartbeat after which a member is removed."
    )
    heartbeat_ms: int = Field(default=1_000, description="Time between two heartbeats.")
    fetch_wait_ms: int = Field(
        default=100, ge=5, le=5_000, description="How long a broker may hold a fetch without records."
    )
    concurrency: int = Field(default=20, ge=1, le=1_000, description="Concurrent calls to the carrier.")
    rate_per_s: float | None = Field(
        default=None,
        gt=0,
        description="Most requests that the carrier counts in any second, over all processes.",
    )
    rate_headroom_s: float = Field(
        default=HEADROOM_S,
        ge=0,
        le=60,
        description="Time within which the carrier counts a request that it has not replied to.",
    )
    remember: int = Field(
        default=10_000, ge=0, description="Former results of each partition that are read at a start."
    )
    health_host: str = Field(default="0.0.0.0", description="Interface of the health port.")  # noqa: S104
    health_port: int | None = Field(
        default=None, ge=0, le=65_535, description="Port of health and metrics. None: no port."
    )
    read_ahead: int = Field(default=500, ge=1, description="Most commands that are read and have no result.")
    call_timeout_s: float = Field(
        default=60.0, gt=0, description="Longest duration of a call to the carrier."
    )
    stop_within_s: float = Field(
        default=8.0, gt=0, description="How long a stop waits for commands in progress."
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"

    @property
    def poll_records(self) -> int:
        """The most records of one poll. While one poll is executed, the next one can be read."""
        return max(1, self.read_ahead // 2)

    def security(self) -> BaseSecurity | None:
        """Return how connections to the broker are protected, or None for plain text."""
        protocol = self.kafka_security_protocol
        has_tls = protocol.endswith("SSL")
        context = ssl.create_default_context(cafile=self.kafka_ssl_ca_file) if has_tls else None
        if not protocol.startswith("SASL"):
            return BaseSecurity(ssl_context=context, use_ssl=True) if has_tls else None
        return _SASL[self.kafka_sasl_mechanism](
            username=self.kafka_username or "",
            password=self.kafka_password.get_secret_value() if self.kafka_password else "",
            ssl_context=context,
            use_ssl=has_tls,
        )

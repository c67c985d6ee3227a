"""What an adapter is told by its environment: variables `DIDFLOW_*`, the same names as didflow's services use."""

import ssl
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class AdapterSettings(BaseSettings):
    """Where the broker is, and how much is done at once."""

    model_config = SettingsConfigDict(
        env_prefix="DIDFLOW_", frozen=True, env_ignore_empty=True, hide_input_in_errors=True
    )

    kafka: str = Field(description="bootstrap addresses, host:port separated by commas")
    kafka_security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = "PLAINTEXT"
    kafka_sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = "SCRAM-SHA-512"
    kafka_username: str | None = None
    kafka_password: SecretStr | None = None
    kafka_ssl_ca_file: Path | None = Field(default=None, description="PEM file; else the system's")
    topic_prefix: str = Field(default="", description="put before every topic and group name")
    member_id: str | None = Field(default=None, description="static member id; none: a dynamic member")
    session_timeout_ms: int = Field(default=10_000, description="silence after which a member is given up")
    heartbeat_ms: int = Field(default=1_000, description="how often a member says that it lives")
    fetch_wait_ms: int = Field(
        default=100, ge=5, le=5_000, description="How long a broker may hold a fetch without records."
    )
    concurrency: int = Field(default=20, ge=1, le=1_000, description="calls to the carrier at once")
    in_hand: int = Field(default=500, ge=1, description="records read ahead of their answers, at most")
    call_timeout_s: float = Field(default=60.0, gt=0, description="how long one call may take")
    stop_within_s: float = Field(default=8.0, gt=0, description="how long a stop waits for open calls")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"

    def connection(self) -> dict[str, Any]:
        """Return where the brokers are and how connections are protected, as aiokafka takes it."""
        options: dict[str, Any] = {
            "bootstrap_servers": self.kafka.split(","),
            "security_protocol": self.kafka_security_protocol,
        }
        if self.kafka_security_protocol.endswith("SSL"):
            options["ssl_context"] = ssl.create_default_context(cafile=self.kafka_ssl_ca_file)
        if self.kafka_security_protocol.startswith("SASL"):
            password = self.kafka_password
            options["sasl_mechanism"] = self.kafka_sasl_mechanism
            options["sasl_plain_username"] = self.kafka_username
            options["sasl_plain_password"] = password.get_secret_value() if password else None
        return options

"""The types of settings: each refuses a wrong value with a message that says what the value must be."""

import re
from collections.abc import Callable
from ipaddress import ip_address
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr

from didflow_chassis import failpoints


def _postgres_dsn(value: SecretStr) -> SecretStr:
    parts = urlsplit(value.get_secret_value())
    if parts.scheme not in ("postgresql", "postgres"):
        raise ValueError("must be a DSN such as postgresql://user:password@host:5432/database")
    if not parts.path.strip("/"):
        raise ValueError("must name the service's own database after the host")
    return value


def _matching(pattern: str, message: str) -> Callable[[str], str]:
    """Return a validator that raises ValueError with a message where a value does not match the pattern."""
    matches = re.compile(pattern).fullmatch

    def validate(value: str) -> str:
        if not matches(value):
            raise ValueError(message)
        return value

    return validate


def _failpoints(value: str) -> str:
    failpoints.parse(value)
    return value


Addresses = Annotated[
    str,
    AfterValidator(
        _matching(r"[^\s,:]+:\d+(,[^\s,:]+:\d+)*", "must be addresses such as kafka-0:9092,kafka-1:9092")
    ),
]
PostgresSecret = Annotated[SecretStr, AfterValidator(_postgres_dsn)]
RoleName = Annotated[
    str,
    AfterValidator(
        _matching(
            r"[a-z_][a-z0-9_]{0,62}", "must be the name of a role: lower-case letters, digits and underscores"
        )
    ),
]
Port = Annotated[int, Field(ge=0, le=65535)]
Url = Annotated[
    str,
    AfterValidator(_matching(r"https?://[^\s/]+\S*", "must be a URL that begins with https:// or http://")),
]
KafkaName = Annotated[
    str,
    AfterValidator(
        _matching(r"[a-zA-Z0-9._-]*", "may contain letters, digits, dots, underscores and hyphens")
    ),
]
HeaderName = Annotated[
    str, AfterValidator(_matching(r"[A-Za-z0-9-]{1,100}", "must be the name of a header, such as X-Real-IP"))
]
Failpoints = Annotated[str, AfterValidator(_failpoints)]


def is_loopback(host: str) -> bool:
    """Return True if only this machine can reach the address."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"

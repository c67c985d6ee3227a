"""The settings of an adapter."""

from typing import Any

import pytest
from faststream.security import BaseSecurity, SASLPlaintext, SASLScram512

from didflow_adapters.kit import AdapterSettings


@pytest.mark.parametrize(
    ("protocol", "changes", "expected", "use_ssl"),
    [
        ("PLAINTEXT", {}, None, False),
        ("SSL", {}, BaseSecurity, True),
        ("SASL_PLAINTEXT", {"kafka_sasl_mechanism": "PLAIN"}, SASLPlaintext, False),
        ("SASL_SSL", {}, SASLScram512, True),
    ],
)
def test_the_connection_is_protected_as_configured(
    protocol: Any, changes: dict[str, Any], expected: type | None, use_ssl: bool
) -> None:
    """TLS and SASL can be combined. SCRAM-SHA-512 is the default mechanism."""
    settings = AdapterSettings(
        kafka="kafka:9092",
        kafka_security_protocol=protocol,
        kafka_username="ann",
        kafka_password="secret",
        **changes,
    )
    security = settings.security()
    assert type(security) is (expected or type(None))
    assert (security is not None and security.use_ssl) == use_ssl
    assert (security is not None and security.ssl_context is not None) == use_ssl

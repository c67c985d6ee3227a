"""The settings of all four services: every one can be a variable, a file, or a file in a folder."""

import json
import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from ipaddress import ip_address
from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic import SecretStr

from didflow.services import SERVICES, service, settings_class
from didflow_chassis.settings import PREFIX, Settings, load

ROOT = Path(__file__).parents[1]
DSN = "postgresql://user:password@db:5432/things"
OTHERS: dict[str, str] = {
    "kafka": "one:9092,two:9092",
    "postgres": DSN,
    "kafka_username": "worker",
    "kafka_password": "secret",
    "kafka_ssl_ca_file": "/ca.pem",
    "topic_prefix": "eu.",
    "member_id": "worker-0",
    "oidc_issuer": "https://issuer",
    "oidc_jwks_url": "https://issuer/keys",
    "oidc_audience": "didflow",
    "otlp_endpoint": "https://collector",
    "failpoints": "relay.read=sleep:0",
    "document_keys": f"k1:{'A' * 43}=",
    "secret_keys": f"k1:{'A' * 43}=",
    "s3_bucket": "documents",
    "s3_endpoint": "https://store",
    "s3_access_key_id": "key",
    "s3_secret_access_key": "secret",
    "trunk_networks": '["10.20.0.0/16"]',
    "carriers": '{"acme": {"deadline_s": 600}}',
    "default_carrier": "acme",
    "inbox_days": "60",
}
"""A value for each setting whose default says nothing of its form."""
SETTINGS = [(name, field) for name in SERVICES for field in settings_class(name).model_fields]


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith(PREFIX)]:
        monkeypatch.delenv(name)


def value_of(settings: type[Settings], field: str) -> str:
    """Return a valid value of a setting that is not its default."""
    if field in OTHERS:
        return OTHERS[field]
    default, annotation = settings.model_fields[field].default, settings.model_fields[field].annotation
    if isinstance(default, bool):
        return str(not default).lower()
    if isinstance(default, int | float):
        return str(default - 1 if default > 1 else default / 2)
    alternatives = [each for part in get_args(annotation) for each in (get_args(part) or (part,))]
    choices = [choice for choice in alternatives if isinstance(choice, str) and choice != default]
    return choices[0] if choices else "other"


def required(settings: type[Settings], field: str) -> dict[str, Any]:
    """Return the other settings that a value needs."""
    needed = {"kafka": OTHERS["kafka"], "postgres": DSN, "production": False, "s3_bucket": "documents"}
    needed |= {"kafka_username": "worker", "kafka_password": "secret"}
    return {name: value for name, value in needed.items() if name != field and name in settings.model_fields}


def plain(value: Any) -> Any:
    return value.get_secret_value() if isinstance(value, SecretStr) else value


@pytest.mark.parametrize(("name", "field"), SETTINGS)
def test_every_setting_can_be_a_variable_a_file_or_a_file_in_a_folder(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str, field: str
) -> None:
    """All three give the same value, and it is not the default."""
    settings = settings_class(name)
    value, others = value_of(settings, field), required(settings, field)
    variable = f"{PREFIX}{field}".upper()
    found = []
    (tmp_path / field).write_text(f"{value}\n")
    for place, content in (
        (variable, value),
        (f"{variable}_FILE", str(tmp_path / field)),
        (f"{PREFIX}SECRETS_DIR", str(tmp_path)),
    ):
        with monkeypatch.context() as variables:
            variables.setenv(place, content)
            found.append(plain(getattr(load(settings, **others), field)))

    assert found[0] == found[1] == found[2]
    assert found[0] != plain(settings.model_fields[field].get_default(call_default_factory=True))


def test_nothing_else_reads_the_environment() -> None:
    """No module of the chassis, the services or the contracts does, except the sources of settings."""
    code = [
        path
        for top in ("chassis/didflow_chassis", "contracts/didflow_contracts", "services")
        for path in (ROOT / top).rglob("*.py")
        if "tests" not in path.parts
    ]
    reading = {path.name for path in code if re.search(r"\benviron\b(?!ment)|\bgetenv\b", path.read_text())}

    assert reading == {"setting_sources.py"}


def test_a_service_describes_itself_without_any_setting() -> None:
    """Every document is printed by a process without `DIDFLOW_*` variables."""
    script = Path(sys.executable).with_name
    commands = [(name, command) for name in SERVICES for command in ("openapi", "asyncapi", "settings")]

    def printed(name: str, command: str) -> str:
        ran = [script(f"didflow-{name}"), command]
        return subprocess.run(ran, capture_output=True, text=True, check=True).stdout

    with ThreadPoolExecutor() as several:
        texts = list(several.map(printed, *zip(*commands, strict=True)))
    for (_, command), text in zip(commands, texts, strict=True):
        assert json.loads(text) if command != "settings" else "| `DIDFLOW_KAFKA` | required |" in text


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_is_built_from_the_settings_that_it_is_given(name: str) -> None:
    """Two services of one process can have different settings."""
    first, second = (
        load(settings_class(name), kafka=kafka, postgres=DSN) for kafka in ("one:9092", "two:9092")
    )

    assert service(name, first).settings is first
    assert service(name, second).settings is second
    assert service(name, first).name == name


def test_the_carrier_simulator_as_the_default_carrier_is_a_warning() -> None:
    """`didflow-inventory check` shows it. Another carrier is not a warning."""
    inventory = settings_class("inventory")
    warning = "DIDFLOW_DEFAULT_CARRIER is simulator"

    assert any(warning in line for line in load(inventory, kafka="one:9092", postgres=DSN).warnings())
    other = load(inventory, kafka="one:9092", postgres=DSN, default_carrier="acme")
    assert not any(warning in line for line in other.warnings())


def test_missing_document_keys_are_a_warning() -> None:
    """`didflow-verification check` shows it, because no document could be uploaded."""
    settings = load(settings_class("verification"), kafka="one:9092", postgres=DSN)

    assert any("DIDFLOW_DOCUMENT_KEYS is not set" in line for line in settings.warnings())


@pytest.mark.parametrize("name", SERVICES)
def test_health_is_served_on_all_interfaces(name: str) -> None:
    """Probes and Prometheus come from other machines. The API has an address of its own."""
    settings = load(settings_class(name), kafka="one:9092", postgres=DSN)

    assert ip_address(settings.health_host).is_unspecified
    assert ip_address(settings.http_host).is_loopback

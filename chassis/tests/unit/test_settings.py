"""Settings are read from the environment, checked at start, and not printed if they are secret."""

from pathlib import Path

import pytest

from didflow_chassis.settings import Oidc, Settings, SettingsError, as_table, load

PASSWORD = "kept-to-itself"
DSN = f"postgresql://inventory:{PASSWORD}@db:5432/inventory"


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DIDFLOW_KAFKA", "one:9092,two:9092")
    monkeypatch.setenv("DIDFLOW_POSTGRES", DSN)


def test_two_variables_are_enough():
    """Every other setting has a default."""
    settings = load(Settings)

    assert settings.kafka == "one:9092,two:9092"
    assert settings.dsn == DSN
    assert (settings.batch_size, settings.batch_timeout_ms) == (500, 15)
    assert (settings.session_timeout_ms, settings.heartbeat_ms) == (10_000, 1_000)
    assert settings.inbox_days == 30
    assert settings.production is True


def test_settings_cannot_be_changed():
    """Whatever was checked at start stays true."""
    with pytest.raises(ValueError, match="frozen"):
        load(Settings).batch_size = 1


def test_secrets_are_not_printed(monkeypatch: pytest.MonkeyPatch):
    """Neither the settings nor an error about them contains a password."""
    assert PASSWORD not in repr(load(Settings))
    assert PASSWORD not in str(load(Settings).model_dump())

    monkeypatch.setenv("DIDFLOW_POSTGRES", f"mysql://inventory:{PASSWORD}@db/inventory")
    with pytest.raises(SettingsError) as raised:
        load(Settings)

    assert PASSWORD not in str(raised.value)
    assert raised.value.__cause__ is None


def test_a_secret_can_be_a_file_that_a_variable_names(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """`DIDFLOW_POSTGRES_FILE` names a file. White space around its content is ignored."""
    (tmp_path / "dsn").write_text(f"{DSN}\n")
    monkeypatch.delenv("DIDFLOW_POSTGRES")
    monkeypatch.setenv("DIDFLOW_POSTGRES_FILE", str(tmp_path / "dsn"))

    assert load(Settings).dsn == DSN


def test_secrets_can_be_files_in_a_directory(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """In `DIDFLOW_SECRETS_DIR`, a file has the name of its setting. It can be a symbolic link."""
    (tmp_path / "..data").mkdir()
    (tmp_path / "..data" / "postgres").write_text(DSN)
    (tmp_path / "postgres").symlink_to(tmp_path / "..data" / "postgres")
    monkeypatch.delenv("DIDFLOW_POSTGRES")
    monkeypatch.setenv("DIDFLOW_SECRETS_DIR", str(tmp_path))

    assert load(Settings).dsn == DSN


def test_a_variable_takes_precedence_over_a_file_in_the_directory(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    """A value for one process overrides the value that is mounted for all."""
    (tmp_path / "postgres").write_text("postgresql://other@db/other")
    monkeypatch.setenv("DIDFLOW_SECRETS_DIR", str(tmp_path))

    assert load(Settings).dsn == DSN


@pytest.mark.parametrize(
    ("variables", "problem"),
    [
        ({"DIDFLOW_KAFKA": ""}, "DIDFLOW_KAFKA: is missing"),
        ({"DIDFLOW_KAFKA": "kafka"}, "DIDFLOW_KAFKA: must be addresses such as"),
        ({"DIDFLOW_POSTGRES": "mysql://db/d"}, "DIDFLOW_POSTGRES: must be a DSN"),
        ({"DIDFLOW_POSTGRES": "postgresql://db"}, "DIDFLOW_POSTGRES: must name the service's own database"),
        ({"DIDFLOW_BATCH_SIZE": "5000"}, "DIDFLOW_BATCH_SIZE: Input should be less"),
        ({"DIDFLOW_BATCH_TIMEOUT_MS": "200"}, "DIDFLOW_BATCH_TIMEOUT_MS: Input should be less"),
        ({"DIDFLOW_RELAY_POLL_S": "2"}, "DIDFLOW_RELAY_POLL_S: Input should be less"),
        ({"DIDFLOW_INBOX_DAYS": "7"}, "DIDFLOW_INBOX_DAYS: Input should be greater"),
        ({"DIDFLOW_KAFKA_SECURITY_PROTOCOL": "SASL_SSL"}, "DIDFLOW_KAFKA_PASSWORD are required with SASL"),
        ({"DIDFLOW_HEARTBEAT_MS": "5000"}, "DIDFLOW_HEARTBEAT_MS must be at most a third"),
        ({"DIDFLOW_OIDC_ISSUER": "http://issuer"}, "must be https in production"),
        ({"DIDFLOW_POSTGRES_FILE": "/nowhere"}, "DIDFLOW_POSTGRES and DIDFLOW_POSTGRES_FILE are both set"),
        ({"DIDFLOW_KAFKA_PASSWORD_FILE": "/nowhere"}, "/nowhere cannot be read: FileNotFoundError"),
    ],
)
def test_a_wrong_setting_is_named_by_its_variable(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], problem: str
):
    """The message contains the name of the variable that has to be corrected."""
    for name, value in variables.items():
        monkeypatch.setenv(name, value)

    with pytest.raises(SettingsError) as raised:
        load(Settings)

    assert problem in str(raised.value)
    assert raised.value.code == "settings_invalid"


def test_all_problems_are_reported_at_once(monkeypatch: pytest.MonkeyPatch):
    """The error lists every wrong variable."""
    monkeypatch.setenv("DIDFLOW_KAFKA", "kafka")
    monkeypatch.setenv("DIDFLOW_POOL_SIZE", "1")

    with pytest.raises(SettingsError) as raised:
        load(Settings)

    assert len(raised.value.problems) == 2


def test_an_issuer_over_plain_http_is_allowed_only_outside_production():
    """The embedded stack issues its own tokens over plain HTTP."""
    where = {"oidc_issuer": "http://127.0.0.1:1/issuer", "oidc_jwks_url": "http://127.0.0.1:1/jwks"}

    settings = load(Settings, production=False, **where)

    assert settings.oidc == Oidc(issuer=where["oidc_issuer"], jwks_url=where["oidc_jwks_url"], audience=None)


def test_an_issuer_is_required_only_when_it_is_used():
    """A worker needs no issuer. The error names the variables that the API needs."""
    with pytest.raises(SettingsError, match="DIDFLOW_OIDC_ISSUER and DIDFLOW_OIDC_JWKS_URL"):
        _ = load(Settings).oidc


def test_an_audience_is_required_in_production_only():
    """Without one, the API would accept tokens of the same issuer that are meant for other systems."""
    where = {"oidc_issuer": "https://issuer", "oidc_jwks_url": "https://issuer/keys"}
    with pytest.raises(SettingsError, match="DIDFLOW_OIDC_AUDIENCE is required by the API in production"):
        _ = load(Settings, **where).oidc
    assert load(Settings, production=False, **where).oidc.audience is None
    assert load(Settings, oidc_audience="didflow", **where).oidc.audience == "didflow"


def test_every_setting_has_a_description():
    """The table has one line for each setting, with its meaning."""
    lines = as_table(Settings).splitlines()[2:]

    assert len(lines) == len(Settings.model_fields)
    assert all(line.split("|")[3].strip() not in {"", "None"} for line in lines)

"""The file of configuration: what is wrong is found before anything starts, and secrets are not shown."""

import logging
from pathlib import Path
from typing import Any

import pytest
import yaml
from harness.rest_carrier import FILE, KEY, TOKEN, changed
from typer.testing import CliRunner

from didflow_adapters.http import Configuration, ConfigurationError, HttpCarrier, load
from didflow_adapters.http.commandline import adapter
from didflow_adapters.http.credentials import BasicAuth, BearerAuth, HeaderAuth, MissingSecret, SecretPlace
from didflow_adapters.http.templates import BadTemplate, body_template, text_template, url_template, values_of
from didflow_adapters.http.tokens import Tokens, UnknownToken
from didflow_adapters.kit import CommandReference


def written(tmp_path: Path, **changes: Any) -> Path:
    """Write the shipped configuration with changes. None removes a field."""
    content = yaml.safe_load(FILE.read_text()) | changes
    path = tmp_path / "carrier.yaml"
    path.write_text(yaml.safe_dump({name: value for name, value in content.items() if value is not None}))
    return path


def test_the_shipped_configuration_is_valid(secrets_in_environment: None) -> None:
    """The command line says so, and sends nothing."""
    checked = CliRunner().invoke(adapter, ["check", str(FILE)])
    assert (checked.exit_code, checked.output) == (0, "rest: 7 actions\n")


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"carrier": None}, "carrier"),
        ({"unknown": 1}, "unknown"),
        ({"base_url": "ftp://x"}, "base_url"),
        ({"base_url": "http://user:secret@x"}, "base_url"),
        ({"actions": {}}, "activate"),
        ({"replies": [{"outcome": "maybe"}]}, "replies.0.outcome"),
        ({"replies": [{"outcome": "final", "code_at": "error"}]}, "replies.0.code_at"),
        ({"replies": [{"outcome": "final", "status": 99}]}, "replies.0.status"),
        ({"headers": {"X": "{{ password }}"}}, "headers.X"),
        ({"headers": {"X": "{{ number"}}, "headers.X"),
        ({"auth": {"kind": "bearer", "token": "secret"}}, "auth.bearer.token"),
        ({"auth": {"kind": "bearer", "token": {"env": "A", "file": "b"}}}, "auth.bearer.token"),
    ],
)
def test_an_error_is_found_at_its_place(tmp_path: Path, changes: dict[str, Any], place: str) -> None:
    """The message names the field and does not show its value."""
    with pytest.raises(ConfigurationError) as raised:
        load(written(tmp_path, **changes))
    assert place in str(raised.value)
    assert "secret" not in str(raised.value).replace("secrets", "")


@pytest.mark.parametrize("content", ["a: [", "- 1", "", "\x00", "!!python/object/apply:os.system [ls]"])
def test_a_file_that_is_no_configuration_is_refused(tmp_path: Path, content: str) -> None:
    """Nothing in it is executed."""
    path = tmp_path / "carrier.yaml"
    path.write_text(content)
    with pytest.raises(ConfigurationError):
        load(path)


def test_a_missing_secret_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command line exits with 2."""
    for name in ("CARRIER_TOKEN", "CARRIER_WEBHOOK_SECRET", "CALLBACK_KEY"):
        monkeypatch.delenv(name, raising=False)
    checked = CliRunner().invoke(adapter, ["check", str(FILE)])
    assert checked.exit_code == 2
    assert "CARRIER_TOKEN" in checked.output


def test_secrets_come_from_files_and_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Blanks around them are ignored."""
    path = tmp_path / "token"
    path.write_text(" s3cret\n")
    monkeypatch.setenv("T", "s3cret")
    for place in (SecretPlace(file=path), SecretPlace(env="T")):
        assert BearerAuth(kind="bearer", token=place).headers() == {"Authorization": "Bearer s3cret"}
        assert BasicAuth(kind="basic", user="u", password=place).headers() == {
            "Authorization": "Basic dTpzM2NyZXQ="
        }
        assert HeaderAuth(kind="header", name="X-Key", value=place).headers() == {"X-Key": "s3cret"}
    with pytest.raises(MissingSecret):
        SecretPlace(file=tmp_path / "none").read()


async def test_no_secret_is_logged(
    world: Any, new_command: Any, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    """Also at the lowest level, with failures and webhooks."""
    caplog.set_level(logging.INFO)
    found = await world()
    await found.execute(new_command(carrier="rest"))
    await found.execute(new_command(carrier="rest", number="+35319609990"))
    assert repr(found.adapter._configuration).find(TOKEN) == -1
    printed = capsys.readouterr()
    assert TOKEN not in caplog.text + printed.out + printed.err
    assert KEY not in caplog.text + printed.out + printed.err


def values(new_command: Any, **fields: Any) -> dict[str, Any]:
    """Return what the templates of a command may use."""
    return values_of(new_command("set_capacity", **fields).data, "https://here/t", "t")


def test_a_value_stays_inside_its_segment_of_a_url(new_command: Any) -> None:
    """Slashes, question marks and dots of a value cannot change the path."""
    given = values(new_command) | {"account": "a/../b?c#d e"}
    rendered = url_template("/numbers/{{ number }}/x?account={{ account }}")(given)
    assert rendered == "/numbers/%2B35319609036/x?account=a%2F..%2Fb%3Fc%23d%20e"
    with pytest.raises(BadTemplate):
        url_template("/numbers/{{ account }}/x")(given | {"account": ".."})


def test_a_body_keeps_types_and_structure(new_command: Any) -> None:
    """One expression is its value. A text with quotes stays one text."""
    given = values(new_command) | {"account": '", "admin": true, "x": "{{ number }}'}
    body = {
        "n": "{{ number }}",
        "c": "{{ parameters.capacity }}",
        "d": "{{ digits }}",
        "t": "no. {{ digits }}",
        "a": "{{ account }}",
        "list": ["{{ attempt }}", 5, None],
    }
    assert body_template(body)(given) == {
        "n": "+35319609036",
        "c": 2,
        "d": "35319609036",
        "t": "no. 35319609036",
        "a": '", "admin": true, "x": "{{ number }}',
        "list": [1, 5, None],
    }


@pytest.mark.parametrize(
    "text",
    [
        "{{ number.__class__.__mro__ }}",
        "{{ ''.__class__.__mro__[1].__subclasses__() }}",
        "{{ parameters.update({'a': 1}) }}",
        "{{ parameters.missing }}",
        "{{ 1 / 0 }}",
    ],
)
def test_a_template_reaches_nothing_but_its_values(new_command: Any, text: str) -> None:
    """Jinja's sandbox refuses it, as text and as an expression."""
    for template in (text_template("x" + text), body_template(text)):
        with pytest.raises(BadTemplate):
            template(values(new_command))


async def test_a_template_that_cannot_be_filled_in_is_a_retryable_failure(
    secrets_in_environment: None, new_command: Any
) -> None:
    """The operator corrects the file, and the commands go on."""
    actions = yaml.safe_load(FILE.read_text())["actions"]
    actions["activate"] = {"method": "POST", "path": "/x", "body": {"a": "{{ parameters.nothing }}"}}
    carrier = HttpCarrier(changed(actions=actions))
    command = new_command(carrier="rest").data
    outcome: Any = await carrier.activate(command, command.parameters)
    assert (outcome.code, outcome.retryable) == ("bad_configuration", True)


async def test_an_action_that_the_carrier_does_not_have_can_be_fixed(
    secrets_in_environment: None, new_command: Any
) -> None:
    """It succeeds, or fails for good, without a request."""
    actions = yaml.safe_load(FILE.read_text())["actions"]
    actions |= {"set_sms": {"result": "not_supported"}, "set_capacity": {"result": "succeeded"}}
    carrier = HttpCarrier(changed(actions=actions, base_url="http://127.0.0.1:1"))
    outcomes: list[Any] = []
    for action in ("set_sms", "set_capacity"):
        command = new_command(action, carrier="rest").data
        outcomes.append(await getattr(carrier, action)(command, command.parameters))
    assert outcomes[0].code == "not_supported"
    assert not outcomes[0].retryable
    assert type(outcomes[1]).__name__ == "Succeeded"


def test_a_token_is_read_with_the_old_key_and_hides_its_content(new_command: Any) -> None:
    """A new key makes new tokens. Without the old one, old tokens are unknown."""
    reference = CommandReference.of(new_command())
    new = "bmV3" * 10 + "bmU="
    old_token = Tokens([KEY]).make(reference)
    assert Tokens([new, KEY]).read(old_token) == reference
    assert Tokens([KEY, new]).read(Tokens([new, KEY]).make(reference)) == reference
    for unknown in (Tokens([new]), Tokens([KEY])):
        with pytest.raises(UnknownToken):
            unknown.read(old_token[:-5] if unknown is not None else "")
    assert "acme" not in old_token
    assert len(old_token) < 1_000


@pytest.mark.parametrize("token", ["", "x", "é", "A" * 5_000])
def test_what_is_no_token_is_unknown(token: str) -> None:
    """No other exception leaves."""
    with pytest.raises(UnknownToken):
        Tokens([KEY]).read(token)


def test_a_configuration_can_be_built_without_webhooks(secrets_in_environment: None) -> None:
    """Then the callback URL is empty."""
    content = yaml.safe_load(FILE.read_text())
    del content["webhook"]
    assert HttpCarrier(Configuration.model_validate(content)).tokens is None

"""The commands that need no running stack."""

import json
import os
from pathlib import Path

import pytest
from typer.testing import CliRunner

from didflow.cli import app, main
from didflow_contracts.events import EVENTS

RUNNER = CliRunner()


def test_the_schemas_of_all_topics_are_printed() -> None:
    """Without an argument: one JSON object with a schema for each topic. With an argument: the schema of that topic."""
    printed = json.loads(RUNNER.invoke(app, ["schema"]).stdout)
    assert set(printed) == {event.topic for event in EVENTS}
    one = json.loads(RUNNER.invoke(app, ["schema", "did.purchased"]).stdout)
    assert one == printed["did.purchased"]


@pytest.mark.parametrize("party", ["inventory", "verification", "billing", "provisioning"])
def test_each_services_asyncapi_is_printed(party: str) -> None:
    """The document lists what the service reads and publishes, from its handlers."""
    printed = json.loads(RUNNER.invoke(app, ["schema", "--asyncapi", party]).stdout)
    assert printed["asyncapi"].startswith("3.")
    assert "DidPurchased" in printed["channels"]


@pytest.mark.parametrize(
    ("party", "channel"), [("order-systems", "DidPurchased"), ("carrier-adapters", "CarrierCommandIssued")]
)
def test_each_outside_party_has_its_own_asyncapi(party: str, channel: str) -> None:
    """The developer of an order system or an adapter needs no service's document."""
    assert channel in json.loads(RUNNER.invoke(app, ["schema", "--asyncapi", party]).stdout)["channels"]


def test_the_access_rules_of_services_and_registered_sources_are_printed(tmp_path: Path) -> None:
    """As commands for the tools of Kafka, or as JSON. A wrong file is an error in one line."""
    sources = tmp_path / "sources.json"
    blue = {"prefix": "/carriers/blue", "kind": "adapter", "carriers": ["blue"], "principal": "adapter blue"}
    sources.write_text(json.dumps([blue]))
    lines = RUNNER.invoke(app, ["access", "--sources", str(sources), "--prefix", "eu-"]).stdout.splitlines()
    assert (
        "kafka-acls.sh --add --allow-principal 'User:adapter blue' --operation Write "
        "--topic eu-provisioning.results --resource-pattern-type literal"
    ) in lines
    assert (
        "kafka-configs.sh --alter --entity-type users --entity-name 'adapter blue' "
        "--add-config producer_byte_rate=500000"
    ) in lines
    printed = json.loads(RUNNER.invoke(app, ["access", "--sources", str(sources), "--json"]).stdout)
    assert len(printed["rules"]) + len(printed["quotas"]) == len(lines)

    sources.write_text(json.dumps([blue | {"carriers": []}]))
    done = RUNNER.invoke(app, ["access", "--sources", str(sources)])
    assert (done.exit_code, done.stderr.partition(": ")[0]) == (1, "didflow")
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("arguments", [["schema", "did.sold"], ["schema", "--asyncapi", "somebody"]])
def test_an_unknown_name_is_an_error_with_a_stable_code(arguments: list[str]) -> None:
    """The message lists the names that exist."""
    done = RUNNER.invoke(app, arguments)
    assert done.exit_code == 1
    assert done.stderr.startswith("didflow: bad_input: ")
    assert "order-systems" in done.stderr or "did.purchased" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["token", "--role", "operator", "--account", "master"], "no_stack"),
        (["clock", "advance", "P1D"], "clock_not_movable"),
        (["clock", "show"], "no_stack"),
        (["now"], "no_stack"),
        (["dlq", "list"], "no_stack"),
        (["parked", "list"], "no_stack"),
        (["events"], "no_stack"),
    ],
)
def test_without_a_running_stack_a_command_fails_in_one_line(
    tmp_path, arguments: list[str], code: str
) -> None:
    """The line has a stable code. The exit code is 1 and standard output is empty."""
    environment = {"DIDFLOW_KAFKA": None, "DIDFLOW_POSTGRES": None}
    done = RUNNER.invoke(app, [*arguments, "--data", str(tmp_path)], env=environment)
    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr.startswith(f"didflow: {code}: ")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["events", "--topic", "did.purchsed"],
            "There is no topic 'did.purchsed'. Did you mean did.purchased?",
        ),
        (["events", "--topic", "x" * 100], "Use one of did.purchased, "),
        (["events", "--number", "1234"], "'1234' is not a number in E.164 form"),
        (["events", "--number", "+44 20 7946 0018"], "is not a number in E.164 form"),
        (["parked", "list", "--number", "none"], "'none' is not a number in E.164 form"),
        (["dlq", "show", "xyz"], "'xyz' is not an id or the beginning of one."),
    ],
)
def test_a_filter_that_cannot_match_is_an_error(arguments: list[str], message: str) -> None:
    """The message names what is wrong, and the nearest topic. No server is asked."""
    dsn = "postgresql://nobody@127.0.0.1:1/none"
    environment = {"DIDFLOW_KAFKA": "127.0.0.1:1", "DIDFLOW_POSTGRES": dsn}
    done = RUNNER.invoke(app, arguments, env=environment)
    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr.startswith("didflow: bad_input: ")
    assert message in done.stderr


def test_the_traceback_of_a_bug_cannot_control_the_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its message may have the text of a record. The exit code is that of a bug in a service."""

    def broken(**_: str) -> None:
        raise ValueError("\x1b[2J\u202e")

    monkeypatch.setattr("didflow.cli.app", broken)
    with pytest.raises(SystemExit) as ended:
        main()
    printed = capsys.readouterr().err
    assert ended.value.code == os.EX_SOFTWARE
    assert "ValueError: \\u001b[2J\\u202e" in printed
    assert all(line.isprintable() for line in printed.split("\n"))

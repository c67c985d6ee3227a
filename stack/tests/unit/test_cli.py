"""The commands that need nothing running."""

import json

import pytest
from typer.testing import CliRunner

from didflow.cli import app
from didflow_contracts.topics import TOPICS

RUNNER = CliRunner()


def test_the_schemas_of_all_topics_are_printed() -> None:
    """One JSON object by topic, or one topic's schema."""
    printed = json.loads(RUNNER.invoke(app, ["schema"]).stdout)
    assert set(printed) == set(TOPICS)
    one = json.loads(RUNNER.invoke(app, ["schema", "did.purchased"]).stdout)
    assert one == printed["did.purchased"]


@pytest.mark.parametrize("party", ["inventory", "verification", "billing", "provisioning"])
def test_each_services_asyncapi_is_printed(party: str) -> None:
    """What it hears and says, by the table that it runs by."""
    printed = json.loads(RUNNER.invoke(app, ["schema", "--asyncapi", party]).stdout)
    assert printed["asyncapi"].startswith("3.")
    assert "DidPurchased" in printed["channels"]


@pytest.mark.parametrize(
    ("party", "channel"), [("order-systems", "DidPurchased"), ("carrier-adapters", "CarrierCommandIssued")]
)
def test_outside_parties_have_theirs(party: str, channel: str) -> None:
    """Those who write an order system or an adapter need no service's document."""
    assert channel in json.loads(RUNNER.invoke(app, ["schema", "--asyncapi", party]).stdout)["channels"]


@pytest.mark.parametrize("arguments", [["schema", "did.sold"], ["schema", "--asyncapi", "somebody"]])
def test_what_is_not_there_is_said(arguments: list[str]) -> None:
    """A stable code and what there is instead."""
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
        (["dlq", "list"], "no_stack"),
        (["parked", "list"], "no_stack"),
        (["events"], "no_stack"),
    ],
)
def test_without_a_stack_commands_say_so(tmp_path, arguments: list[str], code: str) -> None:
    """One line with a stable code, exit code 1, nothing on standard output."""
    environment = {"DIDFLOW_KAFKA": None, "DIDFLOW_POSTGRES": None}
    done = RUNNER.invoke(app, [*arguments, "--data", str(tmp_path)], env=environment)
    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr.startswith(f"didflow: {code}: ")

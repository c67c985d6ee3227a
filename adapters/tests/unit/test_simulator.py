"""The simulated carrier."""

from typing import Any, get_args

import pytest
from typer.testing import CliRunner

from didflow_adapters.kit import Carrier, Failed, Later, Succeeded
from didflow_adapters.simulated_carrier import SCENARIOS, SUCCESS, SimulatedCarrier, scenario_of
from didflow_adapters.simulator import app
from didflow_contracts.vocabulary import CarrierAction

CARRIER: Carrier = SimulatedCarrier("simulator")


async def outcome_for(new_command: Any, digits: str, action: str = "activate", attempt: int = 1) -> Any:
    """Return the outcome of a command for a number with these last digits."""
    command = new_command(action, f"+3531960{digits}", attempt=attempt).data
    return await getattr(CARRIER, action)(command, command.parameters)


@pytest.mark.parametrize("action", get_args(CarrierAction))
async def test_every_command_succeeds_for_a_number_without_a_scenario(new_command: Any, action: str) -> None:
    """The same command always has the same reference, also after a restart."""
    command = new_command(action).data
    first, again = [
        await getattr(carrier, action)(command, command.parameters)
        for carrier in (CARRIER, SimulatedCarrier("simulator"))
    ]
    assert isinstance(first, Succeeded)
    assert first == again
    assert scenario_of(command.number) is SUCCESS


@pytest.mark.parametrize(
    ("digits", "action", "attempt", "code"),
    [
        ("9990", "activate", 9, "rejected"),
        ("9990", "release", 1, None),
        ("9991", "release", 9, "number_unknown"),
        ("9992", "activate", 1, "carrier_unavailable"),
        ("9992", "activate", 2, None),
        ("9993", "suspend", 1, "rate_limited"),
        ("9993", "suspend", 2, None),
        ("9997", "activate", 1, None),
        ("9997", "set_capacity", 9, "bad_request"),
        ("9998", "activate", 1, None),
        ("9998", "release", 9, "number_not_ours"),
        ("9999", "activate", 5, "carrier_unavailable"),
        ("9999", "activate", 6, None),
    ],
)
async def test_a_number_with_a_scenario_fails_as_described(
    new_command: Any, digits: str, action: str, attempt: int, code: str | None
) -> None:
    """The last digits, the action and the attempt determine the outcome."""
    outcome = await outcome_for(new_command, digits, action, attempt)
    assert (outcome.code if isinstance(outcome, Failed) else None) == code


async def test_some_numbers_are_not_answered(new_command: Any) -> None:
    """9994 is not answered at the first attempt, 9995 never."""
    assert await outcome_for(new_command, "9994") == Later()
    assert isinstance(await outcome_for(new_command, "9994", attempt=2), Succeeded)
    assert await outcome_for(new_command, "9995", attempt=99) == Later()


def test_the_command_line_lists_the_scenarios() -> None:
    """`--scenarios` needs no broker."""
    listed = CliRunner().invoke(app, ["--scenarios"])
    assert listed.exit_code == 0
    assert all(f"...{digits}" in listed.output for digits in SCENARIOS)


def test_a_simulator_without_a_broker_names_the_missing_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    """It exits with code 78 and starts nothing."""
    monkeypatch.delenv("DIDFLOW_KAFKA", raising=False)
    ended = CliRunner().invoke(app, [])
    assert ended.exit_code == 78
    assert "DIDFLOW_KAFKA" in ended.output

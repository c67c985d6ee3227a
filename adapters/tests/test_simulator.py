"""The simulated carrier, as its script says."""

from typing import Any, get_args

import pytest
from typer.testing import CliRunner

from didflow_adapters.kit import Carrier, Failed, Later, Succeeded
from didflow_adapters.script import PARTS, PLAIN, part_of
from didflow_adapters.simulated import SimulatedCarrier
from didflow_adapters.simulator import app
from didflow_contracts.vocabulary import CarrierAction

CARRIER: Carrier = SimulatedCarrier("simulator")


async def outcome(make_order: Any, ending: str, action: str = "activate", attempt: int = 1) -> Any:
    """What comes of an order for a number with this ending."""
    command = make_order(action, f"+3531960{ending}", attempt=attempt).data
    return await getattr(CARRIER, action)(command, command.parameters)


@pytest.mark.parametrize("action", get_args(CarrierAction))
async def test_a_plain_number_is_served_at_once_and_the_same_each_time(make_order: Any, action: str) -> None:
    """Every action succeeds; the same order has the same reference, also after a restart."""
    command = make_order(action).data
    first, again = [
        await getattr(carrier, action)(command, command.parameters)
        for carrier in (CARRIER, SimulatedCarrier("simulator"))
    ]
    assert isinstance(first, Succeeded)
    assert first == again
    assert part_of(command.number) is PLAIN


SCRIPTED = [
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
]


@pytest.mark.parametrize(("ending", "action", "attempt", "code"), SCRIPTED)
async def test_a_scripted_number_fails_as_its_ending_says(
    make_order: Any, ending: str, action: str, attempt: int, code: str | None
) -> None:
    """By ending, action and attempt."""
    came = await outcome(make_order, ending, action, attempt)
    assert (came.code if isinstance(came, Failed) else None) == code


async def test_silent_numbers_are_not_answered(make_order: Any) -> None:
    """Once, or never."""
    assert await outcome(make_order, "9994") == Later()
    assert isinstance(await outcome(make_order, "9994", attempt=2), Succeeded)
    assert await outcome(make_order, "9995", attempt=99) == Later()


def test_the_script_can_be_read_from_the_command_line() -> None:
    """`--parts` lists every ending and needs no broker."""
    listed = CliRunner().invoke(app, ["--parts"])
    assert listed.exit_code == 0
    assert all(f"...{ending}" in listed.output for ending in PARTS)


def test_a_simulator_without_a_broker_says_what_it_misses(monkeypatch: pytest.MonkeyPatch) -> None:
    """The setting is named, and nothing is started."""
    monkeypatch.delenv("DIDFLOW_KAFKA", raising=False)
    ended = CliRunner().invoke(app, [])
    assert ended.exit_code == 2
    assert "DIDFLOW_KAFKA" in ended.output

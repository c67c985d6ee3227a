"""One order at a carrier, whatever its code does."""

import asyncio
from typing import Any, get_args

import pytest

from didflow_adapters.kit import Failed, Succeeded
from didflow_adapters.kit.doing import do
from didflow_contracts.events.carrier import PARAMETERS
from didflow_contracts.vocabulary import CarrierAction


class Noting:
    """A carrier that notes what it was asked."""

    name = "simulator"

    def __init__(self) -> None:
        self.asked: list[tuple[str, Any]] = []

    def __getattr__(self, action: str) -> Any:
        async def method(command: Any, asked: Any) -> Succeeded:
            self.asked.append((action, asked))
            return Succeeded(carrier_reference=command.number)

        return method


@pytest.mark.parametrize("action", get_args(CarrierAction))
async def test_each_action_is_a_method_with_its_own_parameters(make_order: Any, action: Any) -> None:
    """The action's method is called with parameters of the action's shape."""
    carrier: Any = Noting()
    outcome = await do(carrier, make_order(action).data, 1)
    assert outcome == Succeeded(carrier_reference="+35319609036")
    ((called, asked),) = carrier.asked
    assert called == action
    assert type(asked) is PARAMETERS[action]


async def test_a_carrier_that_raises_is_tried_again(make_order: Any) -> None:
    """An error in the carrier's code is a retryable failure that names its type and nothing else."""

    class Broken(Noting):
        async def activate(self, command: Any, asked: Any) -> Succeeded:
            raise RuntimeError("https://user:secret@carrier.example")

    carrier: Any = Broken()
    outcome = await do(carrier, make_order().data, 1)
    assert outcome == Failed(code="adapter_error", message="RuntimeError", retryable=True)


async def test_a_carrier_that_hangs_is_cut_off(make_order: Any) -> None:
    """A call that takes too long is a retryable failure `carrier_timeout`."""

    class Hanging(Noting):
        async def activate(self, command: Any, asked: Any) -> Succeeded:
            await asyncio.Event().wait()
            return Succeeded()

    carrier: Any = Hanging()
    outcome = await do(carrier, make_order().data, 0.01)
    assert isinstance(outcome, Failed)
    assert (outcome.code, outcome.retryable) == ("carrier_timeout", True)

"""Executing a carrier command and building its result."""

import asyncio
from datetime import UTC, datetime
from typing import Any, get_args
from uuid import uuid4

import pytest

from didflow_adapters.kit import Failed, Later, Outcome, Succeeded
from didflow_adapters.kit.execution import CommandExecutor, result_event
from didflow_adapters.kit.outcomes import FinalOutcomes
from didflow_contracts.envelope import decode, encode
from didflow_contracts.events import ResultReported
from didflow_contracts.events.carrier import PARAMETERS
from didflow_contracts.vocabulary import CarrierAction

NOW = datetime(2026, 3, 1, 9, 1, tzinfo=UTC)


class RecordingCarrier:
    """A carrier that records its calls and succeeds."""

    name = "simulator"

    def __init__(self) -> None:
        self.calls: list[tuple[str, Any]] = []

    def __getattr__(self, action: str) -> Any:
        async def method(command: Any, parameters: Any) -> Succeeded:
            self.calls.append((action, parameters))
            return Succeeded(carrier_reference=command.number)

        return method


@pytest.mark.parametrize("action", get_args(CarrierAction))
async def test_the_method_of_the_action_gets_its_own_parameters(new_command: Any, action: Any) -> None:
    """Each action has its own type of parameters."""
    carrier: Any = RecordingCarrier()
    outcome = await CommandExecutor(carrier, 1).execute(new_command(action).data)
    assert outcome == Succeeded(carrier_reference="+35319609036")
    ((called, parameters),) = carrier.calls
    assert called == action
    assert type(parameters) is PARAMETERS[action]


async def test_an_exception_of_the_carrier_is_a_retryable_failure(new_command: Any) -> None:
    """The message is the type of the exception only, because its text may contain secrets."""

    class BrokenCarrier(RecordingCarrier):
        async def activate(self, command: Any, parameters: Any) -> Succeeded:
            raise RuntimeError("https://user:secret@carrier.example")

    carrier: Any = BrokenCarrier()
    outcome = await CommandExecutor(carrier, 1).execute(new_command().data)
    assert outcome == Failed(code="adapter_error", message="RuntimeError", retryable=True)


@pytest.mark.parametrize("returned", [None, True, {"outcome": "succeeded"}])
async def test_a_method_that_returns_no_outcome_has_not_succeeded(new_command: Any, returned: Any) -> None:
    """A forgotten `return` is a mistake of the adapter. Nobody knows what the carrier did."""

    class ForgetfulCarrier(RecordingCarrier):
        async def activate(self, command: Any, parameters: Any) -> Any:
            return returned

    carrier: Any = ForgetfulCarrier()
    outcome = await CommandExecutor(carrier, 1).execute(new_command().data)
    assert isinstance(outcome, Failed)
    assert (outcome.code, outcome.retryable) == ("adapter_error", True)


async def test_a_call_that_takes_too_long_is_a_retryable_failure(new_command: Any) -> None:
    """The code is `carrier_timeout`."""

    class HangingCarrier(RecordingCarrier):
        async def activate(self, command: Any, parameters: Any) -> Succeeded:
            await asyncio.Event().wait()
            return Succeeded()

    carrier: Any = HangingCarrier()
    outcome = await CommandExecutor(carrier, 0.01).execute(new_command().data)
    assert isinstance(outcome, Failed)
    assert (outcome.code, outcome.retryable) == ("carrier_timeout", True)


async def test_a_command_with_a_final_outcome_is_not_executed_again(new_command: Any) -> None:
    """The carrier is called once. Both attempts have the same outcome."""
    carrier: Any = RecordingCarrier()
    executor, command = CommandExecutor(carrier, 1), new_command()
    again = new_command(command_id=command.data.command_id, attempt=2)
    assert await executor.execute(command.data) == await executor.execute(again.data)
    assert len(carrier.calls) == 1


@pytest.mark.parametrize(
    ("outcome", "is_final"),
    [
        (Succeeded(carrier_reference="REF"), True),
        (Failed(code="rejected"), True),
        (Failed(code="busy", retryable=True), False),
        (Later(), False),
    ],
)
def test_only_final_outcomes_are_remembered(outcome: Outcome, is_final: bool) -> None:
    """After a retryable failure the carrier is called again."""
    outcomes, command_id = FinalOutcomes(10), uuid4()
    outcomes.add(command_id, outcome)
    assert outcomes.get(command_id) == (outcome if is_final else None)


def test_the_oldest_outcome_is_forgotten_first() -> None:
    """The number of remembered outcomes is limited."""
    outcomes, ids = FinalOutcomes(2), [uuid4() for _ in range(3)]
    for command_id in ids:
        outcomes.add(command_id, Succeeded())
    assert [outcomes.get(command_id) is not None for command_id in ids] == [False, True, True]


def test_the_result_of_a_success_names_the_command_as_its_cause(new_command: Any) -> None:
    """DID, number, account, command and attempt are those of the command. The correlation id is kept."""
    command = new_command(attempt=3)
    result = result_event(command, Succeeded(carrier_reference="REF"), NOW)
    assert result is not None
    assert result.causationid == command.id
    assert result.correlationid == "purchase-1"
    assert result.source == "/carriers/simulator"
    for name in ("did_id", "number", "account", "command_id", "attempt"):
        assert getattr(result.data, name) == getattr(command.data, name)
    data = result.data
    assert (data.outcome, data.carrier_reference, data.completed_at) == ("succeeded", "REF", NOW)


def test_the_result_of_a_failure_says_whether_to_try_again(new_command: Any) -> None:
    """It has the code, the message and how long to wait."""
    failed = Failed(code="rate_limited", message="slow down", retryable=True, retry_after_s=7)
    result = result_event(new_command(), failed, NOW)
    assert result is not None
    data = result.data
    assert (data.outcome, data.code, data.message) == ("failed", "rate_limited", "slow down")
    assert (data.retryable, data.retry_after_s) == (True, 7)


def test_later_has_no_result(new_command: Any) -> None:
    """Nothing is published for it."""
    assert result_event(new_command(), Later(), NOW) is None


def test_every_result_has_an_event_id_of_its_own(new_command: Any) -> None:
    """Two results of the same command are two events with the same content."""
    command = new_command()
    first, second = (result_event(command, Succeeded(), NOW) for _ in range(2))
    assert first is not None
    assert second is not None
    assert first.id != second.id
    assert first.data == second.data


UNTYPED: Any = Failed
"""What a carrier's code returns is not checked by its types."""


@pytest.mark.parametrize(
    "outcome",
    [
        Failed(code="", message="m" * 50_000),
        Failed(code="x" * 5_000),
        Failed(code="busy\ud800", message="a lone surrogate: \ud800"),
        Failed(code="busy\x00", message="\x00"),
        UNTYPED(code=404, message=ValueError("no text"), retryable=1),
        Failed(code="rate_limited", retry_after_s=-1, retryable=True),
        Failed(code="rate_limited", retry_after_s=10**12, retryable=True),
        UNTYPED(code="rate_limited", retry_after_s=1.5, retryable=True),
        UNTYPED(code="rate_limited", retry_after_s=float("nan"), retryable=True),
        UNTYPED(code="rate_limited", retry_after_s="soon", retryable=True),
        Succeeded(carrier_reference="r" * 5_000),
        Succeeded(carrier_reference="\ud800"),
    ],
)
async def test_a_result_is_valid_whatever_the_carrier_returns(new_command: Any, outcome: Outcome) -> None:
    """Texts are cut and cleaned, times are brought within their bounds. Otherwise the command would have no result."""

    class AnyCarrier(RecordingCarrier):
        async def activate(self, command: Any, parameters: Any) -> Outcome:
            return outcome

    carrier: Any = AnyCarrier()
    command = new_command()
    result = result_event(command, await CommandExecutor(carrier, 1).execute(command.data), NOW)
    assert result is not None
    decoded = decode(encode(result), (), types={ResultReported.type(): ResultReported})
    assert decoded.data == result.data
    assert result.data.outcome == ("failed" if isinstance(outcome, Failed) else "succeeded")

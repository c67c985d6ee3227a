"""A simulated carrier. Its outcomes follow from the last four digits of the number. Nothing is random.

It stores nothing. If it is asked again, it returns the same outcome.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, get_args

from didflow_adapters.kit.carrier import Failed, Later, Outcome, Succeeded
from didflow_contracts.event_data import Part
from didflow_contracts.events import CarrierCommandIssued
from didflow_contracts.vocabulary import CarrierAction

ALL_ACTIONS: Final[frozenset[CarrierAction]] = frozenset(get_args(CarrierAction))
SETTING_ACTIONS: Final[frozenset[CarrierAction]] = frozenset(("set_voice", "set_capacity", "set_sms"))


@dataclass(frozen=True, kw_only=True, slots=True)
class Scenario:
    """How the carrier answers the commands for a number.

    `outcome` is that of these `actions`, up to attempt `attempts`. All other commands succeed. If `attempts` is None,
    every attempt has this outcome. If `outcome` is None, every command succeeds. An answer takes `latency_s`.
    """

    summary: str
    outcome: Outcome | None = None
    actions: frozenset[CarrierAction] = ALL_ACTIONS
    attempts: int | None = 1
    latency_s: float = 0.0

    def outcome_of(self, action: CarrierAction, attempt: int) -> Outcome | None:
        """Return the outcome of an attempt. None means success."""
        if action not in self.actions or (self.attempts is not None and attempt > self.attempts):
            return None
        return self.outcome


def _failed(code: str, message: str, *, retryable: bool = True, retry_after_s: int | None = None) -> Failed:
    return Failed(code=code, message=message, retryable=retryable, retry_after_s=retry_after_s)


SCENARIOS: Final[Mapping[str, Scenario]] = {
    "9990": Scenario(
        summary="activation fails for good",
        outcome=_failed("rejected", "The carrier does not accept this number.", retryable=False),
        actions=frozenset(("activate",)),
        attempts=None,
    ),
    "9991": Scenario(
        summary="every command fails for good: the carrier does not know the number",
        outcome=_failed("number_unknown", "The carrier does not know this number.", retryable=False),
        attempts=None,
    ),
    "9992": Scenario(
        summary="the first attempt fails as unavailable, the second succeeds",
        outcome=_failed("carrier_unavailable", "Try again."),
    ),
    "9993": Scenario(
        summary="the first attempt fails as rate limited, the second succeeds",
        outcome=_failed("rate_limited", "Too many requests.", retry_after_s=1),
    ),
    "9994": Scenario(summary="the first attempt is not answered, the second succeeds", outcome=Later()),
    "9995": Scenario(summary="no attempt is answered", outcome=Later(), attempts=None),
    "9996": Scenario(summary="every command succeeds after three seconds", latency_s=3.0),
    "9997": Scenario(
        summary="settings fail for good",
        outcome=_failed("bad_request", "The carrier does not accept this setting.", retryable=False),
        actions=SETTING_ACTIONS,
        attempts=None,
    ),
    "9998": Scenario(
        summary="release fails for good",
        outcome=_failed("number_not_ours", "The carrier does not release this number.", retryable=False),
        actions=frozenset(("release",)),
        attempts=None,
    ),
    "9999": Scenario(
        summary="the first five attempts fail as unavailable, the sixth succeeds",
        outcome=_failed("carrier_unavailable", "Try again."),
        attempts=5,
    ),
}
"""Last four digits of the number -> its scenario."""

SUCCESS: Final = Scenario(summary="every command succeeds at once")


def scenario_of(number: str) -> Scenario:
    """Return the scenario of a number."""
    return SCENARIOS.get(number[-4:], SUCCESS)


class SimulatedCarrier:
    """A carrier with this name. Every answer takes `latency_s`, or longer if the scenario says so.

    `executed` is called with each command that the carrier carries out, before its answer.
    """

    def __init__(
        self,
        name: str,
        latency_s: float = 0.0,
        executed: Callable[[CarrierCommandIssued], None] | None = None,
    ) -> None:
        self.name = name
        self._latency_s = latency_s
        self._executed = executed

    async def _answer(self, command: CarrierCommandIssued, parameters: Part) -> Outcome:  # noqa: ARG002
        scenario = scenario_of(command.number)
        await asyncio.sleep(max(self._latency_s, scenario.latency_s))
        outcome = scenario.outcome_of(command.action, command.attempt)
        if outcome is not None:
            return outcome
        if self._executed is not None:
            self._executed(command)
        return Succeeded(carrier_reference=f"SIM-{command.command_id.hex[-12:].upper()}")

    activate = suspend = resume = release = set_voice = set_capacity = set_sms = _answer

"""How the simulated carrier misbehaves: by the last four digits of the number, as data.

Every other number is served at once. Nothing is random, so a test or a demo knows what it gets.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, get_args

from didflow_adapters.kit.carrier import Failed, Later, Outcome
from didflow_contracts.vocabulary import CarrierAction

ALL: Final[frozenset[CarrierAction]] = frozenset(get_args(CarrierAction))
SETTINGS: Final[frozenset[CarrierAction]] = frozenset(("set_voice", "set_capacity", "set_sms"))


@dataclass(frozen=True, kw_only=True, slots=True)
class Part:
    """A number's part: what comes of its orders up to an attempt, and how long an answer takes.

    `attempts` None: of every attempt. `outcome` None: success, after the latency.
    """

    summary: str
    outcome: Outcome | None = None
    actions: frozenset[CarrierAction] = ALL
    attempts: int | None = 1
    latency_s: float = 0.0

    def of(self, action: CarrierAction, attempt: int) -> Outcome | None:
        """Return the scripted outcome of an attempt; None for success."""
        if action not in self.actions or (self.attempts is not None and attempt > self.attempts):
            return None
        return self.outcome


def _failed(code: str, message: str, *, retryable: bool = True, retry_after_s: int | None = None) -> Failed:
    return Failed(code=code, message=message, retryable=retryable, retry_after_s=retry_after_s)


PARTS: Final[Mapping[str, Part]] = {
    "9990": Part(
        summary="activation is refused for good",
        outcome=_failed("rejected", "the carrier does not take this number", retryable=False),
        actions=frozenset(("activate",)),
        attempts=None,
    ),
    "9991": Part(
        summary="the carrier does not know the number",
        outcome=_failed("number_unknown", "no such number at this carrier", retryable=False),
        attempts=None,
    ),
    "9992": Part(
        summary="unavailable at the first attempt of each order, then done",
        outcome=_failed("carrier_unavailable", "try again"),
    ),
    "9993": Part(
        summary="rate limited at the first attempt of each order, then done",
        outcome=_failed("rate_limited", "too many requests", retry_after_s=1),
    ),
    "9994": Part(summary="no answer to the first attempt of each order, then done", outcome=Later()),
    "9995": Part(summary="never an answer", outcome=Later(), attempts=None),
    "9996": Part(summary="done, after three seconds", latency_s=3.0),
    "9997": Part(
        summary="settings are refused for good",
        outcome=_failed("bad_request", "the carrier does not take this setting", retryable=False),
        actions=SETTINGS,
        attempts=None,
    ),
    "9998": Part(
        summary="release is refused for good",
        outcome=_failed("number_not_ours", "the carrier does not let it go", retryable=False),
        actions=frozenset(("release",)),
        attempts=None,
    ),
    "9999": Part(
        summary="unavailable at the first five attempts of each order, then done",
        outcome=_failed("carrier_unavailable", "try again"),
        attempts=5,
    ),
}
"""Ending of the number -> its part."""

PLAIN: Final = Part(summary="done at once")


def part_of(number: str) -> Part:
    """Return the part of a number."""
    return PARTS.get(number[-4:], PLAIN)

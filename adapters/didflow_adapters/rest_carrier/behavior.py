"""How the carrier behaves: latency, limits, and failures that are scripted or random with a seed."""

import random
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from didflow_adapters.kit import Failed, Later
from didflow_adapters.simulated_carrier import scenario_of
from didflow_contracts.vocabulary import CarrierAction

Fate: TypeAlias = Literal["normal", "fails", "is_silent"]
"""What happens to one request. A silent one has its effect, but its reply never comes."""

STATUS_OF: Final = {
    "rejected": 422,
    "number_unknown": 404,
    "number_not_ours": 409,
    "bad_request": 400,
    "carrier_unavailable": 503,
    "rate_limited": 429,
}
"""Code of a scripted failure -> the status of its reply."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Behavior:
    """How the carrier behaves. Shares are between 0 and 1.

    Every reply takes `latency_s`. `rate_per_s` requests are served in any second, more are refused with 429. The
    share `failing` of the requests is refused with 503 without an effect. The share `silent` has its effect, and its
    reply never comes. The share `twice` of the effects is reported twice. `asynchronous` actions are answered with
    202, have their effect after `delay_s`, and are reported by webhook; the share `lost` of the webhooks is not sent.

    With `any_number`, numbers that were not activated can be changed and released, as in the simulator.

    Nothing depends on the order of the requests: what happens to a request follows from `seed`, its idempotency key
    and how often it was sent.
    """

    latency_s: float = 0.0
    rate_per_s: int | None = None
    failing: float = 0.0
    silent: float = 0.0
    twice: float = 0.0
    lost: float = 0.0
    asynchronous: frozenset[CarrierAction] = frozenset()
    delay_s: float = 0.2
    seed: int = 0
    any_number: bool = False

    def fate(self, key: str, attempt: int) -> Fate:
        """Return what happens to an attempt of a request."""
        drawn = self._draw("fate", key, attempt)
        if drawn < self.failing:
            return "fails"
        return "is_silent" if drawn < self.failing + self.silent else "normal"

    def reports_twice(self, key: str) -> bool:
        """Return True if the effect of a request is reported twice."""
        return self._draw("twice", key) < self.twice

    def loses_webhook(self, key: str) -> bool:
        """Return True if the webhook of a request is not sent."""
        return self._draw("lost", key) < self.lost

    def _draw(self, *parts: object) -> float:
        return random.Random(repr((self.seed, *parts))).random()  # noqa: S311 - a simulation


def scripted(number: str, action: CarrierAction, attempt: int) -> Failed | Later | None:
    """Return how an attempt ends by the last four digits of the number, as in the simulator. None means normally."""
    outcome = scenario_of(number).outcome_of(action, attempt)
    return outcome if isinstance(outcome, Failed | Later) else None

"""How long an answer may take, how long is waited between attempts, and when an order is given up.

Pure: the jitter comes from the order's own id, so an attempt decided twice waits the same.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Final
from uuid import UUID

from msgspec import Struct

from didflow_contracts.vocabulary import CarrierAction


class Timing(Struct, frozen=True, kw_only=True):
    """The patience with one carrier. Source: spec lifecycle, Carrier."""

    answer_within: timedelta = timedelta(minutes=2)
    give_up_after: timedelta = timedelta(hours=24)
    give_up_activation_after: timedelta = timedelta(days=7)
    first_pause: timedelta = timedelta(seconds=2)
    longest_pause: timedelta = timedelta(hours=1)


USUAL: Final = Timing()
TIMINGS: Final[Mapping[str, Timing]] = {}
"""Carriers that need another patience than the usual one, by name."""

_LONGEST_ASKED_S: Final = 7 * 24 * 3600


def timing_of(carrier: str) -> Timing:
    """Return the patience with a carrier."""
    return TIMINGS.get(carrier, USUAL)


def give_up_at(carrier: str, action: CarrierAction, sent_at: datetime) -> datetime:
    """Return when an order sent now is given up for good."""
    timing = timing_of(carrier)
    return sent_at + (timing.give_up_activation_after if action == "activate" else timing.give_up_after)


def deadline(carrier: str, attempt_at: datetime, limit: datetime) -> datetime:
    """Return when the answer to an attempt is due, never later than the order's own end."""
    return min(attempt_at + timing_of(carrier).answer_within, limit)


def pause(carrier: str, command_id: UUID, attempt: int, retry_after_s: int | None = None) -> timedelta:
    """Return how long to wait after a failed attempt: doubling, between a half and the whole of it.

    A carrier that says how long to wait is given at least that, and up to a tenth more.
    """
    timing = timing_of(carrier)
    chance = _chance(command_id, attempt)
    longest = timing.first_pause * (1 << min(attempt - 1, 32))
    own = min(longest, timing.longest_pause) * (0.5 + chance / 2)
    asked = timedelta(seconds=min(retry_after_s or 0, _LONGEST_ASKED_S)) * (1 + chance / 10)
    return max(own, asked)


def _chance(command_id: UUID, attempt: int) -> float:
    drawn = blake2b(command_id.bytes + attempt.to_bytes(8), digest_size=4).digest()
    return int.from_bytes(drawn) / 2**32

"""How long a carrier may take to answer, how long the pauses between attempts are, and when a command is given up.

Pure functions. The jitter is derived from the command id, so the same attempt always has the same pause.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Final
from uuid import UUID

from msgspec import Struct

from didflow_contracts.vocabulary import CarrierAction


class Timing(Struct, frozen=True, kw_only=True):
    """The timing of the commands to one carrier. Source: spec lifecycle, Carrier."""

    answer_within: timedelta = timedelta(minutes=2)
    give_up_after: timedelta = timedelta(hours=24)
    give_up_activation_after: timedelta = timedelta(days=7)
    first_pause: timedelta = timedelta(seconds=2)
    longest_pause: timedelta = timedelta(hours=1)


DEFAULT_TIMING: Final = Timing()
TIMINGS: Final[Mapping[str, Timing]] = {}
"""Carrier name -> its timing, for carriers that do not use the default."""

_LONGEST_RETRY_AFTER_S: Final = 7 * 24 * 3600


def timing_of(carrier: str) -> Timing:
    """Return the timing of the commands to a carrier."""
    return TIMINGS.get(carrier, DEFAULT_TIMING)


def give_up_at(carrier: str, action: CarrierAction, sent_at: datetime) -> datetime:
    """Return when a command that is sent now is given up for good."""
    timing = timing_of(carrier)
    return sent_at + (timing.give_up_activation_after if action == "activate" else timing.give_up_after)


def deadline(carrier: str, attempt_at: datetime, limit: datetime) -> datetime:
    """Return when the result of an attempt is due. It is never later than the limit, the command's own end."""
    return min(attempt_at + timing_of(carrier).answer_within, limit)


def pause(carrier: str, command_id: UUID, attempt: int, retry_after_s: int | None = None) -> timedelta:
    """Return the pause after a failed attempt.

    The pause doubles with each attempt, up to the longest pause, and is then reduced by up to a half at random.
    If the carrier asks for `retry_after_s`, the pause is at least that long, plus up to a tenth.
    """
    timing = timing_of(carrier)
    fraction = _random_fraction(command_id, attempt)
    doubled = timing.first_pause * (1 << min(attempt - 1, 32))
    own = min(doubled, timing.longest_pause) * (0.5 + fraction / 2)
    requested = timedelta(seconds=min(retry_after_s or 0, _LONGEST_RETRY_AFTER_S)) * (1 + fraction / 10)
    return max(own, requested)


def _random_fraction(command_id: UUID, attempt: int) -> float:
    """Return a number from 0 to 1 that depends on the command and the attempt only."""
    digest = blake2b(command_id.bytes + attempt.to_bytes(8), digest_size=4).digest()
    return int.from_bytes(digest) / 2**32

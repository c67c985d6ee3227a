"""How long a carrier may take to answer, how long the pauses between attempts are, and when a command is given up.

Pure functions. The jitter is derived from the command id, so the same attempt always has the same pause.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Final, get_args
from uuid import UUID

from msgspec import Struct, field

from didflow_contracts.instants import later
from didflow_contracts.vocabulary import CarrierAction

_DAY: Final = timedelta(hours=24)
_GIVE_UP_AFTER: Final[Mapping[CarrierAction, timedelta]] = {
    action: timedelta(days=7) if action == "activate" else _DAY for action in get_args(CarrierAction)
}


class Timing(Struct, frozen=True, kw_only=True):
    """The timing of the commands to one carrier.

    Source: spec lifecycle, Carrier; spec provisioning, Commands to carriers.

    `rate_per_s`: the most attempts in a second. `concurrency`: the most commands that are out. None: no limit.
    """

    answer_within: timedelta = timedelta(minutes=2)
    first_pause: timedelta = timedelta(seconds=2)
    longest_pause: timedelta = timedelta(hours=1)
    give_up_after: Mapping[CarrierAction, timedelta] = field(default_factory=lambda: _GIVE_UP_AFTER)
    rate_per_s: float | None = None
    concurrency: int | None = None

    @property
    def has_turns(self) -> bool:
        """Return True if a command for the carrier waits for its turn."""
        return self.rate_per_s is not None or self.concurrency is not None


DEFAULT_TIMING: Final = Timing()


class Timings(Struct, frozen=True, kw_only=True):
    """The timing of every carrier. A carrier that is not listed has the default timing."""

    carriers: Mapping[str, Timing] = field(default_factory=dict)

    def of(self, carrier: str) -> Timing:
        """Return the timing of the commands to a carrier."""
        return self.carriers.get(carrier, DEFAULT_TIMING)

    def with_turns(self, carriers: Iterable[str | None]) -> list[str]:
        """Return those of the carriers whose commands wait for their turn, each once."""
        distinct = dict.fromkeys(carrier for carrier in carriers if carrier is not None)
        return [carrier for carrier in distinct if self.of(carrier).has_turns]


_LONGEST_RETRY_AFTER_S: Final = 7 * 24 * 3600


def give_up_at(timing: Timing, action: CarrierAction, sent_at: datetime) -> datetime:
    """Return when a command that is sent now is given up for good."""
    return later(sent_at, timing.give_up_after[action])


def deadline(timing: Timing, attempt_at: datetime, limit: datetime) -> datetime:
    """Return when the result of an attempt is due. It is never later than the limit, the command's own end."""
    return min(later(attempt_at, timing.answer_within), limit)


def pause(timing: Timing, command_id: UUID, attempt: int, retry_after_s: int | None = None) -> timedelta:
    """Return the pause after a failed attempt.

    The pause doubles with each attempt, up to the longest pause, and is then reduced by up to a half at random.
    If the carrier asks for `retry_after_s`, the pause is at least that long, plus up to a tenth.
    """
    fraction = _random_fraction(command_id, attempt)
    doubled = timing.first_pause * (1 << min(attempt - 1, 32))
    own = min(doubled, timing.longest_pause) * (0.5 + fraction / 2)
    requested = timedelta(seconds=min(retry_after_s or 0, _LONGEST_RETRY_AFTER_S)) * (1 + fraction / 10)
    return max(own, requested)


def _random_fraction(command_id: UUID, attempt: int) -> float:
    """Return a number from 0 to 1 that depends on the command and the attempt only."""
    digest = blake2b(command_id.bytes + attempt.to_bytes(8), digest_size=4).digest()
    return int.from_bytes(digest) / 2**32

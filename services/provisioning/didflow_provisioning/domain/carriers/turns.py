"""The turns of a carrier with a rate (attempts in a second) or a concurrency (commands that are out at a time).

An attempt at a command for such a carrier leaves at its turn. Turns are given in order, one after another at the
carrier's rate, also after an outage. A carrier without a rate and a concurrency has no turns.
"""

import math
from datetime import datetime, timedelta
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from didflow_contracts.instants import later
from didflow_provisioning.domain.timing import Timing

LATE: Final = timedelta(seconds=2)
"""A turn that was missed by more than this, because no worker was running, is lost. The attempt gets a new one."""
_PROBE: Final = timedelta(seconds=0.5)
"""Within this time a carrier with a concurrency gets as many turns as it takes commands at a time."""


class Sent(Struct, frozen=True):
    """How many attempts were sent at an instant."""

    at: datetime
    attempts: int


class CarrierTurns(Struct, frozen=True, kw_only=True):
    """The turns of one carrier. `next_at`: the first instant that is no turn yet. `sent`: what was sent just before."""

    carrier: str
    next_at: datetime | None = None
    sent: tuple[Sent, ...] = ()


class CarrierLoad(Struct, frozen=True, kw_only=True):
    """The number of commands that are out at a carrier. There is no such state for zero."""

    carrier: str
    out: int


def take(
    turns: CarrierTurns, timing: Timing, now: datetime, *, turn_at: datetime | None, out: int
) -> tuple[CarrierTurns, datetime]:
    """Take the next turn for one attempt. Return the turns after it, and the instant of the turn.

    If that instant is `now`, the attempt leaves. `turn_at` is the turn that the attempt has already, `out` the number
    of commands that were out at the carrier when the batch began. No more attempts leave in any period of `_window`
    than the rate allows.
    """
    if turn_at is not None and turn_at > now:
        return turns, turn_at
    window = _window(timing)
    sent = tuple(each for each in turns.sent if later(each.at, window) > now)
    turns = replace(turns, sent=sent)
    has_turn = turn_at is not None and now - turn_at <= max(LATE, 2 * window)
    is_line_empty = turns.next_at is None or turns.next_at <= now
    room_at = _room_at(turns, timing, now, window, out)
    if room_at == now and (has_turn or is_line_empty):
        return _with_attempt(turns, timing, now, has_turn=has_turn), now
    if has_turn and room_at is not None and room_at > now:
        return turns, room_at
    step = _step(timing)
    at = turns.next_at if turns.next_at is not None and turns.next_at > now else later(now, step)
    return replace(turns, next_at=later(at, step)), at


def _room_at(
    turns: CarrierTurns, timing: Timing, now: datetime, window: timedelta, out: int
) -> datetime | None:
    """Return when the rate allows another attempt. None if as many commands are out as the concurrency allows."""
    left_now = sum(each.attempts for each in turns.sent if each.at == now)
    if timing.concurrency is not None and out + left_now >= timing.concurrency:
        return None
    if timing.rate_per_s is None:
        return now
    left = sum(each.attempts for each in turns.sent)
    room_at = now
    for each in turns.sent:
        if left < math.ceil(timing.rate_per_s):
            break
        left, room_at = left - each.attempts, later(each.at, window)
    return room_at


def _with_attempt(turns: CarrierTurns, timing: Timing, now: datetime, *, has_turn: bool) -> CarrierTurns:
    *earlier, last = turns.sent or (Sent(now, 0),)
    sent = (*earlier, Sent(now, last.attempts + 1)) if last.at == now else (*earlier, last, Sent(now, 1))
    is_spaced = timing.rate_per_s is not None and not has_turn
    return replace(turns, sent=sent, next_at=later(now, _step(timing)) if is_spaced else turns.next_at)


def _window(timing: Timing) -> timedelta:
    """Return a period in which a whole number of attempts may leave: the rate, rounded up."""
    rate = timing.rate_per_s
    return timedelta(microseconds=1) if rate is None else timedelta(seconds=math.ceil(rate) / rate)


def _step(timing: Timing) -> timedelta:
    """Return the time between two turns."""
    if timing.rate_per_s is not None:
        return timedelta(seconds=1 / timing.rate_per_s)
    return _PROBE / (timing.concurrency or 1)

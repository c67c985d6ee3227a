"""Reminders before a term ends: 30, 7 and 1 days before its end, each once. Pure functions of an end and instants.

Source: spec events, `term.expiring`.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Final

from msgspec import Struct

from didflow_contracts.instants import later
from didflow_contracts.vocabulary import EndingReason, ReminderDays

DAYS: Final[Mapping[EndingReason, tuple[ReminderDays, ...]]] = MappingProxyType(
    {
        "cycles_used_up": (30, 7, 1),
        "registration_not_completed": (30, 7, 1),
        "canceled": (7, 1),
        "aging": (7, 1),
    }
)
"""Why a term ends -> how many days before its end reminders are published, the earliest first."""


class Ending(Struct, frozen=True):
    """When and why a term ends if nothing else happens."""

    at: datetime
    reason: EndingReason


class Reminded(Struct, frozen=True, kw_only=True):
    """The last reminder that was published: the end that it was about, and how many days before that end."""

    ends_at: datetime
    days: ReminderDays


class Reminder(Struct, frozen=True, kw_only=True):
    """The next reminder: when it is due, and how many days before the end it stands for."""

    at: datetime
    days: ReminderDays


def next_reminder(ending: Ending, changed_at: datetime | None, reminded: Reminded | None) -> Reminder | None:
    """Return the next reminder of an end, or None if all were published or left out.

    A reminder whose instant is not after `changed_at`, the last change of the term, is due at that change, and then
    only the nearest one to the end. A reminder of the same end is never due twice.
    """
    sent = reminded.days if reminded is not None and reminded.ends_at == ending.at else None
    missed: ReminderDays | None = None
    for days in DAYS[ending.reason]:
        if sent is not None and days >= sent:
            continue
        at = later(ending.at, timedelta(days=-days))
        if changed_at is not None and at <= changed_at:
            missed = days
        elif missed is None:
            return Reminder(at=at, days=days)
    if missed is None or changed_at is None or changed_at >= ending.at:
        return None
    return Reminder(at=changed_at, days=missed)

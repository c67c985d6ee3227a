"""Whether an event may be about what it names. This is the only place with the rules for `not_yours`."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from msgspec import Struct

from didflow_contracts.accounts import is_within
from didflow_contracts.cloudevents import is_our_source
from didflow_contracts.envelope import Event


class Holder(Struct, frozen=True, kw_only=True):
    """The account that holds the DID from `since` on. None means from the purchase on."""

    account: str
    since: datetime | None


def holder_at(holders: Sequence[Holder], instant: datetime) -> str:
    """Return the account that held the DID at an instant. The first of the holders has it from the purchase on."""
    held = [each.account for each in holders if each.since is None or each.since <= instant]
    return held[-1] if held else holders[0].account


def holder_named(account: str, instant: datetime, holders: Sequence[Holder]) -> str | None:
    """Return the holder that an outside source means by an account: itself, or one below it that held the DID.

    It is the holder at the instant, or else the one of now. None if the account names neither.
    """
    candidates = (holder_at(holders, instant), holders[-1].account)
    return next((each for each in candidates if is_within(each, account)), None)


def is_from_didflow(event: Event[Any]) -> bool:
    """Return True if one of the didflow services published the event."""
    return is_our_source(event.source)


def contradicts_owner(event: Event[Any], holder: str) -> bool:
    """Return True if an outside source names an account that is neither the holder nor above the holder.

    Between didflow services the account is information only, so their events never contradict the owner.
    Source: spec events, What a service does with what it gets, `not_yours`.
    """
    return not is_from_didflow(event) and not is_within(holder, event.data.account)


def contradicts_carrier(event: Event[Any], carrier: str) -> bool:
    """Return True if a registered adapter reports about a command for a carrier that is not one of its own.

    Source: spec events, Sources.
    """
    return event.registered is not None and carrier not in event.registered.carriers

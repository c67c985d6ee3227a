"""A configuration profile is applied to a DID: by a caller, or automatically to a new DID.

A DID uses the profile that was last applied to it, until its routing is cleared, it ends, or it gets a holder that the
profile does not serve. Source: spec provisioning, Routing.
"""

from collections.abc import Iterator
from datetime import datetime
from functools import partial
from typing import NamedTuple, Protocol
from uuid import UUID

from msgspec.structs import replace

from didflow_chassis.decision import Decision, Known, Refused
from didflow_contracts.accounts import is_within
from didflow_provisioning.domain.capacity.reservations import with_capacity
from didflow_provisioning.domain.profiles.commands import ApplyProfile
from didflow_provisioning.domain.profiles.profile import Profile, automatic_profile
from didflow_provisioning.domain.readiness import needs_sms, needs_voice
from didflow_provisioning.domain.routing import Routing
from didflow_provisioning.domain.routing_changes import NOT_FOUND, changed, may_change
from didflow_provisioning.domain.targets.sms_trunks import sms_setting
from didflow_provisioning.domain.targets.voice_targets import voice_setting
from didflow_provisioning.domain.timing import Timings


class Change(Protocol):
    """Sets one setting on a routing, or says why it cannot be set."""

    def __call__(self, routing: Routing) -> Routing | Refused:
        """Return the changed routing, or the refusal."""
        ...


class Setting(NamedTuple):
    """One setting of a profile: the field of the routing, and its change."""

    field: str
    change: Change


def apply_profile(
    routing: Routing | None, command: ApplyProfile, now: datetime, known: Known, *, timings: Timings
) -> Decision:
    """Set on a DID what a profile names, as far as the number takes calls or messages. All of it or nothing.

    Refused `configuration_profile_not_found`, `not_supported` if the number takes neither, and as the single settings
    are: `voice_trunk_not_found`, `voice_trunk_group_not_found`, `capacity_group_not_found`, `capacity_exhausted`,
    `sms_trunk_not_found`.
    """
    if routing is None or not may_change(routing, command):
        return NOT_FOUND
    profile = known.get(Profile, command.configuration_profile_id)
    if profile is None or not profile.serves(routing.account):
        return Refused(
            "configuration_profile_not_found",
            "No such configuration profile serves this number. Use one of the number's account or of an account above.",
            "configuration_profile_id",
        )
    if not (needs_voice(routing) or needs_sms(routing)):
        return Refused("not_supported", "The number takes neither calls nor messages.")
    after = replace(routing, profile=profile.applied)
    for setting in _settings(routing, profile, known):
        step = setting.change(after)
        if isinstance(step, Refused):
            return step
        after = step
    return changed(routing, after, command, now, known, timings=timings)


def with_automatic_profile(before: Routing, after: Routing, known: Known) -> Routing:
    """Return a new DID with the automatic profile of the nearest account, if there is one.

    `before` is the DID as it was before inventory published its holding for the first time. A setting that a caller
    has made already stays. One that cannot be made, because a group is full, is left out: the readiness of the DID
    shows that it is missing.
    """
    if not is_new(before) or after.stock == "removed":
        return after
    profile = automatic_profile(after.account, known)
    if profile is None:
        return after
    for setting in _settings(after, profile, known):
        step = setting.change(after) if getattr(after, setting.field) is None else None
        if isinstance(step, Routing):
            after = replace(step, profile=profile.applied)
    return after


def is_new(routing: Routing) -> bool:
    """Return True if inventory has published no holding of the DID yet."""
    return routing.end_reason is None and routing.stock is None


def without_foreign_profile(routing: Routing) -> Routing:
    """Return the routing without a profile that does not serve its holder."""
    profile = routing.profile
    is_foreign = profile is not None and not is_within(routing.account, profile.account)
    return replace(routing, profile=None) if is_foreign else routing


def _settings(routing: Routing, profile: Profile, known: Known) -> Iterator[Setting]:
    """Yield the settings of a profile that the number can have, in the order in which they are made."""
    if needs_voice(routing):
        yield from _settings_of_calls(profile, known)
    if needs_sms(routing) and profile.sms_trunk_id is not None:
        yield Setting("sms", partial(_with_sms, trunk_id=profile.sms_trunk_id, known=known))


def _settings_of_calls(profile: Profile, known: Known) -> Iterator[Setting]:
    if profile.voice_trunk_id is not None or profile.voice_trunk_group_id is not None:
        yield Setting("voice", partial(_with_voice, profile=profile, known=known))
    capacity, group_id = profile.capacity, profile.capacity_group_id
    if capacity is not None or group_id is not None:
        change = partial(with_capacity, capacity=capacity, group_id=group_id, known=known)
        yield Setting("capacity", change)


def _with_voice(routing: Routing, profile: Profile, known: Known) -> Routing | Refused:
    voice = voice_setting(profile, routing.account, known)
    return voice if isinstance(voice, Refused) else replace(routing, voice=voice)


def _with_sms(routing: Routing, trunk_id: UUID, known: Known) -> Routing | Refused:
    sms = sms_setting(trunk_id, routing.account, known)
    return sms if isinstance(sms, Refused) else replace(routing, sms=sms)

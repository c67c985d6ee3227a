"""How a change and a replacement of a target reach the DIDs on it: by a job, with one decision for each DID.

A change lets each DID take its target again, as it is now. A replacement lets it take another one. Both do so only if
the DID is on the former target now: a DID that was changed meanwhile keeps what it was changed to.
Source: spec provisioning, Routing; spec http, Jobs.
"""

from datetime import datetime
from typing import Final

from didflow_chassis.decision import Decided, Decision, Known, Refused, Unchanged
from didflow_provisioning.domain.routing import Routing
from didflow_provisioning.domain.routing_changes import NOT_FOUND as NO_DID
from didflow_provisioning.domain.routing_changes import may_change, with_sms, with_voice
from didflow_provisioning.domain.serves_below import not_found
from didflow_provisioning.domain.targets import sms_trunks, voice_trunk_groups, voice_trunks
from didflow_provisioning.domain.targets.commands import (
    MoveSms,
    MoveVoice,
    ReplaceSmsTrunk,
    ReplaceTarget,
    ReplaceVoiceTrunk,
    ReplaceVoiceTrunkGroup,
)
from didflow_provisioning.domain.targets.job_kinds import (
    REPLACE_SMS_TRUNK,
    REPLACE_VOICE_TRUNK,
    REPLACE_VOICE_TRUNK_GROUP,
    Move,
)
from didflow_provisioning.domain.targets.sms_trunks import SmsTrunk
from didflow_provisioning.domain.targets.target import Target, started
from didflow_provisioning.domain.targets.voice_targets import target_of
from didflow_provisioning.domain.targets.voice_trunk_groups import VoiceTrunkGroup
from didflow_provisioning.domain.targets.voice_trunks import VoiceTrunk
from didflow_provisioning.domain.timing import Timings

VOICE_TARGET: Final = "voice trunk or voice trunk group"


def replace_voice_trunk(
    trunk: VoiceTrunk | None, command: ReplaceVoiceTrunk, now: datetime, known: Known
) -> Decision:
    """Start the job that moves each DID on a trunk to another trunk or to a group."""
    names = (REPLACE_VOICE_TRUNK, voice_trunks.WHAT, VOICE_TARGET)
    return _replaced(trunk, command, now, names=names, other=target_of(command.by, known))


def replace_voice_trunk_group(
    group: VoiceTrunkGroup | None, command: ReplaceVoiceTrunkGroup, now: datetime, known: Known
) -> Decision:
    """Start the job that moves each DID on a group to a trunk or to another group."""
    names = (REPLACE_VOICE_TRUNK_GROUP, voice_trunk_groups.WHAT, VOICE_TARGET)
    return _replaced(group, command, now, names=names, other=target_of(command.by, known))


def replace_sms_trunk(
    trunk: SmsTrunk | None, command: ReplaceSmsTrunk, now: datetime, known: Known
) -> Decision:
    """Start the job that moves each DID on an SMS trunk to another one."""
    names = (REPLACE_SMS_TRUNK, sms_trunks.WHAT, sms_trunks.WHAT)
    return _replaced(trunk, command, now, names=names, other=known.get(SmsTrunk, command.by))


def _replaced(
    target: Target | None,
    command: ReplaceTarget,
    now: datetime,
    *,
    names: tuple[str, str, str],
    other: Target | None,
) -> Decision:
    """Start the job. `names` are its kind, and what the target and the other one are called.

    Refused `not_found`, and `same_target`.
    The caller must reach the target. The other one must be a target that the caller reaches or is served by.
    """
    kind, what, other_what = names
    if target is None or not target.is_changeable_by(command.caller):
        return not_found(what)
    if other is None or not other.is_usable_by(command.caller):
        return not_found(other_what, "by")
    if command.by == command.entity_id:
        return Refused("same_target", f"A {what} cannot be replaced by itself.", "by")
    move = Move(former=command.entity_id, by=command.by, is_group=isinstance(other, VoiceTrunkGroup))
    job = started(command, (kind, move), now)
    return Decided(also=(job,), answer=job)


def move_voice(
    routing: Routing | None, command: MoveVoice, now: datetime, known: Known, *, timings: Timings
) -> Decision:
    """Deliver calls to a voice target as it is now, if the DID is still on the former one.

    Refused `not_found`, `voice_trunk_not_found` and `voice_trunk_group_not_found`. A number that has the target though
    it takes no calls any more is moved too, so that the former target can be deleted.
    """
    if routing is not None and (routing.voice is None or routing.voice.delivery.id != command.former):
        return Unchanged()
    if routing is None or not may_change(routing, command):
        return NO_DID
    return with_voice(routing, command, now, known, timings=timings)


def move_sms(
    routing: Routing | None, command: MoveSms, now: datetime, known: Known, *, timings: Timings
) -> Decision:
    """Deliver messages to an SMS trunk as it is now, if the DID is still on the former one. As `move_voice`."""
    if routing is not None and (routing.sms is None or routing.sms.delivery.id != command.former):
        return Unchanged()
    if routing is None or not may_change(routing, command):
        return NO_DID
    return with_sms(routing, command, now, known, timings=timings)

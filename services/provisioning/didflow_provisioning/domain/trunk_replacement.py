"""The replacement of a voice trunk: a job moves each DID on it to another trunk.

Each DID is one decision. A DID that was changed meanwhile keeps what it was changed to.
Source: spec provisioning, Routing; spec http, Jobs.
"""

from datetime import datetime
from typing import Final
from uuid import UUID

from msgspec import Struct

from didflow_chassis.decision import Decided, Decision, Known, NewJob, Refused, Unchanged
from didflow_provisioning.domain.commands import MoveVoice, ReplaceVoiceTrunk
from didflow_provisioning.domain.routing import Routing
from didflow_provisioning.domain.routing_changes import NOT_FOUND as NO_DID
from didflow_provisioning.domain.routing_changes import may_change, with_voice
from didflow_provisioning.domain.timing import Timings
from didflow_provisioning.domain.voice_trunks import NOT_FOUND, VoiceTrunk

REPLACE_VOICE_TRUNK: Final = "replace_voice_trunk"
"""The kind of the job."""


class TrunkReplacement(Struct, frozen=True, kw_only=True):
    """The parameters of the job: each DID on the trunk `trunk_id` takes the trunk `by`."""

    trunk_id: UUID
    by: UUID


def replace_voice_trunk(
    trunk: VoiceTrunk | None, command: ReplaceVoiceTrunk, now: datetime, known: Known
) -> Decision:
    """Start the job. Refused `not_found` for either trunk, and `same_trunk`.

    The caller must reach the trunk. The other one must be a trunk that the caller reaches or is served by.
    """
    caller = command.caller
    if trunk is None or trunk.deleted or not caller.reaches(trunk.account):
        return NOT_FOUND
    other = known.get(VoiceTrunk, command.by)
    if other is None or not other.is_usable_by(caller):
        return Refused(NOT_FOUND.code, NOT_FOUND.message, "by")
    if other.trunk_id == trunk.trunk_id:
        return Refused("same_trunk", "A voice trunk cannot be replaced by itself.", "by")
    parameters = TrunkReplacement(trunk_id=trunk.trunk_id, by=other.trunk_id)
    job = NewJob.of(caller, job_id=command.job_id, kind=REPLACE_VOICE_TRUNK, now=now, parameters=parameters)
    return Decided(also=(job,), answer=job)


def move_voice(
    routing: Routing | None, command: MoveVoice, now: datetime, known: Known, *, timings: Timings
) -> Decision:
    """Deliver calls to the other trunk if the DID is still on the former one.

    Refused `not_found`, and `voice_trunk_not_found`. A number that has the trunk though it takes no calls any more is
    moved too, so that the former trunk can be deleted.
    """
    if routing is not None and (routing.voice is None or routing.voice.delivery.id != command.former):
        return Unchanged()
    if routing is None or not may_change(routing, command):
        return NO_DID
    return with_voice(routing, command, now, known, timings=timings)

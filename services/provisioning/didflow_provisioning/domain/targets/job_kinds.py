"""The jobs that carry a change or a replacement of a target to the DIDs on it: their kinds and their parameters."""

from typing import Final
from uuid import UUID

from msgspec import Struct

CHANGE_VOICE_TRUNK: Final = "change_voice_trunk"
"""The kind of the job that lets each DID on a voice trunk, or on a group with it, take it as it is now."""

REPLACE_VOICE_TRUNK: Final = "replace_voice_trunk"
"""The kind of the job that moves each DID on a voice trunk to another target."""

CHANGE_VOICE_TRUNK_GROUP: Final = "change_voice_trunk_group"
"""The kind of the job that lets each DID on a voice trunk group take it as it is now."""

REPLACE_VOICE_TRUNK_GROUP: Final = "replace_voice_trunk_group"
"""The kind of the job that moves each DID on a voice trunk group to another target."""

CHANGE_SMS_TRUNK: Final = "change_sms_trunk"
"""The kind of the job that lets each DID on an SMS trunk take it as it is now."""

REPLACE_SMS_TRUNK: Final = "replace_sms_trunk"
"""The kind of the job that moves each DID on an SMS trunk to another one."""


class Move(Struct, frozen=True, kw_only=True):
    """The parameters of a job: each DID on the target `former` takes the target `by`. None: what it has, as it is now.

    `is_group` says whether `by` is a voice trunk group.
    """

    former: UUID
    by: UUID | None = None
    is_group: bool = False

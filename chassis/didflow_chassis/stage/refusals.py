"""Build the event `message.refused`, which tells inventory that this service refused an event about a DID."""

from typing import Any, Final

from didflow_chassis.decision import Refused
from didflow_chassis.service import Holder
from didflow_contracts.envelope import Event
from didflow_contracts.events import MessageRefused

NOT_PUBLISHED: Final = frozenset({"outdated", "command_unknown"})
"""Refusals that are part of normal operation. They are counted, and not published."""


def message_refused(event: Event[Any], refused: Refused, holder: Holder) -> MessageRefused | None:
    """Return the event to publish for a refused event; None if this refusal is not published.

    Source: spec events, `message.refused`.
    """
    if refused.code in NOT_PUBLISHED or isinstance(event.data, MessageRefused):
        return None
    return MessageRefused(
        did_id=event.data.entity_id,
        number=holder.subject,
        account=holder.account,
        refused_type=event.type,
        refused_source=event.source,
        refused_id=event.id,
        code=refused.code,
        field=refused.field,
    )

"""One entry of the history."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from msgspec import Struct

from didflow_inventory.domain.history.things import Change, ThingName

EntryOutcome = Literal["applied", "unchanged", "refused"]


class HistoryEntry(Struct, frozen=True, kw_only=True):
    """One message about a thing: when, who, what changed, and by which event. Entries never change.

    `thing` is the kind of the thing. A DID is named by `did_id`, anything else by `thing_id`; `number` is the phone
    number of a DID or of a number in stock. `account` is the account to which the thing belonged. If it moved to or
    from an account below, that one is named, so that both see the entry.

    `at` is when the change became true, `recorded_at` when inventory recorded it. `source`, `event_id`,
    `event_sequence` and `causation_id` are those of the event; None for a command or a due timer. `code` is the code of
    a refusal: of this message, of the purchase, or of the message that another service refused. `extra` holds the
    fields of the event that no DID has, such as why a term changed, and its unknown fields.
    `claimed_actor` is who acted according to an outside source; nobody has verified it.
    """

    thing: ThingName
    did_id: UUID | None
    thing_id: str | None
    number: str | None
    account: str
    at: datetime
    recorded_at: datetime
    type: str
    source: str | None
    event_id: str | None
    event_sequence: int | None
    causation_id: str | None
    actor: str
    outcome: EntryOutcome
    code: str | None
    changes: Mapping[str, Change]
    extra: Mapping[str, Any]
    claimed_actor: str | None = None

"""The term axis, the ledger and the removal of a DID. Published by billing."""

from typing import ClassVar
from uuid import UUID

from pydantic import Field

from didflow_contracts.accounts import AccountPath
from didflow_contracts.event_data import EventData
from didflow_contracts.instants import Instant
from didflow_contracts.money import Money
from didflow_contracts.vocabulary import (
    CycleOutcome,
    Cycles,
    EndingReason,
    EntryKind,
    Flag,
    Months,
    Name,
    Ordinal,
    ReminderDays,
    RemovalReason,
    TermReason,
    TermState,
)


class TermAxis(EventData):
    """The whole term after an event. The highest `sequence` is the current one. Source: spec events, Topics."""

    state: TermState = Field(description="The state of the term.")
    cycles_left: Cycles | None = Field(description="Renewals left; null if unlimited or without a term.")
    billing_period: Months | None = Field(description="Months per period; null without a term.")
    period_start: Instant | None = Field(description="Start of the running period; null without a term.")
    expires_at: Instant | None = Field(description="End of the running period; null without a term.")
    aging_until: Instant | None = Field(
        description="When the DID is removed for good; null if that is not due."
    )


class TermChanged(TermAxis):
    """A term started, changed or ended."""

    topic: ClassVar[str] = "term.changed"

    reason: TermReason = Field(description="Why the term changed.")


class CycleExpired(TermAxis):
    """A paid period ended. The fields of the term are those after the end of the period."""

    topic: ClassVar[str] = "cycle.expired"

    reason: TermReason | None = Field(default=None, description="How the end of the period changed the term.")
    period: Ordinal = Field(description="The number of the period that ended, from 1.")
    expired_at: Instant = Field(description="When the period ended.")
    outcome: CycleOutcome = Field(description="The outcome of the end of the period.")


class TermExpiring(EventData):
    """A reminder before a term ends. It changes nothing and belongs to no axis.

    The same end is never reminded of twice for the same days. Nothing recalls a reminder: if the term is renewed or
    restored before `ends_at`, `term.changed` says so. Source: spec events, Topics.
    """

    topic: ClassVar[str] = "term.expiring"

    ends_at: Instant = Field(
        description="When the paid time ends, or, for `canceled` and `aging`, when the DID is removed."
    )
    days: ReminderDays = Field(
        description="Which reminder it is: 30, 7 or 1 days before the end; 7 and 1 for `canceled` and `aging`. "
        "It is at most this many days until the end; fewer if the end became known later."
    )
    reason: EndingReason = Field(description="Why the term ends.")


class LedgerPosted(EventData):
    """One entry of the ledger. Entries never change; a refund is another entry that reverses a charge."""

    topic: ClassVar[str] = "ledger.posted"

    entry_id: UUID = Field(description="The id of the entry.")
    order_id: Name | None = Field(default=None, description="The order number of the purchase, or null.")
    payer: AccountPath = Field(description="The account charged or refunded.")
    kind: EntryKind = Field(description="What the entry is for.")
    money: Money = Field(description="The amount; a refund is negative.")
    period_start: Instant | None = Field(default=None, description="Start of the period paid for, or null.")
    period_end: Instant | None = Field(default=None, description="End of the period paid for, or null.")
    reverses: UUID | None = Field(default=None, description="The entry that this refund reverses, or null.")


class DidRemoved(EventData):
    """A DID was removed. This is always applied and is final for stock, registration and term."""

    topic: ClassVar[str] = "did.removed"

    reason: RemovalReason = Field(description="Why the DID was removed.")
    refunded: Flag = Field(description="True if every charge of this DID was reversed.")

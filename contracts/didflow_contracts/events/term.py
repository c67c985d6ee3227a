"""The term axis and the ledger: how long a DID lives, what it cost, and its end. Billing says it."""

from typing import ClassVar
from uuid import UUID

from pydantic import Field

from didflow_contracts.accounts import AccountPath
from didflow_contracts.event import EventData
from didflow_contracts.instants import Instant
from didflow_contracts.money import Money
from didflow_contracts.vocabulary import (
    CycleOutcome,
    Cycles,
    EntryKind,
    Flag,
    Months,
    Name,
    Ordinal,
    RemovalReason,
    TermReason,
    TermState,
)


class TermAxis(EventData):
    """The whole term after an event; the highest `sequence` wins. Source: spec events, Topics."""

    state: TermState = Field(description="The state of the term.")
    cycles_left: Cycles | None = Field(description="Renewals left; null is unlimited, or no term.")
    billing_period: Months | None = Field(description="Months per period; null without a term.")
    period_start: Instant | None = Field(description="Start of the running period; null without a term.")
    expires_at: Instant | None = Field(description="End of the running period; null without a term.")
    aging_until: Instant | None = Field(description="When it is gone for good; null while not in the pool.")


class TermChanged(TermAxis):
    """A term began, changed or ended."""

    topic: ClassVar[str] = "term.changed"

    reason: TermReason = Field(description="What changed it.")


class CycleExpired(TermAxis):
    """A paid period ended; the term is said as it is after that."""

    topic: ClassVar[str] = "cycle.expired"

    reason: TermReason | None = Field(default=None, description="What the end of the period did to the term.")
    period: Ordinal = Field(description="Which period ended, from 1.")
    expired_at: Instant = Field(description="When it ended.")
    outcome: CycleOutcome = Field(description="What came of it.")


class LedgerPosted(EventData):
    """One entry of the ledger. Entries are never changed; a refund reverses one by another."""

    topic: ClassVar[str] = "ledger.posted"

    entry_id: UUID = Field(description="The entry.")
    order_id: Name | None = Field(default=None, description="The order it belongs to; null without one.")
    payer: AccountPath = Field(description="The account charged or refunded.")
    kind: EntryKind = Field(description="What it is for.")
    money: Money = Field(description="The amount; a refund is negative.")
    period_start: Instant | None = Field(default=None, description="Start of the period paid for, or null.")
    period_end: Instant | None = Field(default=None, description="End of the period paid for, or null.")
    reverses: UUID | None = Field(default=None, description="The entry that this one takes back, or null.")


class DidRemoved(EventData):
    """A DID is gone. Always applied, and final for stock, registration and term."""

    topic: ClassVar[str] = "did.removed"

    reason: RemovalReason = Field(description="Why it is gone.")
    refunded: Flag = Field(description="True when every charge of this DID was taken back.")

"""The holding: what inventory owns of a DID. Only decisions of inventory change it."""

from datetime import datetime
from typing import Final, Literal
from uuid import UUID

from msgspec import Struct

from didflow_contracts.assignments import Assignment
from didflow_contracts.ownership import Holder
from didflow_contracts.vocabulary import (
    AfterHold,
    DidStock,
    Features,
    HeldBy,
    NumberType,
    Origin,
    RefusalCode,
    RemovalReason,
    Status,
)

Stock = DidStock | Literal["refused"]
"""The stock axis of a DID. A refused DID never held its number; it is kept for its history only."""

BeforeHold = Literal["assigned", "blocked"]
Step = Literal[
    "porting",
    "purchase",
    "porting_end",
    "block",
    "unblock",
    "hold",
    "unhold",
    "hold_end",
    "port_out",
    "return",
    "removal",
]
"""What changes the stock axis of a DID."""

NOT_LIVE: Final[frozenset[Stock]] = frozenset(("removed", "refused"))


class Holding(Struct, frozen=True, kw_only=True):
    """The number, its purchase, its stock axis, and the end-user details that were assigned.

    `last_step` is the step that led to `stock`; a repeat of it changes nothing. `held_since`, `until`, `after_hold`,
    `held_by` and `before_hold` (the stock before) are set only on hold. `next_after_hold` is what comes after a hold
    that does not say it; None means `back`. `blocked_by` is the account that blocked the DID; it is kept on hold.
    `in_enterprise` says that `account` is an enterprise, which alone has users. `user` is the id of the user that the
    DID is assigned to. `package_key` is the client of a package that picked it (`client_key`), as long as an account of
    that client holds it. `notes` are for people and in no event.

    `holders` are the accounts that held the DID, `account` last, each with its start; empty while the DID is held by
    the account that got it. `assignment` is the last one that counted. `published_status` is the status that inventory
    last published; None before the first.
    """

    did_id: UUID
    number: str
    number_type: NumberType
    country: str | None = None
    region: str | None = None
    area: str | None = None
    order_id: str | None = None
    purchased_at: datetime

    stock: Stock
    last_step: Step = "purchase"
    held_since: datetime | None = None
    until: datetime | None = None
    after_hold: AfterHold | None = None
    held_by: HeldBy | None = None
    before_hold: BeforeHold | None = None
    next_after_hold: AfterHold | None = None
    blocked_by: str | None = None
    account: str
    in_enterprise: bool = False
    payer: str
    user: str | None = None
    package_key: str | None = None
    features: Features
    carrier: str | None = None
    sms_carrier: str | None = None
    origin: Origin = "purchased"
    tags: tuple[str, ...] = ()
    description: str | None = None
    notes: str | None = None
    refusal_code: RefusalCode | None = None
    removal_reason: RemovalReason | None = None
    removed_at: datetime | None = None

    holders: tuple[Holder, ...] = ()
    assignment: Assignment | None = None
    published_status: Status | None = None

    @property
    def is_live(self) -> bool:
        """Whether the DID is neither removed nor refused."""
        return self.stock not in NOT_LIVE

    @property
    def all_holders(self) -> tuple[Holder, ...]:
        """The accounts that held the DID, in order."""
        return self.holders or (Holder(account=self.account, since=None),)

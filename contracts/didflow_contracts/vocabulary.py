"""The closed lists of values in the events. A value outside its list is invalid data."""

from functools import lru_cache
from typing import Annotated, Literal, TypeAlias, get_args

from pydantic import AfterValidator, BeforeValidator, Field, Strict

from didflow_contracts.bounds import COUNT, CYCLES, ITEMS, NAME, ORDINAL, TEXT

NumberType: TypeAlias = Literal["local", "national", "mobile", "toll_free"]
Feature: TypeAlias = Literal[
    "voice_in", "voice_out", "sms_in", "sms_out", "fax", "emergency", "a2p_sms", "cnam"
]
EndUserType: TypeAlias = Literal["business", "individual"]
Acquired: TypeAlias = Literal["purchased", "ported_in", "assigned", "package", "external"]
BillingPeriod: TypeAlias = Literal[1, 3, 6, 12]

PortingOutcome: TypeAlias = Literal["failed", "canceled"]
RefusalCode: TypeAlias = Literal[
    "number_taken",
    "number_reserved",
    "number_releasing",
    "number_archived",
    "duplicate_order",
    "invalid_number",
    "account_unknown",
]

DidStock: TypeAlias = Literal["porting_in", "assigned", "blocked", "on_hold", "removed"]
AfterHold: TypeAlias = Literal["in_stock", "reserved", "archived", "back"]
Origin: TypeAlias = Literal["stock", "purchased", "ported_in", "external"]
HeldBy: TypeAlias = Literal["package", "hand"]
WithdrawalReason: TypeAlias = Literal["hold_ended", "ported_out", "returned", "porting_failed"]

Status: TypeAlias = Literal[
    "porting_in_progress",
    "terminated",
    "blocked",
    "hold",
    "awaiting_registration",
    "delayed_service_removal",
    "not_configured",
    "active",
]
Circle: TypeAlias = Literal["green", "yellow", "red"]
NextAction: TypeAlias = Literal[
    "await_porting",
    "restore",
    "renew",
    "unblock",
    "reactivate_package",
    "await_hold_end",
    "await_requirement",
    "assign_end_user_details",
    "fix_end_user_details",
    "await_review",
    "retry_carrier",
    "await_carrier",
    "assign_voice_trunk",
    "assign_capacity",
    "assign_sms_trunk",
    "set_billing_cycles",
    "none",
]
Responsible: TypeAlias = Literal[
    "account", "blocker", "reseller", "reviewer", "operator", "carrier", "nobody"
]

Registration: TypeAlias = Literal["not_required", "awaiting", "pending", "approved", "rejected", "expired"]
LapseReason: TypeAlias = Literal["proof_ended", "requirement_changed", "revoked"]

AdditionalService: TypeAlias = Literal["emergency", "a2p_sms", "cnam"]
ServiceState: TypeAlias = Literal[
    "not_configured",
    "new",
    "in_process",
    "active",
    "changes_required",
    "pending",
    "cancelation_pending",
]

CarrierState: TypeAlias = Literal["inactive", "activating", "active", "suspended", "failed", "released"]
CarrierAction: TypeAlias = Literal[
    "activate", "suspend", "resume", "release", "set_voice", "set_capacity", "set_sms"
]
ResultOutcome: TypeAlias = Literal["succeeded", "failed"]
VoiceKind: TypeAlias = Literal["trunk", "trunk_group"]
UnappliedState: TypeAlias = Literal["queued", "out", "failed"]

TermState: TypeAlias = Literal["none", "active", "delayed_removal", "canceled", "aging", "closed"]
TermReason: TypeAlias = Literal[
    "started", "renewed", "cycles_set", "canceled", "restored", "delayed", "expired", "extended", "closed"
]
CycleOutcome: TypeAlias = Literal["renewed", "delayed_removal", "expired", "extended", "removed"]
EndingReason: TypeAlias = Literal["cycles_used_up", "registration_not_completed", "canceled", "aging"]
ReminderDays: TypeAlias = Literal[30, 7, 1]
EntryKind: TypeAlias = Literal["setup", "recurring", "renewal", "refund"]
RemovalReason: TypeAlias = Literal[
    "canceled_awaiting_registration",
    "registration_not_completed",
    "aged_out",
    "hold_ended",
    "ported_out",
    "returned",
    "porting_failed",
    "no_price",
]

_FEATURES: tuple[Feature, ...] = get_args(Feature)


@lru_cache(maxsize=1_024)
def _in_order(features: tuple[Feature, ...]) -> tuple[Feature, ...]:
    return tuple(feature for feature in _FEATURES if feature in features)


Features = Annotated[tuple[Feature, ...], Field(max_length=ITEMS.most), AfterValidator(_in_order)]
"""The features of a number. Each is kept once and in a fixed order, so that equal sets are equal values."""


def _whole_number(value: object) -> object:
    if type(value) is not int:
        raise ValueError("A number of months must be a whole number.")
    return value


Months = Annotated[BillingPeriod, BeforeValidator(_whole_number)]
Count = Annotated[int, Strict(), Field(ge=COUNT.least, le=COUNT.most)]
Ordinal = Annotated[int, Strict(), Field(ge=ORDINAL.least, le=ORDINAL.most)]
Cycles = Annotated[int, Strict(), Field(ge=CYCLES.least, le=CYCLES.most)]
Flag = Annotated[bool, Strict()]
Channels: TypeAlias = Count | Literal["unlimited"]
Name = Annotated[str, Field(min_length=NAME.least, max_length=NAME.most)]
Text = Annotated[str, Field(max_length=TEXT.most)]

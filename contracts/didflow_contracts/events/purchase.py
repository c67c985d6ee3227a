"""A DID begins: bought, ported in, or refused. What a purchase of each kind must say is checked here."""

from typing import Any, ClassVar, Self

from pydantic import ConfigDict, Field, model_validator

from didflow_contracts.event import EventData, Part
from didflow_contracts.instants import Instant
from didflow_contracts.money import Money
from didflow_contracts.numbers import CountryCode
from didflow_contracts.vocabulary import (
    Acquired,
    Cycles,
    EndUserType,
    Features,
    Months,
    Name,
    NumberType,
    PortingOutcome,
    RefusalCode,
)


class Price(Part):
    """What a DID costs its payer; both amounts in one currency, neither negative."""

    setup: Money = Field(description="Charged once, at the purchase.")
    recurring: Money = Field(description="Charged per month; a period of n months costs n times this.")

    @model_validator(mode="after")
    def _one_currency_and_not_negative(self) -> Self:
        if self.setup.currency != self.recurring.currency:
            raise ValueError("setup and recurring must be in one currency")
        if self.setup.amount < 0 or self.recurring.amount < 0:
            raise ValueError("a price is never negative")
        return self


_GIVEN = {"not": {"type": "null"}}
PRICE_RULE: dict[str, Any] = {
    "if": {"properties": {"price": {"type": "object"}}, "required": ["price"]},
    "then": {"properties": {"billing_period": _GIVEN}, "required": ["billing_period"]},
}
PURCHASE_RULE: dict[str, Any] = {
    "if": {"properties": {"acquired": {"const": "purchased"}}},
    "then": {
        "properties": dict.fromkeys(("order_id", "end_user_type", "price"), _GIVEN),
        "required": ["order_id", "end_user_type", "price"],
    },
}
"""The conditions that the models check, for those who read the JSON Schema only."""


class Acquisition(EventData):
    """What is said of a number when an account gets it. Source: spec events, Topics."""

    model_config = ConfigDict(json_schema_extra={"allOf": [PRICE_RULE]})

    number_type: NumberType = Field(description="Kind of number; with the country it picks the requirement.")
    features: Features = Field(description="What the number can do.")
    order_id: Name | None = Field(default=None, description="The order system's own name for the order.")
    end_user_type: EndUserType | None = Field(default=None, description="Who will use it, as ordered.")
    price: Price | None = Field(default=None, description="Without a price there is no term.")
    billing_period: Months | None = Field(
        default=None, description="Months per paid period; given wherever a price is."
    )
    billing_cycles: Cycles | None = Field(
        default=None, description="Renewals left after the first period; null is unlimited."
    )
    country: CountryCode | None = Field(default=None, description="ISO-2; derived from the number if absent.")
    region: Name | None = Field(
        default=None, description="Region within the country, as the seller names it."
    )
    area: Name | None = Field(default=None, description="Place of a local number, as the seller names it.")
    carrier: Name | None = Field(
        default=None, description="Carrier of the number; the default one if absent."
    )
    sms_carrier: Name | None = Field(default=None, description="Carrier of its messages, where another.")
    purchased_at: Instant | None = Field(
        default=None, description="When the account got it; the event's `time` if absent."
    )

    @model_validator(mode="after")
    def _price_comes_with_a_period(self) -> Self:
        if self.price is not None and self.billing_period is None:
            raise ValueError("billing_period is required where price is given")
        return self


class DidPurchased(Acquisition):
    """An account got a number: by purchase, finished port-in, hand-out, package pick, or from outside."""

    model_config = ConfigDict(json_schema_extra={"allOf": [PRICE_RULE, PURCHASE_RULE]})
    topic: ClassVar[str] = "did.purchased"

    acquired: Acquired = Field(default="purchased", description="How the account got it.")

    @model_validator(mode="after")
    def _a_purchase_names_order_user_and_price(self) -> Self:
        if self.acquired != "purchased":
            return self
        missing = [name for name in ("order_id", "end_user_type", "price") if getattr(self, name) is None]
        if missing:
            raise ValueError(f"required for a purchase: {', '.join(missing)}")
        return self


class DidPortingStarted(Acquisition):
    """A number is on its way from another carrier; a purchase with the same `did_id` follows."""

    topic: ClassVar[str] = "did.porting_started"

    order_id: Name = Field(description="The order system's own name for the order.")
    acquired: Acquired = Field(default="ported_in", description="How the account gets it.")
    expected_at: Instant | None = Field(default=None, description="When the porting is expected to be done.")
    losing_carrier: Name | None = Field(default=None, description="Where the number comes from.")


class DidPortingEnded(EventData):
    """A porting ended without the number: it failed, or was called off."""

    topic: ClassVar[str] = "did.porting_ended"

    outcome: PortingOutcome = Field(description="How the porting ended.")
    reason: str | None = Field(default=None, description="Why, in the words of who ended it.")


class PurchaseRefused(EventData):
    """Inventory did not give the number to this DID; what others began for it is undone."""

    topic: ClassVar[str] = "purchase.refused"

    order_id: Name | None = Field(description="The refused order; null where the purchase named none.")
    code: RefusalCode = Field(description="Why it was refused.")
    message: str = Field(description="The same for people.")

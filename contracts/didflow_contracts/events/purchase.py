"""The start of a DID: purchased, ported in or refused. The models check what each kind of purchase needs."""

from typing import Any, ClassVar, Final, Self

from pydantic import ConfigDict, Field, model_validator

from didflow_contracts.bounds import AMOUNT
from didflow_contracts.event_data import EventData, Part
from didflow_contracts.instants import OUT_OF_RANGE, Instant
from didflow_contracts.money import Money
from didflow_contracts.numbers import CountryCode
from didflow_contracts.validation_errors import wrong_field
from didflow_contracts.vocabulary import (
    Acquired,
    BillingPeriod,
    Cycles,
    EndUserType,
    Features,
    Months,
    Name,
    NumberType,
    PortingOutcome,
    RefusalCode,
    Text,
)


class Price(Part):
    """What a DID costs its payer. Both amounts have the same currency and are not negative."""

    setup: Money = Field(description="Charged once, at the purchase.")
    recurring: Money = Field(description="Charged per month; a period of n months costs n times this.")

    @model_validator(mode="after")
    def _one_currency_and_not_negative(self) -> Self:
        if self.setup.currency != self.recurring.currency:
            raise wrong_field("setup", "setup and recurring must have the same currency.")
        for name, money in (("setup", self.setup), ("recurring", self.recurring)):
            if money.amount < 0:
                raise wrong_field(name, f"{name} must not be negative.")
        return self

    def of_period(self, months: BillingPeriod) -> Money:
        """Return the cost of a period of `months`, rounded to the minor unit. Source: spec lifecycle, Term."""
        return (self.recurring * months).rounded()


PURCHASE_FIELDS: Final = ("order_id", "end_user_type", "billing_period")
"""What a purchase needs besides. The price may be absent: it is then that of the price list."""

_GIVEN = {"not": {"type": "null"}}
PRICE_RULE: dict[str, Any] = {
    "if": {"properties": {"price": {"type": "object"}}, "required": ["price"]},
    "then": {"properties": {"billing_period": _GIVEN}, "required": ["billing_period"]},
}
PURCHASE_RULE: dict[str, Any] = {
    "if": {"properties": {"acquired": {"const": "purchased"}}},
    "then": {
        "properties": dict.fromkeys(PURCHASE_FIELDS, _GIVEN),
        "required": [*PURCHASE_FIELDS],
    },
}
"""The conditions that the models check, as JSON Schema."""


class Acquisition(EventData):
    """The fields of a number that an account gets. Source: spec events, Topics."""

    model_config = ConfigDict(json_schema_extra={"allOf": [PRICE_RULE]})

    number_type: NumberType = Field(
        description="Type of number. It selects the requirement, together with the country."
    )
    features: Features = Field(description="The features of the number.")
    order_id: Name | None = Field(
        default=None, description="The number that the order system gave the purchase."
    )
    end_user_type: EndUserType | None = Field(
        default=None, description="Who will use the number, as ordered."
    )
    price: Price | None = Field(
        default=None,
        description="Price of the DID. Absent for a purchase: the price of the price list. Absent for other "
        "ways to get a number: there is no term.",
    )
    billing_period: Months | None = Field(
        default=None, description="Months per paid period. Required for a purchase, and if a price is given."
    )
    billing_cycles: Cycles | None = Field(
        default=None, description="Renewals left after the first period; null means unlimited."
    )
    country: CountryCode | None = Field(
        default=None, description="Country of the number. Default: derived from the number."
    )
    region: Name | None = Field(default=None, description="Region in the country, as the seller names it.")
    area: Name | None = Field(default=None, description="Area of a local number, as the seller names it.")
    carrier: Name | None = Field(
        default=None, description="Carrier of the number. Default: the default carrier."
    )
    sms_carrier: Name | None = Field(
        default=None, description="Carrier of its messages, if it is another one."
    )
    purchased_at: Instant | None = Field(
        default=None, description="When the account got the number. Default: the `time` of the event."
    )

    @model_validator(mode="after")
    def _price_comes_with_a_period(self) -> Self:
        if self.price is not None and self.billing_period is None:
            raise wrong_field(
                "billing_period", "billing_period is required if price is given.", code="missing"
            )
        return self

    @model_validator(mode="after")
    def _a_period_costs_an_allowed_amount(self) -> Self:
        if self.price is None or self.billing_period is None:
            return self
        if self.price.of_period(self.billing_period).amount not in AMOUNT:
            message = f"{self.billing_period} times recurring must be at most {AMOUNT.most:,}."
            raise wrong_field("price", message, code=OUT_OF_RANGE)
        return self


class DidPurchased(Acquisition):
    """An account got a number: by purchase, port-in, hand-out, package pick, or as an external number."""

    model_config = ConfigDict(json_schema_extra={"allOf": [PRICE_RULE, PURCHASE_RULE]})
    topic: ClassVar[str] = "did.purchased"

    acquired: Acquired = Field(default="purchased", description="How the account got the number.")

    @model_validator(mode="after")
    def _a_purchase_names_order_user_and_period(self) -> Self:
        if self.acquired != "purchased":
            return self
        missing = [name for name in PURCHASE_FIELDS if getattr(self, name) is None]
        if missing:
            raise wrong_field(missing[0], f"A purchase also needs {', '.join(missing)}.", code="missing")
        return self


class DidPortingStarted(Acquisition):
    """The porting of a number from another carrier started. A purchase with the same `did_id` follows."""

    topic: ClassVar[str] = "did.porting_started"

    order_id: Name = Field(description="The number that the order system gave the purchase.")
    acquired: Acquired = Field(default="ported_in", description="How the account gets the number.")
    expected_at: Instant | None = Field(default=None, description="When the porting is expected to end.")
    losing_carrier: Name | None = Field(default=None, description="The carrier that gives the number away.")


class DidPortingEnded(EventData):
    """A porting failed or was canceled."""

    topic: ClassVar[str] = "did.porting_ended"

    outcome: PortingOutcome = Field(description="How the porting ended.")
    reason: Text | None = Field(default=None, description="Why the porting ended, in free text.")


class PurchaseRefused(EventData):
    """Inventory refused a purchase. The other services undo what they started for this DID."""

    topic: ClassVar[str] = "purchase.refused"

    order_id: Name | None = Field(description="The order number of the purchase, or null.")
    code: RefusalCode = Field(description="Why the purchase was refused.")
    message: Text = Field(description="The reason in words.")

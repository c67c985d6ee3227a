"""Requests: bodies and query strings. Unknown fields are refused."""

from typing import Annotated, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from didflow_billing.domain.commands import Cancel, Renew, Restore, SetCycles, SetPrice
from didflow_billing.domain.prices.row import series_key
from didflow_chassis.decision import Caller, Command
from didflow_chassis.http import NamedEntity
from didflow_contracts.accounts import AccountPath
from didflow_contracts.bounds import AMOUNT, BATCH, NAME
from didflow_contracts.events.purchase import Price
from didflow_contracts.instants import OUT_OF_RANGE, Instant
from didflow_contracts.names import DidName, DidNames
from didflow_contracts.validation_errors import wrong_field
from didflow_contracts.vocabulary import BillingPeriod, Cycles, EntryKind, Flag, Months, Name, NumberType

Month = Annotated[str, Field(pattern=r"^2[0-9]{3}-(0[1-9]|1[0-2])$")]
"""A month of the calendar."""


class TermsBody(BaseModel):
    """A request about the terms of several DIDs."""

    model_config = ConfigDict(extra="forbid")

    dids: DidNames = Field(description="1 to 1,000 DID ids or numbers.")

    def command(self, entity: NamedEntity, caller: Caller) -> Command:
        """Return the command for one DID."""
        raise NotImplementedError


class SetCyclesBody(TermsBody):
    """Set how many times terms renew by themselves."""

    billing_cycles: Cycles | None = Field(
        description="Renewals left, 0 to 999. 0 ends the term with the paid period; null means no limit."
    )

    def command(self, entity: NamedEntity, caller: Caller) -> SetCycles:
        """Return the command for one DID."""
        return SetCycles(
            entity_id=entity.entity_id,
            subject=entity.subject,
            caller=caller,
            billing_cycles=self.billing_cycles,
        )


class RenewBody(TermsBody):
    """Renew terms for one more period."""

    billing_period: Months = Field(description="Months to pay for now, and months of each later period.")

    def command(self, entity: NamedEntity, caller: Caller) -> Renew:
        """Return the command for one DID."""
        return Renew(
            entity_id=entity.entity_id,
            subject=entity.subject,
            caller=caller,
            billing_period=self.billing_period,
        )


class CancelBody(TermsBody):
    """Cancel terms now. To end them with the paid period, set the cycles to 0 instead."""

    remove: Flag = Field(
        default=False,
        description="Remove a DID at once, without refund, if its registration is pending and was never completed. "
        "Otherwise ignored.",
    )

    def command(self, entity: NamedEntity, caller: Caller) -> Cancel:
        """Return the command for one DID."""
        return Cancel(entity_id=entity.entity_id, subject=entity.subject, caller=caller, remove=self.remove)


class RestoreBody(TermsBody):
    """Undo the cancellation of terms."""

    billing_period: Months | None = Field(
        default=None, description="Months to pay for if no paid time is left; otherwise ignored."
    )

    def command(self, entity: NamedEntity, caller: Caller) -> Restore:
        """Return the command for one DID."""
        return Restore(
            entity_id=entity.entity_id,
            subject=entity.subject,
            caller=caller,
            billing_period=self.billing_period,
        )


class QuoteSetCycles(SetCyclesBody):
    """Quote a change of the cycles."""

    action: Literal["set-cycles", "set_cycles"]


class QuoteRenew(RenewBody):
    """Quote a renewal."""

    action: Literal["renew"]


class QuoteCancel(CancelBody):
    """Quote a cancellation."""

    action: Literal["cancel"]


class QuoteRestore(RestoreBody):
    """Quote the undoing of a cancellation."""

    action: Literal["restore"]


QuoteBody = Annotated[QuoteSetCycles | QuoteRenew | QuoteCancel | QuoteRestore, Field(discriminator="action")]
"""The body of an action, and the name of that action."""


class BalancesQuery(BaseModel):
    """What the balances are of, and which entries they add up."""

    by: Literal["account", "order", "did"] = Field(
        default="account",
        description="Of accounts with those below them, or of the orders or the DIDs of each payer.",
    )
    account: AccountPath | None = Field(default=None, description="This account and the accounts below it.")
    since: Instant | None = Field(
        default=None, description="Add up what was posted at this instant or later."
    )
    until: Instant | None = Field(default=None, description="Add up what was posted before this instant.")


class InvoicesQuery(BaseModel):
    """Which entries an invoice has."""

    month: Month = Field(description="The month in which the entries were recorded, in UTC: `2026-01`.")
    account: AccountPath | None = Field(
        default=None,
        description="Entries that this account pays, without accounts below. Without it, all in your reach.",
    )


class LedgerQuery(BaseModel):
    """Filters of the ledger. An entry must satisfy all that are given."""

    did: DidName | None = Field(default=None, description="One DID by its id, or all DIDs of a number.")
    account: AccountPath | None = Field(
        default=None, description="Entries that this account pays, without accounts below."
    )
    order_id: Name | None = Field(default=None, description="The order number of the purchase.")
    kind: EntryKind | None = Field(default=None, description="What the entry is for.")
    since: Instant | None = Field(default=None, description="Posted at this instant or later.")
    until: Instant | None = Field(default=None, description="Posted before this instant.")


LONGEST_PERIOD: Final[BillingPeriod] = 12
CountryOrAny = Annotated[
    str,
    Field(
        pattern=r"^([A-Z]{2}|\*)$", description="ISO 3166-1 alpha-2 country code, or `*` for every country."
    ),
]
NumberTypeOrAny = Literal[NumberType, "*"]


class PriceBody(Price):
    """A row of the price list."""

    model_config = ConfigDict(extra="forbid")

    account: AccountPath = Field(description="The row is for this account and those below it.")
    country: CountryOrAny
    number_type: NumberTypeOrAny = Field(description="The type of number, or `*` for every type.")
    effective_from: Instant = Field(description="The first instant at which the price is in force.")

    @model_validator(mode="after")
    def _every_period_costs_an_allowed_amount(self) -> Self:
        if self.of_period(LONGEST_PERIOD).amount not in AMOUNT:
            message = f"{LONGEST_PERIOD} times recurring must be at most {AMOUNT.most:,}."
            raise wrong_field("recurring", message, code=OUT_OF_RANGE)
        return self

    def command(self, caller: Caller) -> SetPrice:
        """Return the command."""
        return SetPrice(
            entity_id=series_key(self.account, self.country, self.number_type),
            subject=self.account,
            caller=caller,
            account=self.account,
            country=self.country,
            number_type=self.number_type,
            effective_from=self.effective_from,
            price=Price(setup=self.setup, recurring=self.recurring),
        )


class PriceParameters(BaseModel):
    """How a row is added."""

    dry_run: bool = Field(default=False, description="Only answer what would be done. Nothing is stored.")


class PricesQuery(BaseModel):
    """Filters of the price list. A row must satisfy all that are given."""

    account: AccountPath | None = Field(
        default=None, description="Rows of this account, without accounts below."
    )
    country: CountryOrAny | None = Field(
        default=None, description="Rows with this country, or those with `*`."
    )
    number_type: NumberTypeOrAny | None = Field(
        default=None, description="Rows with this type, or those with `*`."
    )


class PriceQuoteBody(BaseModel):
    """What numbers would cost."""

    model_config = ConfigDict(extra="forbid")

    numbers: list[Annotated[str, Field(max_length=NAME.most)]] = Field(
        description="1 to 1,000 numbers.",
        json_schema_extra={"minItems": BATCH.least, "maxItems": BATCH.most},
    )
    billing_period: Months = Field(description="Months of the first period.")
    account: AccountPath | None = Field(
        default=None, description="The account that would purchase. Default: your own account."
    )

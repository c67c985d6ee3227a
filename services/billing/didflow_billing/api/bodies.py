"""Requests: bodies and query strings. Unknown fields are refused."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from didflow_billing.domain.commands import Cancel, Renew, Restore, SetCycles
from didflow_chassis.decision import Caller, Command
from didflow_chassis.http import NamedEntity
from didflow_contracts.accounts import AccountPath
from didflow_contracts.instants import Instant
from didflow_contracts.names import DidName, DidNames
from didflow_contracts.vocabulary import Cycles, EntryKind, Flag, Months, Name


class TermsBody(BaseModel):
    """A request about the terms of several DIDs."""

    model_config = ConfigDict(extra="forbid")

    dids: DidNames = Field(description="1 to 1,000 DID ids or numbers.")

    def command(self, entity: NamedEntity, caller: Caller) -> Command:
        """Return the command for one DID."""
        raise NotImplementedError


class SetCyclesBody(TermsBody):
    """Set how many times terms renew by themselves."""

    billing_cycles: Cycles | None = Field(description="Renewals left, 0 to 999; null means no limit.")

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
    """Cancel terms."""

    remove: Flag = Field(
        default=False, description="Remove a DID at once if its registration is pending, without refund."
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


class LedgerQuery(BaseModel):
    """Filters of the ledger. An entry must satisfy all that are given."""

    did: DidName | None = Field(default=None, description="One DID by its id, or all DIDs of a number.")
    payer: AccountPath | None = Field(
        default=None, description="Entries of this payer, without accounts below."
    )
    order_id: Name | None = Field(default=None, description="The order number of the purchase.")
    kind: EntryKind | None = Field(default=None, description="What the entry is for.")
    since: Instant | None = Field(default=None, description="Posted at this instant or later.")
    until: Instant | None = Field(default=None, description="Posted before this instant.")

"""What callers send: bodies and query strings, strict about what they do not know."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated, Final, Literal
from uuid import UUID

import sqlalchemy as sa
from pydantic import BaseModel, ConfigDict, Field

from didflow_billing.domain.commands import Cancel, Renew, Restore, SetCycles
from didflow_billing.store import ledger
from didflow_chassis.decision import Caller
from didflow_chassis.http import Target, parse_name
from didflow_contracts.accounts import AccountPath
from didflow_contracts.instants import Instant
from didflow_contracts.vocabulary import Cycles, EntryKind, Flag, Months, Name

_E164: Final = re.compile(r"\+[1-9][0-9]{6,14}", re.ASCII)


class _Wish(BaseModel):
    model_config = ConfigDict(extra="forbid")

    dids: list[str] = Field(description="1 to 1,000 ids or numbers.")


class SetCyclesBody(_Wish):
    """How often these DIDs renew by themselves."""

    billing_cycles: Cycles | None = Field(description="Renewals left, 0 to 999; null is without end.")

    def command(self, target: Target, caller: Caller) -> SetCycles:
        """Make the command for one DID."""
        return SetCycles(
            entity_id=target.entity_id,
            subject=target.subject,
            caller=caller,
            billing_cycles=self.billing_cycles,
        )


class RenewBody(_Wish):
    """One more period for these DIDs, now."""

    billing_period: Months = Field(description="Months to pay for, and of each period from then on.")

    def command(self, target: Target, caller: Caller) -> Renew:
        """Make the command for one DID."""
        return Renew(
            entity_id=target.entity_id,
            subject=target.subject,
            caller=caller,
            billing_period=self.billing_period,
        )


class CancelBody(_Wish):
    """The end of these DIDs."""

    remove: Flag = Field(default=False, description="Let one whose registration is under review go at once.")

    def command(self, target: Target, caller: Caller) -> Cancel:
        """Make the command for one DID."""
        return Cancel(entity_id=target.entity_id, subject=target.subject, caller=caller, remove=self.remove)


class RestoreBody(_Wish):
    """The end of a cancellation of these DIDs."""

    billing_period: Months | None = Field(
        default=None, description="Months to pay for where no time is left; ignored where it is."
    )

    def command(self, target: Target, caller: Caller) -> Restore:
        """Make the command for one DID."""
        return Restore(
            entity_id=target.entity_id,
            subject=target.subject,
            caller=caller,
            billing_period=self.billing_period,
        )


class QuoteSetCycles(SetCyclesBody):
    """What setting the cycles would cost."""

    action: Literal["set-cycles", "set_cycles"]


class QuoteRenew(RenewBody):
    """What a renewal would cost."""

    action: Literal["renew"]


class QuoteCancel(CancelBody):
    """What a cancellation would give back."""

    action: Literal["cancel"]


class QuoteRestore(RestoreBody):
    """What a restoration would cost."""

    action: Literal["restore"]


QuoteBody = Annotated[QuoteSetCycles | QuoteRenew | QuoteCancel | QuoteRestore, Field(discriminator="action")]
"""An action and that action's own body."""


class LedgerQuery(BaseModel):
    """What the ledger can be narrowed down by; all that is given must hold."""

    did: Annotated[str, Field(max_length=64)] | None = Field(
        default=None, description="One DID by its id, or all DIDs of a number."
    )
    payer: AccountPath | None = Field(default=None, description="This account alone.")
    order_id: Name | None = None
    kind: EntryKind | None = None
    since: Instant | None = Field(default=None, description="Posted at this instant or later.")
    before: Instant | None = Field(default=None, description="Posted before this instant.")

    def conditions(self) -> Iterator[sa.ColumnElement[bool]]:
        """Give what must hold besides the caller's reach."""
        if self.did is not None:
            named = name_among([self.did]).get(self.did)
            column = ledger.c.did_id if isinstance(named, UUID) else ledger.c.number
            yield sa.false() if named is None else column == named
        for name in ("payer", "order_id", "kind"):
            value = getattr(self, name)
            if value is not None:
                yield ledger.c[name] == value
        if self.since is not None:
            yield ledger.c.posted_at >= self.since
        if self.before is not None:
            yield ledger.c.posted_at < self.before


def name_among(texts: Iterable[str]) -> Mapping[str, UUID | str]:
    """Give what each text names, id or E.164 number; what can name neither is left out."""
    named = {text: parse_name(text) for text in texts}
    return {t: name for t, name in named.items() if isinstance(name, UUID) or _E164.fullmatch(name)}
